// Package verify keeps a partition's leader from taking the first batch of a transaction that nobody knows of (KIP-890).
//
// # What it models
//
// A transactional batch may arrive long after its producer has ended, or been made to end, the transaction: from a dead connection, or
// from before a fencing. Appended then, it would open a transaction that no coordinator will ever end, and hold the LastStableOffset back for
// ever. So the leader first asks the transaction's coordinator (AddPartitionsToTxn):
//
//   - part 1, clients before Produce 12: is this partition in the ongoing transaction of this producer epoch?
//   - part 2, transaction version 2: add it. The client does not do so itself any more.
//
// A [Gate] holds the batch back until the answer is there. While it waits, later batches of the same producer and partition
// wait behind it, so that a pipeline keeps its order. Transactions that wait for the same coordinator share a request; there is one
// request per coordinator at a time.
//
// # The guard
//
// The answer is about the moment at which the coordinator gave it. Until it arrives the transaction may end, its marker may be written here,
// and the next transaction of the same producer may begin without this partition. So a marker voids what waits ([Gate.Ended]),
// answered or not, and so does a change of leaders: markers may have been written elsewhere ([Claim.LeaderEpoch]). What waits later asks anew.
//
// # State and callers
//
// Everything is soft: a new leader has nothing and asks. core/broker/produce holds, takes what is decided ([Gate.Next]), appends it, and says so
// ([Gate.Wrote]).
//
// # Invariants
//
//   - Batches of one producer epoch leave in the order in which they came.
//   - A batch whose verification failed keeps those with higher sequence numbers out until it has come again (KAFKA-14920): an
//     unknown producer may begin with any number, so one of them would shut it out for good.
//   - What waits is bounded, and so is what is remembered of failures. Nothing that was only claimed, by whoever, makes the gate refuse
//     another claim: claims of different transactional ids and epochs do not meet.
//
// # What it does not do
//
// It does not know the log: whether a transaction is open there, or a batch is a repeat, is asked before.
package verify
