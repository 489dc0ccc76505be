package simdisk

import (
	"slices"

	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/prng"
)

// sector is the unit that a medium writes atomically, in bytes.
const sector = 512

// writebackAt is how many unsynced writes a file, or unsynced name changes the disk, may have before the oldest are
// made durable unasked, as a kernel's write-back would. It bounds the memory of a machine that never syncs.
const writebackAt = 4096

// node is a file or a directory, whatever its name.
type node struct {
	dir  bool
	gone bool // its medium was lost: every operation fails

	// Of a file. bytes is the page cache, disk the medium. They share memory up to where they agree: bytes only grows
	// at its end, and a truncation caps it so that the next append moves away. Neither is ever written in place.
	bytes   []byte
	disk    []byte
	pending []write // what a sync would write, oldest first
	// diverged says that a sync failed, so that bytes holds what neither disk nor pending has.
	diverged bool
	patches  []patch // wrong bytes over bytes, within its length; later ones on top
	opens    int     // open files and holds

	// Of a directory: its entries as the process sees them and as they are on the medium.
	entries *ordmap.Map[string, *node]
	durable *ordmap.Map[string, *node]
	removed bool // gone from the medium's names; nothing can enter it any more

	linked bool // it has a name, as the process sees it
	// Its name on the medium; nil for none. A node has at most one.
	durableDir  *node
	durableName string

	mark bool // scratch of syncDir
}

// write is one change of a file's contents that the medium has not seen.
type write struct {
	pos  int64
	data []byte // nil for a truncation to pos
	cut  bool
}

// patch is a run of wrong bytes.
type patch struct {
	pos  int64
	data []byte
}

func newDir() *node {
	return &node{dir: true, entries: ordmap.Ordered[string, *node](), durable: ordmap.Ordered[string, *node]()}
}

// append adds data to the page cache. The bytes are copied.
func (n *node) append(data []byte) {
	if len(data) == 0 {
		return
	}
	if len(n.pending) >= writebackAt {
		n.sync()
	}
	pos := len(n.bytes)
	n.bytes = append(n.bytes, data...)
	n.pending = append(n.pending, write{pos: int64(pos), data: n.bytes[pos:len(n.bytes):len(n.bytes)]})
}

// truncate cuts the page cache to pos bytes, which must not exceed the length.
func (n *node) truncate(pos int64) {
	if pos == int64(len(n.bytes)) {
		return
	}
	n.bytes = n.bytes[:pos:pos]
	n.pending = append(n.pending, write{pos: pos, cut: true})
	n.cutPatches()
}

// sync brings the medium up to date with the pending writes.
func (n *node) sync() {
	if n.diverged { // the medium keeps what it lost; only later writes reach it
		img := slices.Clone(n.disk)
		for _, w := range n.pending {
			img = w.apply(img, WriteNew, nil)
		}
		n.disk = img
	} else {
		n.disk = n.bytes[:len(n.bytes):len(n.bytes)]
	}
	n.forget()
}

// failSync is a sync that fails: some writes reach the medium, and all pages count as clean.
func (n *node) failSync(r *prng.Rand, allowed []Outcome) {
	n.disk = n.settled(r, allowed, nil)
	n.diverged = true
	n.forget()
}

// reload makes the page cache durable and reads it anew from the medium. It returns by how much the file grew.
func (n *node) reload() int64 {
	before := int64(len(n.bytes))
	n.sync()
	if n.diverged {
		n.bytes, n.diverged = n.disk[:len(n.disk):len(n.disk)], false
		n.cutPatches()
	}
	return int64(len(n.bytes)) - before
}

func (n *node) forget() {
	clear(n.pending)
	n.pending = n.pending[:0]
}

// settled is the medium's contents after each pending write has met its outcome; hit, if set, hears of each.
func (n *node) settled(r *prng.Rand, allowed []Outcome, hit func(Outcome)) []byte {
	if len(n.pending) == 0 {
		return n.disk
	}
	img := slices.Clone(n.disk)
	for i, w := range n.pending {
		own := r.ForkN("write", int64(i))
		o := allowed[own.Below(int64(len(allowed)))]
		if hit != nil && !w.cut {
			hit(o)
		}
		img = w.apply(img, o, own)
	}
	return img
}

// apply is img after w met outcome o. img belongs to the call.
func (w write) apply(img []byte, o Outcome, r *prng.Rand) []byte {
	if w.cut {
		if o != WriteOld && w.pos < int64(len(img)) {
			img = img[:w.pos]
		}
		return img
	}
	size := int64(len(w.data))
	switch o {
	case WriteOld:
		return img
	case WriteNew:
		return overwrite(img, w.pos, w.data)
	case WritePrefix:
		return overwrite(img, w.pos, w.data[:r.Below(size)])
	case WriteSectors:
		return w.sectors(img, r)
	case WriteGarbage:
		junk := make([]byte, size)
		r.Fill(junk)
		return overwrite(img, w.pos, junk)
	case WriteZeroTail:
		head := r.Below(size)
		img = overwrite(img, w.pos, make([]byte, size))
		return overwrite(img, w.pos, w.data[:head])
	default: // no outcome
		return img
	}
}

// sectors writes each sector that w touches or not.
func (w write) sectors(img []byte, r *prng.Rand) []byte {
	end := w.pos + int64(len(w.data))
	img = extend(img, end)
	for from := w.pos; from < end; {
		to := min(end, (from/sector+1)*sector)
		if r.Chance(1, 2) {
			copy(img[from:to], w.data[from-w.pos:to-w.pos])
		}
		from = to
	}
	return img
}

// overwrite puts data at pos, filling a gap with zeros. Nothing is extended for empty data.
func overwrite(img []byte, pos int64, data []byte) []byte {
	if len(data) == 0 {
		return img
	}
	img = extend(img, pos+int64(len(data)))
	copy(img[pos:], data)
	return img
}

// extend makes img at least size bytes long; new bytes are zero.
func extend(img []byte, size int64) []byte {
	for grow := size - int64(len(img)); grow > 0; grow = size - int64(len(img)) {
		var zeros [sector]byte
		img = append(img, zeros[:min(grow, sector)]...)
	}
	return img
}

// appendVisible appends what a reader sees between from and to, which lie within the length.
func (n *node) appendVisible(dst []byte, from, to int64) []byte {
	base := int64(len(dst))
	dst = append(dst, n.bytes[from:to]...)
	for _, p := range n.patches {
		lo, hi := max(from, p.pos), min(to, p.pos+int64(len(p.data)))
		if lo < hi {
			copy(dst[base+lo-from:base+hi-from], p.data[lo-p.pos:hi-p.pos])
		}
	}
	return dst
}

// cutPatches drops wrong bytes beyond the length.
func (n *node) cutPatches() {
	size := int64(len(n.bytes))
	n.patches = slices.DeleteFunc(n.patches, func(p patch) bool { return p.pos >= size })
	for i, p := range n.patches {
		n.patches[i].data = p.data[:min(int64(len(p.data)), size-p.pos)]
	}
}
