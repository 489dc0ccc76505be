package shrink

// someSlack is how much longer, in thousandths, a run may get when it gets simpler.
const someSlack = 30

// rounds goes through all passes until a whole round has changed nothing.
func (s *session) rounds() {
	s.large()
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
	s.do("instants", s.rounded)
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
