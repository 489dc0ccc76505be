// Package peer keeps the connections that a node opens to other nodes of its cluster: fetches of followers, the
// quorum's votes, heartbeats to the controller, requests that are passed on to it.
//
// A [Pool] holds at most one connection per [Lane] of an address. Kafka answers the requests of a connection one after
// another, so a long poll would hold up everything behind it: callers put what may wait into a lane of its own. A
// connection is dialled when the first call needs it and forgotten when it breaks; every call that it carried then
// fails. Nothing is sent twice: whether a failed call was executed is not known, and only the caller knows whether
// asking again is safe (KIP-890 is the story of a layer that did not care).
//
// State: the open connections and their outstanding calls. The owner makes calls, passes [step.PeerState] and
// [step.PeerResponse] events, asks for the next deadline, and lets the pool run the continuations at the end of its
// turn.
//
// Invariant: every call has exactly one [Result].
package peer
