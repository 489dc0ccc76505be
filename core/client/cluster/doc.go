// Package cluster is a Kafka client's view of a cluster: which brokers there are, who leads what, and the connections
// to them.
//
// # State
//
// A table of brokers and topics, filled from Metadata responses and from the leader hints of KIP-951, and at most two
// [Link]s per broker: one for everything and one for fetches, because a broker answers the requests of a connection in
// order and a long poll would hold up a produce behind it.
//
// # Use
//
// The producer, consumer and admin of one client share a [Cluster]. During the end of a turn they ask for a link
// ([Cluster.Link], [Cluster.AnyLink]); what is not connected yet is dialled, and they ask again in a later turn. On a
// link they place a [Call]; its [Completion] comes back through [Cluster.Completions] and is routed by [Owner].
//
// # Invariants
//
//   - Each accepted call has exactly one completion: answered, or lost with its connection.
//   - A call that was lost may have been executed, or may be later: the old connection's requests are still on their way
//     when the new connection is already in use (KIP-890's root).
//   - The leader epoch known of a partition of one topic id never goes back.
//   - A request that gets no answer in time costs the connection: answers come in order, so nothing behind it can be
//     believed to arrive either.
//
// # What it does not do
//
// No encoding, no sockets, no authentication. Topics once wanted stay wanted.
//
// KIPs: 35 and 511 (ApiVersions), 219 (throttling), 320 (leader epochs), 516 (topic ids), 580 (exponential back-off),
// 899 (back to the bootstrap servers when no broker can be reached), 951 (leader hints).
package cluster
