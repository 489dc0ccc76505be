// Package produce is a broker's way into its partitions' logs: producers' batches and transaction markers.
//
// # What it models
//
// Produce appends what clients send, after the checks that the topic's configuration and the producer's state ask for. A transactional
// batch that would open a transaction goes through core/broker/verify first (KIP-890). WriteTxnMarkers appends the control batches that end
// transactions, for coordinators (KIP-98) and for operators that abort one by hand (KIP-664). DescribeProducers shows what a partition knows
// of its producers.
//
// # State
//
// What is appended and not answered: a request is parked until its records are where acks demands them, bound to the leader epoch and the
// offset behind each batch. What waits for a coordinator is the gate's.
//
// # Invariants
//
//   - Every request gets exactly one reply, also one with acks=0: that is empty.
//   - A transactional batch without an open transaction is appended only in the turn in which its coordinator's word has come, and not if a
//     marker of the producer, or another leader epoch, has come before.
//   - A coordinator's partition hears of a marker before anything else is appended there.
//
// # What it does not do
//
// It does not know how partitions come to be here, nor who leads them: see [Host].
package produce
