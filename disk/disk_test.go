package disk

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/disk/disktest"
)

// subject drives a real disk in a temporary directory.
type subject struct {
	t    testing.TB
	d    *Disk
	mu   sync.Mutex
	done []*step.DiskDone
	lent map[step.FileID]*os.File
}

func newSubject(t testing.TB) *subject { return openSubject(t, t.TempDir(), Options{Workers: 3}) }

func openSubject(t testing.TB, dir string, opts Options) *subject {
	s := &subject{t: t, lent: make(map[step.FileID]*os.File)}
	d, err := Open(dir, s.deliver, opts)
	require.NoError(t, err)
	s.d = d
	return s
}

func (s *subject) deliver(ev step.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, ev.(*step.DiskDone))
}

func (s *subject) Submit(op step.DiskOp) { s.d.Submit(op) }

func (s *subject) Settle() []*step.DiskDone {
	s.d.Drain()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.done
	s.done = nil
	return out
}

func (s *subject) Close() { require.NoError(s.t, s.d.Close()) }

func (s *subject) Acquire(id step.FileID) (func(), bool) {
	f, release, ok := s.d.Acquire(id)
	if ok {
		s.lent[id] = f
	}
	return release, ok
}

func (s *subject) Span(sp step.Span) ([]byte, error) {
	f := s.lent[sp.File]
	if f == nil {
		var release func()
		var ok bool
		if f, release, ok = s.d.Acquire(sp.File); !ok {
			return nil, errors.New("not open")
		}
		defer release()
	}
	out := make([]byte, sp.Len)
	_, err := io.ReadFull(io.NewSectionReader(f, int64(sp.Pos), sp.Len), out)
	return out, err
}

func TestConformance(t *testing.T) {
	disktest.Run(t, func(t testing.TB) disktest.Subject { return newSubject(t) })
}

func TestOneProcessPerDirectory(t *testing.T) {
	dir := t.TempDir()
	first := openSubject(t, dir, Options{})
	_, err := Open(dir, func(step.Event) {}, Options{})
	require.ErrorIs(t, err, ErrLocked)
	first.Close()
	openSubject(t, dir, Options{}).Close()
	require.FileExists(t, filepath.Join(dir, step.LockName))
}

func TestOpenNeedsADirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(file, func(step.Event) {}, Options{})
	require.Error(t, err)
}

func TestSymbolicLinksDoNotLeadOut(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
	s := openSubject(t, dir, Options{})
	defer s.Close()
	s.Submit(step.DiskOp{Op: 1, Kind: step.Open, File: 1, Path: "link/f", Create: true})
	got := s.Settle()
	require.Len(t, got, 1)
	require.Equal(t, step.ErrIO, got[0].Err)
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Empty(t, left)
}

// A disk that fills up in the middle of a coalesced write: what fits is there, the rest fails, nothing is synced
// until the torn end is cut off.
func TestNoSpace(t *testing.T) {
	s := newSubject(t)
	defer s.Close()
	room := int64(5)
	s.d.sys.write = func(f *os.File, data [][]byte, at int64) (int64, error) {
		all := bytes.Join(data, nil)
		if at+int64(len(all)) > room {
			n, err := f.WriteAt(all[:max(0, room-at)], at)
			require.NoError(t, err)
			return int64(n), &os.PathError{Op: "write", Path: "f", Err: syscall.ENOSPC}
		}
		n, err := f.WriteAt(all, at)
		return int64(n), err
	}
	s.Submit(step.DiskOp{Op: 1, Kind: step.Open, File: 1, Path: "f", Create: true})
	s.Settle()
	s.Submit(step.DiskOp{Kind: step.Append, File: 1, Data: []byte("abc")})
	s.Submit(step.DiskOp{Op: 2, Kind: step.Sync, File: 1})
	s.Submit(step.DiskOp{Op: 3, Kind: step.Append, File: 1, Pos: 3, Data: []byte("def")})
	s.Submit(step.DiskOp{Op: 4, Kind: step.Append, File: 1, Pos: 6, Data: []byte("g")})
	s.Submit(step.DiskOp{Op: 5, Kind: step.Sync, File: 1})
	s.Submit(step.DiskOp{Op: 6, Kind: step.Read, File: 1, Len: 9})
	s.Submit(step.DiskOp{Op: 7, Kind: step.Truncate, File: 1, Pos: 3})
	s.Submit(step.DiskOp{Op: 8, Kind: step.Append, File: 1, Pos: 3, Data: []byte("d")})
	s.Submit(step.DiskOp{Op: 9, Kind: step.Sync, File: 1})
	got := s.Settle()
	var errs []step.DiskError
	for _, g := range got {
		errs = append(errs, g.Err)
	}
	full, ok := step.ErrNoSpace, step.DiskOK
	require.Equal(t, []step.DiskError{ok, full, full, full, ok, ok, ok, ok}, errs)
	require.Equal(t, "abcde", string(got[4].Data), "a prefix of the append that failed")
}

func TestFailedSyncIsNeverRetried(t *testing.T) {
	s := newSubject(t)
	defer s.Close()
	syncs := 0
	s.d.sys.sync = func(*os.File) error {
		syncs++
		return syscall.EIO
	}
	s.Submit(step.DiskOp{Kind: step.Open, File: 1, Path: "f", Create: true})
	s.Submit(step.DiskOp{Op: 1, Kind: step.Append, File: 1, Data: []byte("abc")})
	s.Submit(step.DiskOp{Op: 2, Kind: step.Sync, File: 1})
	s.Submit(step.DiskOp{Op: 3, Kind: step.Sync, File: 1})
	got := s.Settle()
	require.Len(t, got, 3)
	require.Equal(t, step.DiskOK, got[0].Err)
	require.Equal(t, step.ErrIO, got[1].Err)
	require.Equal(t, step.ErrIO, got[2].Err)
	s.Submit(step.DiskOp{Op: 4, Kind: step.Sync, File: 1})
	s.Submit(step.DiskOp{Op: 5, Kind: step.Read, File: 1, Len: 1})
	for _, g := range s.Settle() {
		require.Equal(t, step.ErrIO, g.Err)
	}
	require.Equal(t, 1, syncs)
}

// A sync that fails because the disk is full leaves as much doubt as any other.
func TestFullAtSyncIsAnIOError(t *testing.T) {
	s := newSubject(t)
	defer s.Close()
	s.d.sys.sync = func(*os.File) error { return syscall.ENOSPC }
	s.Submit(step.DiskOp{Kind: step.Open, File: 1, Path: "f", Create: true})
	s.Submit(step.DiskOp{Op: 1, Kind: step.Sync, File: 1})
	require.Equal(t, step.ErrIO, s.Settle()[0].Err)
}

// The medium takes three bytes, whether the two appends come to it as one write or as two.
func TestShortWriteFailsTheAppendThatLacksBytes(t *testing.T) {
	s := newSubject(t)
	defer s.Close()
	s.d.sys.write = func(f *os.File, data [][]byte, at int64) (int64, error) {
		if at > 0 {
			return 0, syscall.EIO
		}
		n, err := f.WriteAt(data[0], at)
		require.NoError(t, err)
		return int64(n), syscall.EIO
	}
	s.Submit(step.DiskOp{Kind: step.Open, File: 1, Path: "f", Create: true})
	s.Submit(step.DiskOp{Op: 1, Kind: step.Append, File: 1, Data: []byte("abc")})
	s.Submit(step.DiskOp{Op: 2, Kind: step.Append, File: 1, Pos: 3, Data: []byte("def")})
	var got []*step.DiskDone
	for len(got) < 2 {
		got = append(got, s.Settle()...)
	}
	require.Equal(t, step.ErrIO, got[1].Err)
}

func TestCloseDrainsAndKeepsAcquiredFiles(t *testing.T) {
	dir := t.TempDir()
	s := openSubject(t, dir, Options{})
	s.Submit(step.DiskOp{Op: 1, Kind: step.Open, File: 1, Path: "f", Create: true})
	s.Settle()
	f, release, ok := s.d.Acquire(1)
	require.True(t, ok)
	for i := range 100 {
		s.Submit(step.DiskOp{Kind: step.Append, File: 1, Pos: at(i), Data: []byte{byte(i)}})
	}
	s.Close()
	s.Close()
	s.Submit(step.DiskOp{Op: 9, Kind: step.Sync, File: 1})
	require.Empty(t, s.done)
	info, err := os.Stat(filepath.Join(dir, "f"))
	require.NoError(t, err)
	require.EqualValues(t, 100, info.Size())
	var b [1]byte
	_, err = f.ReadAt(b[:], 99)
	require.NoError(t, err)
	require.Equal(t, byte(99), b[0])
	release()
	release()
	_, err = f.ReadAt(b[:], 0)
	require.ErrorIs(t, err, os.ErrClosed)
}

// Silent operations with nothing behind them are performed after the linger time.
func TestSilentOperationsDoNotWaitForEver(t *testing.T) {
	s := newSubject(t)
	defer s.Close()
	failed := make(chan step.Event, 1)
	s.d.deliver = func(ev step.Event) { failed <- ev }
	s.Submit(step.DiskOp{Kind: step.Remove, Path: "absent"})
	done := (<-failed).(*step.DiskDone)
	require.Equal(t, step.ErrNotExist, done.Err)
}

func TestMuchSilentDataDoesNotLinger(t *testing.T) {
	s := openSubject(t, t.TempDir(), Options{Linger: time.Hour})
	defer s.Close()
	failed := make(chan step.Event, 2)
	s.d.deliver = func(ev step.Event) { failed <- ev }
	for range 2 {
		s.Submit(step.DiskOp{Kind: step.Append, File: 1, Data: make([]byte, lingerBytes/2)})
	}
	for range 2 {
		require.Equal(t, step.ErrNotExist, (<-failed).(*step.DiskDone).Err, "the file is not open")
	}
}

// held opens file 1 and leaves the only worker in a sync of it until release is called.
func held(t *testing.T, s *subject) (release func()) {
	gate, entered := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.d.sys.sync = func(f *os.File) error {
		once.Do(func() {
			close(entered)
			<-gate
		})
		return syncData(f)
	}
	s.Submit(step.DiskOp{Kind: step.Open, File: 1, Path: "f", Create: true})
	s.Submit(step.DiskOp{Op: 1, Kind: step.Sync, File: 1})
	<-entered
	return func() { close(gate) }
}

func TestBusyFilesDoNotStarveOthers(t *testing.T) {
	s := openSubject(t, t.TempDir(), Options{Workers: 1})
	defer s.Close()
	release := held(t, s)
	s.Submit(step.DiskOp{Op: 2, Kind: step.Open, File: 2, Path: "g", Create: true})
	s.Submit(step.DiskOp{Op: 3, Kind: step.Sync, File: 1})
	release()
	var order []step.OpID
	for _, done := range s.Settle() {
		order = append(order, done.Op)
	}
	require.Equal(t, []step.OpID{1, 2, 3}, order)
}

func TestAppendsMeetInOneWrite(t *testing.T) {
	s := openSubject(t, t.TempDir(), Options{Workers: 1})
	defer s.Close()
	release := held(t, s) // two turns queue up behind a sync
	writes, syncs := 0, 0
	count := s.d.sys.sync
	s.d.sys.sync = func(f *os.File) error {
		syncs++
		return count(f)
	}
	s.d.sys.write = func(f *os.File, data [][]byte, at int64) (int64, error) {
		writes++
		return writeAll(f, data, at)
	}
	for i := range 10 {
		s.Submit(step.DiskOp{Kind: step.Append, File: 1, Pos: at(i), Data: []byte("x")})
		if i%5 == 4 {
			s.Submit(step.DiskOp{Op: step.OpID(10 + i), Kind: step.Sync, File: 1})
		}
	}
	release()
	require.Len(t, s.Settle(), 3)
	require.Equal(t, 1, writes)
	require.Equal(t, 1, syncs)
}

func at(i int) core.Pos { return core.Pos(i) }

// A turn of a file costs one allocation, the completion; the loop's part, Submit, costs none.
func TestAllocationsPerTurn(t *testing.T) {
	inbox := make(chan step.Event, 1)
	d, err := Open(t.TempDir(), func(ev step.Event) { inbox <- ev }, Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	d.Submit(step.DiskOp{Op: 1, Kind: step.Open, File: 1, Path: "f", Create: true})
	<-inbox
	d.sys.sync = func(*os.File) error { return nil }
	data, pos := make([]byte, 512), core.Pos(0)
	turn := func() {
		for range 3 {
			d.Submit(step.DiskOp{Kind: step.Append, File: 1, Pos: pos, Data: data})
			pos += 512
		}
		d.Submit(step.DiskOp{Op: 2, Kind: step.Sync, File: 1})
		<-inbox
	}
	for range 100 {
		turn()
	}
	require.LessOrEqual(t, testing.AllocsPerRun(500, turn), 1.0)
}
