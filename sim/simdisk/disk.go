package simdisk

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
)

// Disk is one node's disk. It outlives the node's processes. Not safe for concurrent use; the world owns it.
type Disk struct{}

// New is an empty disk. All its draws come from streams forked from rand.
func New(rand *prng.Rand, cfg Config) *Disk { panic("being written") }

// Submit queues an operation; it takes effect in a later Poll.
func (d *Disk) Submit(now core.Mono, op step.DiskOp) {}

// NextDeadline is the instant at which Poll has something to do, and whether there is one.
func (d *Disk) NextDeadline() (core.Mono, bool) { return 0, false }

// Poll performs what is due at now, in order, and hands the completions to deliver. The DiskDone belongs to the receiver.
func (d *Disk) Poll(now core.Mono, deliver func(*step.DiskDone)) {}

// Hold keeps the bytes of an open file readable by spans beyond its closing, until Release. It is what an edge does
// when it takes a reply with spans; false means the file is not open.
func (d *Disk) Hold(f step.FileID) bool { return false }

// Release undoes one Hold.
func (d *Disk) Release(f step.FileID) {}

// ReadSpan appends the bytes of a span, as they are now, to dst. The file must be open or held. It is what the network
// sends: the page cache under the overlay. The error is ErrSpanClosed, ErrSpanShort or ErrSpanRead.
func (d *Disk) ReadSpan(s step.Span, dst []byte) ([]byte, error) { return dst, nil }

// ProcessCrash ends the process: open files, holds and queued operations vanish, the page cache stays.
func (d *Disk) ProcessCrash(now core.Mono) {}

// PowerLoss is a ProcessCrash that also takes the page cache, as the package describes.
func (d *Disk) PowerLoss(now core.Mono) {}

// Heal lifts every fault for good: windows end, pending one-time faults are disarmed, the overlay goes. Contents lost
// stay lost. Operations that were stuck go on.
func (d *Disk) Heal(now core.Mono) {}

// Preload puts a durable file on the disk, with its directories, before any process runs.
func (d *Disk) Preload(path string, data []byte) {}

// Content is a file's pristine content as the process would read it without the overlay, for checkers.
func (d *Disk) Content(path string) ([]byte, bool) { return nil, false }

// Counter is how often something happened on the disk.
type Counter struct {
	Name string `json:"name"` // a fault kind, "power/" and an outcome, "misuse"
	N    int64  `json:"n"`
}

// Counters are the faults fired by kind and the outcomes of power losses, in a fixed order, zeros included. "misuse"
// counts operations that broke the contract of [step.DiskOp]: bugs of the machine.
func (d *Disk) Counters() []Counter { return nil }

// Performed describes one operation that took effect, for the trace hash.
type Performed struct {
	Kind step.DiskOpKind
	Err  step.DiskError
	File step.FileID
	Pos  core.Pos
	Len  int64 // bytes appended or read, entries listed, length at opening
}

// Observe calls f for each operation that takes effect, silent ones included.
func (d *Disk) Observe(f func(Performed)) {}
