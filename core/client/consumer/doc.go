// Package consumer is the reading side of a Kafka client: partitions are assigned by hand, or by the client's group
// (package member), and records polled.
//
// # State
//
// Each assigned partition has a position, which is the offset of the next record to hand out with the leader epoch of
// the record before it, and fetched record sets between that position and the offset to fetch next. A partition is
// either looking for its position (ListOffsets), validating it (OffsetForLeaderEpoch), fetching, or stopped. For each
// broker there is a fetch session (KIP-227) and at most one fetch in flight, on a connection of its own.
//
// # Rules
//
//   - A position that carries an epoch is validated whenever the partition's leader epoch rises, before anything else
//     is fetched or handed out (KIP-320). What was fetched from the old leader and not handed out is dropped.
//   - Records below the position are never handed out, though a fetched batch may begin before it. Control batches and,
//     with read_committed, aborted records are passed over, and move the position.
//   - A record set is verified before any of it counts: batch bounds, order of offsets, checksums. Damage is reported
//     once and fetched again, because it may have happened on one replica or on the way.
//   - An answer is ignored if the partition has been moved since it was asked for.
//
// # Memory
//
// Records are views of the fetched bytes, or of a buffer per compressed batch. Neither is ever reused.
//
// KIPs: 74 (first batch whole), 98 (aborted transactions), 227, 320, 392 (preferred replica), 516, 951.
package consumer
