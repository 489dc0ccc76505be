package disktest

import (
	"bytes"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core/step"
)

// Model is the contract in its simplest form: every operation takes effect at once. It covers what random sequences
// use, which is valid paths of at most two levels.
type Model struct {
	tree  map[string]*object // by path; "." is the data directory
	files map[step.FileID]*binding
}

type object struct {
	dir  bool
	data []byte
}

type binding struct {
	*object
	failed bool
}

// NewModel is an empty data directory.
func NewModel() *Model {
	return &Model{tree: map[string]*object{".": {dir: true}}, files: make(map[step.FileID]*binding)}
}

// Apply performs op and tells its completion, without the Detail.
func (m *Model) Apply(op step.DiskOp) step.DiskDone {
	done := step.DiskDone{Op: op.Op, Kind: op.Kind, File: op.File, Path: op.Path}
	f := m.files[op.File]
	switch {
	case op.Kind == step.Close:
		delete(m.files, op.File)
	case f != nil && f.failed:
		done.Err = step.ErrIO
	case op.Kind == step.Append || op.Kind == step.Sync || op.Kind == step.Read || op.Kind == step.Truncate:
		if f == nil {
			done.Err = step.ErrNotExist
			break
		}
		done.Data, done.Err = f.apply(op)
	default:
		m.onPath(op, f != nil, &done)
	}
	if f != nil && done.Err == step.ErrIO {
		f.failed = true
	}
	return done
}

func (b *binding) apply(op step.DiskOp) ([]byte, step.DiskError) {
	size := int64(len(b.data))
	pos := int64(op.Pos)
	switch op.Kind {
	case step.Append:
		if pos != size {
			return nil, step.ErrIO
		}
		b.data = append(b.data, op.Data...)
	case step.Truncate:
		if pos < 0 || pos > size {
			return nil, step.ErrIO
		}
		b.data = b.data[:pos]
	case step.Read:
		if pos < 0 || op.Len < 0 {
			return nil, step.ErrIO
		}
		from := min(pos, size)
		return bytes.Clone(b.data[from : from+min(op.Len, size-from)]), step.DiskOK
	default: // the others leave the bytes alone
	}
	return nil, step.DiskOK
}

func (m *Model) onPath(op step.DiskOp, bound bool, done *step.DiskDone) {
	obj, has := m.tree[op.Path]
	if !has && op.Kind != step.Open && op.Kind != step.Mkdir {
		done.Err = m.missing(op.Path)
		return
	}
	switch op.Kind {
	case step.Open:
		if done.Err = m.open(op, obj, bound); done.Err == step.DiskOK {
			done.Size = int64(len(m.files[op.File].data))
		}
	case step.Mkdir:
		switch {
		case has && !obj.dir:
			done.Err = step.ErrIO
		case !has:
			if done.Err = m.missingParent(op.Path); done.Err == step.DiskOK {
				m.tree[op.Path] = &object{dir: true}
			}
		}
	case step.Rename:
		done.Err = m.rename(op.Path, op.To, obj)
	case step.Remove, step.RemoveDir:
		if obj.dir != (op.Kind == step.RemoveDir) {
			done.Err = step.ErrIO
			return
		}
		for _, p := range m.under(op.Path) {
			delete(m.tree, p)
		}
		delete(m.tree, op.Path)
	default: // SyncDir, List
		if !obj.dir {
			done.Err = step.ErrIO
		} else if op.Kind == step.List {
			done.Entries = m.list(op.Path)
		}
	}
}

func (m *Model) open(op step.DiskOp, obj *object, bound bool) step.DiskError {
	switch {
	case bound || obj != nil && obj.dir:
		return step.ErrIO
	case obj == nil && !op.Create:
		return m.missing(op.Path)
	case obj == nil:
		if err := m.missingParent(op.Path); err != step.DiskOK {
			return err
		}
		obj = &object{}
		m.tree[op.Path] = obj
	}
	m.files[op.File] = &binding{object: obj}
	return step.DiskOK
}

func (m *Model) rename(from, to string, obj *object) step.DiskError {
	if err := m.missingParent(to); err != step.DiskOK {
		return err
	}
	old := m.tree[to]
	switch {
	case obj.dir && strings.HasPrefix(to, from+"/"), old != nil && (old.dir || obj.dir):
		return step.ErrIO
	case old == obj:
		return step.DiskOK
	}
	for _, p := range m.under(from) {
		m.tree[to+strings.TrimPrefix(p, from)] = m.tree[p]
		delete(m.tree, p)
	}
	delete(m.tree, from)
	m.tree[to] = obj
	return step.DiskOK
}

// missing is the error for a path that is not there: the directory on the way decides.
func (m *Model) missing(path string) step.DiskError {
	if err := m.missingParent(path); err != step.DiskOK {
		return err
	}
	return step.ErrNotExist
}

func (m *Model) missingParent(path string) step.DiskError {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return step.DiskOK
	}
	dir, ok := m.tree[path[:i]]
	switch {
	case !ok:
		return m.missing(path[:i])
	case !dir.dir:
		return step.ErrIO
	}
	return step.DiskOK
}

// under is every path below dir.
func (m *Model) under(dir string) []string {
	var out []string
	for p := range m.tree {
		if strings.HasPrefix(p, dir+"/") {
			out = append(out, p)
		}
	}
	return out
}

func (m *Model) list(dir string) []step.DirEntry {
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	var out []step.DirEntry
	for p, obj := range m.tree {
		name, below := strings.CutPrefix(p, prefix)
		if below && p != "." && !strings.Contains(name, "/") {
			out = append(out, step.DirEntry{Name: name, Dir: obj.dir, Size: int64(len(obj.data))})
		}
	}
	slices.SortFunc(out, func(a, b step.DirEntry) int { return strings.Compare(a.Name, b.Name) })
	return out
}
