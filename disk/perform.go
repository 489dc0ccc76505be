package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/klamm-log/klamm/core/step"
)

// handle is an open file.
type handle struct {
	f    *os.File
	refs atomic.Int32 // the queue's, and one for each Acquire

	// Of the worker that serves the queue.
	size   int64
	failed string // why every operation fails; empty while all is well
	full   bool   // an append ran out of space; nothing more is appended or synced until a truncation
}

func (h *handle) release() error {
	if h.refs.Add(-1) == 0 {
		return h.f.Close()
	}
	return nil
}

// trouble is a failed operation in the boundary's words.
type trouble struct {
	err    step.DiskError
	detail string
}

// blame translates an operating system's error; nil is none.
func blame(err error) trouble {
	switch {
	case err == nil:
		return trouble{}
	case isFull(err):
		return trouble{step.ErrNoSpace, err.Error()}
	case errors.Is(err, fs.ErrNotExist):
		return trouble{step.ErrNotExist, err.Error()}
	}
	return trouble{step.ErrIO, err.Error()}
}

func misused(format string, args ...any) trouble {
	return trouble{step.ErrIO, fmt.Sprintf(format, args...)}
}

// perform serves the batch of q.
func (d *Disk) perform(q *queue) {
	for rest := q.batch; len(rest) > 0; {
		n := 0
		for n < len(rest) && (rest[n].Kind == step.Append || rest[n].Kind == step.Sync) {
			n++
		}
		if n > 0 {
			d.flush(q, rest[:n])
		} else {
			n = 1
			d.one(q, &rest[0])
		}
		rest = rest[n:]
	}
}

// finish answers an operation, silently if it is silent and went well, and remembers an I/O error.
func (d *Disk) finish(q *queue, op *step.DiskOp, t trouble) {
	if t.err == step.ErrIO && q.h != nil && q.h.failed == "" {
		q.h.failed = t.detail
	}
	if op.Op != 0 || t.err != step.DiskOK {
		d.deliver(&step.DiskDone{Op: op.Op, Kind: op.Kind, File: op.File, Path: op.Path, Err: t.err, Detail: t.detail})
	}
}

// standing is what stops any operation on the file.
func (q *queue) standing() trouble {
	switch {
	case q.h == nil:
		return trouble{step.ErrNotExist, "the file is not open"}
	case q.h.failed != "":
		return misused("the file failed before: %s", q.h.failed)
	}
	return trouble{}
}

// flush performs a run of appends and syncs: one write, and one sync at the first that is asked for.
func (d *Disk) flush(q *queue, run []step.DiskOp) {
	end := d.write(q, run)
	synced := false
	for i := range run {
		op := &run[i]
		t := q.standing()
		if t.err == step.DiskOK && q.h.full {
			t = trouble{step.ErrNoSpace, "an append before found the disk full"}
		}
		if t.err == step.DiskOK {
			if op.Kind == step.Append {
				t = end.judge(q.h, op)
			} else if !synced {
				synced = true
				t = d.sync(q.h)
			}
		}
		d.finish(q, op, t)
	}
}

// written is how far a run's write came: to byte at, where err stopped it; next is where the operation being judged
// should append.
type written struct {
	next, at int64
	err      error
}

// judge tells what became of the next append of a run.
func (w *written) judge(h *handle, op *step.DiskOp) trouble {
	size := int64(len(op.Data))
	if int64(op.Pos) != w.next {
		return misused("append at %d, but %s has %d bytes", op.Pos, h.f.Name(), w.next)
	}
	if w.next+size > w.at {
		t := blame(w.err)
		if t.err == step.ErrNotExist || w.err == nil {
			t = misused("short write: %v", w.err)
		}
		h.full = t.err == step.ErrNoSpace
		return t
	}
	w.next += size
	return trouble{}
}

// write puts the data of a run's appends at the end of the file, up to the first that is out of place.
func (d *Disk) write(q *queue, run []step.DiskOp) written {
	if q.standing().err != step.DiskOK || q.h.full {
		return written{}
	}
	h := q.h
	start, want := h.size, h.size
	iov := q.iov[:0]
	for i := range run {
		if op := &run[i]; op.Kind == step.Append {
			if int64(op.Pos) != want {
				break
			}
			if len(op.Data) > 0 {
				want += int64(len(op.Data))
				iov = append(iov, op.Data)
			}
		}
	}
	q.iov = iov
	out := written{next: start, at: start}
	if len(iov) > 0 {
		var n int64
		n, out.err = d.sys.write(h.f, iov, start)
		h.size += n
		out.at += n
		clear(q.iov)
	}
	return out
}

// sync makes the file durable.
func (d *Disk) sync(h *handle) trouble {
	if err := d.sys.sync(h.f); err != nil {
		// Whatever the reason: the kernel may have dropped the pages, so the file is in doubt even if the disk was
		// merely full.
		return trouble{step.ErrIO, err.Error()}
	}
	if d.opts.SyncDelay > 0 {
		stall(d.opts.SyncDelay)
	}
	return trouble{}
}

// one performs an operation that is neither an append nor a sync.
func (d *Disk) one(q *queue, op *step.DiskOp) {
	if op.Kind == step.Close {
		d.closeFile(q)
		d.finish(q, op, trouble{})
		return
	}
	done := step.DiskDone{Op: op.Op, Kind: op.Kind, File: op.File, Path: op.Path}
	t := q.standing()
	switch {
	case t.err == step.ErrNotExist && op.Kind != step.Read && op.Kind != step.Truncate:
		t = d.onPath(q, op, &done) // names the file for the order's sake, or opens it, or names none
	case t.err == step.DiskOK && op.Kind == step.Read:
		done.Data, t = q.h.read(op)
	case t.err == step.DiskOK && op.Kind == step.Truncate:
		t = q.h.truncate(op)
	case t.err == step.DiskOK:
		t = d.onPath(q, op, &done)
	}
	if t.err != step.DiskOK || op.Op == 0 {
		d.finish(q, op, t)
		return
	}
	d.deliver(&done)
}

// closeFile lets go of the file; those who acquired it keep it.
func (d *Disk) closeFile(q *queue) {
	d.mu.Lock()
	h := q.h
	q.h = nil
	d.mu.Unlock()
	if h != nil {
		_ = h.release() // nothing is lost by a failing close: what was to be durable has been synced
	}
}

// read takes memory for what the file can give, never for what was asked.
func (h *handle) read(op *step.DiskOp) ([]byte, trouble) {
	if op.Pos < 0 || op.Len < 0 {
		return nil, misused("negative position or length")
	}
	size := h.size
	if op.Len > size-int64(op.Pos) { // the file may have grown through another FileID
		info, err := h.f.Stat()
		if err != nil {
			return nil, blame(err)
		}
		size = info.Size()
	}
	data := make([]byte, min(op.Len, max(0, size-int64(op.Pos))))
	n, err := h.f.ReadAt(data, int64(op.Pos))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, blame(err)
	}
	return data[:n], trouble{}
}

// truncate cuts the file. It is also how a machine gets rid of the torn end that a full disk left.
func (h *handle) truncate(op *step.DiskOp) trouble {
	if op.Pos < 0 || int64(op.Pos) > h.size {
		return misused("truncate to %d, but %s has %d bytes", op.Pos, h.f.Name(), h.size)
	}
	if err := h.f.Truncate(int64(op.Pos)); err != nil {
		return blame(err)
	}
	h.size = int64(op.Pos)
	h.full = false
	return trouble{}
}

// onPath performs an operation on names. The root keeps every path inside the data directory, symbolic links included.
func (d *Disk) onPath(q *queue, op *step.DiskOp, done *step.DiskDone) trouble {
	root := op.Kind == step.List || op.Kind == step.SyncDir
	if !step.ValidPath(op.Path) || op.Path == "." && !root {
		return misused("invalid path %q", op.Path)
	}
	switch op.Kind {
	case step.Open:
		return d.openFile(q, op, done)
	case step.Rename:
		if !step.ValidPath(op.To) || op.To == "." {
			return misused("invalid path %q", op.To)
		}
		return blame(d.root.Rename(op.Path, op.To))
	case step.Remove:
		return blame(d.remove(op.Path))
	case step.Mkdir:
		return blame(d.mkdir(op.Path))
	case step.RemoveDir:
		return blame(d.removeDir(op.Path))
	case step.SyncDir:
		return blame(d.syncDir(op.Path))
	case step.List:
		var err error
		done.Entries, err = d.list(op.Path)
		return blame(err)
	case step.Close, step.Append, step.Sync, step.Read, step.Truncate:
	}
	return misused("unknown operation %d", op.Kind)
}

// openFile binds the queue's FileID. The handle is published under the lock, for Acquire.
func (d *Disk) openFile(q *queue, op *step.DiskOp, done *step.DiskDone) trouble {
	if q.h != nil || op.File == 0 {
		return misused("the file id is in use or zero")
	}
	flags := os.O_RDWR
	if op.Create {
		flags |= os.O_CREATE
	}
	f, err := d.root.OpenFile(op.Path, flags, 0o644)
	if err != nil {
		return blame(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: op.Path, Err: errors.New("not a regular file")}
	}
	if err == nil && op.Cold {
		err = reload(f)
	}
	if err != nil {
		return blame(errors.Join(err, f.Close()))
	}
	h := &handle{f: f, size: info.Size()}
	h.refs.Store(1)
	d.mu.Lock()
	q.h = h
	d.mu.Unlock()
	done.Size = h.size
	return trouble{}
}

// remove removes a file; os.Root.Remove alone would take an empty directory as well.
func (d *Disk) remove(path string) error {
	info, err := d.root.Lstat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return &fs.PathError{Op: "remove", Path: path, Err: errors.New("is a directory")}
	}
	return d.root.Remove(path)
}

// mkdir makes one directory; one that exists is as good.
func (d *Disk) mkdir(path string) error {
	err := d.root.Mkdir(path, 0o755)
	if errors.Is(err, fs.ErrExist) {
		if info, statErr := d.root.Stat(path); statErr == nil && info.IsDir() {
			return nil
		}
	}
	return err
}

// removeDir removes a tree. What is not there is an error here, unlike in os.RemoveAll.
func (d *Disk) removeDir(path string) error {
	info, err := d.root.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "removedir", Path: path, Err: errors.New("not a directory")}
	}
	return d.root.RemoveAll(path)
}

// syncDir makes the entries of a directory durable.
func (d *Disk) syncDir(path string) error {
	f, err := d.root.Open(path)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "syncdir", Path: path, Err: errors.New("not a directory")}
	}
	if err == nil {
		err = syncEntries(f)
	}
	return errors.Join(err, f.Close())
}

// list reads a directory. Entries that vanish meanwhile are left out.
func (d *Disk) list(path string) ([]step.DirEntry, error) {
	f, err := d.root.Open(path)
	if err != nil {
		return nil, err
	}
	found, err := f.ReadDir(-1)
	var out []step.DirEntry
	for _, e := range found {
		if err != nil || path == "." && e.Name() == step.LockName {
			continue
		}
		info, infoErr := e.Info()
		if errors.Is(infoErr, fs.ErrNotExist) {
			continue
		}
		if err = infoErr; err != nil {
			continue
		}
		entry := step.DirEntry{Name: e.Name(), Dir: e.IsDir()}
		if info.Mode().IsRegular() {
			entry.Size = info.Size()
		}
		out = append(out, entry)
	}
	slices.SortFunc(out, func(a, b step.DirEntry) int { return strings.Compare(a.Name, b.Name) })
	return out, errors.Join(err, f.Close())
}
