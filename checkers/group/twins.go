package group

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// twins are the memberships of each group.instance.id, in the order of their first claims.
type twins struct {
	of   map[history.Process]instance
	seen map[instance][]membership
}

// instance is one group.instance.id of one group.
type instance struct{ group, number int32 }

// membership is the time of one process in its group under one member id.
type membership struct {
	process history.Process
	began   core.Mono // nothing of it was sent before
	told    core.Mono // its first claim: it knew its member id by then
	event   int       // that claim
}

func newTwins() twins {
	return twins{of: make(map[history.Process]instance), seen: make(map[instance][]membership)}
}

// claim takes a static member's claim: the first one of a membership shows it.
func (t *twins) claim(i int, op history.Op, b *history.Group) {
	if b.Instance == 0 {
		return
	}
	k := instance{b.Group, b.Instance}
	t.of[op.Process] = k
	for _, m := range t.seen[k] {
		if m.process == op.Process && m.began == op.Start {
			return
		}
	}
	t.seen[k] = append(t.seen[k], membership{op.Process, op.Start, op.End, i})
}

// replaced finds out whether the membership in which a request began was over for the coordinator: another process had joined under the
// same group.instance.id since, and been told so. next is nil if none had. Who joined later is certain only if it began to join when the
// other knew its member id already: claims may come in the other order, since the answer that one rests on may have been late.
func (t *twins) replaced(op history.Op) (old, next *membership) {
	all := t.seen[t.of[op.Process]]
	for i := range all {
		if m := &all[i]; m.process == op.Process && m.told <= op.Start {
			old = m
		}
	}
	for i := range all {
		if m := &all[i]; old != nil && m.process != op.Process && m.began > old.told && m.told < op.Start {
			return old, m
		}
	}
	return old, nil
}
