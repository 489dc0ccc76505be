// Package transport is the real edge of a node: goroutines, sockets and the clock behind the interfaces of core/node.
//
//   - [Loop] owns a node.Node and is its one goroutine: wait for events or the deadline, Poll, repeat.
//   - [Server] accepts connections. Each has a reading goroutine, which cuts frames, decodes requests and checks
//     their batches, and a writing goroutine, which encodes replies and sends them, record bytes by sendfile.
//   - [Dialer] holds the connections that the machine opens.
//   - [Clock] reads the present.
//
// The protocol work is that of core/conn, which the simulator runs too; what is here is time, blocking and limits.
package transport
