// Package shards is what the planes of coordinators have in common: one [coord.Shard] per partition of an internal topic that this
// broker leads, and the answers that wait in them.
//
// # State
//
// A [Set] follows the leaderships that core/broker/coordination reports, lets each shard load its log, and gives answers out when
// what they rest on is committed. A [Pending] is one request whose answer is not out; it may rest on several shards. What a
// machine does is its plane's business: core/broker/groups and core/broker/txns embed a Set and get told by [Hooks].
//
// # Invariants
//
//   - Every request gets exactly one reply.
//   - No answer leaves before what it rests on is committed under the leadership that made it. If that ends first the
//     answer is NOT_COORDINATOR: whether the records survive is for the next leader's log to say.
//
// KIPs: 98, 848 (the coordinator runtime).
package shards
