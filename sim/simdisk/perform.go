package simdisk

import (
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core/step"
)

// perform lets one operation take effect.
func (d *Disk) perform(op *step.DiskOp) step.DiskDone {
	done := step.DiskDone{Op: op.Op, Kind: op.Kind, File: op.File, Path: op.Path}
	length := int64(0)
	f, bound := d.files.Get(op.File)
	bound = bound && !f.closed
	var t trouble
	switch {
	case op.Kind == step.Close:
		if bound {
			f.closed = true
			d.letGo(op.File, f)
		}
	case bound && f.failed != "":
		t = ioTrouble("the file failed before: " + f.failed)
	case bound && f.n.gone:
		t = ioTrouble("the disk under the file is gone")
	default:
		length, t = d.dispatch(op, f, bound, &done)
	}
	done.Err, done.Detail = t.err, t.detail
	if t.err == step.ErrIO && bound {
		f.failed = t.detail
	}
	if d.observe != nil {
		seen := Performed{Kind: op.Kind, Err: t.err, File: op.File, Pos: op.Pos, Len: length, Path: op.Path}
		if op.Path == "" && f != nil {
			seen.Path = f.path
		}
		d.observe(seen)
	}
	return done
}

// dispatch performs all but Close. It returns the size for the trace.
func (d *Disk) dispatch(op *step.DiskOp, f *file, bound bool, done *step.DiskDone) (int64, trouble) {
	eio := d.inject(IOError, op.Kind, d.pathOf(op))
	switch op.Kind {
	case step.Append, step.Sync, step.Read, step.Truncate:
		if !bound {
			return 0, trouble{step.ErrNotExist, "the file is not open"}
		}
		return d.onFile(op, f, eio, done)
	case step.Open, step.Rename, step.Remove, step.Mkdir, step.RemoveDir, step.SyncDir, step.List:
		if eio != nil {
			return 0, injected()
		}
		return d.onPath(op, bound, done)
	case step.Close:
	}
	return 0, d.misused("unknown operation " + strconv.Itoa(int(op.Kind)))
}

func injected() trouble { return ioTrouble("injected") }

// misused counts a broken contract: a bug of the machine.
func (d *Disk) misused(detail string) trouble {
	d.misuse++
	return ioTrouble(detail)
}

// onFile performs an operation on the contents of an open file. eio is the fault that fails it, nil for none.
func (d *Disk) onFile(op *step.DiskOp, f *file, eio *armed, done *step.DiskDone) (int64, trouble) {
	switch op.Kind {
	case step.Append:
		return d.append(op, f, eio)
	case step.Read:
		if eio != nil {
			return 0, injected()
		}
		return d.read(op, f, done)
	case step.Truncate:
		if eio != nil {
			return 0, injected()
		}
		if op.Pos < 0 || int64(op.Pos) > int64(len(f.n.bytes)) {
			return 0, d.misused(at("truncate to", op, f))
		}
		d.used -= int64(len(f.n.bytes)) - int64(op.Pos)
		f.n.truncate(int64(op.Pos))
		f.full = false
		return 0, trouble{}
	default: // Sync
		if eio != nil {
			f.n.failSync(eio.rand, d.allowed)
			return 0, injected()
		}
		if f.full {
			return 0, trouble{step.ErrNoSpace, "an append before found the disk full"}
		}
		f.n.sync()
		d.rot()
		return 0, trouble{}
	}
}

func at(what string, op *step.DiskOp, f *file) string {
	return what + " " + strconv.FormatInt(int64(op.Pos), 10) + ", but " + f.path + " has " + strconv.Itoa(len(f.n.bytes)) + " bytes"
}

// append adds to the end of the file. A failing append leaves a prefix, because the kernel copies page by page and
// meets the error on the way.
func (d *Disk) append(op *step.DiskOp, f *file, eio *armed) (int64, trouble) {
	size := int64(len(op.Data))
	switch {
	case f.full:
		return 0, trouble{step.ErrNoSpace, "an append before found the disk full"}
	case int64(op.Pos) != int64(len(f.n.bytes)):
		return 0, d.misused(at("append at", op, f))
	case eio != nil:
		n := eio.rand.Below(size + 1)
		d.put(f.n, op.Data[:n])
		return n, injected()
	}
	if room, fault := d.room(f.path); size > room {
		n := d.space.Below(max(0, room) + 1)
		d.put(f.n, op.Data[:n])
		f.full = true
		if fault != nil {
			d.fired[NoSpace]++
		}
		return n, trouble{step.ErrNoSpace, "no space left on device"}
	}
	d.put(f.n, op.Data)
	if m := d.inject(Misdirect, op.Kind, f.path); m != nil {
		d.misdirect(m, f.n, op)
	}
	return size, trouble{}
}

func (d *Disk) put(n *node, data []byte) {
	n.append(data)
	d.used += int64(len(data))
}

// read copies what the process sees; the copy is the machine's.
func (d *Disk) read(op *step.DiskOp, f *file, done *step.DiskDone) (int64, trouble) {
	if op.Pos < 0 || op.Len < 0 {
		return 0, d.misused("negative position or length")
	}
	size := int64(len(f.n.bytes))
	from := min(int64(op.Pos), size)
	to := from + min(op.Len, size-from)
	done.Data = f.n.appendVisible(make([]byte, 0, to-from), from, to)
	return to - from, trouble{}
}

// onPath performs an operation on names. bound tells whether op.File is open already.
func (d *Disk) onPath(op *step.DiskOp, bound bool, done *step.DiskDone) (int64, trouble) {
	switch op.Kind {
	case step.Open:
		if bound || op.File == 0 {
			return 0, d.misused("the file id is in use or zero")
		}
		t := d.openFile(op, done)
		return done.Size, t
	case step.Rename:
		return 0, d.rename(op)
	case step.Remove:
		return 0, d.remove(op.Path)
	case step.Mkdir:
		return 0, d.mkdir(op.Path)
	case step.RemoveDir:
		return 0, d.removeDir(op.Path)
	default: // SyncDir, List
		dir, t := d.directory(op.Path)
		if t.err != step.DiskOK {
			return 0, t
		}
		if op.Kind == step.SyncDir {
			d.names.syncDir(dir)
			return 0, trouble{}
		}
		for name, n := range dir.entries.All() {
			done.Entries = append(done.Entries, step.DirEntry{Name: name, Dir: n.dir, Size: int64(len(n.bytes))})
		}
		return int64(len(done.Entries)), trouble{}
	}
}

// openFile binds op.File. A file created here is as long as its bytes in the page cache: its name and contents need
// SyncDir and Sync to last.
func (d *Disk) openFile(op *step.DiskOp, done *step.DiskDone) trouble {
	dir, base, t := d.parent(op.Path)
	if t.err != step.DiskOK {
		return t
	}
	n, ok := dir.entries.Get(base)
	switch {
	case ok && n.dir:
		return ioTrouble(op.Path + ": is a directory")
	case !ok && !op.Create:
		return notFound(op.Path)
	case !ok:
		if t := d.roomForName(op.Path); t.err != step.DiskOK {
			return t
		}
		n = &node{}
		d.names.link(dir, base, n)
	}
	if op.Cold {
		d.used += n.reload()
	}
	n.opens++
	d.files.Set(op.File, &file{n: n, path: op.Path})
	done.Size = int64(len(n.bytes))
	return trouble{}
}

// parent is names.parent that counts invalid paths as misuse.
func (d *Disk) parent(path string) (*node, string, trouble) {
	if !step.ValidPath(path) || path == "." {
		return nil, "", d.misused("invalid path " + strconv.Quote(path))
	}
	return d.names.parent(path)
}

// directory is the directory named by path.
func (d *Disk) directory(path string) (*node, trouble) {
	if !step.ValidPath(path) {
		return nil, d.misused("invalid path " + strconv.Quote(path))
	}
	n, t := d.names.lookup(path)
	if t.err == step.DiskOK && !n.dir {
		return nil, ioTrouble(path + ": not a directory")
	}
	return n, t
}

// rename follows rename(2) for files: the replaced file lives on for those who have it open.
func (d *Disk) rename(op *step.DiskOp) trouble {
	from, fromName, t := d.parent(op.Path)
	if t.err != step.DiskOK {
		return t
	}
	to, toName, t := d.parent(op.To)
	if t.err != step.DiskOK {
		return t
	}
	n, ok := from.entries.Get(fromName)
	if !ok {
		return notFound(op.Path)
	}
	old, replaced := to.entries.Get(toName)
	switch {
	case n.dir && strings.HasPrefix(op.To, op.Path+"/"):
		return ioTrouble(op.To + ": inside the directory to be renamed")
	case replaced && (n.dir || old.dir): // rename(2) would replace an empty directory; Go's os.Rename does not
		return ioTrouble(op.To + ": exists")
	case replaced && old == n:
		return trouble{}
	}
	d.names.move(from, fromName, to, toName, n)
	if replaced {
		d.free(old)
	}
	return trouble{}
}

// remove takes the name of a file away; open files keep the bytes, and the space.
func (d *Disk) remove(path string) trouble {
	dir, base, t := d.parent(path)
	if t.err != step.DiskOK {
		return t
	}
	n, ok := dir.entries.Get(base)
	if !ok {
		return notFound(path)
	}
	if n.dir {
		return ioTrouble(path + ": is a directory")
	}
	d.names.unlink(dir, base, n)
	d.free(n)
	return trouble{}
}

// mkdir makes one directory, whose parent must exist.
func (d *Disk) mkdir(path string) trouble {
	dir, base, t := d.parent(path)
	if t.err != step.DiskOK {
		return t
	}
	if n, ok := dir.entries.Get(base); ok {
		if !n.dir {
			return ioTrouble(path + ": file exists")
		}
		return trouble{}
	}
	if t := d.roomForName(path); t.err != step.DiskOK {
		return t
	}
	d.names.link(dir, base, newDir())
	return trouble{}
}

// removeDir removes a directory with all below it.
func (d *Disk) removeDir(path string) trouble {
	dir, base, t := d.parent(path)
	if t.err != step.DiskOK {
		return t
	}
	n, ok := dir.entries.Get(base)
	if !ok {
		return notFound(path)
	}
	if !n.dir {
		return ioTrouble(path + ": not a directory")
	}
	d.removeTree(n)
	d.names.unlink(dir, base, n)
	return trouble{}
}

// removeTree removes all below dir, each entry by a change of its own, so that a power loss can stop it anywhere.
func (d *Disk) removeTree(dir *node) {
	for name, n := range dir.entries.All() {
		if n.dir {
			d.removeTree(n)
		}
		d.names.unlink(dir, name, n)
		d.free(n)
	}
}

// free gives back the space of a node that has neither name nor user.
func (d *Disk) free(n *node) {
	if !n.linked && n.opens == 0 && !n.gone {
		d.used -= int64(len(n.bytes))
	}
}

// letGo forgets a closed file that nobody holds.
func (d *Disk) letGo(id step.FileID, f *file) {
	if f.closed && f.holds == 0 {
		d.files.Delete(id)
		f.n.opens--
		d.free(f.n)
	}
}
