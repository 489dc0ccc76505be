package disktest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// Run checks that the disks made by open keep the contract of [step.DiskOp].
func Run(t *testing.T, open Factory) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*driver)
	}{
		{"open makes an empty file only with Create", testOpen},
		{"an id is bound once and free after Close", testIDs},
		{"operations need an open file", testUnbound},
		{"append must hit the end", testAppend},
		{"operations on one file keep their order", testOrder},
		{"a misplaced append breaks the file until it is closed", testSticky},
		{"silent operations answer only failure", testSilent},
		{"read stops at the end", testRead},
		{"truncate cuts and appending goes on", testTruncate},
		{"truncate does not extend", testTruncateBeyond},
		{"rename replaces and open files follow", testRename},
		{"directories move but replace nothing", testRenameDirs},
		{"rename of a file waits for its operations", testRenameOrdered},
		{"a removed file stays readable while open", testRemoveOpen},
		{"spans of an acquired file outlive it", testSpans},
		{"directories", testDirs},
		{"list is sorted", testList},
		{"paths stay inside", testPaths},
		{"empty appends and syncs", testEmpty},
		{"large appends", testLarge},
		{"many files at once", testMany},
		{"thousands of interleaved operations agree with the model", testLong},
		{"any operations agree with the model", testModel(open)},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(newDriver(t, open)) })
	}
}

func testOpen(d *driver) {
	d.fails(step.ErrNotExist, open(1, "a"))
	require.Zero(d.t, d.ok(create(1, "a")).Size)
	d.ok(appendAt(1, 0, "hello"))
	d.ok(closeFile(1))
	require.EqualValues(d.t, 5, d.ok(open(2, "a")).Size)
	d.ok(closeFile(2))
	require.EqualValues(d.t, 5, d.ok(create(3, "a")).Size, "Create leaves an existing file alone")
	d.holds(3, "hello")
	d.fails(step.ErrNotExist, create(4, "nowhere/a"))
	d.ok(onPath(step.Mkdir, "dir"))
	d.fails(step.ErrIO, open(4, "dir"))
	d.fails(step.ErrIO, create(4, "a/b"))
}

func testIDs(d *driver) {
	d.ok(create(1, "a"))
	d.ok(closeFile(1))
	d.ok(closeFile(1)) // closing what is not open does nothing
	d.ok(create(2, "b"))
	d.fails(step.ErrIO, create(2, "c"))
	d.fails(step.ErrIO, appendAt(2, 0, "x")) // the id is in doubt now
	d.ok(closeFile(2))
	d.fails(step.ErrIO, create(0, "d"))
	require.Len(d.t, d.ok(onPath(step.List, ".")).Entries, 2)
}

func testUnbound(d *driver) {
	for _, op := range []step.DiskOp{appendAt(7, 0, "x"), syncFile(7), read(7, 0, 1), truncate(7, 0)} {
		d.fails(step.ErrNotExist, op)
	}
	d.ok(create(7, "a"))
	d.ok(closeFile(7))
	for _, op := range []step.DiskOp{appendAt(7, 0, "x"), syncFile(7), read(7, 0, 1), truncate(7, 0)} {
		d.fails(step.ErrNotExist, op)
	}
}

func testAppend(d *driver) {
	d.ok(create(1, "a"))
	d.ok(appendAt(1, 0, "one"))
	d.ok(appendAt(1, 3, "two"))
	d.ok(syncFile(1))
	d.holds(1, "onetwo")
	d.fails(step.ErrIO, appendAt(1, 7, "gap"))
	for i, wrong := range []core.Pos{5, 0, -1} {
		id := step.FileID(10 + i)
		d.ok(open(id, "a"))
		d.fails(step.ErrIO, appendAt(id, wrong, "over"))
		d.ok(closeFile(id))
	}
	d.ok(open(20, "a"))
	d.holds(20, "onetwo")
}

func testOrder(d *driver) {
	d.silent(create(1, "a"))
	d.silent(appendAt(1, 0, "aa"))
	d.silent(appendAt(1, 2, "bb"))
	first := d.submit(read(1, 0, 9))
	d.silent(truncate(1, 1))
	d.silent(appendAt(1, 1, "c"))
	second := d.submit(read(1, 0, 9))
	third := d.submit(syncFile(1))
	d.silent(closeFile(1))
	got := d.settle()
	require.Len(d.t, got, 3)
	require.Equal(d.t, first, got[0].Op)
	require.Equal(d.t, "aabb", string(got[0].Data))
	require.Equal(d.t, second, got[1].Op)
	require.Equal(d.t, "ac", string(got[1].Data))
	require.Equal(d.t, third, got[2].Op)
}

func testSticky(d *driver) {
	d.ok(create(1, "a"))
	before := d.submit(appendAt(1, 0, "good"))
	saved := d.submit(syncFile(1))
	bad := d.submit(appendAt(1, 9, "bad"))
	next := d.submit(appendAt(1, 4, "fine by itself"))
	unsaved := d.submit(syncFile(1))
	got := d.settle()
	require.Len(d.t, got, 5)
	for i, want := range []step.OpID{before, saved, bad, next, unsaved} {
		require.Equal(d.t, want, got[i].Op)
		require.Equal(d.t, i >= 2, got[i].Err == step.ErrIO, "%+v", got[i])
	}
	for _, op := range []step.DiskOp{read(1, 0, 4), truncate(1, 0), syncFile(1), {Kind: step.Remove, File: 1, Path: "a"}} {
		d.fails(step.ErrIO, op)
	}
	d.ok(closeFile(1))
	d.ok(open(2, "a"))
	d.holds(2, "good")
}

func testSilent(d *driver) {
	d.silent(create(1, "a"))
	d.silent(appendAt(1, 0, "x"))
	d.silent(syncFile(1))
	d.silent(onPath(step.Mkdir, "d"))
	require.Empty(d.t, d.settle())
	d.silent(appendAt(1, 5, "y"))
	d.silent(onPath(step.Remove, "absent"))
	got := d.settle()
	require.Len(d.t, got, 2)
	for _, done := range got {
		require.Zero(d.t, done.Op)
		switch done.Kind {
		case step.Append:
			require.EqualValues(d.t, 1, done.File)
			require.Equal(d.t, step.ErrIO, done.Err)
		case step.Remove:
			require.Equal(d.t, "absent", done.Path)
			require.Equal(d.t, step.ErrNotExist, done.Err)
		default:
			d.t.Fatalf("unexpected completion %+v", done)
		}
	}
}

func testRead(d *driver) {
	d.ok(create(1, "a"))
	require.Empty(d.t, d.ok(read(1, 0, 10)).Data)
	d.ok(appendAt(1, 0, "0123456789"))
	for _, c := range []struct {
		pos  core.Pos
		n    int64
		want string
	}{{0, 10, "0123456789"}, {3, 4, "3456"}, {8, 10, "89"}, {10, 1, ""}, {99, 5, ""}, {4, 0, ""}, {0, 1 << 60, "0123456789"}} {
		require.Equal(d.t, c.want, string(d.ok(read(1, c.pos, c.n)).Data), "%+v", c)
	}
	d.fails(step.ErrIO, read(1, -1, 1))
	d.ok(closeFile(1))
	d.ok(open(2, "a"))
	d.fails(step.ErrIO, read(2, 0, -1))
}

func testTruncate(d *driver) {
	d.ok(create(1, "a"))
	d.ok(appendAt(1, 0, "0123456789"))
	d.ok(syncFile(1))
	d.ok(truncate(1, 10))
	d.ok(truncate(1, 4))
	d.holds(1, "0123")
	d.ok(appendAt(1, 4, "abc"))
	d.holds(1, "0123abc")
	d.ok(truncate(1, 0))
	d.holds(1, "")
	d.ok(appendAt(1, 0, "z"))
	d.ok(closeFile(1))
	require.EqualValues(d.t, 1, d.ok(open(2, "a")).Size)
	d.holds(2, "z")
}

func testTruncateBeyond(d *driver) {
	d.ok(create(1, "a"))
	d.ok(appendAt(1, 0, "abc"))
	d.fails(step.ErrIO, truncate(1, 4))
	d.ok(closeFile(1))
	d.ok(open(2, "a"))
	d.fails(step.ErrIO, truncate(2, -1))
	d.ok(closeFile(2))
	require.EqualValues(d.t, 3, d.ok(open(3, "a")).Size)
}

func testRename(d *driver) {
	d.fails(step.ErrNotExist, rename("a", "b"))
	d.ok(create(1, "a"))
	d.ok(appendAt(1, 0, "new"))
	d.ok(create(2, "b"))
	d.ok(appendAt(2, 0, "old"))
	d.ok(rename("a", "b"))
	d.fails(step.ErrNotExist, open(3, "a"))
	d.ok(open(3, "b"))
	d.holds(3, "new")
	d.holds(2, "old") // the replaced file is still open
	d.ok(appendAt(1, 3, "er"))
	d.ok(rename("b", "b"))
	d.ok(onPath(step.Mkdir, "d"))
	d.ok(rename("b", "d/c"))
	d.ok(open(4, "d/c"))
	d.holds(4, "newer")
	d.fails(step.ErrNotExist, rename("d/c", "absent/c"))
	d.fails(step.ErrIO, rename("d/c", "d/c/x"))
}

func testRenameDirs(d *driver) {
	d.ok(onPath(step.Mkdir, "full"))
	d.ok(create(1, "full/x"))
	d.ok(appendAt(1, 0, "in"))
	d.ok(onPath(step.Mkdir, "empty"))
	d.ok(create(2, "file"))
	d.fails(step.ErrIO, rename("empty", "full"))
	d.fails(step.ErrIO, rename("file", "empty"))
	d.fails(step.ErrIO, rename("full", "file"))
	d.fails(step.ErrIO, rename("full", "full/inside"))
	d.fails(step.ErrIO, rename("full", "empty"))
	d.fails(step.ErrIO, rename("full", "full"))
	d.ok(rename("full", "moved"))
	d.ok(open(3, "moved/x"))
	d.ok(appendAt(1, 2, "side")) // files inside stay open
	d.holds(3, "inside")
	d.ok(rename("moved", "topic-0.0123-delete"))
	require.Len(d.t, d.ok(onPath(step.List, ".")).Entries, 3)
}

func testRenameOrdered(d *driver) {
	d.silent(create(1, "a.tmp"))
	d.silent(appendAt(1, 0, "whole"))
	d.silent(syncFile(1))
	d.silent(closeFile(1))
	d.silent(step.DiskOp{Kind: step.Rename, File: 1, Path: "a.tmp", To: "a"})
	last := d.submit(step.DiskOp{Kind: step.SyncDir, File: 1, Path: "."})
	got := d.settle()
	require.Len(d.t, got, 1)
	require.Equal(d.t, last, got[0].Op)
	require.Equal(d.t, step.DiskOK, got[0].Err, got[0].Detail)
	d.ok(open(2, "a"))
	d.holds(2, "whole")
	d.ok(appendAt(2, 5, "!"))
	d.silent(appendAt(2, 6, "?"))
	d.submit(step.DiskOp{Kind: step.Remove, File: 2, Path: "a"})
	require.Equal(d.t, step.DiskOK, d.settle()[0].Err)
	d.holds(2, "whole!?")
	d.fails(step.ErrNotExist, open(3, "a"))
}

func testRemoveOpen(d *driver) {
	d.fails(step.ErrNotExist, onPath(step.Remove, "a"))
	d.ok(create(1, "a"))
	d.ok(appendAt(1, 0, "ghost"))
	d.ok(onPath(step.Remove, "a"))
	d.fails(step.ErrNotExist, onPath(step.Remove, "a"))
	d.ok(create(2, "a"))
	d.ok(appendAt(1, 5, "!"))
	d.holds(1, "ghost!")
	d.holds(2, "")
	d.ok(onPath(step.Mkdir, "d"))
	d.fails(step.ErrIO, onPath(step.Remove, "d"))
	d.fails(step.ErrIO, onPath(step.Remove, "a/x"))
}

func testSpans(d *driver) {
	_, ok := d.s.Acquire(1)
	require.False(d.t, ok)
	d.ok(create(1, "a"))
	d.ok(appendAt(1, 0, "0123456789"))
	got, err := d.s.Span(step.Span{File: 1, Pos: 2, Len: 5})
	require.NoError(d.t, err)
	require.Equal(d.t, "23456", string(got))
	release, ok := d.s.Acquire(1)
	require.True(d.t, ok)
	again, ok := d.s.Acquire(1)
	require.True(d.t, ok)
	d.ok(onPath(step.Remove, "a"))
	d.ok(closeFile(1))
	_, ok = d.s.Acquire(1)
	require.False(d.t, ok, "a closed file cannot be acquired")
	release()
	got, err = d.s.Span(step.Span{File: 1, Pos: 0, Len: 10})
	require.NoError(d.t, err)
	require.Equal(d.t, "0123456789", string(got))
	_, err = d.s.Span(step.Span{File: 1, Pos: 8, Len: 3})
	require.Error(d.t, err, "a span beyond the end")
	again()
	_, err = d.s.Span(step.Span{File: 1, Pos: 0, Len: 1})
	require.Error(d.t, err)
}

func testDirs(d *driver) {
	d.fails(step.ErrNotExist, onPath(step.Mkdir, "a/b"))
	d.ok(onPath(step.Mkdir, "a"))
	d.ok(onPath(step.Mkdir, "a"))
	d.ok(onPath(step.Mkdir, "a/b"))
	d.ok(create(1, "a/b/f"))
	d.ok(appendAt(1, 0, "x"))
	d.fails(step.ErrIO, onPath(step.Mkdir, "a/b/f"))
	d.fails(step.ErrIO, onPath(step.RemoveDir, "a/b/f"))
	d.ok(onPath(step.SyncDir, "a/b"))
	d.ok(onPath(step.SyncDir, "."))
	d.fails(step.ErrNotExist, onPath(step.SyncDir, "c"))
	d.fails(step.ErrIO, onPath(step.SyncDir, "a/b/f"))
	d.ok(onPath(step.RemoveDir, "a"))
	d.fails(step.ErrNotExist, onPath(step.RemoveDir, "a"))
	d.fails(step.ErrNotExist, onPath(step.List, "a"))
	d.holds(1, "x")
	require.Empty(d.t, d.ok(onPath(step.List, ".")).Entries)
}

func testList(d *driver) {
	d.fails(step.ErrNotExist, onPath(step.List, "t"))
	d.ok(onPath(step.Mkdir, "t"))
	require.Empty(d.t, d.ok(onPath(step.List, "t")).Entries)
	for i, name := range []string{"b", "a", "a.log", "Z", "10", "9"} {
		f := step.FileID(i + 1)
		d.ok(create(f, "t/"+name))
		d.ok(appendAt(f, 0, strings.Repeat("x", i)))
	}
	d.ok(onPath(step.Mkdir, "t/dir"))
	var names []string
	for _, e := range d.ok(onPath(step.List, "t")).Entries {
		names = append(names, e.Name)
		require.Equal(d.t, e.Name == "dir", e.Dir)
		if e.Name == "9" {
			require.EqualValues(d.t, 5, e.Size)
		}
		if e.Dir {
			require.Zero(d.t, e.Size)
		}
	}
	require.Equal(d.t, []string{"10", "9", "Z", "a", "a.log", "b", "dir"}, names)
	d.fails(step.ErrIO, onPath(step.List, "t/a"))
}

func testPaths(d *driver) {
	d.ok(onPath(step.Mkdir, "in"))
	long := strings.Repeat("n", 256)
	for _, bad := range []string{
		"", "/", "/etc/passwd", "..", "../x", "in/../../x", "in/..", "./x", "in//x", "in/", "x\x00y", `in\x`, step.LockName, long, long + "/x",
	} {
		for _, kind := range []step.DiskOpKind{step.Open, step.Mkdir, step.Remove, step.RemoveDir, step.Rename, step.List, step.SyncDir} {
			d.fails(step.ErrIO, step.DiskOp{Kind: kind, File: fileFor(kind), Path: bad, To: "ok", Create: true})
		}
		d.fails(step.ErrIO, rename("in", bad))
	}
	for _, kind := range []step.DiskOpKind{step.Open, step.Mkdir, step.Remove, step.RemoveDir, step.Rename} {
		d.fails(step.ErrIO, step.DiskOp{Kind: kind, File: fileFor(kind), Path: ".", To: "ok", Create: true})
	}
	d.ok(create(1, strings.Repeat("n", 255)))
	d.ok(create(2, "in/"+step.LockName)) // reserved at the top only
	d.ok(create(3, "..."))
	require.Len(d.t, d.ok(onPath(step.List, ".")).Entries, 3)
}

// fileFor is a file id for the one path operation that needs it.
func fileFor(kind step.DiskOpKind) step.FileID {
	if kind == step.Open {
		return 99
	}
	return 0
}

func testEmpty(d *driver) {
	d.ok(create(1, "a"))
	d.ok(syncFile(1))
	d.ok(appendAt(1, 0, ""))
	d.fails(step.ErrIO, appendAt(1, 1, ""))
	d.ok(closeFile(1))
	d.ok(open(2, "a"))
	d.ok(appendAt(2, 0, "x"))
	d.ok(syncFile(2))
	d.ok(syncFile(2))
	d.holds(2, "x")
	d.fails(step.ErrIO, step.DiskOp{Kind: 200, Path: "a"})
}

func testLarge(d *driver) {
	d.ok(create(1, "a"))
	var want strings.Builder
	for i := range 3000 { // more than one vectored write can take
		chunk := strings.Repeat(string(rune('a'+i%26)), i%1500)
		d.silent(appendAt(1, core.Pos(want.Len()), chunk))
		want.WriteString(chunk)
	}
	d.submit(syncFile(1))
	require.Len(d.t, d.settle(), 1)
	require.Equal(d.t, want.String(), string(d.ok(read(1, 0, int64(want.Len())+1)).Data))
}

func testMany(d *driver) {
	const files, rounds = 40, 25
	for f := step.FileID(1); f <= files; f++ {
		d.silent(create(f, "f"+strings.Repeat("x", int(f))))
	}
	for i := range rounds {
		for f := step.FileID(1); f <= files; f++ {
			d.silent(appendAt(f, core.Pos(2*i), "ab"))
			if i%5 == int(f)%5 {
				d.submit(syncFile(f))
			}
		}
	}
	require.Len(d.t, d.settle(), files*rounds/5)
	for f := step.FileID(1); f <= files; f++ {
		d.holds(f, strings.Repeat("ab", rounds))
	}
}
