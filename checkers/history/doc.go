// Package history holds what clients and brokers were seen to do, in a form that checkers can judge later.
//
// A [Log] is an append-only list of events. The seeded clients of the simulator write it, and so do the clients
// of a torture run against real processes; the checkers read it and know nothing of either. An event is an [Op]
// (who, when, how it ended) and a [Body] (what): [Send], [Poll], [ListOffsets], [DeleteRecords], [CreateTopic],
// [DeleteTopic], [Seek], [Group], [Txn], [Init], [Transfer], [Tally] come from clients; [Replica], [Scan], [NodeChange], [Loss] come from whoever can look
// inside a broker; [Mark] divides the run into phases.
//
// # What a recorder must do
//
//   - All instants are on one clock, the recorder's (the world's clock in a simulation), never a skewed one.
//   - An event is added when its operation ends, so End never decreases from one event to the next. An operation
//     that has not ended when the run stops, or whose client died, is added then, with outcome [Info]: it may have
//     happened, may still happen, or never.
//   - Each value is sent by one Send only. A producer's own retries belong to that Send (see [Send.Attempts]).
//     Values are unique per topic name and partition, also across topics of that name deleted and created again.
//   - Every writer of a topic is recorded: a value that nobody sent is a violation.
//   - Records of a transaction, and what was read in it, carry its number; the transaction itself is recorded when it is over.
//   - One process is one client: its polls of a partition follow one another, unless a Seek stands between them.
//
// # Text form
//
// [Log.AppendTo] writes one line per event and [Parse] reads it back; an event read back equals the one written.
// The same form serves capsules and the hand-written histories of the tests:
//
//	history v1
//	topic T0 orders AAAAAAAAAAAAAAAAAAAAAQ
//	send p1 10..20 ok T0/0 acks=-1 promise=durable idempotent attempts=1 | 0=101 1=102
//	poll p2 21..25 ok T0/0 from=0 next=2 hw=2 start=0 | 0=101@4 1=102@4
//
// A record is offset=value, then @leader-epoch and ^timestamp where known; an unknown offset is "?". A field that
// is left out has its "unknown" value. Empty lines and lines that begin with # are skipped.
//
// The package does not judge: it stores contradictory histories as faithfully as sound ones.
package history
