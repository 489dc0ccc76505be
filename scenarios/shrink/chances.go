package shrink

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
)

// What only makes the run shorter, and no simpler, must be worth it, in thousandths: else there would be no end.
const worthIt = -20

// roles makes nodes that are broker and controller one of the two.
func (s *session) roles() {
	for i := range s.best.Brokers {
		b := &s.best.Brokers[i]
		if b.Absent || !b.IsBroker() || !b.IsController() || !s.best.IsCluster() {
			continue
		}
		var plans []sim.Plan
		for _, role := range []string{"broker", "controller"} {
			p := clone(s.best)
			p.Brokers[i].Roles = role
			plans = append(plans, s.tidied(p))
		}
		s.try(0, plans...)
	}
}

// moves lets single operations and faults happen when others do, and faults end then. What would only begin when the faults are over
// would not begin at all.
func (s *session) moves() {
	n := s.movables()
	for i := 0; i < n && !s.over; i++ {
		var plans []sim.Plan
		for _, at := range times(&s.best) {
			for _, to := range []core.Mono{at, at + moment} {
				p := clone(s.best)
				if to < p.Safety && move(&p, i, to) {
					plans = append(plans, p)
				}
			}
		}
		s.try(worthIt, plans...)
	}
}

// movables is how many instants move can move: two of each fault, one of each operation.
func (s *session) movables() int {
	n := 2 * len(s.best.Faults)
	for i := range s.best.Clients {
		n += len(s.best.Clients[i].Ops)
	}
	return n
}

// move sets one instant of a plan, and reports whether that changes anything. A fault keeps its length when it begins at
// another time.
func move(p *sim.Plan, i int, to core.Mono) bool {
	if i < 2*len(p.Faults) {
		f := &p.Faults[i/2]
		switch was := *f; {
		case i%2 == 1 && f.Until > f.At && to > f.At:
			f.Until = to
			return *f != was
		case i%2 == 0:
			if f.At = to; f.Until > 0 {
				f.Until = to + was.Until - was.At
			}
			return *f != was
		}
		return false
	}
	i -= 2 * len(p.Faults)
	for j := range p.Clients {
		c := &p.Clients[j]
		if i >= len(c.Ops) {
			i -= len(c.Ops)
			continue
		}
		was := c.Ops[i].At
		c.Ops[i].At = to
		slices.SortStableFunc(c.Ops, func(a, b workload.Op) int { return int(min(1, max(-1, a.At-b.At))) })
		return was != to
	}
	return false
}

// tune halves and doubles numbers that cannot be the default.
func (s *session) tune() {
	for i := 0; i < len(leaves(&s.best)) && !s.over; i++ {
		var plans []sim.Plan
		for _, by := range [][2]int64{{1, 2}, {2, 1}, {8, 1}} {
			p := clone(s.best)
			if v := leaves(&p)[i]; scale(v, by[0], by[1]) {
				plans = append(plans, s.tidied(p))
			}
		}
		s.try(worthIt, plans...)
	}
	for _, x := range settings(&s.best) {
		if x.property == "" || s.over {
			continue
		}
		var plans []sim.Plan
		for _, by := range [][2]int64{{1, 2}, {2, 1}, {8, 1}} {
			p := clone(s.best)
			if x.scale(&p, by[0], by[1]) {
				plans = append(plans, p)
			}
		}
		s.try(worthIt, plans...)
	}
}

func scale(v reflect.Value, num, den int64) bool {
	if !v.CanInt() {
		return false
	}
	to := max(1, v.Int()*num/den)
	if to == v.Int() || v.OverflowInt(to) {
		return false
	}
	v.SetInt(to)
	return true
}

func (x setting) scale(p *sim.Plan, num, den int64) (changed bool) {
	for i := range p.Brokers {
		for j := range p.Brokers[i].Properties {
			y := &p.Brokers[i].Properties[j]
			n, err := strconv.ParseInt(y.Value, 10, 64)
			if y.Name == x.property && err == nil && n > 1 {
				y.Value, changed = strconv.FormatInt(max(1, n*num/den), 10), true
			}
		}
	}
	return changed
}

// seeds is how many seeds are worth trying where a run has as many events as now, when so many events may be spent.
func (s *session) seeds(events, least, most int64) int64 {
	return min(most, max(least, events/max(1, s.size.Events)))
}

// chance tries other luck: a violation often needs an order of deliveries that is lost with the last thing taken away, and
// comes back with other latencies. Each thing that is left is taken away under a few seeds; what the plan decides stays as it is.
func (s *session) chance() {
	for !s.over {
		was := s.size.Events
		var plans []sim.Plan
		for _, p := range s.without() {
			for range s.seeds(20_000, 4, 32) {
				plans = append(plans, s.reseeded(p))
			}
		}
		i := s.try(someSlack, plans...)
		if i < 0 {
			plans = nil
			for range s.seeds(200_000, 8, 400) {
				plans = append(plans, s.reseeded(s.best))
			}
			i = s.try(worthIt, plans...)
		}
		if i < 0 || s.size.Events > was*99/100 && s.live() {
			return
		}
	}
}

func (s *session) reseeded(p sim.Plan) sim.Plan {
	s.luck++
	p = clone(p)
	p.Seed = s.luck
	return p
}

// without is the plan without each single thing that it still has.
func (s *session) without() []sim.Plan {
	var plans []sim.Plan
	add := func(edit func(p *sim.Plan)) {
		p := clone(s.best)
		edit(&p)
		plans = append(plans, s.tidied(p))
	}
	for i := range s.best.Brokers {
		if b := &s.best.Brokers[i]; !b.Absent {
			add(func(p *sim.Plan) { dropNode(p, int32(i)) })
			if b.IsBroker() && b.IsController() && s.best.IsCluster() {
				add(func(p *sim.Plan) { p.Brokers[i].Roles = "broker" })
				add(func(p *sim.Plan) { p.Brokers[i].Roles = "controller" })
			}
		}
		for j := range s.best.Brokers[i].Disk.Plan {
			add(func(p *sim.Plan) { d := &p.Brokers[i].Disk; d.Plan = slices.Delete(d.Plan, j, j+1) })
		}
	}
	for i := range s.best.Clients {
		add(func(p *sim.Plan) {
			gone := make([]bool, len(p.Clients))
			gone[i] = true
			dropClients(p, gone)
		})
	}
	for i := range s.best.Buggify {
		add(func(p *sim.Plan) { p.Buggify = slices.Delete(p.Buggify, i, i+1) })
	}
	for i := range s.best.Faults {
		add(func(p *sim.Plan) { p.Faults = slices.Delete(p.Faults, i, i+1) })
	}
	for i := range s.best.Clients {
		for j := range s.best.Clients[i].Ops {
			add(func(p *sim.Plan) { c := &p.Clients[i]; c.Ops = slices.Delete(c.Ops, j, j+1) })
		}
	}
	return plans
}
