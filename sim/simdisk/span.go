package simdisk

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// SpanError is why a span could not be read.
type SpanError string

// The reasons. A network that meets one closes the connection: the response's length has been promised already.
const (
	ErrSpanClosed SpanError = "simdisk: the span's file is neither open nor held"
	ErrSpanShort  SpanError = "simdisk: the file ends before the span"
	ErrSpanRead   SpanError = "simdisk: input/output error"
)

// Error is the reason in words.
func (e SpanError) Error() string { return string(e) }

// Hold keeps the bytes of an open file readable by spans beyond its closing, until Release. It is what an edge does
// when it takes a reply with spans; false means the file is not open.
func (d *Disk) Hold(id step.FileID) bool {
	f, ok := d.files.Get(id)
	if !ok || f.closed {
		return false
	}
	f.holds++
	return true
}

// Release undoes one Hold. After a process crash there is nothing left to undo.
func (d *Disk) Release(id step.FileID) {
	if f, ok := d.files.Get(id); ok && f.holds > 0 {
		f.holds--
		d.letGo(id, f)
	}
}

// ReadSpan appends the bytes of a span, as they are now, to dst. The file must be open or held. It is what the network
// sends: the page cache under the overlay. With a [SpanError], dst comes back with what could be read.
func (d *Disk) ReadSpan(s step.Span, dst []byte) ([]byte, error) {
	f, ok := d.files.Get(s.File)
	if !ok || s.Pos < 0 || s.Len < 0 {
		return dst, ErrSpanClosed
	}
	if f.n.gone || d.inject(IOError, step.Read, f.path) != nil {
		return dst, ErrSpanRead
	}
	size := int64(len(f.n.bytes))
	from := min(int64(s.Pos), size)
	to := from + min(s.Len, size-from)
	dst = f.n.appendVisible(dst, from, to)
	if to-from < s.Len {
		return dst, ErrSpanShort
	}
	return dst, nil
}

// Preload puts a durable file on the disk, with its directories, before any process runs.
func (d *Disk) Preload(path string, data []byte) {
	for i := range len(path) {
		if path[i] == '/' {
			d.must(d.mkdir(path[:i]))
		}
	}
	dir, base, t := d.parent(path)
	d.must(t)
	n := &node{}
	d.names.link(dir, base, n)
	d.put(n, data)
	n.sync()
	for _, op := range d.names.pending {
		op.settle()
	}
	d.names.pending = d.names.pending[:0]
}

func (d *Disk) must(t trouble) {
	if t.err != step.DiskOK {
		panic("simdisk: preload: " + t.detail)
	}
}

// Content is a file's content as the process would read it without the overlay, for checkers; false if there is no
// such file. The bytes are the disk's.
func (d *Disk) Content(path string) ([]byte, bool) {
	n, t := d.names.lookup(path)
	if t.err != step.DiskOK || n.dir {
		return nil, false
	}
	return n.bytes[:len(n.bytes):len(n.bytes)], true
}

// Used is the space taken, in bytes of contents.
func (d *Disk) Used() int64 { return d.used }

// Counter is how often something happened on the disk.
type Counter struct {
	Name string `json:"name"` // a fault kind, "power-" and an outcome, or "misuse"
	N    int64  `json:"n"`
}

// Counters are the faults fired by kind and the outcomes of power losses, in a fixed order, zeros included. Slow and
// Stuck count the operations they met. "misuse" counts operations that broke the contract of [step.DiskOp]: bugs of
// the machine, never of a fault.
func (d *Disk) Counters() []Counter {
	var out []Counter
	for k := IOError; k < faultKinds; k++ {
		out = append(out, Counter{k.String(), d.fired[k]})
	}
	for o := range outcomes {
		out = append(out, Counter{"power-" + o.String(), d.met[o]})
	}
	return append(out, Counter{"misuse", d.misuse})
}

// Fired is how often faults of one kind have struck.
func (d *Disk) Fired(k FaultKind) int64 { return d.fired[k] }

// Met is how many unsynced writes met an outcome.
func (d *Disk) Met(o Outcome) int64 { return d.met[o] }

// Misuse is how many operations broke the contract.
func (d *Disk) Misuse() int64 { return d.misuse }

// never is an instant that does not come.
const never core.Mono = 1<<63 - 1
