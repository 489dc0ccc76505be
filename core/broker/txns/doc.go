// Package txns is a broker's part in transaction coordination: the transaction coordinators of the partitions of __transaction_state
// that it leads, the APIs that producers and partitions speak to them, and the markers that they send.
//
// # State
//
// A [Plane] has one shard per partition that this broker leads (package shards), and in each a [txn.Coordinator]. Its own state is
// the block that producer ids come from, with the requests that wait for the next one, and the outbox: what is to be written
// where, at most one WriteTxnMarkers per broker under way.
//
// # Who calls it
//
// core/broker tells it what the broker leads and how far that is committed, and hands over requests ([Plane.Handle]). Through
// [Host] the plane appends, reads, and asks other brokers.
//
// # Invariants
//
//   - Every request gets exactly one reply, and none before what it rests on is committed (package shards).
//   - Every marker that a coordinator hands out is answered once to it, unless its leadership ends.
//   - No producer id is given twice.
//
// KIPs: 98, 360, 588 (errors of old versions), 664, 699, 730 (blocks), 890, 994, 1152, 1228.
package txns
