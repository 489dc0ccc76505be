package shrink

import "github.com/klamm-log/klamm/sim"

// someSlack is how much longer, in thousandths, a run may get when it gets simpler.
const someSlack = 30

// again is how many more descents begin where the large parts are gone, each under another seed. What a descent ends with depends
// on its luck: one finds the run with two nodes that another, which had fitted its instants to three, can no longer reach.
const again = 2

// rounds makes the plan as small as several descents can, the last of which are given up as soon as the time is.
func (s *session) rounds() {
	s.large()
	plan, size := s.best, s.size
	s.descend(false)
	for range again {
		if s.over || s.size.Events <= floor {
			break
		}
		best, least := s.best, s.size
		if s.best, s.size = plan, size; s.elsewhere() {
			s.descend(true)
		}
		if s.size.Events >= least.Events {
			s.best, s.size = best, least
		}
	}
	s.do("instants", s.rounded)
	s.leisure()
}

// floor is about as many events as a node has until a record is produced: nothing below it is worth another descent.
const floor = 200

// elsewhere goes on under another seed that shows the target, if one of some does.
func (s *session) elsewhere() bool {
	s.pass = "elsewhere"
	var plans []sim.Plan
	for range s.seeds(100_000, 4, 64) {
		plans = append(plans, s.reseeded(s.best))
	}
	return s.try(aside, plans...) >= 0
}

// aside is how much longer, in thousandths, a run under another seed may be to begin with.
const aside = 300

// descend goes through all passes until a whole round has changed nothing. If it is to be patient, it begins with what there is, under
// other seeds, too: a run whose instants have been fitted to one order of deliveries can hardly do with another one.
func (s *session) descend(patient bool) {
	for patient && !s.over {
		was := s.size.Events
		s.structure()
		if s.do("luck", s.chance); s.size.Events > was*95/100 {
			break
		}
	}
	for lucky := false; !s.over; lucky = true {
		was := s.size.Events
		s.fixpoint()
		if lucky && s.size.Events > was*99/100 {
			break // since luck was tried, hardly anything has gone
		}
		was = s.size.Events
		if s.do("luck", s.chance); s.size.Events == was {
			break
		}
	}
	was := s.size.Events
	if s.do("latencies", s.quick); s.size.Events < was { // luck needs latencies that differ, so they go last
		s.fixpoint()
	}
}

// structure takes away what there is, once.
func (s *session) structure() {
	s.round++
	s.do("end", s.end)
	s.do("nodes", s.nodes)
	s.do("roles", s.roles)
	s.do("faults", s.faults)
	s.do("clients", s.clients)
	s.do("operations", s.ops)
	s.do("partitions", s.partitions)
	s.do("settings", s.settings)
	s.do("end", s.end)
}

// large tries once to go without large parts: while a run is long, an attempt must be worth its time. Settings come first; it is
// they that keep an idle cluster busy.
func (s *session) large() {
	s.coarse = true
	s.do("end", s.end)
	s.do("settings", s.settings)
	s.do("knobs", s.knobs)
	s.do("clients", s.clients)
	s.do("faults", s.faults)
	s.do("operations", s.ops)
	s.do("counts", s.fewer)
	s.do("gaps", s.gaps)
	s.coarse = false
}

// fixpoint takes away what can go, the large things first, until nothing can. Then it tries what only makes the run shorter.
func (s *session) fixpoint() {
	for !s.over {
		s.round++
		was := s.state()
		s.do("end", s.end)
		s.do("faults", s.faults)
		s.do("clients", s.clients)
		s.do("operations", s.ops)
		s.do("end", s.end)
		s.do("nodes", s.nodes)
		s.do("roles", s.roles)
		s.do("partitions", s.partitions)
		s.do("counts", s.smaller)
		s.do("gaps", s.gaps)
		s.do("durations", s.durations)
		s.do("settings", s.settings)
		s.do("knobs", s.knobs)
		if s.size.Events > was.events*95/100 {
			s.do("moves", s.moves)
			s.do("tuning", s.tune)
		}
		if s.state() == was {
			return
		}
	}
}

func (s *session) do(pass string, f func()) {
	s.pass = pass
	if !s.over {
		f()
	}
}

// state is what a round has to change for another one to be worth it.
type state struct {
	events int64
	size   Size
}

func (s *session) state() state {
	x := state{s.size.Events, SizeOf(s.best)}
	x.size.Safety = 0 // time alone is nothing: what happens in it is counted
	return x
}
