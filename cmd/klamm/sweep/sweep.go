// Package sweep runs many seeds of the simulator on all cores and adds up what they showed.
//
// Each worker goroutine takes the next seed, runs its world to the end and reports; worlds share nothing. A panic in
// one world is a finding of that seed, not the end. What the sums say does not depend on how the seeds were spread
// over workers: [Summary.Digest] is the sum of one hash per seed.
//
// The package knows nothing of the simulator: it runs a [World].
package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// World is one seed's run. It is used by one goroutine.
type World interface {
	// Run runs the world and judges it.
	Run() Outcome
	// Capsule is the file that replays a failing run. o is what Run returned, or has only violations after a panic.
	Capsule(o Outcome) ([]byte, error)
}

// Draw makes the world of a seed. It may be called from several goroutines, several times for one seed.
type Draw func(seed uint64) (World, error)

// Violation is one broken property.
type Violation struct {
	Property string
	Place    string // partition and offset, or process; may be empty
	Message  string
}

// Count is how often something happened.
type Count struct {
	Name string
	N    int64
}

// Outcome is what one run showed.
type Outcome struct {
	Hash         string // of all that happened
	Events       int64
	SimTime      time.Duration
	Violations   []Violation
	Faults       []Count // fired, by kind
	Sometimes    []Count // points reached, by name
	Inconclusive string  // why a run without violations proves little; empty if it does not
	Chain        []Link  // samples of Hash; for naming the place where two runs part
}

// Link is the hash after a number of events.
type Link struct {
	Events int64
	At     time.Duration
	Hash   string
}

// Options says what to run.
type Options struct {
	First uint64 // the first seed
	Step  uint64 // from one seed to the next; 0 is 1
	Seeds int64  // how many; 0 is until Budget is used up
	// Skip says which seeds are passed over, although they count as one of Seeds; nil is none.
	Skip func(seed uint64) bool
	// Budget is how long seeds are started; 0 is without limit. At least one seed is run.
	Budget time.Duration
	// Grace is how long seeds that are running when Budget is used up, or the context ends, may take to end; 0 is
	// without limit. Those that do not are reported as unfinished.
	Grace       time.Duration
	Jobs        int  // workers
	Twice       bool // run each seed twice and compare
	MaxFailures int  // stop after so many failing seeds; 0 is never
	// Failed is called for each failing seed, from one goroutine at a time, while others run.
	Failed func(f Failure)
	// Done is called for each seed that was run, after Failed, from one goroutine at a time. f is nil if it did not fail.
	Done func(seed uint64, o Outcome, f *Failure)
}

// Failure is a seed that did not do what it should. Exactly one of Violations and Divergence is set.
type Failure struct {
	Seed       uint64
	Violations []Violation
	Divergence string // how two runs of the seed differ
	World      World  // of the last run, for its capsule
	Outcome    Outcome
}

// Summary is what all seeds together showed. The zero value is that of no seed.
type Summary struct {
	Seeds        int64
	Events       int64
	SimTime      time.Duration
	Wall         time.Duration
	Digest       Digest
	Failures     []Failure        // by seed
	Faults       map[string]int64 // fired, by kind
	Sometimes    map[string]int64 // reached, by name
	Inconclusive []Doubt          // by seed
	Unfinished   []uint64         // seeds that were still running when the grace was over
	Interrupted  bool
}

// Doubt is a seed that proves less than it should.
type Doubt struct {
	Seed uint64
	Why  string
}

// Digest stands for a set of runs: equal sets give equal digests, in whatever order they are added.
type Digest struct{ A, B uint64 }

// Add adds the run of a seed.
func (d *Digest) Add(seed uint64, hash string) {
	h := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), hash...))
	d.A += binary.BigEndian.Uint64(h[:8])
	d.B += binary.BigEndian.Uint64(h[8:16])
}

// String is 32 hexadecimal digits.
func (d Digest) String() string { return fmt.Sprintf("%016x%016x", d.A, d.B) }

// Sweep is a sweep that can be looked at while it runs.
type Sweep struct {
	opts  Options
	draw  Draw
	begin time.Time

	mu      sync.Mutex
	sum     Summary
	next    uint64
	started int64
	running map[uint64]time.Time
	stop    bool  // no further seed
	over    bool  // the summary is out: workers left behind add nothing any more
	err     error // of Draw
}

// New is a sweep that has not begun.
func New(draw Draw, o Options) *Sweep {
	o.Jobs, o.Step = max(o.Jobs, 1), max(o.Step, 1)
	return &Sweep{
		opts: o, draw: draw, next: o.First, running: make(map[uint64]time.Time),
		sum: Summary{Faults: make(map[string]int64), Sometimes: make(map[string]int64)},
	}
}

// Run runs the sweep. When the context ends no further seed is begun, those that run are finished, and the summary is
// of what there is. The error is that of a seed that could not be drawn.
func (s *Sweep) Run(ctx context.Context) (Summary, error) {
	s.mu.Lock()
	s.begin = time.Now()
	s.mu.Unlock()
	var workers sync.WaitGroup
	for range s.opts.Jobs {
		workers.Go(func() { s.work(ctx) })
	}
	ended := make(chan struct{})
	go func() {
		workers.Wait()
		close(ended)
	}()
	s.wait(ctx, ended)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.sum.Wall = time.Since(s.begin)
	s.sum.Interrupted = ctx.Err() != nil
	for seed := range s.running {
		s.sum.Unfinished = append(s.sum.Unfinished, seed)
	}
	slices.Sort(s.sum.Unfinished)
	slices.SortFunc(s.sum.Failures, func(a, b Failure) int { return compare(a.Seed, b.Seed) })
	slices.SortFunc(s.sum.Inconclusive, func(a, b Doubt) int { return compare(a.Seed, b.Seed) })
	return s.sum, s.err
}

// wait waits for the workers, but not for ever once no more seeds are begun.
func (s *Sweep) wait(ctx context.Context, ended <-chan struct{}) {
	var late <-chan time.Time
	after := func(d time.Duration) {
		if s.opts.Grace > 0 {
			late = time.After(d + s.opts.Grace)
		}
	}
	if s.opts.Budget > 0 {
		after(s.opts.Budget)
	}
	interrupted := ctx.Done()
	for {
		select {
		case <-ended:
			return
		case <-late:
			return
		case <-interrupted:
			interrupted = nil
			after(0)
		}
	}
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// work runs seed after seed.
func (s *Sweep) work(ctx context.Context) {
	for {
		seed, ok := s.take(ctx)
		if !ok {
			return
		}
		world, outcome, err := s.run(seed)
		var failure *Failure
		switch {
		case err != nil:
		case len(outcome.Violations) > 0:
			failure = &Failure{Seed: seed, Violations: outcome.Violations, World: world, Outcome: outcome}
		case s.opts.Twice:
			failure = s.again(seed, outcome)
		}
		if !s.report(seed, outcome, failure, err) {
			return
		}
	}
}

// take is the next seed, if there is to be one.
func (s *Sweep) take(ctx context.Context) (uint64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.stop, s.over, ctx.Err() != nil,
			s.opts.Seeds > 0 && s.started >= s.opts.Seeds,
			s.opts.Budget > 0 && s.started > 0 && time.Since(s.begin) >= s.opts.Budget:
			return 0, false
		}
		seed := s.next
		s.next += s.opts.Step
		s.started++
		if s.opts.Skip == nil || !s.opts.Skip(seed) {
			s.running[seed] = time.Now()
			return seed, true
		}
	}
}

// run draws and runs a world. A panic becomes a violation.
func (s *Sweep) run(seed uint64) (world World, o Outcome, err error) {
	defer func() {
		if r := recover(); r != nil {
			o = Outcome{Violations: []Violation{{Property: PropertyPanic, Message: fmt.Sprintf("%v\n%s", r, trimStack(debug.Stack()))}}}
		}
	}()
	if world, err = s.draw(seed); err != nil {
		return nil, o, err
	}
	return world, world.Run(), nil
}

// PropertyPanic is the property that a panic outside of the simulated machines violates.
const PropertyPanic = "PANIC"

// trimStack keeps the frames below the panic.
func trimStack(stack []byte) string {
	lines := strings.Split(strings.TrimRight(string(stack), "\n"), "\n")
	if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "panic(") }); i >= 0 && i+2 <= len(lines) {
		lines = lines[i+2:]
	}
	const most = 24
	if len(lines) > most {
		lines = append(lines[:most], "...")
	}
	return strings.Join(lines, "\n")
}

// again runs a seed a second time and reports a difference.
func (s *Sweep) again(seed uint64, first Outcome) *Failure {
	world, second, err := s.run(seed)
	if err != nil || second.Hash == first.Hash && len(second.Violations) == 0 {
		return nil
	}
	return &Failure{Seed: seed, Divergence: Diverge(first, second), World: world, Outcome: second}
}

// Diverge says where two runs part, in words; "" if they do not.
func Diverge(a, b Outcome) string {
	if a.Hash == b.Hash && a.Events == b.Events {
		return ""
	}
	last := Link{}
	for i := range min(len(a.Chain), len(b.Chain)) {
		if a.Chain[i] != b.Chain[i] {
			return fmt.Sprintf("the runs part between event %d at %v and event %d at %v",
				last.Events, last.At, min(a.Chain[i].Events, b.Chain[i].Events), max(a.Chain[i].At, b.Chain[i].At))
		}
		last = a.Chain[i]
	}
	return fmt.Sprintf("the runs part after event %d at %v: one has %d events and hash %s, the other %d and %s",
		last.Events, last.At, a.Events, a.Hash, b.Events, b.Hash)
}

// report adds a run to the sums. It is false when the worker is to end.
func (s *Sweep) report(seed uint64, o Outcome, failure *Failure, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	delete(s.running, seed)
	if err != nil {
		if s.err == nil {
			s.err = fmt.Errorf("seed %d: %w", seed, err)
		}
		s.stop = true
		return false
	}
	s.sum.add(seed, o)
	if failure != nil {
		s.sum.Failures = append(s.sum.Failures, *failure)
		if s.opts.Failed != nil {
			s.opts.Failed(*failure)
		}
		if s.opts.MaxFailures > 0 && len(s.sum.Failures) >= s.opts.MaxFailures {
			s.stop = true
		}
	}
	if s.opts.Done != nil {
		s.opts.Done(seed, o, failure)
	}
	return !s.stop
}

func (sum *Summary) add(seed uint64, o Outcome) {
	sum.Seeds++
	sum.Events += o.Events
	sum.SimTime += o.SimTime
	sum.Digest.Add(seed, o.Hash)
	for _, c := range o.Faults {
		sum.Faults[c.Name] += c.N
	}
	for _, c := range o.Sometimes {
		sum.Sometimes[c.Name] += c.N
	}
	if o.Inconclusive != "" && len(o.Violations) == 0 {
		sum.Inconclusive = append(sum.Inconclusive, Doubt{Seed: seed, Why: o.Inconclusive})
	}
}

// Progress is how far a sweep is.
type Progress struct {
	Seeds    int64
	Events   int64
	SimTime  time.Duration
	Wall     time.Duration
	Failures int
	// Slow is the seed that has been running longest, for For.
	Slow uint64
	For  time.Duration
}

// Progress may be called from any goroutine.
func (s *Sweep) Progress() Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Progress{Seeds: s.sum.Seeds, Events: s.sum.Events, SimTime: s.sum.SimTime, Failures: len(s.sum.Failures)}
	if s.begin.IsZero() {
		return p
	}
	p.Wall = time.Since(s.begin)
	for seed, since := range s.running {
		if d := time.Since(since); d > p.For || d == p.For && seed < p.Slow {
			p.Slow, p.For = seed, d
		}
	}
	return p
}
