// Package conn is a Kafka connection without the socket: bytes in, requests out; replies in, bytes out.
//
// # What it models
//
// A Kafka connection is a stream of frames in each direction, each a 4-byte length and that many bytes. Requests
// carry a correlation id; responses come back in the order of the requests (KAFKA protocol guide, "Network").
//
//   - [Framer] cuts a stream into frames.
//   - [Server] is the serving half: [Inbound] turns bytes into [step.Request] values and [Outbound] turns
//     [step.Reply] values into chunks to write. Inbound and Outbound share nothing, so that a real node decodes in
//     one goroutine and encodes in another; the simulator uses them together.
//   - [Client] is the dialling half.
//
// # State and callers
//
// transport (goroutines and sockets) and sim/simnet (an event heap) drive the same types. Nothing here reads a
// clock, blocks or performs I/O. Bytes that arrived are owned by the frame they belong to, each frame has memory of
// its own, and the records of a Produce request alias it.
//
// # Invariants
//
//   - Memory taken follows the bytes received: a length that is only announced takes 64 KiB at most, or as much as the
//     last frame that the connection did send, up to 4 MiB.
//   - A frame of refused length, a request of unknown key or version, or one that does not parse makes the
//     connection dead: nothing after it is read, what came before it is still answered.
//   - Replies leave in the order of their Seq, each exactly once.
//   - At most Limits.InFlight requests are unanswered.
//
// # What it does not do
//
// Time: throttling (KIP-219) and timeouts are reported or left to the edge. Authentication will stand in Inbound,
// between the header and the body: see [Inbound.admit].
//
// KIPs: 35 (ApiVersions), 219 (throttle after the response), 482 (flexible versions), 511 (header of ApiVersions).
package conn
