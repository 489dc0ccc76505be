package step

import (
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/wire"
)

// Event is the closed sum of all that can happen to a machine: [*Start], [*Request], [*ConnState],
// [*PeerResponse], [*PeerState], [*DiskDone], [*Tick].
type Event interface{ event() }

// Start is the first event of a machine's life, before anything else.
type Start struct{}

// Tick tells the machine that its [Machine.NextDeadline] has passed.
type Tick struct{}

// ConnID names a connection that somebody else opened to this node; ids are never reused by a process.
type ConnID uint64

// Request is one request that arrived whole, within limits and decoded, on a connection that this node serves.
type Request struct {
	Conn    ConnID
	Seq     uint64 // position on the connection, from 0; replies leave in this order
	Corr    int32  // correlation id, echoed in the reply
	Version int16
	Body    wire.Request
	// ClientID is the header's client id; it is empty where the client sent null.
	ClientID string
	// Batches holds the outcome of the edge's check of each record batch of a Produce request, in the order of
	// (topic, partition) in Body; nil for every other request.
	Batches []Batch
	// Size is the request's length on the wire in bytes.
	Size int64
	// Frame is the memory in which a Produce request lies, to be given back by [Effects.Spent]; nil for every other request.
	Frame []byte
}

// Batch is what the edge found in one partition's records of a Produce request. Sizes, CRC, codec, record counts and
// the decompressed records have been checked outside the loop, by [record.Check].
type Batch struct {
	Summary record.Summary // valid if Refusal is OK
	Refusal record.Refusal
}

// ConnState tells that a served connection was opened or has closed. After Closed the machine drops what it has
// parked for the connection; requests of the connection that arrived before may still be executing.
type ConnState struct {
	Conn     ConnID
	Open     bool
	Listener string // the listener's name, for instance "PLAINTEXT"
	Remote   string // the other end's address, for logs only
}

// PeerID names a connection that this machine opened with a [Send] of kind [Dial]. The machine allocates the ids
// and never reuses one.
type PeerID uint64

// PeerState tells that a dialled connection is ready (Open), or that it failed or closed. After a closing no
// response can arrive; whether outstanding requests were or will be executed is unknown.
type PeerState struct {
	Peer PeerID
	Open bool
	Err  string // why it closed, in words; empty for Open
}

// PeerResponse is the answer to one [Send] of kind [Call], in the order of the calls.
type PeerResponse struct {
	Peer PeerID
	Corr int32
	Body wire.Response
	Size int64 // length on the wire in bytes
	// Frame is the memory in which a Fetch response lies, to be given back by [Effects.Spent]; nil for every other response.
	Frame []byte
}

func (*Start) event()        {}
func (*Tick) event()         {}
func (*Request) event()      {}
func (*ConnState) event()    {}
func (*PeerResponse) event() {}
func (*PeerState) event()    {}
func (*DiskDone) event()     {}
