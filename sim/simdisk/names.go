package simdisk

import (
	"strings"

	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
)

// nameMax is the longest name of an entry in bytes, as on Linux.
const nameMax = 255

// names is the tree of directories, as the process sees it and as it is on the medium.
type names struct {
	root *node
	// pending are the changes that no SyncDir has made durable, oldest first.
	pending []nameOp
}

// nameOp is one change of names: a creation (to alone), a removal (from alone) or a rename (both).
type nameOp struct {
	n                *node
	from, to         *node // directories
	fromName, toName string
}

// trouble is a failed operation in the boundary's words.
type trouble struct {
	err    step.DiskError
	detail string
}

func notFound(path string) trouble {
	return trouble{step.ErrNotExist, path + ": no such file or directory"}
}

func ioTrouble(detail string) trouble { return trouble{step.ErrIO, detail} }

// lookup finds the node named by a valid path.
func (t *names) lookup(path string) (*node, trouble) {
	at := t.root
	if path == "." {
		return at, trouble{}
	}
	for rest, more := path, true; more; {
		var elem string
		elem, rest, more = strings.Cut(rest, "/")
		if !at.dir {
			return nil, ioTrouble(path + ": not a directory")
		}
		if len(elem) > nameMax {
			return nil, ioTrouble(path + ": file name too long")
		}
		next, ok := at.entries.Get(elem)
		if !ok {
			return nil, notFound(path)
		}
		at = next
	}
	return at, trouble{}
}

// parent is the directory that holds the valid path, which is not ".", and the path's last element.
func (t *names) parent(path string) (*node, string, trouble) {
	dir, base := t.root, path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		var failed trouble
		if dir, failed = t.lookup(path[:i]); failed.err != step.DiskOK {
			return nil, "", failed
		}
		base = path[i+1:]
	}
	switch {
	case !dir.dir:
		return nil, "", ioTrouble(path + ": not a directory")
	case len(base) > nameMax:
		return nil, "", ioTrouble(path + ": file name too long")
	}
	return dir, base, trouble{}
}

// link names a new node.
func (t *names) link(dir *node, name string, n *node) {
	dir.entries.Set(name, n)
	n.linked = true
	t.note(nameOp{n: n, to: dir, toName: name})
}

// unlink takes n's name away.
func (t *names) unlink(dir *node, name string, n *node) {
	dir.entries.Delete(name)
	n.linked = false
	t.note(nameOp{n: n, from: dir, fromName: name})
}

// move renames n; what had the new name loses it.
func (t *names) move(from *node, fromName string, to *node, toName string, n *node) {
	from.entries.Delete(fromName)
	if old, ok := to.entries.Get(toName); ok {
		old.linked = false
	}
	to.entries.Set(toName, n)
	t.note(nameOp{n: n, from: from, fromName: fromName, to: to, toName: toName})
}

func (t *names) note(op nameOp) {
	if len(t.pending) >= writebackAt {
		for _, old := range t.pending {
			old.settle()
		}
		clear(t.pending)
		t.pending = t.pending[:0]
	}
	t.pending = append(t.pending, op)
}

// settle performs the change on the medium. A node keeps one name: whatever of its history was lost, a rename that
// survived leaves the new name alone.
func (op nameOp) settle() {
	if op.to == nil {
		if op.n.durableDir == op.from && op.n.durableName == op.fromName {
			op.n.dropDurable()
		}
		op.n.removed = op.n.dir && op.n.durableDir == nil
		return
	}
	op.n.dropDurable()
	if old, ok := op.to.durable.Get(op.toName); ok {
		old.dropDurable()
	}
	op.to.durable.Set(op.toName, op.n)
	op.n.durableDir, op.n.durableName = op.to, op.toName
}

func (n *node) dropDurable() {
	if n.durableDir != nil {
		n.durableDir.durable.Delete(n.durableName)
		n.durableDir, n.durableName = nil, ""
	}
}

// moot says that the change can no longer be seen, because its directories are gone from the medium.
func (op nameOp) moot() bool {
	return (op.from == nil || op.from.removed) && (op.to == nil || op.to.removed)
}

// syncDir makes dir's entries durable: all pending changes that touch it, and before each of them the earlier changes
// of the same node, because a node cannot arrive without having left.
func (t *names) syncDir(dir *node) {
	settled := t.involved(dir)
	kept := t.pending[:0]
	for i, op := range t.pending {
		switch {
		case settled[i]:
			op.settle()
		case !op.moot():
			kept = append(kept, op)
		}
	}
	clear(t.pending[len(kept):])
	t.pending = kept
}

// involved tells for each pending change whether syncing dir makes it durable.
func (t *names) involved(dir *node) []bool {
	in := make([]bool, len(t.pending))
	for i := len(t.pending) - 1; i >= 0; i-- {
		op := t.pending[i]
		if op.from == dir || op.to == dir || op.n.mark {
			in[i] = true
			op.n.mark = true
		}
	}
	for _, op := range t.pending {
		op.n.mark = false
	}
	return in
}

// powerLoss lets each pending change happen or not.
func (t *names) powerLoss(r *prng.Rand) {
	for i, op := range t.pending {
		if r.ForkN("name", int64(i)).Chance(1, 2) {
			op.settle()
		}
	}
	t.pending = nil
}

// files calls f for each file below dir in path order, as the process sees it.
func (n *node) files(prefix string, f func(path string, n *node)) {
	for name, child := range n.entries.All() {
		if child.dir {
			child.files(prefix+name+"/", f)
		} else {
			f(prefix+name, child)
		}
	}
}
