// Package transport is the real edge of a node: goroutines, sockets and the clock behind the interfaces of core/node.
//
//   - [Loop] owns a node.Node and is its one goroutine: wait for events or the deadline, Poll, repeat.
//   - [Server] accepts connections. Each has a reading goroutine, which cuts frames, decodes requests and checks
//     their batches, and a writing goroutine, which encodes replies and sends them, record bytes by sendfile.
//   - [Dialer] holds the connections that the machine opens.
//   - [Clock] reads the present.
//
// The protocol work is that of core/conn, which the simulator runs too; what is here is time, blocking and limits.
//
// # A request's way
//
// The reader's socket read fills memory that conn.Inbound provides; decoded requests go to Loop.Deliver; the loop
// steps the machine and calls Server.Reply, which borrows the files of the reply's spans and queues it for the
// connection's writer; the writer gives it to conn.Outbound and sends the output, literals and small spans gathered
// into one writev, large spans by sendfile at explicit positions. Only the loop touches the node, only the reader the
// Inbound, only the writer the Outbound.
//
// # Invariants
//
//   - The loop never waits for a connection, a connection never for another.
//   - The machine hears of a connection's opening before its requests and of its closing after them.
//   - A file is given back exactly once, whatever becomes of the connection.
//   - Everything that waits has a bound: unanswered requests per connection, memory of requests in all, connections,
//     the time for which a frame, a response, an ending or an idle connection may stand still.
//   - A reserved listener shares its bounds with reserved ones only: no crowd of clients holds up the quorum.
//   - Before a socket is closed, what the other side still sends is read, within limits, so that a reset does not
//     overtake the last response.
//
// KIPs: 219 (throttling after the response).
package transport
