// Package index holds a segment's two sparse indexes, by offset and by time, and their files.
//
// # What it models
//
// [Offsets] is Kafka's `.index` file, [Times] its `.timeindex`. Both are in memory as a whole: core/log keeps those of every
// segment, adds an entry about every index.interval.bytes, and writes the file when the segment is sealed.
//
// # Invariants
//
//   - Entries ascend in both fields (offsets of a time index may repeat).
//   - An entry of the offset index names a batch by its last offset and its position, so whoever looks an offset up begins at or before
//     the batch that holds it.
//
// # What it does not do
//
// It decides nothing about when an entry is due, and reads no batches: a file that does not make sense ([ErrIndex]) is
// rebuilt by core/log's recovery. The index of aborted transactions is core/log/txindex.
//
// KIPs: 33 (time index).
package index
