package simdisk

import (
	"fmt"
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
)

// FaultKind says what a [Fault] does.
type FaultKind uint8

// The faults that a plan can hold.
const (
	// IOError fails one operation of kind Op with ErrIO: an append leaves a prefix, a sync follows fsyncgate.
	IOError FaultKind = iota + 1
	// NoSpace lowers the capacity to Amount bytes while it lasts.
	NoSpace
	// Slow multiplies service times by Amount (at least 2) while it lasts.
	Slow
	// Stuck lets no operation finish while it lasts.
	Stuck
	// BitRot flips one bit below the durable length of one file, as soon as there is such a file.
	BitRot
	// Misdirect sends one append to another place of the medium.
	Misdirect
	// Lost empties the disk.
	Lost

	faultKinds // one more than the last
)

func faultNames() [faultKinds]string {
	return [faultKinds]string{
		IOError: "io-error", NoSpace: "no-space", Slow: "slow", Stuck: "stuck", BitRot: "bit-rot", Misdirect: "misdirect", Lost: "lost",
	}
}

// String is the kind's name in capsules and reports.
func (k FaultKind) String() string {
	if k == 0 || k >= faultKinds {
		return "fault-" + strconv.Itoa(int(k))
	}
	return faultNames()[k]
}

// MarshalText writes the kind's name.
func (k FaultKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's name.
func (k *FaultKind) UnmarshalText(b []byte) error {
	for i, name := range faultNames() {
		if i > 0 && name == string(b) {
			*k = FaultKind(i)
			return nil
		}
	}
	return fmt.Errorf("simdisk: no fault is called %q", b)
}

// Fault is one decision of a plan.
type Fault struct {
	// ID names the fault's stream of draws; unique within a plan and kept when other faults are removed.
	ID   int64     `json:"id"`
	Kind FaultKind `json:"kind"`
	// At is the instant from which the fault is armed. Until ends NoSpace, Slow and Stuck; 0 is "until healed".
	At    core.Mono `json:"at"`
	Until core.Mono `json:"until,omitempty"`
	// Op is the kind of operation that an IOError fails; 0 is any.
	Op step.DiskOpKind `json:"op,omitempty"`
	// After lets this many matching operations pass before an IOError or Misdirect fires; each fires once.
	After int64 `json:"after,omitempty"`
	// Path restricts the fault to matching paths: '*' stands for any run of bytes, slashes included. Empty is all.
	// A file is known by the path under which it was opened.
	Path string `json:"path,omitempty"`
	// Amount is bytes for NoSpace and a factor for Slow.
	Amount int64 `json:"amount,omitempty"`
}

// armed is a fault of the plan with what it has done so far.
type armed struct {
	Fault
	rand   *prng.Rand
	passed int64 // matching operations let through
	spent  bool  // fired once and done, or lifted
}
