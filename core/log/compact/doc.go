// Package compact is log compaction as arithmetic: which part of a log may be cleaned, which segments become one, and
// what is left of each batch. It reads and writes no file; core/log does, see [github.com/klamm-log/klamm/core/log.Log.StartCleaning].
//
// # What it models
//
// A log of a topic with cleanup.policy=compact has a clean part, a dirty part and a head:
//
//	[log start, first dirty)   every key stands here at most once
//	[first dirty, end)         the sealed segments that were appended since the last round
//	[end, log end)             the active segment, and what is not committed or too young: never touched
//
// A round first reads the dirty part and remembers the last offset of each key in a [Map] of bounded memory
// ([Round.Index]). If the map is full before the end, the round ends there. Then everything below that point is
// rewritten, batch by batch ([Round.Filter]), in groups of segments that fit into one ([Group]).
//
// Offsets never change: a batch keeps its base and its last offset whatever is taken out of it, a record keeps its own.
//
// # What stays
//
//   - the last record of each key, and everything at or above the end of the round;
//   - a tombstone, until the delete horizon that the first round over it has written into its batch (KIP-534);
//   - a transaction's marker, until its data are gone and then its delete horizon has passed (KIP-98, KIP-534);
//   - the last batch of each producer, without records if need be, so that its sequence can be told (KIP-98, KIP-360), or, whole,
//     the last marker of one that has written nothing in its newest epoch: that fences the epochs before;
//   - the last batch of each output segment, likewise: it says where the segment ends.
//
// # Where it differs from Kafka
//
// A delete horizon counts from the moment at which its batch is rewritten, and is never set above the end of the round;
// Kafka's counts from the round's beginning, and is set in batches whose older values may not be gone yet. Of a producer
// whose newest batch lies above the end, the last batch below it stays, too: the newest may be truncated away. The last marker
// keeps its record: Kafka empties it, and whoever reads the log again learns nothing of its epoch. Keys are
// told apart by 128 bits of SHA-256 instead of MD5, for which anybody can make two keys that collide.
//
// # What it does not do
//
// It does not find out which transactions were aborted (core/log/txindex), nor that none is open in what is cleaned: the round ends below
// the LastStableOffset.
package compact
