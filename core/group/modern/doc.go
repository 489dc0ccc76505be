// Package modern is one consumer group of KIP-848: the coordinator assigns, and members follow at their own pace.
//
// # How a group moves
//
//	group epoch        what is wished: rises when a member comes, goes, or changes its subscription, and when topics change
//	assignment epoch   what is decided: the target assignment was computed for this group epoch
//	member epoch       how far a member has followed: its current assignment is (or is on the way to) the target of this epoch
//
// Every heartbeat does what is due: it updates the member, raises the group epoch, computes a target, and moves the member
// one step towards it:
//
//	        target takes partitions away        heartbeat no longer lists them
//	Stable ------------------------> Unrevoked ------------------------------+
//	  ^  ^                                                                   |
//	  |  +-- nothing is missing -----------------------------------+---------+
//	  |                                                            |         | others still have partitions of the target
//	  +-- the last missing partition was released -- Unreleased <--+---------+
//
// A partition is given to a member only when no member has it, neither assigned nor still to be revoked. A member that does
// not give up in time (its rebalance time-out), or is silent for a session, is removed.
//
// Members that speak the classic protocol can be in the same group (online upgrade): their JoinGroup is a heartbeat that says
// what they want and what they have, their generation is the member epoch, and REBALANCE_IN_PROGRESS asks them to join
// again when their next step is due. When the last member of the new protocol is gone, the group becomes a classic one again
// (online downgrade).
//
// # State
//
// Hard state is a fold over seven kinds of record with Kafka's schemas ([Key]); [Group.Replay] is its only mutator. A heartbeat
// is handled by building records against the state as it is and proposing them as one batch ([coord.Proposer]), which
// replays them. Timers are soft: every leadership starts them anew ([Group.Restore]).
//
// # Who calls it
//
// core/group keeps groups by id; core/broker/groups translates ConsumerGroupHeartbeat and ConsumerGroupDescribe. Topics come
// from the cluster's image through [Topics].
//
// # Invariants ([Group.Check])
//
//   - No partition is held by two members, and none is in the targets of two members.
//   - A member's epoch never exceeds the assignment epoch, nor that the group epoch.
//   - A member has partitions to revoke if and only if it is Unrevoked, and then its time is limited. The time of a classic member is
//     limited from when it is asked to join until its SyncGroup.
//   - Every member will be heard of or removed: its session timer is running.
//   - A static instance id belongs to exactly one member.
//
// # What it does not do
//
// Assignments are computed within the heartbeat that needs them, at some distance in large groups; Kafka since 4.3 computes them in
// the background (KIP-1263). Server
// assignors are those of core/assignor that KIP-848 names: uniform and range. Regular expressions are RE2, resolved at once
// and again when topics change. Offsets are core/group's; this package decides who may commit ([Group.CheckCommit]).
//
// KIPs: 848, 1101 (metadata hash), 1251 (assignment epochs).
package modern
