// Package coord is the runtime of an event-sourced coordinator: what groups and transactions share.
//
// # What it models
//
// A coordinator's state is a fold over one partition of an internal topic (__consumer_offsets, __transaction_state). Whoever
// leads the partition serves the state. A [Shard] is one such partition on this node: it replays the log into a [Machine],
// appends what the machine proposes, and holds answers back until what they rest on is committed.
//
// # State
//
// There is one state per shard, and it is speculative: it includes what has been appended and is not committed yet. That is
// safe because nothing leaves before it is certain. Every answer is bound to the end of the log at the time when it was made
// (its own records, or the ones that it read), and [Shard.Next] lets it go once the HighWatermark has passed that offset,
// in the order in which answers were made. If leadership ends first, the machine is thrown away with all answers, and the
// next [Shard.Lead] begins from the log. Kafka keeps one version of each value per uncommitted offset instead
// (TimelineHashMap) and rolls back; throwing away has fewer states, and after a lost leadership Kafka reloads, too.
//
//	          Lead              log read up to its end      HighWatermark passed that end
//	Inactive ------> Loading ----------------------> Settling --------------------------> Active
//	   ^                | unreadable record
//	   |                v
//	   +---- Unlead -- Failed        (Unlead leads back from every phase)
//
// Nothing is served before Active: what has been loaded may still be truncated by whoever leads next, until it is committed
// under this leadership (KAFKA-15345 is the same rule for the controller).
//
// # Invariants
//
//   - [Machine.Replay] is the only place where hard state changes, whether a record was loaded or proposed just now.
//   - A proposal is appended under the leader epoch under which it was validated, or not at all; a refused one leaves the
//     machine as it was.
//   - One proposal is one batch: all of its records are in the log, or none.
//
// # Who calls it
//
// core/broker/groups has one shard per partition of __consumer_offsets that this node leads. The broker below it appends,
// reads and reports the HighWatermark through [Log].
//
// # What it does not do
//
// It knows no protocol, no timers of groups, no topics. Requests and responses are opaque answers of type A.
//
// KIPs: 98 (transactional offsets), 848 (the coordinator runtime), 915 (unknown records are skipped by the machine).
package coord
