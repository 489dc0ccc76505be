package replica

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
)

// mischief is the safety phase: some seconds of load and faults.
func (l *lab) mischief(r *prng.Rand) {
	weights := make([]int64, 9)
	for i := range weights {
		weights[i] = r.Below(4) // a random subset of the faults, some often
	}
	density := r.Between(10, 150)
	end := l.now + core.Mono(r.Between(3, 8))*core.Second
	for l.now < end && l.failed == "" {
		l.run(core.Mono(r.Skewed(int64(30 * core.Millisecond))))
		for range r.Below(4) {
			n := l.nodes[r.Below(3)]
			n.produce(int(r.Below(int64(len(n.parts)))), fmt.Sprint(r.Below(1000)), int(r.Between(1, 3)))
		}
		if kind := r.Below(int64(len(weights))); r.Chance(weights[kind], density) {
			l.fault(kind, r)
		}
	}
}

func (l *lab) fault(kind int64, r *prng.Rand) {
	n := l.nodes[r.Below(3)]
	i := int(r.Below(int64(len(l.oracle))))
	switch kind {
	case 0, 1:
		if n.up {
			l.logf("node %d dies, power %v", n.id, kind == 1)
			n.stop(kind == 1)
			l.later(r, func() { l.ctl.fence(l, n.id) })
			l.later(r, func() { l.reboot(n, r) })
		}
	case 2:
		l.logf("node %d is fenced", n.id)
		l.ctl.fence(l, n.id)
		l.later(r, func() { l.ctl.unfence(l, n.id) })
	case 3, 4:
		l.ctl.transfer(l, i)
		l.logf("partition %d goes to %d in epoch %d", i, l.ctl.parts[i].Leader, l.ctl.parts[i].LeaderEpoch)
	case 5:
		l.ctl.transfer(l, i) // there, and perhaps back; some nodes learn of the second only
		if r.Chance(1, 2) {
			l.ctl.transfer(l, i)
		} else {
			l.events.Add(l.now+core.Mono(r.Skewed(int64(300*core.Millisecond))), func() { l.ctl.transfer(l, i) })
		}
	case 8:
		to := "ctl"
		if m := r.Below(4); m < 3 {
			to = fmt.Sprint(m)
		}
		for _, link := range []string{fmt.Sprintf("%d->%s", n.id, to), fmt.Sprintf("%s->%d", to, n.id)} {
			if r.Chance(3, 4) {
				l.logf("link %s is cut", link)
				l.cuts[link] = true
				l.later(r, func() { delete(l.cuts, link) })
			}
		}
	case 6:
		if n.up {
			n.checkpoint()
		}
	case 7:
		p := n.parts[i]
		if n.up && p.rep.Serving() == core.ErrNone {
			lg, hw := p.rep.Log, p.rep.HighWatermark()
			at := lg.LogStartOffset() + core.Offset(r.Below(int64(hw-lg.LogStartOffset())+1))
			if r.Chance(1, 2) { // just where another log ends
				at = min(hw, l.nodes[r.Below(3)].parts[i].rep.Log.LogEndOffset())
			}
			_ = lg.DeleteRecordsBefore(n.clock(), at, hw, &n.out)
			n.endTurn()
		}
	}
}

// reboot starts a node anew; it is unfenced when it has had the time to catch up with the metadata.
func (l *lab) reboot(n *labNode, r *prng.Rand) {
	if n.up {
		return
	}
	l.logf("node %d starts", n.id)
	l.ctl.register(l, n)
	n.start()
	img := l.ctl.labImage
	l.events.Add(l.now+core.Millisecond, func() { n.learn(img) })
	l.later(r, func() { l.ctl.unfence(l, n.id) })
}

func (l *lab) later(r *prng.Rand, f func()) {
	l.events.Add(l.now+core.Mono(r.Skewed(int64(1500*core.Millisecond))), f)
}
