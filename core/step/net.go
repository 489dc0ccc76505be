package step

import "github.com/klamm-log/klamm/core/wire"

// Reply answers the request Seq of a served connection. The edge holds replies back until all earlier ones of the
// connection are there. Every request gets exactly one Reply, also where the protocol has no response (acks=0):
// then Body is nil and nothing is sent.
type Reply struct {
	Conn    ConnID
	Seq     uint64
	Corr    int32
	Version int16
	Body    wire.Response
	// Spans are the record bytes of a Fetch response, one per (topic, partition) in Body's order, Len 0 for none;
	// nil for every other response.
	Spans []Span
	// Close ends the connection after this reply has been sent (Kafka's answer to acks=0 errors and to requests it
	// cannot parse).
	Close bool
	// MuteFor delays reading further requests of the connection after this reply, in ms (KIP-219).
	MuteFor int32
}

// SendKind says what a [Send] does.
type SendKind uint8

// The kinds of Send.
const (
	Dial   SendKind = iota + 1 // open Peer to Addr; a PeerState follows
	Call                       // send Body; a PeerResponse follows, or the link closes
	Hangup                     // close Peer at once; no further event of it arrives
)

// Send acts on a connection that the machine owns.
type Send struct {
	Peer     PeerID
	Kind     SendKind
	Addr     string // Dial: "host:port"
	Corr     int32  // Call: unique among the outstanding calls of the link
	ClientID string
	Body     wire.Request
	// NoResponse marks a Produce with acks=0: the other side answers nothing.
	NoResponse bool
}
