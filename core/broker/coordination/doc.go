// Package coordination connects coordinators with the partitions that hold their state: it tells them what this broker
// leads, reads what they load, and appends what they propose.
//
// # State
//
// A [Topic] is one internal topic (__consumer_offsets, __transaction_state): for each partition that is led here the epoch
// that the coordinator was told, the HighWatermark that it knows, and how far the log has been read for it.
//
// # Invariants
//
//   - A coordinator is told of leaderships and of HighWatermarks when a partition is settled, never within one of its own
//     calls.
//   - One read per partition is under way at most, and none for a leadership that has ended.
//   - What a coordinator proposes is appended as acks=all would be, under the epoch in which it was validated.
package coordination
