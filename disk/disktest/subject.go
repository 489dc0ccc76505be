package disktest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// Subject is a disk under test with an empty data directory.
type Subject interface {
	// Submit queues an operation.
	Submit(op step.DiskOp)
	// Settle waits until all that was submitted is done and returns the completions since the last Settle in the
	// order of delivery.
	Settle() []*step.DiskDone
	// Span reads what an edge would send for a span of a file that is open or was acquired.
	Span(s step.Span) ([]byte, error)
	// Acquire keeps the bytes of a file for spans until release is called.
	Acquire(f step.FileID) (release func(), ok bool)
	// Close ends the disk. The directory need not survive.
	Close()
}

// Factory makes a fresh Subject.
type Factory func(t testing.TB) Subject

// driver numbers operations and looks completions up, so that tests read like sentences.
type driver struct {
	t    testing.TB
	s    Subject
	next step.OpID
	log  []*step.DiskDone // all completions of the last do or settle
}

func newDriver(t testing.TB, open Factory) *driver {
	s := open(t)
	t.Cleanup(s.Close)
	return &driver{t: t, s: s}
}

// submit queues an operation that is to be answered.
func (d *driver) submit(op step.DiskOp) step.OpID {
	d.next++
	op.Op = d.next
	d.s.Submit(op)
	return op.Op
}

// silent queues an operation that is to be answered only if it fails.
func (d *driver) silent(op step.DiskOp) { d.s.Submit(op) }

func (d *driver) settle() []*step.DiskDone {
	d.log = d.s.Settle()
	return d.log
}

// do performs one operation and returns its completion, which must be the only one.
func (d *driver) do(op step.DiskOp) *step.DiskDone {
	d.t.Helper()
	id := d.submit(op)
	got := d.settle()
	require.Len(d.t, got, 1, "completions of %+v", op)
	require.Equal(d.t, id, got[0].Op)
	require.Equal(d.t, op.Kind, got[0].Kind)
	require.Equal(d.t, op.File, got[0].File)
	require.Equal(d.t, op.Path, got[0].Path)
	return got[0]
}

// ok performs one operation that must succeed.
func (d *driver) ok(op step.DiskOp) *step.DiskDone {
	d.t.Helper()
	done := d.do(op)
	require.Equal(d.t, step.DiskOK, done.Err, "%+v: %s", op, done.Detail)
	require.Empty(d.t, done.Detail)
	return done
}

// fails performs one operation that must fail as said.
func (d *driver) fails(want step.DiskError, op step.DiskOp) {
	d.t.Helper()
	done := d.do(op)
	require.Equal(d.t, want, done.Err, "%+v: %s", op, done.Detail)
	require.NotEmpty(d.t, done.Detail, "a failure is explained")
}

func create(f step.FileID, path string) step.DiskOp {
	return step.DiskOp{Kind: step.Open, File: f, Path: path, Create: true}
}

func open(f step.FileID, path string) step.DiskOp {
	return step.DiskOp{Kind: step.Open, File: f, Path: path}
}

func appendAt(f step.FileID, pos core.Pos, data string) step.DiskOp {
	return step.DiskOp{Kind: step.Append, File: f, Pos: pos, Data: []byte(data)}
}

func read(f step.FileID, pos core.Pos, n int64) step.DiskOp {
	return step.DiskOp{Kind: step.Read, File: f, Pos: pos, Len: n}
}

func truncate(f step.FileID, pos core.Pos) step.DiskOp {
	return step.DiskOp{Kind: step.Truncate, File: f, Pos: pos}
}

func syncFile(f step.FileID) step.DiskOp { return step.DiskOp{Kind: step.Sync, File: f} }

func closeFile(f step.FileID) step.DiskOp { return step.DiskOp{Kind: step.Close, File: f} }

func rename(from, to string) step.DiskOp { return step.DiskOp{Kind: step.Rename, Path: from, To: to} }

func onPath(kind step.DiskOpKind, path string) step.DiskOp {
	return step.DiskOp{Kind: kind, Path: path}
}

// holds checks a file's whole contents through an open id.
func (d *driver) holds(f step.FileID, want string) {
	d.t.Helper()
	require.Equal(d.t, want, string(d.ok(read(f, 0, 1<<20)).Data))
}
