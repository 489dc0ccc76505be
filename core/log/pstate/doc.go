// Package pstate is the producer table of one partition: what the partition's batches say about the idempotent and
// transactional producers that wrote them (KIP-98, KIP-360).
//
// # What it models
//
// A [Table] is a pure fold over the batches of a log, in offset order: [Table.Apply] is the only method that moves it
// forward, on the leader, on followers and in recovery alike. A table restored from a snapshot and fed the batches
// that follow it equals, in everything that decides later appends except older duplicates, the table that saw all of
// them: Kafka's snapshot holds the last batch of each producer only.
//
// [Table.Check] judges a batch that a leader is asked to append; it changes nothing. A batch that may pass is then
// appended and applied. Batches that arrive by replication are applied without judgement: the leader has judged them.
//
// # State
//
// Per producer id: epoch, the last five batches (sequence and offset of the last record, distance to the first,
// timestamp), the epoch of the last coordinator that ended a transaction, the first offset of the open transaction.
// Beside it two lists of transactions: open ones, and ended ones whose marker the high watermark has not passed.
//
// # Invariants
//
//   - The open transactions are exactly the producers' first offsets, in order.
//   - A producer takes less than 200 bytes.
//
// # What it does not do
//
// It knows no files, no segments and no transaction index. It keeps no verification state (KIP-890): that guards
// transactions before they reach the log and belongs to the partition's leader.
package pstate
