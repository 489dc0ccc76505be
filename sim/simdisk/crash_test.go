package simdisk_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// run submits operations, waits for all, and requires success.
func (s *subject) run(t require.TestingT, ops ...step.DiskOp) {
	for _, op := range ops {
		s.Submit(op)
		require.Empty(t, s.Settle())
	}
}

// fail submits one operation that must fail as said.
func (s *subject) fail(t require.TestingT, want step.DiskError, op step.DiskOp) {
	s.Submit(op)
	got := s.Settle()
	require.Len(t, got, 1)
	require.Equal(t, want, got[0].Err, got[0].Detail)
}

func (s *subject) read(t require.TestingT, f step.FileID) []byte {
	s.Submit(step.DiskOp{Op: 1, Kind: step.Read, File: f, Len: 1 << 40})
	got := s.Settle()
	require.Len(t, got, 1)
	require.Equal(t, step.DiskOK, got[0].Err, got[0].Detail)
	return got[0].Data
}

func create(f step.FileID, path string) step.DiskOp {
	return step.DiskOp{Kind: step.Open, File: f, Path: path, Create: true}
}

func appendAt(f step.FileID, pos int, data []byte) step.DiskOp {
	return step.DiskOp{Kind: step.Append, File: f, Pos: core.Pos(pos), Data: data}
}

func syncFile(f step.FileID) step.DiskOp { return step.DiskOp{Kind: step.Sync, File: f} }

func closeFile(f step.FileID) step.DiskOp { return step.DiskOp{Kind: step.Close, File: f} }

func truncate(f step.FileID, pos int) step.DiskOp {
	return step.DiskOp{Kind: step.Truncate, File: f, Pos: core.Pos(pos)}
}

func syncDir(path string) step.DiskOp { return step.DiskOp{Kind: step.SyncDir, Path: path} }

func mkdir(path string) step.DiskOp { return step.DiskOp{Kind: step.Mkdir, Path: path} }

func remove(path string) step.DiskOp { return step.DiskOp{Kind: step.Remove, Path: path} }

func rename(from, to string) step.DiskOp { return step.DiskOp{Kind: step.Rename, Path: from, To: to} }

// pattern is n bytes without zeros, different for each salt.
func pattern(n, salt int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(1 + (i*7+salt*13+i/251)%250)
	}
	return b
}

func (s *subject) content(path string) string {
	b, _ := s.Content(path)
	return string(b)
}

func TestProcessCrashKeepsThePageCache(t *testing.T) {
	s := newSubject(1, simdisk.Config{})
	s.run(t, create(1, "f"), appendAt(1, 0, []byte("kept")))
	s.ProcessCrash(s.now)
	require.Equal(t, "kept", s.content("f"))
	s.fail(t, step.ErrNotExist, step.DiskOp{Op: 1, Kind: step.Read, File: 1, Len: 1})
	require.False(t, s.Hold(1))
	s.run(t, create(1, "f"), appendAt(1, 4, []byte("!"))) // a new process numbers its files anew
	require.Equal(t, "kept!", s.content("f"))
}

// Of the queued operations, only the one being performed may take effect: nothing, a prefix or all of it.
func TestProcessCrashEndsTheQueue(t *testing.T) {
	seen := map[int]int{}
	for seed := range uint64(200) {
		s := newSubject(seed, simdisk.Config{})
		s.run(t, create(1, "f"))
		s.Submit(appendAt(1, 0, []byte("0123456789")))
		s.Submit(appendAt(1, 10, []byte("never")))
		s.ProcessCrash(s.now)
		require.Empty(t, s.Settle())
		got := s.content("f")
		require.Equal(t, "0123456789"[:len(got)], got)
		seen[len(got)]++
	}
	require.Greater(t, seen[0], 50)
	require.Greater(t, seen[10], 25)
	require.Greater(t, len(seen), 8, "prefixes")
}

// The crash at the heart of the fault model: what was synced is there, byte for byte, whatever else happened.
func TestSyncedBytesSurvivePowerLoss(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSubject(rapid.Uint64().Draw(t, "seed"), simdisk.Config{})
		s.run(t, create(1, "f"), syncDir("."))
		var cache, durable []byte
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if rapid.IntRange(0, 3).Draw(t, "what") == 0 {
				s.run(t, syncFile(1))
				durable = slices.Clone(cache)
				continue
			}
			data := pattern(rapid.IntRange(0, 2000).Draw(t, "size"), len(cache))
			s.run(t, appendAt(1, len(cache), data))
			cache = append(cache, data...)
		}
		s.PowerLoss(s.now)
		got := s.content("f")
		require.GreaterOrEqual(t, len(got), len(durable))
		require.LessOrEqual(t, len(got), len(cache))
		require.Equal(t, string(durable), got[:len(durable)])
	})
}

// classify names the outcome of one unsynced write of data behind a durable head.
func classify(head int, got, data []byte) simdisk.Outcome {
	tail := got[head:]
	switch {
	case len(tail) == 0:
		return simdisk.WriteOld
	case bytes.Equal(tail, data):
		return simdisk.WriteNew
	case len(tail) < len(data) && bytes.HasPrefix(data, tail):
		return simdisk.WritePrefix
	}
	same := 0
	for same < len(tail) && tail[same] == data[same] {
		same++
	}
	if len(bytes.Trim(tail[same:], "\x00")) == 0 {
		return simdisk.WriteZeroTail
	}
	for i := range tail {
		if tail[i] != data[i] && tail[i] != 0 {
			return simdisk.WriteGarbage
		}
	}
	return simdisk.WriteSectors
}

func TestEachOutcomeOfAnUnsyncedWriteOccurs(t *testing.T) {
	const head = 700
	synced, data := pattern(head, 1), pattern(3000, 2)
	seen := map[simdisk.Outcome]int64{}
	counted := map[simdisk.Outcome]int64{}
	for seed := range uint64(600) {
		s := newSubject(seed, simdisk.Config{})
		s.run(t, create(1, "f"), syncDir("."), appendAt(1, 0, synced), syncFile(1), appendAt(1, head, data))
		s.PowerLoss(s.now)
		got := []byte(s.content("f"))
		require.Equal(t, synced, got[:head])
		seen[classify(head, got, data)]++
		for o := simdisk.WriteOld; o <= simdisk.WriteZeroTail; o++ {
			counted[o] += s.Met(o)
		}
	}
	for o := simdisk.WriteOld; o <= simdisk.WriteZeroTail; o++ {
		require.Greater(t, seen[o], int64(60), "%v of %v", o, seen)
		require.InDelta(t, counted[o], seen[o], 20, "%v: a subset of sectors can look like another outcome", o)
	}
}

// Two unsynced writes meet their outcomes independently: the second alone can survive, with a hole before it.
func TestUnsyncedWritesAreIndependent(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(100) {
		s := newSubject(seed, simdisk.Config{Outcomes: []simdisk.Outcome{simdisk.WriteOld, simdisk.WriteNew}})
		s.run(t, create(1, "f"), syncDir("."), appendAt(1, 0, []byte("ab")), appendAt(1, 2, []byte("cd")))
		s.PowerLoss(s.now)
		seen[s.content("f")]++
	}
	require.Len(t, seen, 4)
	for _, want := range []string{"", "ab", "abcd", "\x00\x00cd"} {
		require.Greater(t, seen[want], 10, "%q", want)
	}
}

func TestAnUnsyncedTruncationMayBeUndone(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(100) {
		s := newSubject(seed, simdisk.Config{Outcomes: []simdisk.Outcome{simdisk.WriteOld, simdisk.WriteNew}})
		s.run(t, create(1, "f"), syncDir("."), appendAt(1, 0, []byte("abcdef")), syncFile(1), truncate(1, 2), appendAt(1, 2, []byte("X")))
		require.Equal(t, "abX", s.content("f"))
		s.PowerLoss(s.now)
		seen[s.content("f")]++
	}
	require.Len(t, seen, 4)
	for _, want := range []string{"abcdef", "ab", "abX", "abXdef"} {
		require.Greater(t, seen[want], 10, "%q", want)
	}
}

func TestASyncedTruncationStays(t *testing.T) {
	for seed := range uint64(50) {
		s := newSubject(seed, simdisk.Config{})
		s.run(t, create(1, "f"), syncDir("."), appendAt(1, 0, []byte("abcdef")), syncFile(1), truncate(1, 2), syncFile(1))
		s.PowerLoss(s.now)
		require.Equal(t, "ab", s.content("f"))
	}
}

// outcomesOf tells which of the paths exist after a power loss that follows the operations, over many seeds.
func outcomesOf(t *testing.T, paths []string, ops ...step.DiskOp) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for seed := range uint64(200) {
		s := newSubject(seed, simdisk.Config{})
		s.run(t, ops...)
		s.PowerLoss(s.now)
		state := ""
		for _, p := range paths {
			if b, ok := s.Content(p); ok {
				state += p + "=" + string(b) + " "
			}
		}
		seen[state]++
	}
	return seen
}

// only requires exactly the given states, each more than a few times.
func only(t *testing.T, seen map[string]int, want ...string) {
	t.Helper()
	require.Len(t, seen, len(want), "%v", seen)
	for _, w := range want {
		require.Greater(t, seen[w], 10, "%q in %v", w, seen)
	}
}

func TestNamesNeedADirectorySync(t *testing.T) {
	made := []step.DiskOp{create(1, "a"), appendAt(1, 0, []byte("1")), syncFile(1)}
	only(t, outcomesOf(t, []string{"a"}, made...), "", "a=1 ")
	only(t, outcomesOf(t, []string{"a"}, append(made, syncDir("."))...), "a=1 ")
	gone := append(slices.Clone(made), syncDir("."), remove("a"))
	only(t, outcomesOf(t, []string{"a"}, gone...), "", "a=1 ")
	only(t, outcomesOf(t, []string{"a"}, append(gone, syncDir("."))...), "")
}

// The checkpoint idiom: write a temporary file, sync it, rename it over the old one. At no instant is neither there.
func TestRenameIsAtomic(t *testing.T) {
	base := []step.DiskOp{create(1, "c"), appendAt(1, 0, []byte("old")), syncFile(1), closeFile(1), syncDir(".")}
	swap := append(slices.Clone(base), create(2, "c.tmp"), appendAt(2, 0, []byte("new")), syncFile(2), rename("c.tmp", "c"))
	only(t, outcomesOf(t, []string{"c", "c.tmp"}, swap...), "c=old ", "c=old c.tmp=new ", "c=new ")
	only(t, outcomesOf(t, []string{"c", "c.tmp"}, append(swap, syncDir("."))...), "c=new ")
}

// A chain of renames leaves the file under one name only, the first or any later one.
func TestAFileHasOneName(t *testing.T) {
	ops := []step.DiskOp{create(1, "a"), appendAt(1, 0, []byte("x")), syncFile(1), syncDir("."), rename("a", "b"), rename("b", "c")}
	only(t, outcomesOf(t, []string{"a", "b", "c"}, ops...), "a=x ", "b=x ", "c=x ")
}

// Syncing the directory that a file moved into brings the file, but vouches for nothing else.
func TestSyncOfOneDirectory(t *testing.T) {
	ops := []step.DiskOp{
		mkdir("p"), mkdir("q"), syncDir("."),
		create(1, "p/f"), appendAt(1, 0, []byte("x")), syncFile(1), create(2, "p/g"), syncFile(2),
		rename("p/f", "q/f"), syncDir("q"),
	}
	only(t, outcomesOf(t, []string{"p/f", "p/g", "q/f"}, ops...), "q/f=x ", "p/g= q/f=x ")
}

// A file in a directory whose own name was never synced is lost with it.
func TestANewDirectoryNeedsItsParentsSync(t *testing.T) {
	ops := []step.DiskOp{mkdir("p"), create(1, "p/f"), appendAt(1, 0, []byte("x")), syncFile(1), syncDir("p")}
	only(t, outcomesOf(t, []string{"p/f"}, ops...), "", "p/f=x ")
	only(t, outcomesOf(t, []string{"p/f"}, append(ops, syncDir("."))...), "p/f=x ")
}

// Removing a tree is not atomic: any part of it can be left.
func TestRemoveDirCanStopAnywhere(t *testing.T) {
	ops := []step.DiskOp{
		mkdir("p"), create(1, "p/f"), create(2, "p/g"), syncDir("."), syncDir("p"), {Kind: step.RemoveDir, Path: "p"},
	}
	only(t, outcomesOf(t, []string{"p/f", "p/g"}, ops...), "", "p/f= ", "p/g= ", "p/f= p/g= ")
}

func TestSpaceIsAccounted(t *testing.T) {
	s := newSubject(3, simdisk.Config{})
	s.run(t, create(1, "a"), appendAt(1, 0, make([]byte, 100)), create(2, "b"), appendAt(2, 0, make([]byte, 50)))
	require.EqualValues(t, 150, s.Used())
	s.run(t, remove("a"))
	require.EqualValues(t, 150, s.Used(), "open files take space")
	s.run(t, closeFile(1), rename("b", "c"), truncate(2, 20), closeFile(2))
	require.EqualValues(t, 20, s.Used())
	s.run(t, create(3, "d"), appendAt(3, 0, make([]byte, 7)), rename("d", "c"))
	require.EqualValues(t, 7, s.Used())
	s.run(t, mkdir("p"), rename("c", "p/c"), step.DiskOp{Kind: step.RemoveDir, Path: "p"})
	require.EqualValues(t, 7, s.Used())
	s.ProcessCrash(s.now)
	require.Zero(t, s.Used())
	s.Preload("x/y", []byte("12345"))
	s.PowerLoss(s.now)
	require.EqualValues(t, 5, s.Used())
	require.Equal(t, "12345", s.content("x/y"))
}

// A machine that never syncs does not make the disk remember every write for ever.
func TestWritebackBoundsWhatIsPending(t *testing.T) {
	s := newSubject(1, simdisk.Config{Outcomes: []simdisk.Outcome{simdisk.WriteOld}})
	s.run(t, create(1, "f"), syncDir("."))
	for i := range 5000 {
		s.run(t, appendAt(1, i, []byte{'x'}))
	}
	s.PowerLoss(s.now)
	require.Len(t, s.content("f"), 4096)
}
