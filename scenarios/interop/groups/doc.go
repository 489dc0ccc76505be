// Package groups runs unmodified clients in one consumer group of a real cluster, kills and adds members while records flow,
// kills a broker, and counts what was processed: every record at least once, none skipped, repeats within what uncommitted work
// explains.
//
// Each member is a process of its own, so that it can be killed in the middle of anything: this test binary again, or a Python
// program. A member writes "partition offset" for every record that it has processed, and commits after every batch.
//
// The tests are short unless GROUPS_FULL=1, which makes it a million records:
//
//	GROUPS_FULL=1 go test -count=1 -timeout 30m -v ./groups
package groups
