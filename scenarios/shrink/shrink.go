package shrink

import (
	"crypto/sha256"
	"encoding/json"
	"errors"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim"
)

// Runner judges a batch of candidates; the outcomes stand in their order. It may judge them in parallel, and may leave out
// those behind the first that fails: they would not be taken. A candidate in front of it that was not run says that there is no
// time left, and ends the shrinking.
type Runner func(batch []Candidate) []Outcome

// Options bound the work.
type Options struct {
	// Runs is how many candidates are judged at most; 0 is no limit. What a runner judges beyond the first success does
	// not count, so the result does not depend on how many it runs at a time; nor do the few that give a plan its time back in the end.
	Runs int64
	// Progress, if set, hears of each smaller plan.
	Progress func(Progress)
}

// Progress is where the shrinking stands.
type Progress struct {
	Pass   string // what is being tried
	Round  int
	Runs   int64
	Events int64 // of the smallest plan so far
	Size   Size
}

// Size is how much a plan holds.
type Size struct {
	Nodes   int       `json:"nodes"`
	Faults  int       `json:"faults"` // those of disks included
	Clients int       `json:"clients"`
	Ops     int       `json:"ops"`
	Knobs   int       `json:"knobs"` // settings that are not the default
	Safety  core.Mono `json:"safety_ns"`
}

// Result is the smallest plan found.
type Result struct {
	Plan   sim.Plan
	Before Outcome
	After  Outcome
	Runs   int64
	Rounds int
	// Complete says that no single thing that this package knows to take away can go any more. Otherwise the work ended at
	// its bounds.
	Complete bool
}

// ErrHolds says that the plan to be shrunk does not violate what it should.
var ErrHolds = errors.New("the run does not show the violation that it is to be shrunk to")

// wide is how many candidates are handed to the runner at a time.
const wide = 8

// Shrink makes a plan smaller as long as it shows the target.
func Shrink(plan sim.Plan, t Target, run Runner, o Options) (Result, error) {
	s := &session{run: run, opts: o, target: t, tried: make(map[planDigest]int64)}
	before := s.run([]Candidate{{Plan: plan}})[0]
	s.runs++
	if !before.Fails {
		return Result{Plan: plan, Before: before, Runs: s.runs}, ErrHolds
	}
	s.first, s.best, s.size = plan, clone(plan), before
	s.rounds()
	return Result{Plan: s.best, Before: before, After: s.size, Runs: s.runs, Rounds: s.round, Complete: !s.over}, nil
}

// session is one shrinking under way.
type session struct {
	run    Runner
	opts   Options
	target Target
	first  sim.Plan // as it came
	best   sim.Plan
	size   Outcome              // of best
	tried  map[planDigest]int64 // plans that did not show the target, and within how many events
	luck   uint64               // the last seed tried
	runs   int64
	round  int
	pass   string
	coarse bool // only large parts are tried
	over   bool // the bounds are reached
}

// try has plans judged, and takes the first that shows the target within the events of the best so far and a slack in
// thousandths. It returns which, or -1.
func (s *session) try(slack int64, plans ...sim.Plan) int {
	for from := 0; from < len(plans) && !s.over; from += wide {
		part := plans[from:min(from+wide, len(plans))]
		if i := s.batch(slack, part); i >= 0 {
			return from + i
		}
	}
	return -1
}

func (s *session) batch(slack int64, plans []sim.Plan) int {
	limit := s.size.Events + s.size.Events*slack/1000
	some, which, same := s.fresh(plans, limit)
	if left := s.opts.Runs - s.runs; s.opts.Runs > 0 && int64(len(some)) > left {
		some = some[:max(0, left)]
		s.over = len(some) == 0 && left <= 0
	}
	if len(some) == 0 {
		return same
	}
	for i, o := range s.run(some) {
		if !o.Ran {
			s.over = true
			return -1
		}
		s.runs++
		if o.Fails && o.Events <= limit && s.lasts(some[i].Plan) {
			s.take(some[i].Plan, o)
			return which[i]
		}
		s.tried[digest(&some[i].Plan)] = limit
		if !o.Fails || o.Events > limit {
			continue
		}
		if rest := s.batch(slack, plans[which[i]+1:]); rest >= 0 { // the runner may have left them out
			return which[i] + 1 + rest
		}
		return -1
	}
	return same
}

// fresh is which plans must be run: those that are sound, and not known to show nothing within so many events. A plan like the
// best one, which shows the target, needs no run either: same is its place, behind which nothing matters, or -1.
func (s *session) fresh(plans []sim.Plan, limit int64) (some []Candidate, which []int, same int) {
	best, here := digest(&s.best), make(map[planDigest]bool)
	for i := range plans {
		d := digest(&plans[i])
		if d == best && s.size.Events <= limit {
			return some, which, i
		}
		within, tried := s.tried[d]
		if here[d] || tried && limit <= within || !s.sound(&plans[i]) {
			continue
		}
		here[d] = true
		some, which = append(some, Candidate{Plan: plans[i], MaxEvents: limit}), append(which, i)
	}
	return some, which, -1
}

// planDigest names a plan.
type planDigest [sha256.Size]byte

func digest(p *sim.Plan) planDigest {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // capsules store plans as JSON
	}
	return sha256.Sum256(b)
}

// lasts reports whether what did not happen in a shortened healed phase does not happen in one as long as the first plan's
// either. What only comes late is not what was found.
func (s *session) lasts(p sim.Plan) bool {
	if !s.live() || p.Settle >= s.first.Settle {
		return true
	}
	p.Settle = s.first.Settle
	o := s.run([]Candidate{{Plan: p}})[0]
	s.runs++
	s.over = s.over || !o.Ran
	return o.Fails
}

func (s *session) take(p sim.Plan, o Outcome) {
	s.best, s.size = p, o
	if s.opts.Progress != nil {
		s.opts.Progress(Progress{Pass: s.pass, Round: s.round, Runs: s.runs, Events: o.Events, Size: SizeOf(p)})
	}
}
