// Package raft is the metadata quorum: KRaft (KIP-595, 630, 853, 996, 1166) over __cluster_metadata-0.
//
// # What it models
//
// A [Quorum] is one node: a voter that may lead, or an observer that only follows. It pulls: followers fetch from the leader
// as replicas of any partition do, and the offset at which they fetch acknowledges everything below. The leader knows
// what a majority has, and that end is the HighWatermark. Elections, the fencing of epochs, snapshots and changes of the
// voter set are messages besides. One file per role; roles.go has the picture and the dispatch.
//
// # State and callers
//
// Durable: the log (core/log), quorum-state (epoch and vote), snapshots. Everything else is forgotten in a crash. The
// voter set is a fold over the control records of snapshot and log.
//
// core/broker calls Open, passes completions (LogDone, FilesDone, ReadsDone), requests of peers (Receive) and answers of
// peers (Response), and ends every turn with EndTurn. Then it takes away Drain (what is committed), Calls and Answers (what
// to send). It does for the log what every log wants of its node: the recovery-point checkpoint before a truncation
// ([log.Log.NeedsCheckpoint]), from Open on. The records' meaning is core/metadata's.
//
// # Invariants
//
//   - An epoch has one leader; a vote is never given twice. Epoch and vote are durable before anything that depends on them
//     leaves the node, and before the own vote counts (state.go).
//   - A leader that restarts does not resume its epoch: what it had not synced is gone, and another record could get the same
//     epoch and offset.
//   - An epoch begins with a LeaderChange record, and nothing is committed before a majority has it synced.
//   - A voter acknowledges what it has synced, the leader included. What the leader has written but not synced it may send.
//   - The HighWatermark never falls, and no log is cut below it.
//   - A log that begins above 0 begins at a snapshot. Snapshots stand at or below the HighWatermark.
//   - The voter set in force is the last one in the log, committed or not. It changes by one voter at a time, only after the
//     change before and a record of the leader's own epoch are committed.
//   - The leader is active once it has handed out everything up to its epoch's start (KAFKA-15345).
//
// # What differs from Kafka
//
//   - kraft.version upgrades itself: when the leader has heard from every voter of controller.quorum.voters, it knows their
//     directory ids and writes KRaftVersion 1 and the voter set into the log. A quorum of one does so at once: its log begins
//     with LeaderChange, KRaftVersion, Voters. From then on the configuration is not looked at any more.
//   - A resigned leader stays in its epoch and asks for pre-votes, where Kafka opens another epoch first; EndQuorumEpoch
//     makes followers unattached at once, so that they grant pre-votes.
//   - AddRaftVoter does not ask the new voter for its versions: it has fetched.
//   - A restarted candidate does not go on with its candidacy.
//
// # What it does not do
//
// It does not dial, retry connections or check cluster ids (the caller does); does not adopt another node's disk; fetches a
// snapshot into memory before it is written; has no linearizable read of its own. Under kraft.version 0 a voter that lost
// its disk may vote again in an epoch in which it had voted: ids alone cannot tell.
package raft
