// Package txn is the transaction coordinator: who the current producer of each transactional id is, and how far its transaction.
//
// # What it models
//
// A transactional id has one producer at a time, a (producer id, epoch), and that one at most one transaction. A [Coordinator]
// keeps this for the ids of one partition of __transaction_state. Ending a transaction takes two phases (KIP-98): the decision
// becomes a record of that partition (PrepareCommit, PrepareAbort), and when that is committed a marker goes to every partition
// that the transaction has written to. When the last one has it, the transaction is complete.
//
//	          AddPartitions             EndTxn(commit)                all markers written
//	Empty -----------------> Ongoing -----------------> PrepareCommit -------------------> CompleteCommit
//	  ^                        |  ^ EndTxn(abort), time-out, another InitProducerId                    |
//	  |                        |  +------------------------------------------- AddPartitions ----------+
//	  |                        +---> PrepareAbort -------------------> CompleteAbort  (likewise)
//	  +--- InitProducerId from Empty, CompleteCommit, CompleteAbort
//
// From Empty and Complete* a client of transaction version 2 may also abort what has no partition yet.
//
// # State
//
// Per id there is one [Value], as the last record has it: hard state, which [Coordinator.Replay] alone assigns. Beside it stands
// what a new coordinator begins anew: when the transaction times out, which partitions still owe the marker, and which (id, epoch)
// may ask for its successor again (KIP-360). The state is speculative, see package coord: every answer waits until what it rests on
// is committed. So there is no "pending transition" as in Kafka; a request that comes before the last record is committed sees
// that record's state, and its answer leaves after it.
//
// # Epochs
//
// Transaction version 2 (KIP-890) bumps the epoch with every end of a transaction, so that (id, epoch) names one transaction: a late
// EndTxn or Produce of an earlier one carries an epoch that is over. Versions 0 and 1 bump it only for another InitProducerId. The version
// is that of the request, whatever level is finalized: clients that have seen a higher one go by it until they look again. Who is
// fenced by the coordinator, because it was too slow or another one came, is bumped past twice, so that its own EndTxn is
// never taken for the retry of one that succeeded. The epoch 32767 is never given to a client, so that there is always one left
// to fence it with; who comes to it gets a new producer id with epoch 0.
//
// # Invariants
//
//   - No marker is handed out before its Prepare record is committed in this leadership (or was loaded from what is).
//   - Complete is proposed when every partition of the transaction has answered finally, and not before.
//   - While a transaction is prepared nothing changes it but its completion.
//   - A (producer id, epoch) that was given to a client, once followed by another, is never valid again.
//
// [Coordinator.Check] asserts what can be seen of these from one state.
//
// # Who calls it
//
// core/broker/txns, through a [coord.Shard]. It knows which brokers lead the partitions, sends what [Coordinator.TakeMarkers]
// yields, and reports every outcome by [Coordinator.MarkerAnswered].
//
// KIPs: 98, 360 (expected id and epoch), 447, 588, 664 (describe, list), 890 (versions 1 and 2), 915, 1152 (pattern), 1228.
package txn
