package shrink

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simdisk"
	"github.com/klamm-log/klamm/sim/workload"
)

// instants calls f with the place of every instant in a plan.
func instants(p *sim.Plan, f func(at *core.Mono)) {
	for i := range p.Brokers {
		b := &p.Brokers[i]
		f(&b.StartAt)
		for j := range b.Disk.Plan {
			f(&b.Disk.Plan[j].At)
			f(&b.Disk.Plan[j].Until)
		}
	}
	for i := range p.Clients {
		for j := range p.Clients[i].Ops {
			f(&p.Clients[i].Ops[j].At)
		}
	}
	for i := range p.Faults {
		f(&p.Faults[i].At)
		f(&p.Faults[i].Until)
	}
	f(&p.Safety)
}

// times are the instants of a plan, each once, in order, with the beginning.
func times(p *sim.Plan) []core.Mono {
	list := []core.Mono{0}
	instants(p, func(at *core.Mono) { list = append(list, *at) })
	slices.Sort(list)
	return slices.Compact(list)
}

// moment is a gap between neighbouring instants that is not worth closing further.
const moment = core.Millisecond

// gaps closes gaps between neighbouring instants, and halves those that cannot be closed.
func (s *session) gaps() {
	s.squeeze(func(core.Mono) core.Mono { return moment })
	for !s.over {
		was := s.size.Events
		s.squeeze(func(gap core.Mono) core.Mono { return max(moment, gap/2) })
		if s.size.Events > was*99/100 {
			return
		}
	}
}

// squeeze makes as many gaps as it can as short as to says; everything behind moves to the front.
func (s *session) squeeze(to func(gap core.Mono) core.Mono) {
	old := times(&s.best)
	s.reduce(len(old)-1, 0, func(p sim.Plan, kept []int) sim.Plan {
		fresh := make([]core.Mono, len(old))
		next := 0
		for i := range len(old) - 1 {
			gap := old[i+1] - old[i]
			if next < len(kept) && kept[next] == i {
				next++
			} else {
				gap = min(gap, to(gap))
			}
			fresh[i+1] = fresh[i] + gap
		}
		instants(&p, func(at *core.Mono) {
			i, _ := slices.BinarySearch(old, *at)
			*at = fresh[i]
		})
		return p
	})
}

// durations halves how long faults last, one by one.
func (s *session) durations() {
	for !s.over {
		was := s.size.Events
		s.reduce(len(s.best.Faults), 0, func(p sim.Plan, kept []int) sim.Plan {
			for i := range p.Faults {
				if f := &p.Faults[i]; f.Until > f.At && !slices.Contains(kept, i) {
					f.Until = f.At + max(moment, (f.Until-f.At)/2)
				}
			}
			return p
		})
		if s.size.Events > was*99/100 {
			return
		}
	}
}

// end lets the run end as soon as it can: without the healed phase, and with the phase of faults as short as will do. What
// would begin later is not part of the plan any more.
func (s *session) end() {
	if !s.best.SafetyOnly && !s.live() {
		p := clone(s.best)
		p.SafetyOnly, p.Core = true, nil
		s.try(0, p)
	}
	s.settle()
	if !s.size.Healed && s.size.End < s.best.Safety {
		// Something broke inside, which ended the run: the phase is as short as it can be, and what was planned for later has
		// not happened. The bound stays, because the smaller plans to come may take a little longer.
		s.try(0, s.before(clone(s.best), s.size.End))
		return
	}
	for !s.over && s.best.Safety > moment {
		var plans []sim.Plan
		for _, n := range []core.Mono{2, 4, 8, 12, 14, 15} {
			p := s.before(clone(s.best), s.best.Safety/16*n)
			p.Safety = s.best.Safety / 16 * n
			plans = append(plans, p)
		}
		if s.try(0, plans...) < 0 {
			break
		}
	}
}

// before is what of a plan happens up to an instant.
func (s *session) before(p sim.Plan, at core.Mono) sim.Plan {
	p.Faults = slices.DeleteFunc(p.Faults, func(f sim.Fault) bool { return f.At > at })
	for i := range p.Brokers {
		b := &p.Brokers[i]
		b.Disk.Plan = slices.DeleteFunc(b.Disk.Plan, func(f simdisk.Fault) bool { return f.At > at })
	}
	for i := range p.Clients {
		c := &p.Clients[i]
		c.Ops = slices.DeleteFunc(c.Ops, func(o workload.Op) bool { return o.At > at })
	}
	return s.tidied(p)
}

// settle shortens the healed phase. Where the violation is that something does not happen in it, there must be time for it. Where
// it is another, clients that are never done would make each run as long as it may be; leisure gives the time back in the end.
func (s *session) settle() {
	for !s.best.SafetyOnly && !s.over {
		p := clone(s.best)
		if p.Settle /= 2; s.live() {
			p.Settle = max(patience(&p), p.Settle)
		}
		if p.Settle < moment || p.Settle >= s.best.Settle || s.try(0, p) < 0 {
			return
		}
	}
}

// leisure makes the healed phase as long again as it was, if the target shows then, or as long as it does. A run that has no time to
// end what it began would be red without the bug, too.
func (s *session) leisure() {
	if s.live() || s.best.SafetyOnly {
		return
	}
	for settle := s.first.Settle; settle > s.best.Settle; settle /= 2 {
		p := clone(s.best)
		p.Settle = settle
		if o := s.run([]Candidate{{Plan: p, Must: true}})[0]; o.Fails {
			s.take(p, o)
			return
		}
	}
}

// rounded moves the instants to rounder ones where that makes no difference: they are easier to read.
func (s *session) rounded() {
	var plans []sim.Plan
	for _, unit := range []core.Mono{100 * core.Millisecond, 10 * core.Millisecond, core.Millisecond, 100 * core.Microsecond} {
		p := clone(s.best)
		instants(&p, func(at *core.Mono) {
			if *at > 0 {
				*at = max(unit, *at/unit*unit)
			}
		})
		plans = append(plans, p)
	}
	s.try(0, plans...)
}
