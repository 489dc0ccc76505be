// Package member is the part of a Kafka client that lives in a consumer group: it joins, is assigned partitions, has the
// consumer of the same client read them, and commits how far the application is.
//
// # State
//
// A [Member] is in one phase of the group's protocol (joining, syncing, stable ...), knows its coordinator, its member id
// and its generation (classic groups) or member epoch (KIP-848), and holds one claim per partition that it owns. A claim
// knows three offsets: what was handed to the application (delivered), what the application has finished (processed), and
// what the coordinator has confirmed (committed).
//
// # Use
//
// The owner of the client calls [Member.Subscribe], and then again and again [Member.Events] and [Member.Poll]. Polling is
// the application's word: whoever polls again is done with what the last poll returned, and with every partition whose
// revocation [Member.Events] has told. So the callbacks of other clients are events here:
//
//	EventAssigned   begin to read; the position is the committed offset, or what the reset policy says
//	EventRevoked    finish, commit if you commit yourself, poll: only then is the partition given up
//	EventLost       the partition may be another member's already; a commit would be refused
//
// # Rules
//
//   - A commit is never ahead of processing: automatic ones take what was delivered by earlier polls, never what the last
//     one returned (BUGS.md H2, KAFKA-3824).
//   - A partition is given up before the request is sent that lets the coordinator give it to another: before JoinGroup with
//     an eager assignor, before the second JoinGroup with cooperative-sticky (KIP-429), before the heartbeat that leaves
//     it out (KIP-848). Its commits are answered before that, or their time is up.
//   - A commit belongs to one claim: if the partition was lost and won again in between, it fails.
//   - An application that does not poll for RebalanceTimeout is taken out of the group (KIP-62): it would hold up the others.
//   - Joins, syncs and heartbeats have a connection of their own, because a JoinGroup is parked until the others have joined,
//     and commits must not wait behind it.
//
// # What it does not do
//
// It does not read: that is package consumer, whose assignment belongs to the member as long as it is subscribed. It does not
// assign: that is core/assignor, called when this member leads a classic group. Transactions commit its offsets by packages txn and pipeline.
//
// KIPs: 62, 211, 345 (static members), 394, 429, 447 (stable offsets), 699, 709, 792, 848, 881.
package member
