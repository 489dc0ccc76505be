package sim

import (
	"fmt"
	"hash/crc32"
	"math/bits"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim/simdisk"
	"github.com/klamm-log/klamm/sim/simnet"
)

// Hash is a running 128-bit hash of all that happened.
type Hash struct{ A, B uint64 }

// mix adds two words (after wyhash: multiply wide, fold).
func (h *Hash) mix(x, y uint64) {
	hi, lo := bits.Mul64(h.A^x^0xa0761d6478bd642f, h.B^y^0xe7037ed1a0b428db)
	h.A ^= lo + 0x9e3779b97f4a7c15
	h.B = bits.RotateLeft64(h.B, 29) + hi ^ x
}

// String is 32 hexadecimal digits.
func (h Hash) String() string { return fmt.Sprintf("%016x%016x", h.A, h.B) }

// Link is one sample of the chain: the hash after the given number of events.
type Link struct {
	Events int64     `json:"events"`
	At     core.Mono `json:"at"`
	Hash   string    `json:"hash"`
}

// chainEvery is the number of events between two links.
const chainEvery = 4096

// EventKind says what an event of the trace was.
type EventKind uint8

// Kinds of trace events that go into the hash.
const (
	TraceTurn   EventKind = iota + 1 // A events were stepped, effects B
	TraceNet                         // connection A, side and kind B
	TraceDisk                        // operation kind and error A, position and length B
	TraceFault                       // fault A began (B 1) or ended (B 0)
	TraceStart                       // incarnation A
	TraceCrash                       // B 1: power loss
	TraceClient                      // operation A of a client
)

// Kinds that only who watches is told of; they follow from the others.
const (
	TraceSent   EventKind = iota + 64 // bytes were given to a connection; those that do not arrive are lost
	TracePoint                        // Text: a point that the machine passed, see step.Effects.Sometimes
	TraceHalt                         // the machine ended itself; Text: why. A crash follows
	TracePanic                        // Text: what the machine's panic said; Stack: where. A crash follows
	TraceHealed                       // every fault has ended
)

// TraceEvent is one event, for those who watch a run. What its kind does not name is zero.
type TraceEvent struct {
	At   core.Mono
	Kind EventKind
	Proc int // index of the process: the plan's nodes, then its clients; -1 is the world
	A, B uint64

	Net   TraceNetwork      // of TraceNet and TraceSent
	Disk  simdisk.Performed // of TraceDisk
	Fault *Fault            // of TraceFault
	Text  string            // of TracePoint, TraceHalt, TracePanic
	Stack string            // of TracePanic
}

// TraceNetwork is what happened to a connection.
type TraceNetwork struct {
	Conn  simnet.Conn
	Hosts [2]int // indexes of the processes at its two ends, by simnet.Side
	Addr  string // that was dialled
	// Side is the end at which something arrived; of TraceSent the end from which it was sent.
	Side  simnet.Side
	Kind  simnet.EventKind
	Bytes []byte // the network's and then the receiver's: who keeps them makes a copy
	Why   string
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // a constant table

// note adds an event to the hash, and to the chain when it is time.
func (w *World) note(kind EventKind, proc int, a, b uint64) {
	w.hash.mix(uint64(w.now)^uint64(kind)<<56^uint64(proc)<<48, a*0x9e3779b97f4a7c15^b)
	w.events++
	if w.events%chainEvery == 0 {
		w.chain = append(w.chain, Link{Events: w.events, At: w.now, Hash: w.hash.String()})
	}
	if w.Watch != nil {
		ev := w.detail
		w.detail = TraceEvent{}
		ev.At, ev.Kind, ev.Proc, ev.A, ev.B = w.now, kind, proc, a, b
		w.Watch(ev)
	}
}

// tell is for events that are in no hash: who watches hears of them.
func (w *World) tell(ev TraceEvent) {
	if w.Watch != nil {
		ev.At = w.now
		w.Watch(ev)
	}
}

// watchNet sees to it that who watches hears of what is sent.
func (w *World) watchNet() {
	if w.Watch == nil {
		return
	}
	w.net.Observe(func(c simnet.Conn, from simnet.Side, b []byte) {
		d := w.flow(c, from)
		d.Kind, d.Bytes = simnet.Data, b
		w.tell(TraceEvent{Kind: TraceSent, Proc: d.Hosts[from], Net: d})
	})
}

// flow describes a connection.
func (w *World) flow(c simnet.Conn, side simnet.Side) TraceNetwork {
	dialer, acceptor := w.net.Hosts(c)
	return TraceNetwork{Conn: c, Hosts: [2]int{int(dialer), int(acceptor)}, Addr: w.net.Addr(c), Side: side}
}

// noteBytes is the part of an event that stands for contents.
func noteBytes(b []byte) uint64 {
	return uint64(crc32.Checksum(b, castagnoli))<<32 | uint64(uint32(len(b)))
}
