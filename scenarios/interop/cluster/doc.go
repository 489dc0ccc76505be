// Package cluster holds three real klamm processes under fire: kill -9, SIGSTOP, links cut one way, SIGTERM, and
// requests, configurations and data directories that do not belong.
//
// A producer at full speed keeps a ledger of what was acknowledged at which offset; at the end every partition is read
// from its start and compared with it, and each replica's files with each other's. The times for which a partition took
// no records are measured from the outside, from acknowledgements alone.
//
// The tests are short unless CLUSTER_FULL=1, which takes about half an hour:
//
//	CLUSTER_FULL=1 go test -count=1 -timeout 60m -v ./cluster
//
// The package has tests only.
package cluster
