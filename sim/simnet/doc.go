// Package simnet is the simulated network: connections that carry ordered bytes between processes, and the ways in
// which they fail.
//
// # Model
//
// A connection is two directed pipes. Bytes written into a pipe arrive in order, whole writes or pieces of them,
// after the latency of the directed link between the two hosts. A pipe holds a bounded number of bytes in flight;
// a writer that outruns its reader beyond that loses the connection, as it does on real nodes.
//
// What can happen, each by an explicit decision of the fault plan:
//
//   - Cut: a directed link carries nothing. Bytes, openings and closings wait; they arrive after the cut has healed,
//     unless the connection died meanwhile. Cuts are per direction, so symmetric, one-way and bridge partitions (A-B
//     and B-C but not A-C) are sets of cuts. A dial over a cut link fails after the dial timeout.
//   - CutAddr: the same for connections dialled to one address, so that a node can lose another's controller and keep
//     its broker.
//   - Slow: a directed link gets extra latency.
//   - CutAPI: requests of one API key stall the connections that carry them, other keys pass.
//   - Reset: a connection dies at once. Bytes in flight are lost, in each direction by its own choice: "before
//     delivery" loses a request, "after delivery" loses its answer.
//   - HalfOpen: one side is told of a close, the other learns of it only when it writes next.
//   - Stall: one pipe of one connection carries nothing for a while.
//
// A request that reached its peer before the connection died may still be executed afterwards, even much later than
// its retry on a new connection. That is deliberate: the ambiguity is at the root of KIP-890 and of most duplicates.
//
// When a process crashes its connections close; when its host loses power they become half-open.
//
// # Shape
//
// A Network is passive: the world submits dials, writes and closings, asks for the next deadline, and polls what is
// due. It is deterministic: latencies come from streams forked per directed link.
package simnet
