package checkers

import (
	"sort"

	"github.com/klamm-log/klamm/core"
)

// floor says that from instant at on, a counter is known to be at least value, and which event showed it.
type floor struct {
	at    core.Mono
	value core.Offset
	event int
}

// series is what is known about a counter that never goes back. Floors rise in both at and value, because events
// come in the order of their End.
type series struct {
	floors []floor
}

// raise records that an event, ended at the instant at, showed value; it reports whether that was news.
func (s *series) raise(at core.Mono, value core.Offset, event int) bool {
	if value == core.NoOffset || len(s.floors) > 0 && value <= s.floors[len(s.floors)-1].value {
		return false
	}
	s.floors = append(s.floors, floor{at, value, event})
	return true
}

// before is the highest floor shown strictly before start. An operation that begins at the very instant at which
// another ends is concurrent with it.
func (s *series) before(start core.Mono) (f floor, ok bool) {
	n := len(s.floors)
	if n > 0 && s.floors[n-1].at < start {
		return s.floors[n-1], true
	}
	i := sort.Search(n, func(i int) bool { return s.floors[i].at >= start })
	if i == 0 {
		return floor{}, false
	}
	return s.floors[i-1], true
}

// reset forgets what may be lost at an instant: the counter may be back at limit. Operations that began before
// it are not compared any more.
func (s *series) reset(at core.Mono, limit core.Offset) {
	n := len(s.floors)
	if n == 0 {
		return
	}
	last := s.floors[n-1]
	s.floors = append(s.floors[:0], floor{at, min(last.value, limit), last.event})
}

// ceiling says that a counter may have been moved up to value by an operation that began at the instant at.
type ceiling struct {
	at    core.Mono
	value core.Offset
}

// ceilings is how far a log start may have been moved by which instant. It is filled in any order, settled once,
// then asked.
type ceilings struct {
	list []ceiling
}

func (c *ceilings) allow(at core.Mono, value core.Offset) {
	if value > 0 {
		c.list = append(c.list, ceiling{at, value})
	}
}

// settle sorts by instant and makes the values running maxima.
func (c *ceilings) settle() {
	sort.SliceStable(c.list, func(i, j int) bool { return c.list[i].at < c.list[j].at })
	for i := 1; i < len(c.list); i++ {
		c.list[i].value = max(c.list[i].value, c.list[i-1].value)
	}
}

// by is the highest value allowed at or before the instant.
func (c *ceilings) by(at core.Mono) core.Offset {
	i := sort.Search(len(c.list), func(i int) bool { return c.list[i].at > at })
	if i == 0 {
		return 0
	}
	return c.list[i-1].value
}
