package log

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// memDisk is a disk in memory: what the page cache has and what a power loss would leave, per file and per directory
// entry. Operations are performed one by one, in the order given or, with shuffle, in any order that the contract of
// step.DiskOp allows.
type memDisk struct {
	t       testing.TB
	entries map[string]*inode // path -> file, as the running system sees it
	durable map[string]*inode // as after a power loss
	dirs    map[string]bool
	dirsOK  map[string]bool // durable
	open    map[step.FileID]*inode
	queue   []step.DiskOp
	shuffle *rand.Rand
	fail    func(op *step.DiskOp) step.DiskError
	done    int // operations performed
}

type inode struct {
	data   []byte
	synced []byte
}

func newDisk(t testing.TB) *memDisk {
	return &memDisk{t: t, entries: map[string]*inode{}, durable: map[string]*inode{}, dirs: map[string]bool{".": true},
		dirsOK: map[string]bool{".": true}, open: map[step.FileID]*inode{}}
}

// next performs one operation and returns its completion, nil if it is silent.
func (m *memDisk) next() *step.DiskDone {
	i := 0
	if m.shuffle != nil {
		i = m.shuffle.IntN(len(m.queue))
		for j := 0; j < i; j++ { // an earlier operation on the same target goes first
			a, b := &m.queue[j], &m.queue[i]
			if a.File != 0 && a.File == b.File || a.File == 0 && b.File == 0 && a.Path == b.Path {
				i = j
				break
			}
		}
	}
	op := m.queue[i]
	m.queue = slices.Delete(m.queue, i, i+1)
	m.done++
	d := &step.DiskDone{Op: op.Op, Kind: op.Kind, File: op.File, Path: op.Path}
	if m.fail != nil {
		d.Err = m.fail(&op)
	}
	if d.Err == step.DiskOK {
		m.perform(&op, d)
	}
	if op.Op == 0 && d.Err == step.DiskOK {
		return nil
	}
	return d
}

func (m *memDisk) perform(op *step.DiskOp, d *step.DiskDone) {
	f := m.open[op.File]
	needsFile := op.Kind == step.Append || op.Kind == step.Sync || op.Kind == step.Read || op.Kind == step.Truncate
	if needsFile && f == nil {
		d.Err = step.ErrIO
		d.Detail = "file is not open"
		return
	}
	switch op.Kind {
	case step.Open:
		m.openFile(op, d)
	case step.Close:
		delete(m.open, op.File)
	case step.Append:
		if int64(op.Pos) != int64(len(f.data)) {
			m.t.Fatalf("append at %d, the file has %d bytes", op.Pos, len(f.data))
		}
		f.data = append(f.data[:len(f.data):len(f.data)], op.Data...)
	case step.Sync:
		f.synced = f.data
	case step.Read:
		from := min(int64(op.Pos), int64(len(f.data)))
		d.Data = bytes.Clone(f.data[from:min(from+op.Len, int64(len(f.data)))])
	case step.Truncate:
		f.data = bytes.Clone(f.data[:op.Pos])
	case step.Rename:
		m.rename(op, d)
	case step.Remove:
		if m.entries[op.Path] == nil {
			d.Err = step.ErrNotExist
		}
		delete(m.entries, op.Path)
	case step.Mkdir:
		m.dirs[op.Path] = true
	case step.RemoveDir:
		delete(m.dirs, op.Path)
		for p := range m.entries {
			if path.Dir(p) == op.Path {
				delete(m.entries, p)
			}
		}
	case step.SyncDir:
		m.syncDir(op.Path)
	case step.List:
		m.list(op, d)
	}
}

func (m *memDisk) openFile(op *step.DiskOp, d *step.DiskDone) {
	f := m.entries[op.Path]
	if f == nil && !op.Create {
		d.Err = step.ErrNotExist
		return
	}
	if f == nil {
		if !m.dirs[path.Dir(op.Path)] {
			m.t.Fatalf("create %s: no such directory", op.Path)
		}
		f = &inode{}
		m.entries[op.Path] = f
	}
	m.open[op.File] = f
	d.Size = int64(len(f.data))
}

func (m *memDisk) rename(op *step.DiskOp, d *step.DiskDone) {
	if m.dirs[op.Path] { // a directory
		delete(m.dirs, op.Path)
		m.dirs[op.To] = true
		for _, p := range sortedKeys(m.entries) {
			if path.Dir(p) == op.Path {
				m.entries[path.Join(op.To, path.Base(p))] = m.entries[p]
				delete(m.entries, p)
			}
		}
		return
	}
	f := m.entries[op.Path]
	if f == nil {
		d.Err = step.ErrNotExist
		return
	}
	delete(m.entries, op.Path)
	m.entries[op.To] = f
}

func (m *memDisk) syncDir(dir string) {
	for p := range m.durable {
		if path.Dir(p) == dir {
			delete(m.durable, p)
		}
	}
	for p, f := range m.entries {
		if path.Dir(p) == dir {
			m.durable[p] = f
		}
	}
	for d := range m.dirs {
		if path.Dir(d) == dir {
			m.dirsOK[d] = true
		}
	}
	for d := range m.dirsOK {
		if path.Dir(d) == dir && d != "." && !m.dirs[d] {
			delete(m.dirsOK, d)
		}
	}
}

func (m *memDisk) list(op *step.DiskOp, d *step.DiskDone) {
	if !m.dirs[op.Path] {
		d.Err = step.ErrNotExist
		return
	}
	for _, p := range sortedKeys(m.entries) {
		if path.Dir(p) == op.Path {
			d.Entries = append(d.Entries, step.DirEntry{Name: path.Base(p), Size: int64(len(m.entries[p].data))})
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// powerLoss is the disk as the next boot finds it: unsynced bytes and directory entries survive or not as r decides.
func (m *memDisk) powerLoss(r *rand.Rand) *memDisk {
	n := newDisk(m.t)
	survivors := map[string]*inode{}
	for _, p := range sortedKeys(m.durable) {
		survivors[p] = m.durable[p]
	}
	keepAll, keepNone := r.IntN(4) == 0, r.IntN(3) == 0
	for _, p := range slices.Compact(sortedKeys(merged(m.durable, m.entries))) {
		if m.durable[p] != m.entries[p] && !keepNone && (keepAll || r.IntN(2) == 0) { // the change got through
			survivors[p] = m.entries[p]
			if m.entries[p] == nil {
				delete(survivors, p)
			}
		}
	}
	m.renamesAreWhole(survivors)
	for d := range m.dirsOK {
		n.dirs[d], n.dirsOK[d] = true, true
	}
	for _, p := range sortedKeys(survivors) {
		if !n.dirs[path.Dir(p)] {
			continue
		}
		data := tear(survivors[p], r)
		n.entries[p] = &inode{data: data, synced: data}
		n.durable[p] = n.entries[p]
	}
	return n
}

// renamesAreWhole: a rename happened or it did not. A file that was renamed keeps one of its names.
func (m *memDisk) renamesAreWhole(survivors map[string]*inode) {
	for _, from := range sortedKeys(m.durable) {
		f := m.durable[from]
		if m.entries[from] == f {
			continue
		}
		for _, to := range sortedKeys(m.entries) {
			if m.entries[to] != f {
				continue
			}
			if survivors[from] != f {
				survivors[to] = f
			} else if survivors[to] == f {
				delete(survivors, from)
			}
		}
	}
}

func merged(a, b map[string]*inode) map[string]*inode {
	all := map[string]*inode{}
	for p, f := range a {
		all[p] = f
	}
	for p, f := range b {
		all[p] = f
	}
	return all
}

// tear decides what is left of the bytes that were written after the last sync.
func tear(f *inode, r *rand.Rand) []byte {
	common := 0
	for common < min(len(f.data), len(f.synced)) && f.data[common] == f.synced[common] {
		common++
	}
	if common < len(f.synced) { // truncated since: old or new length
		if r.IntN(2) == 0 {
			return bytes.Clone(f.synced)
		}
		return bytes.Clone(f.data[:max(common, 0)])
	}
	tail := bytes.Clone(f.data[common:])
	switch r.IntN(6) {
	case 0: // nothing
		tail = nil
	case 1: // everything
	case 2: // a prefix
		tail = tail[:r.IntN(len(tail)+1)]
	case 3: // the length, but zeros from somewhere on
		for i := r.IntN(len(tail) + 1); i < len(tail); i++ {
			tail[i] = 0
		}
	case 4: // a sector in the middle is lost
		if len(tail) > 0 {
			at := r.IntN(len(tail))
			clear(tail[at:min(at+64, len(tail))])
		}
	case 5: // garbage at the end
		for i := r.IntN(len(tail) + 1); i < len(tail); i++ {
			tail[i] = byte(r.Uint32())
		}
	}
	return append(bytes.Clone(f.synced), tail...)
}

// crash is the disk after the process died: the page cache survives, queued operations do not.
func (m *memDisk) crash() *memDisk {
	n := *m
	n.queue, n.open, n.fail = nil, map[step.FileID]*inode{}, nil
	return &n
}

// world drives one log over a memDisk.
type world struct {
	t    testing.TB
	disk *memDisk
	log  *Log
	now  core.Now
	out  step.Effects
}

func newWorld(t testing.TB, cfg Config, disk *memDisk, past Past) *world {
	w := &world{t: t, disk: disk, now: core.Now{Mono: 1, Wall: 1_000_000}}
	w.log = New(cfg, 7, "t-0", past)
	w.log.Open(w.now, &w.out)
	return w
}

// submit hands the turn's operations to the disk.
func (w *world) submit() {
	w.disk.queue = append(w.disk.queue, w.out.Disk...)
	w.out.Reset()
}

// endTurn ends the turn and checks the invariants.
func (w *world) endTurn() {
	w.log.EndTurn(w.now, &w.out)
	w.submit()
	w.log.Check()
}

// step performs one operation; the completion is a turn of its own.
func (w *world) step() {
	w.now.Mono++
	if d := w.disk.next(); d != nil {
		w.log.DiskDone(w.now, d, &w.out)
		w.endTurn()
	}
}

// run performs operations until there are none.
func (w *world) run() {
	w.submit()
	for n := 0; len(w.disk.queue) > 0; n++ {
		if n == 100_000 {
			w.t.Fatalf("no end of operations: %+v", w.disk.queue[0])
		}
		w.step()
	}
}

func (w *world) mustBeReady() {
	w.t.Helper()
	if !w.log.Ready() {
		f, _ := w.log.Offline()
		w.t.Fatalf("the log is not ready: %+v\n%s", f, w.disk.listing())
	}
}

func (m *memDisk) listing() string {
	var b strings.Builder
	for _, p := range sortedKeys(m.entries) {
		fmt.Fprintf(&b, "%s %d (%d synced)\n", p, len(m.entries[p].data), len(m.entries[p].synced))
	}
	return b.String()
}

// openWorld runs a fresh log until it is ready.
func openWorld(t testing.TB, cfg Config) *world {
	t.Helper()
	w := newWorld(t, cfg, newDisk(t), Past{})
	w.run()
	w.mustBeReady()
	return w
}

// reopen runs a new log over the disk until it is ready.
func (w *world) reopen(past Past) *world {
	w.t.Helper()
	n := newWorld(w.t, w.log.cfg, w.disk.crash(), past)
	n.now.Wall = w.now.Wall
	n.run()
	n.mustBeReady()
	return n
}

// batchOf builds a batch of n records with values of the given size and rising timestamps from ts on.
func batchOf(t testing.TB, o record.Options, n, size int, ts core.Wall) record.Batch {
	t.Helper()
	var b record.Builder
	var c record.Codecs
	b.Begin(nil, o)
	for i := range n {
		if err := b.Append(ts+core.Wall(i), nil, bytes.Repeat([]byte{byte(i)}, size), nil); err != nil {
			t.Fatal(err)
		}
	}
	data, err := b.Finish(&c)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// append appends a plain batch and returns the outcome.
func (w *world) append(n, size int, ts core.Wall) Appended {
	w.t.Helper()
	a := w.log.AppendAsLeader(w.now, batchOf(w.t, record.Options{}, n, size, ts), nil, max(0, w.log.LatestEpoch()))
	if a.Code != core.ErrNone {
		w.t.Fatalf("append: %+v", a)
	}
	return a
}

// contents is the bytes of all batches in the log's files, by base offset, checked to be whole and in order.
func (w *world) contents() map[core.Offset][]byte {
	w.t.Helper()
	all := map[core.Offset][]byte{}
	next := core.Offset(-1)
	for _, s := range w.log.segments {
		f := w.disk.entries[w.log.path(segmentName(s.base, logSuffix))]
		if f == nil || int64(len(f.data)) != int64(s.size) {
			w.t.Fatalf("segment %d has %d bytes in memory, file %v\n%s", s.base, s.size, f != nil, w.disk.listing())
		}
		for rest := f.data; len(rest) > 0; {
			b, after, err := record.ParseBatch(rest)
			if err == nil {
				err = b.VerifyCRC()
			}
			if err != nil || b.BaseOffset() < next {
				w.t.Fatalf("segment %d: batch at offset %d after %d: %v", s.base, b.BaseOffset(), next, err)
			}
			all[b.BaseOffset()] = b
			next, rest = b.NextOffset(), after
		}
	}
	if next >= 0 && next != w.log.LogEndOffset() {
		w.t.Fatalf("the files end at %d, the log at %d", next, w.log.LogEndOffset())
	}
	return all
}

// fetch answers a query, performing the reads it needs, and returns the bytes.
func (w *world) fetch(q Query) ([]byte, core.ErrorCode) {
	w.t.Helper()
	at := w.log.Locate(q)
	for range 1000 {
		if at.Need.Len == 0 {
			if at.Span.Len == 0 {
				return nil, at.Code
			}
			data := w.disk.open[at.Span.File].data
			return data[at.Span.Pos : int64(at.Span.Pos)+at.Span.Len], at.Code
		}
		at = w.log.ResolveLocate(q, at.Need, w.read(at.Need))
	}
	w.t.Fatal("a lookup does not end")
	return nil, 0
}

func (w *world) read(n ReadRequest) []byte {
	data := w.disk.open[n.File].data
	return data[n.Pos:min(int64(n.Pos)+n.Len, int64(len(data)))]
}

func (w *world) byTime(q TimeQuery) TimeFound {
	w.t.Helper()
	var c record.Codecs
	f := w.log.FindByTimestamp(q)
	for range 1000 {
		if f.Need.Len == 0 {
			return f
		}
		f = w.log.ResolveTimestamp(q, f.Need, w.read(f.Need), &c)
	}
	w.t.Fatal("a lookup does not end")
	return f
}
