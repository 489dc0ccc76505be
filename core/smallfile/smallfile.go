// Package smallfile reads small files whole and replaces them atomically, over disk operations that complete as
// events: meta.properties, checkpoints, quorum-state.
//
// A replacement writes a temporary file beside the old one, syncs it, renames it over the old one and syncs the
// directory, each step after the one before has completed. So after a crash at any point the file is the old or the
// new one, whole; and a replacement reported done survives power loss.
package smallfile

import (
	"path"

	"github.com/klamm-log/klamm/core/step"
)

// Tag tells the owner which of its requests a [Result] answers.
type Tag int32

// Result is the outcome of one Read or Replace.
type Result struct {
	Tag     Tag
	Path    string
	Data    []byte         // the contents
	Missing bool           // Read: there is no such file
	Err     step.DiskError // anything else that went wrong
	Detail  string
}

// Files performs the requests of one owner. Make one with [New].
type Files struct {
	ids   step.IDs
	tasks map[step.OpID]*task
}

// task is a request under way.
type task struct {
	tag   Tag
	path  string
	file  step.FileID
	write bool
	firm  bool // Read: its name is made durable before the contents are handed out
	data  []byte
	stage stage
}

type stage uint8

const (
	stageOpen stage = iota // waiting for Open
	stageRead              // waiting for Read
	stageSync              // waiting for Sync
	stageMove              // waiting for Rename
	stageDir               // waiting for SyncDir
)

// tmpSuffix marks a replacement that is being written; one found at start-up is garbage of a crash.
const tmpSuffix = ".tmp"

// New is an empty set of requests under an owner number that nothing else uses.
func New(owner step.Owner) *Files {
	return &Files{ids: step.NewIDs(owner), tasks: make(map[step.OpID]*task)}
}

// Busy reports whether any request is unfinished.
func (f *Files) Busy() bool { return len(f.tasks) > 0 }

// Read asks for the contents of a file.
func (f *Files) Read(p string, tag Tag, out *step.Effects) {
	t := &task{tag: tag, path: p, file: f.ids.File(), stage: stageOpen}
	f.await(t, step.DiskOp{Kind: step.Open, File: t.file, Path: p}, out)
}

// ReadDurably is like Read, and the contents are durable when they are handed out. A process that ended between the renaming of a
// replacement and the sync of the directory has left a file that the next process reads and a power loss takes back.
func (f *Files) ReadDurably(p string, tag Tag, out *step.Effects) {
	t := &task{tag: tag, path: p, file: f.ids.File(), firm: true, stage: stageOpen}
	f.await(t, step.DiskOp{Kind: step.Open, File: t.file, Path: p}, out)
}

// Replace makes data the contents of a file. The directory must exist. Two replacements of one file must not overlap.
func (f *Files) Replace(p string, data []byte, tag Tag, out *step.Effects) {
	t := &task{tag: tag, path: p, file: f.ids.File(), write: true, data: data, stage: stageOpen}
	f.await(t, step.DiskOp{Kind: step.Open, File: t.file, Path: p + tmpSuffix, Create: true}, out)
}

// await emits an operation whose completion moves the task on.
func (f *Files) await(t *task, op step.DiskOp, out *step.Effects) {
	op.Op = f.ids.Op()
	f.tasks[op.Op] = t
	out.Disk = append(out.Disk, op)
}

// DiskDone takes a completion of one of the owner's operations; ok says that a request has finished with it.
func (f *Files) DiskDone(d *step.DiskDone, out *step.Effects) (r Result, ok bool) {
	t := f.tasks[d.Op]
	if t == nil {
		return Result{}, false // a silent operation failed; the one after it on the file fails too and is awaited
	}
	delete(f.tasks, d.Op)
	switch {
	case d.Err == step.ErrNotExist && t.stage == stageOpen && !t.write:
		return Result{Tag: t.tag, Path: t.path, Missing: true}, true
	case d.Err != step.DiskOK:
		if t.stage != stageOpen && t.stage != stageDir {
			out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: t.file})
		}
		return Result{Tag: t.tag, Path: t.path, Err: d.Err, Detail: d.Detail}, true
	}
	return f.advance(t, d, out)
}

func (f *Files) advance(t *task, d *step.DiskDone, out *step.Effects) (Result, bool) {
	switch {
	case t.stage == stageOpen && !t.write:
		t.stage = stageRead
		f.await(t, step.DiskOp{Kind: step.Read, File: t.file, Len: d.Size}, out)
	case t.stage == stageRead:
		out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: t.file})
		if t.data = d.Data; t.firm {
			t.stage = stageDir
			f.await(t, step.DiskOp{Kind: step.SyncDir, Path: path.Dir(t.path)}, out)
			break
		}
		return Result{Tag: t.tag, Path: t.path, Data: t.data}, true
	case t.stage == stageOpen: // an append that fails makes the sync behind it fail too
		t.stage = stageSync
		out.Disk = append(out.Disk,
			step.DiskOp{Kind: step.Truncate, File: t.file},
			step.DiskOp{Kind: step.Append, File: t.file, Data: t.data})
		f.await(t, step.DiskOp{Kind: step.Sync, File: t.file}, out)
	case t.stage == stageSync:
		// Only now: on a full disk the renaming would succeed although the append did not.
		t.stage = stageMove
		f.await(t, step.DiskOp{Kind: step.Rename, File: t.file, Path: t.path + tmpSuffix, To: t.path}, out)
	case t.stage == stageMove:
		t.stage = stageDir
		out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: t.file})
		f.await(t, step.DiskOp{Kind: step.SyncDir, Path: path.Dir(t.path)}, out)
	default:
		return Result{Tag: t.tag, Path: t.path, Data: t.data}, true
	}
	return Result{}, false
}
