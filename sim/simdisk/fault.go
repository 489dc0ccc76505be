package simdisk

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
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

// over is whether the path is one of the fault's.
func (f *armed) over(path string) bool { return f.Path == "" || match(f.Path, path) }

// active is whether a window covers the instant.
func (f *armed) active(now core.Mono) bool {
	return !f.spent && f.At <= now && (f.Until == 0 || now < f.Until)
}

// match is whether path fits pattern, in which '*' stands for any run of bytes.
func match(pattern, path string) bool {
	star, retry := -1, 0
	p, s := 0, 0
	for s < len(path) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, s
			p++
		case p < len(pattern) && pattern[p] == path[s]:
			p++
			s++
		case star >= 0: // let the last star take one byte more
			retry++
			p, s = star+1, retry
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// inject is the one-time fault of the given kind that this operation triggers, or nil. Every armed fault that matches
// counts the operation, also when another one fires.
func (d *Disk) inject(kind FaultKind, op step.DiskOpKind, path string) *armed {
	var hit *armed
	for i := range d.faults {
		f := &d.faults[i]
		if f.Kind != kind || f.spent || d.now < f.At || f.Op != 0 && f.Op != op || !f.over(path) {
			continue
		}
		if f.passed++; f.passed > f.After && hit == nil {
			hit = f
			f.spent = true
			d.fired[kind]++
		}
	}
	return hit
}

// slowed is the service time under the Slow faults that hold now.
func (d *Disk) slowed(service core.Mono, path string) core.Mono {
	factor := int64(1)
	for i := range d.faults {
		if f := &d.faults[i]; f.Kind == Slow && f.active(d.now) && f.over(path) {
			d.fired[Slow]++
			factor = max(factor, 2, f.Amount) // not the product: two slow neighbours do not stop the disk
		}
	}
	return saturate(service, factor)
}

func saturate(t core.Mono, factor int64) core.Mono {
	if t > 0 && factor > int64(never/t) {
		return never
	}
	return t * core.Mono(factor)
}

// holdBack keeps the head of q from finishing while a Stuck fault holds, and reports whether it did.
func (d *Disk) holdBack(q *queue) bool {
	path := d.pathOf(&q.ops[q.head].op)
	for i := range d.faults {
		f := &d.faults[i]
		if f.Kind != Stuck || !f.active(d.now) || !f.over(path) {
			continue
		}
		if !q.stuck {
			q.stuck = true
			d.stuck = append(d.stuck, q)
			d.fired[Stuck]++
		}
		q.timer = deadline.Handle{}
		if f.Until != 0 {
			q.timer = d.due.Add(f.Until, due{q: q})
		}
		return true
	}
	if q.stuck {
		q.stuck = false
		d.stuck = slices.DeleteFunc(d.stuck, func(s *queue) bool { return s == q })
	}
	return false
}

// room is how many bytes still fit, and the fault that limits them, if any.
func (d *Disk) room(path string) (int64, *armed) {
	limit, by := int64(never), (*armed)(nil)
	if d.cfg.Capacity > 0 {
		limit = d.cfg.Capacity
	}
	for i := range d.faults {
		if f := &d.faults[i]; f.Kind == NoSpace && f.active(d.now) && f.over(path) && f.Amount < limit {
			limit, by = f.Amount, f
		}
	}
	return limit - d.used, by
}

// roomForName refuses new names on a full disk.
func (d *Disk) roomForName(path string) trouble {
	room, by := d.room(path)
	if room > 0 {
		return trouble{}
	}
	if by != nil {
		d.fired[NoSpace]++
	}
	return trouble{step.ErrNoSpace, path + ": no space left on device"}
}

// strike performs a fault that needs no operation.
func (d *Disk) strike(f *armed) {
	switch {
	case f.spent:
	case f.Kind == Lost:
		f.spent = true
		d.fired[Lost]++
		d.lose()
	default:
		d.rot()
	}
}

// Wipe replaces the disk by an empty one, between two lives of the node's process.
func (d *Disk) Wipe(now core.Mono) {
	d.advance(now)
	d.fired[Lost]++
	d.lose()
}

// lose empties the disk. Open files fail from now on.
func (d *Disk) lose() {
	for _, f := range d.files.All() {
		f.n.gone = true
	}
	d.names = names{root: newDir()}
	d.used = 0
}

// rot lets each armed BitRot flip a bit, if there is a file with durable bytes for it. A fault that found none tries
// again after every sync.
func (d *Disk) rot() {
	for i := range d.faults {
		f := &d.faults[i]
		if f.Kind != BitRot || f.spent || d.now < f.At {
			continue
		}
		victims := d.victims(f, func(n *node) bool { return n.sound() > 0 })
		if len(victims) == 0 {
			continue
		}
		f.spent = true
		d.fired[BitRot]++
		n := victims[f.rand.Below(int64(len(victims)))]
		size := n.sound()
		r := f.rand.ForkN("rot", int64(digest(n.bytes[:size])))
		pos := r.Below(size)
		was := n.appendVisible(nil, pos, pos+1)
		d.patch(n, pos, []byte{was[0] ^ 1<<r.Below(8)})
	}
}

// sound is the length of the prefix that lies both in the page cache and on the medium.
func (n *node) sound() int64 { return min(int64(len(n.bytes)), int64(len(n.disk))) }

// victims are the files under the fault's paths that satisfy ok, in path order.
func (d *Disk) victims(f *armed, ok func(*node) bool) []*node {
	var out []*node
	d.names.root.files("", func(path string, n *node) {
		if f.over(path) && ok(n) {
			out = append(out, n)
		}
	})
	return out
}

// misdirect makes the append that has just been put at the end of n land on a sector of some file under the fault's
// paths instead.
func (d *Disk) misdirect(f *armed, n *node, op *step.DiskOp) {
	size := int64(len(op.Data))
	if size == 0 {
		return
	}
	d.patch(n, int64(op.Pos), make([]byte, size))
	victims := d.victims(f, func(v *node) bool { return v != n && len(v.bytes) > 0 || v == n && op.Pos > 0 })
	if len(victims) == 0 {
		return // it fell on a free part of the medium
	}
	v := victims[f.rand.Below(int64(len(victims)))]
	end := int64(len(v.bytes))
	if v == n {
		end = int64(op.Pos)
	}
	pos := f.rand.Below((end-1)/sector+1) * sector
	d.patch(v, pos, slices.Clone(op.Data[:min(size, end-pos)]))
}

func (d *Disk) patch(n *node, pos int64, data []byte) {
	n.patches = append(n.patches, patch{pos: pos, data: data})
	d.patched = append(d.patched, n)
}

// digest is FNV-1a; it only has to tell contents apart.
func digest(b []byte) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, c := range b {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return h
}

// Heal lifts every fault for good: windows end, pending one-time faults are disarmed, the overlay goes. Contents lost
// stay lost and failed files stay failed until closed. Operations that were stuck go on.
func (d *Disk) Heal(now core.Mono) {
	d.advance(now)
	for i := range d.faults {
		d.faults[i].spent = true
	}
	for _, n := range d.patched {
		n.patches = nil
	}
	d.patched = nil
	for _, q := range d.stuck {
		q.stuck = false
		d.due.Cancel(q.timer)
		q.timer = d.due.Add(now, due{q: q})
	}
	d.stuck = nil
}
