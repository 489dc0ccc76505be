// Package checkers judges histories: given what clients and brokers were seen to do, which promises of a
// Kafka-compatible log were broken?
//
// [Check] judges a whole [history.Log]; a [Checker] takes it in while it grows, so that a simulation can stop at
// the first violation. Both give the same findings in the same order. [CheckLiveness] judges what must happen
// after faults have stopped. Package linear cross-checks with a linearizability checker on small windows.
//
// # State
//
// For each partition of each topic incarnation: what stands at each offset (the first evidence, by a read or by an
// acknowledgement), lower bounds of the HighWatermark, the log start and the acknowledged offsets, each with the
// instant from which it holds, and where each process' last poll ended. A permitted loss opens a new era, in which
// offsets above it are judged afresh; what was acknowledged as durable is carried over.
//
// # Rules
//
//   - Real-time order: an operation comes after another only if it began strictly after the other ended.
//   - What a read returned counts whatever the read's outcome; an acknowledgement counts when the send is OK; a send
//     of unknown outcome may have happened at any time since its start; a failed one never.
//   - A violation is certain: every run of a correct broker passes under the recorder's rules in package history.
//     Where the settings permit loss, the Promise of each send and the recorded losses decide what is excused, and
//     an operation that overlaps a permitted loss is not compared across it.
//   - One fact is reported once, under the most telling name: the offset of an acknowledged record holding another
//     value is ACKED-DURABLE; holding nothing, lost-write; nobody having looked, unseen after final reads.
//   - Offsets must be dense, unless the topic is compacted or declared to have gaps.
//
// The HighWatermark is held to be at least what an acks=all acknowledgement or a read has proved, in real time. Of a
// replicated topic that holds for each client by itself: a deposed leader that does not know it yet answers with old
// counters, and only a client that knows the later epoch is refused there. So reads of replicated topics are not
// linearizable, and package linear leaves them out. Kafka lets a new leader's Fetch responses lag for a moment (KIP-207
// closed that for ListOffsets alone); Klamm does not, and a history of Kafka may need [Options.Allow].
//
// # What it does not do
//
// Transactions (G1c, precommitted reads, atomicity) are judged by package txn, consumer groups by package group. Compaction's
// fold-by-key equality is looked for inside the nodes (package cluster). Sharing a log between incarnations of a topic that the history records without ids is not judged.
// Cost is O(n log n) in records and events, times the number of permitted losses.
package checkers
