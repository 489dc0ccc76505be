// Package cluster judges the inside of a cluster while it runs: what every node's logs hold, what the controller has
// committed, what leaders believe. Its [Oracle] is a [history.Witness] that the simulated world feeds after each turn.
//
// # State
//
// For each partition (the metadata log is one of them): a ledger of batches per node, as the log in memory has it; the
// true HighWatermark, which is the highest that any leader has shown; and the committed ledger, which is what the
// leaders that raised it held below it. Besides, the newest committed state of partitions and registrations, each
// node's quorum state, and which nodes run.
//
// # Rules
//
//   - A node counts as running in a partition once its process is up, its log is ready, and this incarnation's
//     registration is committed: before that the controller does not know of it (TLA+: STARTING).
//   - A replica counts by what it has fsynced (Klamm's rule): a HighWatermark above the durable end of a running member
//     of the ISR is a violation, even if a power loss never comes.
//   - A deposed leader that does not know it yet may show an old HighWatermark. It may not show one that is not true,
//     and nobody who leads in a later epoch may show less once it knows its own (KIP-207).
//   - Logs agree because each agrees with the committed ledger below its own HighWatermark: one comparison per batch and
//     replica instead of one per pair. A replica remembers up to where it was compared.
//   - Each check stands at the event that can break it, so that the first violation names the first wrong step.
//
// # What it assumes
//
// No unclean election and no disk loss that takes the last copy: the fault atlas of package scenarios sees to it.
// Durability policy commit.
//
// # What it does not do
//
// It does not read records, so it knows nothing of transactions, groups or compaction, and it does not replay the
// metadata log: SM-DETERMINISM and META-DURABLE need the records and are judged by the world (package sim).
//
// Sources: the catalogue of historic bugs (properties by their codes there), Kafka's RaftEventSimulationTest, and the
// TLA+ specifications of Gustafson and Vanlightly.
package cluster
