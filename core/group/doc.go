// Package group is the group coordinator of one partition of __consumer_offsets: its groups and their committed offsets.
//
// # State
//
// A [Coordinator] is a [coord.Machine]. Its hard state is a fold over the partition's records: the offsets
// (core/group/offsets), per classic group the last generation (core/group/classic), and all of a consumer group but its timers
// (core/group/modern). Timers, sessions and classic rebalances under way are soft and begin anew with each leadership.
//
// Groups are kept in a registry by id. A group of any kind is a [Group]. One that nobody is in gives way to one of the other
// kind under the same id, and leaves it its offsets. A group
// is known as long as there is something to know: a generation in the log, offsets, members, somebody about to join. A
// consumer that only commits offsets makes a simple group: Empty, without a protocol type.
//
// # Who calls it
//
// core/broker/groups hands requests over and takes the answers: at once for most, through [Coordinator.TakeAnswers] where a
// request waits for other members. The [coord.Shard] around the coordinator replays records into it.
//
// # Invariants
//
//   - [Coordinator.Replay] and [Coordinator.EndTxn] are the only mutators of hard state; replaying the log gives
//     [Coordinator.Equal] state at every prefix.
//   - Every group that has offsets or a generation in the log is in the registry.
//   - A request that is refused changes nothing, also where the refusal comes from the log.
//
// # What it does not do
//
// It has no wire format, and does not know which topics exist: the caller has checked that. Offsets of deleted topics go when
// it is told ([Coordinator.Purge]).
//
// KIPs: 211 (expiry), 447 (offsets in transactions), 496 (OffsetDelete), 915 (unknown records).
package group
