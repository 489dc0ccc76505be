package draws

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim/workload"
)

// narrowing is when a group does not read some of its topics, so that their offsets can be deleted.
type narrowing struct {
	group    int32
	at, back core.Mono
	dropped  []string
}

// narrow lets the members of a group read one topic only from some instant on, or nothing for a while.
func (d *drawer) narrow(r *prng.Rand, members []workload.Plan, base workload.GroupOptions) narrowing {
	n := narrowing{group: base.Group, at: d.instant(r.Fork("at")), back: d.shape.End, dropped: base.Topics}
	var kept []string
	if one := r.Fork("one"); len(base.Topics) > 1 && one.Chance(2, 3) {
		k := int(one.Below(int64(len(base.Topics))))
		kept = base.Topics[k : k+1]
		n.dropped = append(append([]string(nil), base.Topics[:k]...), base.Topics[k+1:]...)
	} else {
		n.back = min(n.back, n.at.Add(between(r.Fork("back"), core.Second, 6*core.Second)))
	}
	for i := range members {
		own := r.ForkN("member", int64(members[i].ID))
		members[i] = n.applied(members[i], kept, min(d.shape.End, n.at.Add(between(own, 0, 300*core.Millisecond))))
	}
	return n
}

// applied is a member's plan: it reads what is kept from an instant on, or leaves and comes back.
func (n *narrowing) applied(p workload.Plan, kept []string, from core.Mono) workload.Plan {
	var last []string
	for i := range p.Ops {
		op := &p.Ops[i]
		switch {
		case op.Kind != workload.Join || op.At >= n.back:
		case op.At < n.at:
			last = op.Topics
		case kept == nil:
			op.At = n.back
		default:
			op.Topics = kept
		}
	}
	switch {
	case last == nil: // it has not come yet
	case kept == nil:
		p.Ops = append(p.Ops, workload.Op{Kind: workload.Leave, At: from, Partition: -1},
			workload.Op{Kind: workload.Join, At: max(from, n.back), Partition: -1, Topics: last})
	default:
		p.Ops = append(p.Ops, workload.Op{Kind: workload.Join, At: from, Partition: -1, Topics: kept})
	}
	return finished(p)
}

// forgetful draws an admin that deletes offsets: now and then, when most are refused, and where a group does not read a topic.
func (d *drawer) forgetful(r *prng.Rand, id int32, groups int64, narrow []narrowing) workload.Plan {
	p := workload.Plan{ID: id, Kind: workload.Admin, Network: d.network(r.Fork("network"), true)}
	forget := func(group int32, topic string, at core.Mono) {
		p.Ops = append(p.Ops, workload.Op{Kind: workload.DeleteOffsets, At: min(at, d.shape.End), Topic: topic, Partition: -1, Group: group})
	}
	for i := range r.Fork("count").Between(3, 20) {
		own := r.ForkN("op", i)
		forget(int32(own.Below(groups)), d.topic(own).Name, d.instant(own))
	}
	for _, n := range narrow {
		own := r.ForkN("group", int64(n.group))
		for range own.Between(4, 12) {
			forget(n.group, one(own, n.dropped...), between(own, n.at, max(n.at, n.back)))
		}
	}
	return finished(p)
}
