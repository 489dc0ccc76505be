// Package txn is the part of a Kafka client that talks to the transaction coordinator: it obtains the producer id, says what
// belongs to a transaction, and ends it (KIP-98).
//
// # State
//
// A [Manager] has a producer id and epoch, one [State], and of the open transaction: which partitions are in it, which are still to
// be added, which offsets of which group. One request is on its way at a time; what is due next follows from the state alone.
//
// # Use
//
// The producer of the same client asks it under which numbers to write, whether a partition may be written to ([Manager.Admit]), and
// tells it what failed ([Manager.Failed]). The application calls [Manager.Begin], [Manager.SendOffsets], [Manager.Commit] and
// [Manager.Abort], and drains [Manager.Events]:
//
//	EventReady      the next transaction may begin
//	EventEnded      a transaction is over; see [Event] for what is known of it
//	EventAbortable  it must be aborted: Commit does nothing any more
//	EventFatal      another producer has taken over, or nothing more can be done: [Manager.Restart] begins anew
//
// # Two versions of the protocol
//
// With transaction.version 2, which brokers tell as a finalized feature, the epoch rises with each transaction: id and epoch name one
// transaction, and a request that arrives late is fenced (KIP-890 part 2). Partitions need not be added; the leader does so at the
// first batch. The version is looked up when no transaction is open.
//
// With version 1 nothing but the client can tell a late request from a present one. Java's client raises its epoch after errors alone;
// this one also does so when any request of a transaction was lost: an EndTxn still under way would end the next transaction, a Produce
// or an AddPartitionsToTxn would open or join it (BUGS.md F4, F5). It takes InitProducerId 3 (KIP-360); with an older broker such a
// doubt is fatal.
//
// # What an error means (KIP-1050)
//
// Retriable errors are repeated for ever: a commit that was asked for has no other safe end. Abortable ones doom the transaction and
// nothing else. Fatal ones end the producer. A commit whose attempt was lost, or answered with an error that leaves open whether the
// decision was written, is [Event.Ambiguous] until an answer settles it: it may be committed, and is never told as failed.
//
// # What it does not do
//
// Two-phase commit (KIP-939). Topic ids in TxnOffsetCommit (version 6).
//
// KIPs: 98, 360, 447, 588, 890, 1050.
package txn
