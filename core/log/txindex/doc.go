// Package txindex is the index of aborted transactions of one segment: Kafka's `.txnindex` (KIP-98).
//
// # What it models
//
// An [Index] lists the transactions whose ABORT marker stands in the segment. A consumer that reads committed records only is told,
// with each fetch, which aborted transactions overlap what it is given ([Index.Collect]), and skips their records.
//
// The file has one entry of 34 bytes per transaction, all big-endian: version int16 = 0, producer id int64, first offset int64, last
// offset int64, last stable offset int64.
//
// # State and callers
//
// core/log keeps the index of every segment in memory, adds to it when it appends an ABORT marker (as leader, as follower, in recovery),
// and writes the file when the segment is sealed. What is added is a function of the log alone: the transaction comes out of the fold of
// the batches up to the marker (core/log/pstate), so all replicas have the same entries.
//
// # Invariants
//
//   - Entries ascend by Last: markers are appended one after the other.
//   - First <= Last, and LastStable <= Last+1: what the LastStableOffset became by the marker.
//   - LastStable never falls along a log: a search that has met LastStable >= upper knows that no later marker can end a transaction which
//     began below upper.
//
// # What it does not do
//
// It does not know committed transactions, nor open ones: the LastStableOffset keeps readers away from those.
package txindex
