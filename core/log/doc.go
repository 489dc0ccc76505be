// Package log is one partition's log: Kafka's segment files, their indexes and checkpoints, as a pure state machine
// over file operations that never block.
//
// # What it models
//
// A [Log] owns the directory `<topic>-<partition>`:
//
//	00000000000000000000.log        record batches, byte for byte as producers sent them
//	00000000000000000000.index      relative offset (int32), position (int32)
//	00000000000000000000.timeindex  timestamp (int64), relative offset (int32)
//	00000000000000000000.txnindex   the aborted transactions (core/log/txindex); absent if there is none
//	00000000000000000000.snapshot   producer state before that offset (core/log/pstate)
//	leader-epoch-checkpoint         first offset of each leader epoch (KIP-101)
//	partition.metadata              the topic's id (KIP-516)
//
// Each segment is named after its first offset. Only the last one, the active segment, is written to.
//
// # State and callers
//
// core/broker and core/replica call the methods; each puts the file operations it wants into a [step.Effects], and
// the outcomes come back through [Log.DiskDone]. Appends are gathered during a turn; [Log.EndTurn] hands them out
// together with at most one sync. Bytes are never read into the core for a fetch: [Log.Locate] answers with a
// [step.Span]. Where memory does not know an exact position, it answers with a [ReadRequest] instead; the caller
// reads those bytes and passes them to [Log.ResolveLocate].
//
// The life of a log is New -> Open -> (recovery) -> Ready -> Close or Delete. A failed operation at any time takes it
// Offline, for good: nothing is retried, because a failed sync may have dropped the dirty pages that a second sync
// would then report as saved (fsyncgate).
//
// # Invariants
//
//   - LogStartOffset <= LogEndOffset, DurableOffset <= LogEndOffset, RecoveryPoint <= LogEndOffset.
//   - An offset counts as durable only after the sync of its segment's file and of its directory entry.
//   - Under the policy Commit a segment's file is created only after everything before it has been synced, so after a
//     power loss only the last segment can be torn.
//   - RecoveryPoint never passes what recovery could not rebuild: bytes not synced, indexes of sealed segments not
//     synced, leader epochs not yet in the checkpoint file.
//   - Recovery cuts only at or above the recovery point. Damage below it takes the log offline with a report.
//   - Compaction changes no offset, touches nothing at or above the LastStableOffset, the recovery point or the active
//     segment's base, and replaces segments by whole, synced ones only: core/log/compact says what stays.
//   - A segment's transaction index is that of a fold over the log, whoever wrote the batches. Its file is durable before the sparse indexes
//     are: where those are trusted, no file means that nothing was aborted.
//   - Segments disappear one by one, each removal made durable before the next, from the front (retention) or from
//     the back (truncation), so that no power loss leaves a hole.
//
// # What it does not do
//
// It does not know the high watermark (callers pass it in), does not write the node's own checkpoint files (but holds
// their codecs and [Replacement]), does not decide when it is compacted (callers ask [Log.Cleanable] and begin a round with
// [Log.StartCleaning]), and refuses message formats before version 2.
//
// KIPs: 32 and 33 (timestamps, time index), 58, 354, 534 (compaction lag, delete horizon), 74 (fetch sizes), 98, 360
// (producer state), 101, 279 (leader epochs), 107 (DeleteRecords), 516 (topic ids), 724 (no old formats), 734 (offset of
// the largest timestamp).
package log
