package log

import (
	"path"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// Replacement replaces a small file as a whole: after any crash the file has its old or its new content, never a
// mixture. The new content is written beside it and synced; then, and only then, it is renamed into place, and the
// directory is synced.
//
// The stages are separated by completion events. A rename queued right behind the sync would be performed after a
// sync that failed for want of space, which is not an I/O error that blocks the file.
type Replacement struct {
	path  string
	file  step.FileID
	op    step.OpID // the stage's awaited operation
	stage replaceStage
	at    core.Mono
	err   step.DiskError
}

type replaceStage uint8

const (
	stageSync replaceStage = iota + 1
	stageRename
	stageSyncDir
	stageDone
)

// StartReplacement begins to replace the file at path with data, which then belongs to the disk. Feed every
// completion of the id source's owner to DiskDone until Done.
func StartReplacement(now core.Now, ids *step.IDs, path string, data []byte, out *step.Effects) *Replacement {
	r := &Replacement{path: path, file: ids.File(), op: ids.Op(), stage: stageSync, at: now.Mono}
	out.Disk = append(out.Disk,
		step.DiskOp{Kind: step.Open, File: r.file, Path: path + tmpSuffix, Create: true},
		step.DiskOp{Kind: step.Truncate, File: r.file}, // what an earlier crash left there
		step.DiskOp{Kind: step.Append, File: r.file, Data: data},
		step.DiskOp{Kind: step.Sync, File: r.file, Op: r.op},
	)
	return r
}

// DiskDone takes a completion. mine reports whether it belonged to this replacement.
func (r *Replacement) DiskDone(now core.Now, ids *step.IDs, d *step.DiskDone, out *step.Effects) (mine bool) {
	silent := d.Op == 0 && d.File == r.file
	if r.stage == stageDone || d.Op != r.op && !silent {
		return false
	}
	if d.Err != step.DiskOK {
		r.err, r.stage = d.Err, stageDone
		out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: r.file})
		return true
	}
	if silent {
		return true
	}
	r.at = now.Mono
	switch r.stage {
	case stageSync:
		r.stage, r.op = stageRename, ids.Op()
		out.Disk = append(out.Disk,
			step.DiskOp{Kind: step.Rename, File: r.file, Path: r.path + tmpSuffix, To: r.path, Op: r.op},
			step.DiskOp{Kind: step.Close, File: r.file})
	case stageRename:
		r.stage, r.op = stageSyncDir, ids.Op()
		out.Disk = append(out.Disk, step.DiskOp{Kind: step.SyncDir, Path: path.Dir(r.path), Op: r.op})
	case stageSyncDir, stageDone:
		r.stage = stageDone
	}
	return true
}

// Done reports whether the replacement has ended, and how: with DiskOK the new content is durable, otherwise the file
// has its old or its new content.
func (r *Replacement) Done() (step.DiskError, bool) { return r.err, r.stage == stageDone }

// Path is the file that is replaced.
func (r *Replacement) Path() string { return r.path }

// Since is when the current stage began: a stuck disk shows by its age.
func (r *Replacement) Since() core.Mono { return r.at }
