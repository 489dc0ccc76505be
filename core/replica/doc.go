// Package replica is one partition replica's part in replication: who leads, in which epoch, how far its records are
// committed, who is in sync, what a reader may see; and the fetching half of a follower.
//
// # What it models
//
// A [Replica] holds a [log.Log] and the role that the metadata log assigns to this node: leader, follower or neither.
// As a leader it knows of each follower how far its newest fetch of this leader epoch proves it to be, moves the
// HighWatermark, and proposes changes of the ISR. As a follower it takes what the leader answers, cuts its log where it
// diverges from the leader's history, and learns the HighWatermark.
//
// A [Fetcher] is all partitions that this node fetches from one leader: at most one request in flight, kept small by an
// incremental fetch session (KIP-227).
//
// # State and callers
//
// core/broker feeds [Replica.Apply] from the committed image, calls the leader's half from Produce, Fetch, ListOffsets
// and AlterPartition, and carries the requests of the Fetchers to the leaders. Each turn that changed a partition ends
// with Settle, Advance, Proposal, Points and, while its log is ready, Check. Nothing here names a wire format.
//
// Hard state is the log's and the metadata image's. Everything else is soft: followers' positions, the pending proposal
// and the session are gone after a restart and are found again by fetching. The HighWatermark survives in Kafka's
// replication-offset-checkpoint, which may lag.
//
// # Invariants
//
//   - LogStartOffset <= LastStableOffset <= HighWatermark <= DurableOffset <= LogEndOffset, while the log is ready.
//   - In one epoch the leader's HighWatermark never falls, and moves only to an offset that every member of the maximal
//     ISR (committed and proposed, KIP-497) holds durably and has shown by a fetch of this epoch (KIP-320).
//   - At most one proposal is unresolved; while it is, both ISRs that may be in force are in the maximal ISR.
//   - A follower acknowledges, by its fetch offset, only what it has fsynced: it does not ask while it holds more.
//   - A follower never cuts below its own HighWatermark, unless the topic permits loss: it goes offline instead.
//   - An answer counts only if it answers the outstanding request and the replica still is what it was asked for:
//     same leader, same leader epoch, same log end.
//
// # What it does not do
//
// It does not choose leaders or judge proposals (core/controller), dial or time out (core/peer), park requests
// (core/purgatory) or write checkpoint files. It truncates only on a leader's answer to a fetch, never because of an
// epoch change (KIP-101).
//
// KIPs: 98 (LastStableOffset), 101, 279, 320 and 595 (leader epochs, truncation on fetch), 207 (offsets after an
// election), 227 (sessions), 392 (follower reads), 497 (ISR changes), 841 and 903 (who may join), 966 (ELR).
package replica
