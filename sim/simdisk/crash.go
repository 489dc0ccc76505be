package simdisk

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
)

// ProcessCrash ends the process: open files, holds and queued operations vanish, the page cache stays. The operation
// at the head of each queue may take effect all the same, an append also in part: the kernel had it already.
func (d *Disk) ProcessCrash(now core.Mono) {
	d.advance(now)
	d.endProcess(d.luck())
}

// Doom names the draws of the next crash. Without a name they go by the number of crashes so far, and a crash that is taken
// out of a plan changes the luck of all later ones.
func (d *Disk) Doom(name int64) { d.doom, d.doomed = name, true }

// luck is the stream of the crash that happens now.
func (d *Disk) luck() *prng.Rand {
	if d.doomed {
		d.doomed = false
		return d.rand.ForkN("doom", d.doom)
	}
	d.crashes++
	return d.rand.ForkN("crash", d.crashes)
}

// PowerLoss is a ProcessCrash that also takes the page cache, as the package describes.
func (d *Disk) PowerLoss(now core.Mono) {
	d.advance(now)
	r := d.luck()
	d.endProcess(r)
	d.names.powerLoss(r.Fork("names"))
	d.used = d.reload(d.names.root, "", r.Fork("files"))
}

// endProcess settles the operations being performed and forgets all that belonged to the process.
func (d *Disk) endProcess(r *prng.Rand) {
	for id, q := range d.byFile.All() {
		d.cutShort(q, r.ForkN("file", int64(id)))
	}
	for path, q := range d.byPath.All() {
		d.cutShort(q, r.Fork("path/"+path))
	}
	d.byFile, d.byPath = ordmap.Ordered[step.FileID, *queue](), ordmap.Ordered[string, *queue]()
	d.stuck = nil
	for _, f := range d.files.All() {
		f.n.opens--
		d.free(f.n)
	}
	d.files = ordmap.Ordered[step.FileID, *file]()
}

// cutShort lets the head of q take effect, or an append's prefix, or nothing. Operations of a stuck disk do not.
func (d *Disk) cutShort(q *queue, r *prng.Rand) {
	d.due.Cancel(q.timer)
	q.timer = deadline.Handle{}
	if q.head == len(q.ops) || q.stuck || r.Chance(1, 2) {
		return
	}
	op := q.ops[q.head].op
	if op.Kind == step.Append && r.Chance(1, 2) {
		op.Data = op.Data[:r.Below(int64(len(op.Data))+1)]
	}
	d.perform(&op)
}

// reload makes the medium what the process sees, below dir, and returns the bytes of contents.
func (d *Disk) reload(dir *node, prefix string, r *prng.Rand) int64 {
	total := int64(0)
	dir.entries = ordmap.Ordered[string, *node]()
	for name, n := range dir.durable.All() {
		dir.entries.Set(name, n)
		n.linked = true
		if n.dir {
			total += d.reload(n, prefix+name+"/", r)
			continue
		}
		n.disk = n.settled(r.Fork(prefix+name), d.allowed, func(o Outcome) { d.met[o]++ })
		n.bytes = n.disk[:len(n.disk):len(n.disk)]
		n.diverged = false
		n.pending = nil
		n.cutPatches()
		total += int64(len(n.bytes))
	}
	return total
}
