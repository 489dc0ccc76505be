// Package classic is one group of the classic protocol: members that join, a leader among them that assigns, and generations
// that fence what came before.
//
// # What it models
//
//	                  first member joins                    all have joined, or time is up
//	+-----> Empty ----------------------> PreparingRebalance -----------------------------+
//	|                                       ^   |     ^                                    |
//	|      nobody is left                   |   |     | somebody joins or leaves,          v
//	+---------------------------------------+---+     +---- or does not sync ---- CompletingRebalance
//	                                        |                                              |
//	               somebody joins or leaves |                                              | the leader's
//	                                        +------------------ Stable <-------------------+ SyncGroup
//
// A generation begins when the join phase completes. Its members get JoinGroup's answer together; the leader's carries
// everybody's metadata. The leader's SyncGroup brings everybody's assignment, which is written to the log, and releases the
// others'.
//
// # State
//
// Hard state is what the log has of the group: [records.GroupValue], the last generation that completed. Only [Group.SetHard]
// assigns it, from a replayed record. All the rest is soft: who is joining, which timers run, the generation that is being
// formed. When a leadership ends the soft state is gone, the next coordinator takes up the hard one ([Group.Restore]), and
// members of a generation that did not complete are told ILLEGAL_GENERATION or UNKNOWN_MEMBER_ID and join again.
//
// # Invariants
//
// [Group.Check] asserts them:
//
//   - Empty has no members; every other state but PreparingRebalance has a leader among its members.
//   - Stable is the log's generation, with its leader, members, protocol and assignments.
//   - Every state that waits for somebody has a timer that ends the wait: the join timer in PreparingRebalance, the sync timer
//     while a member has not synced (KAFKA-12890: without it a silent member whose heartbeats go on holds the group up for
//     ever), and a session timer for each member that does not wait itself.
//   - A group.instance.id belongs to one member at most (KIP-345).
//
// # Who calls it
//
// core/group owns the groups of a coordinator and looks them up. Results of JoinGroup and SyncGroup come out through
// [Env.Answers], for they may wait for other members; everything else is answered at once.
//
// # What it does not do
//
// It knows no topics but by name, no offsets, no wire format. Partitions that are added to a topic are seen by the leader,
// whose JoinGroup in Stable begins a rebalance: in the classic protocol that is the client's part.
//
// KIPs: 62 (rebalance timeout), 134 (initial delay), 345 (static membership), 389 (group.max.size), 394 (member ids), 429
// (cooperative: the same protocol, seen from here), 559 (protocol in responses), 800 (reasons), 814 (skip assignment).
package classic
