// Package group judges what the members of consumer groups were seen to do: the [history.Group] events of a history, written by
// the members themselves.
//
// # Properties
//
// A claim is the time from a member's Claimed of a partition to its Released. It is told anew in each generation that the
// member takes over, so that it says at any time in which generation the member holds the partition.
//
//   - G-ONE-OWNER: in one generation of a group no partition is held by two members at once. Across generations two may
//     believe to hold it: the older one has been fenced and does not know it yet (TLA+: NoDoubleClientAssignment is about the
//     coordinator's view). Unless the coordinator has taken requests of both, sent after that, for a member's (KIP-848, where each
//     member has an epoch of its own): then neither had been fenced. The processes of one group.instance.id are of one member,
//     and may share a generation; of them, too, the coordinator must not go on with both.
//   - G-COMMIT-FENCED: a commit that was acknowledged did not begin after another member had claimed the partition, unless
//     its member has claimed it again since; nor after a process that joined later under the same group.instance.id had
//     claimed any partition (KIP-345).
//   - G-COMMIT-DURABLE: a fetched offset is one that a commit stored and no later one had replaced; nothing only if nothing
//     had been stored, or it was deleted since. This is a register with writes of unknown outcome: those may take effect at any time after they began, until
//     another member claims the partition in a later generation.
//   - G-COMMIT-MONO: what a member commits is not below what it has fetched or committed since it was given the partition. Nobody
//     seeks, and logs keep all there is: a position that goes back was lost to a wrong answer (KIP-320).
//   - G-NO-LAGGARD: a dynamic member of a classic group takes part in each generation, or is one no more. Who was told a
//     generation, has asked once since, under the same member id, and is told one that does not follow, or the next one when that
//     had been assigned already, was kept in the group by mistake: partitions were assigned to a process that knew nothing of it.
//   - AT-LEAST-ONCE: no commit is ahead of what the group has processed. Offsets are counted from 0, so the group must begin
//     at the log start and its topics be without gaps.
//   - L-GROUP-STABLE: when faults have stopped and their time is up, each partition that the group ever held has one owner.
//
// # What it cannot see
//
// Whether a heartbeat of a classic member was answered by right: a coordinator that loads takes all of them, and so does one that has
// been deposed and does not know it (Kafka's, too). Of twins only commits, which are in the log, tell for certain.
//
// Which members the coordinator has fenced, and what it stores: simulations add G-RELOAD-EQ by looking inside. Members whose
// process died count as having released at the end of their process, which the recorder tells.
package group
