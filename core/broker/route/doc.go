// Package route puts a node's requests to whoever has to answer them: the active controller, another broker, or the node
// itself.
//
// # What it models
//
// Three ways to ask. [Router.AskController] finds the active controller, which may be in this process. [Router.Forward]
// does that for a client's request and relays the answer (KIP-590). [Router.AskBroker] asks a broker by its id, as a
// transaction coordinator asks the leaders of partitions, and they ask it: a broker that asks itself gets the answer that
// any other would get, through the same handlers, but over no connection. Kafka dials itself instead; then a node whose
// advertised address it cannot reach itself never ends a transaction.
//
// # State
//
// Clients' requests that wait for a controller; this node's own requests that it has not answered yet. Calls to other nodes
// are the [peer.Pool]'s.
//
// # Invariants
//
//   - Every question gets exactly one answer, in time or nil. Those of AskBroker never come within the call.
//   - A client's request is passed on again only while nobody can have executed it.
//
// # What it does not do
//
// It repeats nothing for the node itself: who asks knows whether asking twice is safe.
package route
