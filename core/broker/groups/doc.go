// Package groups is a broker's part in group coordination: the group coordinators of the partitions of __consumer_offsets that it
// leads, and the APIs that clients speak to them.
//
// # State
//
// A [Plane] has one [coord.Shard] per partition that this broker leads, and in each a [group.Coordinator]. Requests that wait,
// for other members or for the HighWatermark, are its only other state. Wire structs stop here: the files api_NN_*.go turn
// them into the coordinator's own types and back, one file per API key.
//
// # Who calls it
//
// core/broker tells a Plane when the broker begins and ceases to lead a partition of the topic ([Plane.Lead], [Plane.Unlead]), what
// reads have brought ([Plane.Loaded]), how far the HighWatermark is ([Plane.Advanced]), what changed in the cluster
// ([Plane.Applied]), and hands over requests ([Plane.Handle]). Through [Host] the plane appends and reads.
//
// # Answers
//
// Every answer rests on the shard's state as it was when the answer was made, reads included, and that state may hold
// records which are not committed. So it waits in the shard's queue until the HighWatermark has passed them. A request that
// concerns several groups waits for each of their shards. If the leadership ends first, the answer is NOT_COORDINATOR: the
// client finds the new coordinator, and whether the records survive is for that one's log to say.
//
// # Invariants
//
//   - Every request gets exactly one reply.
//   - No answer leaves before what it rests on is committed under the leadership that made it.
//
// KIPs: 345, 394, 429, 447 (transactional offsets), 496 (OffsetDelete), 518 (states in ListGroups), 699 (batched FindCoordinator), 709 (batched
// OffsetFetch), 848, 1043.
package groups
