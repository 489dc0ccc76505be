package shrink

// someSlack is how much longer, in thousandths, a run may get when it gets simpler.
const someSlack = 30

// rounds goes through all passes until a whole round has changed nothing.
func (s *session) rounds() {
	for !s.over {
		was, size := s.size.Events, SizeOf(s.best)
		s.fixpoint()
		s.do("luck", s.chance)
		if s.size.Events == was && SizeOf(s.best) == size {
			break
		}
	}
	s.do("instants", s.rounded)
}

// fixpoint takes away what can go, the large things first, until nothing can. Then it tries what only makes the run shorter.
func (s *session) fixpoint() {
	for !s.over {
		s.round++
		was, size := s.size.Events, SizeOf(s.best)
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
		if s.size.Events > was*95/100 {
			s.do("moves", s.moves)
			s.do("tuning", s.tune)
		}
		if s.size.Events == was && SizeOf(s.best) == size {
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
