package sim

import (
	"fmt"
	"hash/crc32"
	"math/bits"

	"github.com/klamm-log/klamm/core"
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

// Kinds of trace events.
const (
	TraceTurn   EventKind = iota + 1 // A events were stepped, effects B
	TraceNet                         // connection A, side and kind B
	TraceDisk                        // operation kind and error A, position and length B
	TraceFault                       // fault A began (B 1) or ended (B 0)
	TraceStart                       // incarnation A
	TraceCrash                       // B 1: power loss
	TraceClient                      // operation A of a client
)

// TraceEvent is one event, for those who watch a run.
type TraceEvent struct {
	At   core.Mono
	Kind EventKind
	Proc string
	A, B uint64
	Text string // filled only while somebody watches
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
		w.Watch(TraceEvent{At: w.now, Kind: kind, Proc: w.procName(proc), A: a, B: b, Text: w.text})
		w.text = ""
	}
}

// noteBytes is the part of an event that stands for contents.
func noteBytes(b []byte) uint64 {
	return uint64(crc32.Checksum(b, castagnoli))<<32 | uint64(uint32(len(b)))
}
