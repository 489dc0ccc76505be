package draws

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim/workload"
)

// eager makes a group one in which members give everything up before they join again, which takes the application's consent: one that
// hangs makes all others wait. The rebalance timeout is short, so that it runs out more than once.
func eager(r *prng.Rand, o *workload.GroupOptions) {
	o.Modern = false
	o.Assignors = one(r.Fork("assignors"), []string{"range"}, []string{"roundrobin"}, []string{"sticky"}, []string{"range", "cooperative-sticky"})
	o.Heartbeat = o.Session / 3
	o.Rebalance = between(r.Fork("rebalance"), o.Session, 2*o.Session)
}

// stall lets the application of a member hang from just when another member makes the group rebalance, and for about as long as that waits
// for its members: who hung before leaves by itself in time.
func (d *drawer) stall(r *prng.Rand, members []workload.Plan, base *workload.GroupOptions) {
	last := d.shape.End - base.Rebalance
	if len(members) < 2 || last <= d.shape.Start {
		return
	}
	slow := r.Fork("who").Below(int64(len(members)))
	hung := &members[slow]
	for range members { // a static one is waited for by nobody: its place is kept
		if hung.Group.Instance == "" {
			break
		}
		slow = (slow + 1) % int64(len(members))
		hung = &members[slow]
	}
	hung.Group.Async = true // no waiting for a commit between two polls
	hung.Ops = slices.DeleteFunc(hung.Ops, func(op workload.Op) bool { return op.Kind == workload.Work })
	at := d.shape.Start.Add(core.Second)
	for i := int64(0); ; i++ {
		own := r.ForkN("stall", i)
		at = at.Add(between(own.Fork("at"), 300*core.Millisecond, 1500*core.Millisecond))
		if at > last {
			break
		}
		other := &members[(slow+own.Fork("other").Between(1, int64(len(members))-1))%int64(len(members))]
		back := at.Add(between(own.Fork("back"), core.Millisecond, base.Rebalance/2))
		other.Ops = append(other.Ops, workload.Op{Kind: workload.Leave, At: at, Partition: -1},
			workload.Op{Kind: workload.Join, At: back, Partition: -1, Topics: d.subscription(own.Fork("topics"), base)})
		*other = finished(*other)
		// It must poll once more when the group waits already, and not be told so before it hangs.
		late := between(own.Fork("from"), 0, base.Heartbeat)
		until := min(d.shape.End, at.Add(base.Rebalance).Add(between(own.Fork("until"), late/2, late)))
		hung.Ops = append(hung.Ops, workload.Op{Kind: workload.Work, At: at.Add(late), Partition: -1},
			workload.Op{Kind: workload.Work, At: until, Partition: -1, Max: int32(own.Fork("most").Between(1, 500))})
		at = until
	}
	*hung = finished(*hung)
}
