package disktest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
)

// Chooser draws numbers below n: from rapid, or from fuzz input.
type Chooser func(n int) int

// Bytes is a Chooser that reads data and then yields zeros; more tells whether any is left.
func Bytes(data []byte) (choose Chooser, more func() bool) {
	choose = func(n int) int {
		if len(data) == 0 || n <= 1 {
			return 0
		}
		b := int(data[0])
		data = data[1:]
		return b % n
	}
	return choose, func() bool { return len(data) > 0 }
}

// Program generates operations and checks each completion against the model. Operations on different files run
// together; an operation on names waits for all before it and is waited for, because nothing orders it against the
// files that it touches.
type Program struct {
	t      require.TestingT
	s      Subject
	m      *Model
	next   step.OpID
	file   step.FileID
	open   []step.FileID
	expect map[step.OpID]step.DiskDone
	silent int // failures of silent operations that must arrive
}

// NewProgram starts on an empty subject.
func NewProgram(t require.TestingT, s Subject) *Program {
	return &Program{t: t, s: s, m: NewModel(), expect: make(map[step.OpID]step.DiskDone)}
}

// Step submits a random operation.
func (p *Program) Step(choose Chooser) {
	if len(p.open) > 0 && choose(8) != 0 {
		p.submit(p.fileOp(choose), choose(3) == 0)
		return
	}
	p.Settle()
	op := p.nameOp(choose)
	p.submit(op, false)
	p.Settle()
	if op.Kind == step.Open && p.m.files[op.File] != nil {
		p.open = append(p.open, op.File)
	}
}

func (p *Program) fileOp(choose Chooser) step.DiskOp {
	i := choose(len(p.open))
	f := p.open[i]
	size := 0
	if b := p.m.files[f]; b != nil {
		size = len(b.data)
	}
	switch choose(16) {
	case 0:
		p.open = append(p.open[:i:i], p.open[i+1:]...)
		return step.DiskOp{Kind: step.Close, File: f}
	case 1:
		return truncate(f, core.Pos(choose(size+1)))
	case 2, 3, 4:
		return syncFile(f)
	case 5, 6, 7:
		return read(f, core.Pos(choose(size+2)), int64(choose(size+2)))
	case 8:
		if choose(16) == 0 {
			return appendAt(f, core.Pos(size+1), "misplaced")
		}
	}
	data := make([]byte, choose(200))
	for i := range data {
		data[i] = byte(int(p.next)*31 + i)
	}
	return step.DiskOp{Kind: step.Append, File: f, Pos: core.Pos(size), Data: data}
}

func (p *Program) nameOp(choose Chooser) step.DiskOp {
	path := func() string {
		name := string(rune('a' + choose(4)))
		if choose(3) == 0 {
			return name
		}
		return string(rune('w'+choose(2))) + "/" + name
	}
	dir := func() string { return []string{"w", "x", ".", "a"}[choose(4)] }
	switch choose(12) {
	case 0:
		return rename(path(), path())
	case 1:
		return onPath(step.Remove, path())
	case 2:
		return onPath(step.List, dir())
	case 3:
		return onPath(step.SyncDir, dir())
	case 4:
		return onPath(step.RemoveDir, []string{"w", "x", "w/a"}[choose(3)])
	case 5:
		return rename([]string{"w", "x"}[choose(2)], []string{"x", "w", "y", "a", "w/b"}[choose(5)])
	case 6, 7:
		return onPath(step.Mkdir, []string{"w", "x", "a", "w/d"}[choose(4)])
	}
	p.file++
	op := step.DiskOp{Kind: step.Open, File: p.file, Path: path(), Create: choose(4) != 0}
	if p.isOpen(op.Path) { // two ids that write one file would be unordered
		return onPath(step.List, ".")
	}
	return op
}

func (p *Program) isOpen(path string) bool {
	obj := p.m.tree[path]
	for _, b := range p.m.files {
		if b.object == obj {
			return true
		}
	}
	return false
}

func (p *Program) submit(op step.DiskOp, silent bool) {
	if !silent {
		p.next++
		op.Op = p.next
	}
	want := p.m.Apply(op)
	if !silent {
		p.expect[op.Op] = want
	} else if want.Err != step.DiskOK {
		p.silent++
	}
	p.s.Submit(op)
}

// Settle waits for everything and compares.
func (p *Program) Settle() {
	for _, got := range p.s.Settle() {
		if got.Op == 0 {
			require.NotEqual(p.t, step.DiskOK, got.Err)
			p.silent--
			continue
		}
		want, ok := p.expect[got.Op]
		require.True(p.t, ok, "completed twice or never submitted: %+v", got)
		delete(p.expect, got.Op)
		require.Equal(p.t, string(want.Data), string(got.Data), "%+v", want)
		have := *got
		have.Detail, have.Data, want.Data = "", nil, nil
		require.Equal(p.t, want, have, "%s", got.Detail)
	}
	require.Empty(p.t, p.expect, "not completed")
	require.Zero(p.t, p.silent, "failures of silent operations")
}

func testLong(d *driver) {
	r := prng.New(20)
	p := NewProgram(d.t, d.s)
	choose := func(n int) int { return int(r.Below(int64(max(1, n)))) }
	for range 5000 {
		p.Step(choose)
	}
	p.Settle()
}

// testModel adds to testLong that a failure is shrunk.
func testModel(open Factory) func(*driver) {
	return func(d *driver) {
		t, ok := d.t.(*testing.T)
		require.True(d.t, ok)
		rapid.Check(t, func(rt *rapid.T) {
			s := open(t)
			defer s.Close()
			p := NewProgram(rt, s)
			choose := func(n int) int { return rapid.IntRange(0, max(0, n-1)).Draw(rt, "choice") }
			for range rapid.IntRange(1, 300).Draw(rt, "operations") {
				p.Step(choose)
			}
			p.Settle()
		})
	}
}
