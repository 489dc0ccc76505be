package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/sweep"
)

// fake is a world whose outcome is a function of its seed.
type fake func() sweep.Outcome

func (f fake) Run() sweep.Outcome                    { return f() }
func (f fake) Capsule(sweep.Outcome) ([]byte, error) { return nil, errors.ErrUnsupported }

func plain(seed uint64) sweep.Outcome {
	return sweep.Outcome{
		Hash: fmt.Sprint("h", seed), Events: int64(seed), SimTime: time.Second,
		Faults:    []sweep.Count{{Name: "crash", N: 2}},
		Sometimes: []sweep.Count{{Name: fmt.Sprint("point", seed%2), N: 1}},
	}
}

func draw(run func(seed uint64) sweep.Outcome) sweep.Draw {
	return func(seed uint64) (sweep.World, error) { return fake(func() sweep.Outcome { return run(seed) }), nil }
}

func mustRun(t *testing.T, d sweep.Draw, o sweep.Options) sweep.Summary {
	t.Helper()
	sum, err := sweep.New(d, o).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestSums(t *testing.T) {
	one := mustRun(t, draw(plain), sweep.Options{First: 1, Seeds: 10, Jobs: 1})
	if one.Seeds != 10 || one.Events != 55 || one.SimTime != 10*time.Second || len(one.Failures) != 0 || one.Interrupted {
		t.Errorf("sums %+v", one)
	}
	if !reflect.DeepEqual(one.Faults, map[string]int64{"crash": 20}) ||
		!reflect.DeepEqual(one.Sometimes, map[string]int64{"point0": 5, "point1": 5}) {
		t.Errorf("counts %v, %v", one.Faults, one.Sometimes)
	}
	four := mustRun(t, draw(plain), sweep.Options{First: 1, Seeds: 10, Jobs: 4})
	if four.Digest != one.Digest || four.Events != one.Events {
		t.Errorf("four workers give digest %v, one %v", four.Digest, one.Digest)
	}
	other := mustRun(t, draw(func(seed uint64) sweep.Outcome {
		o := plain(seed)
		if seed == 7 {
			o.Hash = "another"
		}
		return o
	}), sweep.Options{First: 1, Seeds: 10, Jobs: 2})
	if other.Digest == one.Digest {
		t.Error("another run has the same digest")
	}
}

// Seeds that exchange their hashes are other runs.
func TestDigestKnowsSeeds(t *testing.T) {
	var a, b, c sweep.Digest
	a.Add(1, "x")
	a.Add(2, "y")
	b.Add(2, "y")
	b.Add(1, "x")
	c.Add(1, "y")
	c.Add(2, "x")
	if a != b || a == c {
		t.Errorf("digests %v %v %v", a, b, c)
	}
	if got := a.String(); len(got) != 32 {
		t.Errorf("digest %q", got)
	}
}

func TestFailures(t *testing.T) {
	var told []uint64
	sum := mustRun(t, draw(func(seed uint64) sweep.Outcome {
		o := plain(seed)
		switch seed {
		case 3:
			o.Violations = []sweep.Violation{{Property: "P", Place: "t-0@7", Message: "lost"}}
		case 5:
			panic("a bug in the simulator")
		case 6:
			o.Inconclusive = "nothing was produced"
		}
		return o
	}), sweep.Options{First: 1, Seeds: 8, Jobs: 2, Failed: func(f sweep.Failure) { told = append(told, f.Seed) }})
	if sum.Seeds != 8 || len(sum.Failures) != 2 || len(told) != 2 {
		t.Fatalf("%d seeds, failures %+v, told %v", sum.Seeds, sum.Failures, told)
	}
	if f := sum.Failures[0]; f.Seed != 3 || f.Violations[0].Place != "t-0@7" || f.World == nil {
		t.Errorf("first failure %+v", f)
	}
	f := sum.Failures[1]
	if f.Seed != 5 || f.Violations[0].Property != sweep.PropertyPanic || f.World == nil ||
		!strings.HasPrefix(f.Violations[0].Message, "a bug in the simulator\n") || !strings.Contains(f.Violations[0].Message, "TestFailures") {
		t.Errorf("second failure %+v", f)
	}
	if len(sum.Inconclusive) != 1 || sum.Inconclusive[0] != (sweep.Doubt{Seed: 6, Why: "nothing was produced"}) {
		t.Errorf("doubts %v", sum.Inconclusive)
	}
}

func TestMaxFailures(t *testing.T) {
	sum := mustRun(t, draw(func(uint64) sweep.Outcome {
		return sweep.Outcome{Violations: []sweep.Violation{{Property: "P"}}}
	}), sweep.Options{First: 1, Seeds: 100, Jobs: 1, MaxFailures: 3})
	if sum.Seeds != 3 || len(sum.Failures) != 3 {
		t.Errorf("%d seeds, %d failures", sum.Seeds, len(sum.Failures))
	}
}

func TestDrawFails(t *testing.T) {
	_, err := sweep.New(func(uint64) (sweep.World, error) { return nil, errors.New("no such profile") },
		sweep.Options{First: 9, Seeds: 5, Jobs: 2}).Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "no such profile") {
		t.Errorf("error %v", err)
	}
}

func TestTwice(t *testing.T) {
	var runs atomic.Int64
	sum := mustRun(t, draw(plain), sweep.Options{First: 1, Seeds: 4, Jobs: 2, Twice: true})
	if len(sum.Failures) != 0 || sum.Seeds != 4 {
		t.Errorf("equal runs fail: %+v", sum.Failures)
	}
	sum = mustRun(t, draw(func(seed uint64) sweep.Outcome {
		o := plain(seed)
		n := runs.Add(1)
		o.Chain = []sweep.Link{{Events: 10, At: 1, Hash: "a"}, {Events: 20, At: 2, Hash: fmt.Sprint(n)}}
		o.Hash = fmt.Sprint(n)
		return o
	}), sweep.Options{First: 1, Seeds: 1, Jobs: 1, Twice: true})
	if len(sum.Failures) != 1 || sum.Failures[0].Divergence != "the runs part between event 10 at 1ns and event 20 at 2ns" {
		t.Errorf("failures %+v", sum.Failures)
	}
}

func TestDiverge(t *testing.T) {
	a := sweep.Outcome{Hash: "x", Events: 5}
	if got := sweep.Diverge(a, a); got != "" {
		t.Errorf("equal runs: %q", got)
	}
	b := sweep.Outcome{Hash: "y", Events: 6}
	if got, want := sweep.Diverge(a, b), "the runs part after event 0 at 0s: one has 5 events and hash x, the other 6 and y"; got != want {
		t.Errorf("got %q", got)
	}
}

// Seeds are begun while there is time; the first is always run.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := draw(func(seed uint64) sweep.Outcome {
			<-time.After(3 * time.Second) // virtual
			return plain(seed)
		})
		sum := mustRun(t, slow, sweep.Options{First: 1, Budget: 10 * time.Second, Jobs: 2})
		if sum.Seeds != 8 || sum.Wall != 12*time.Second {
			t.Errorf("%d seeds in %v, want 8 in 12 s", sum.Seeds, sum.Wall)
		}
		if sum = mustRun(t, slow, sweep.Options{First: 1, Budget: 1, Jobs: 1}); sum.Seeds != 1 {
			t.Errorf("%d seeds, want one", sum.Seeds)
		}
	})
}

// A seed that does not end is reported and left behind.
func TestUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		stuck := draw(func(seed uint64) sweep.Outcome {
			if seed == 2 {
				<-release
			}
			<-time.After(time.Second) // virtual
			return plain(seed)
		})
		s := sweep.New(stuck, sweep.Options{First: 1, Budget: 10 * time.Second, Grace: 5 * time.Second, Jobs: 2})
		sum, err := s.Run(context.Background())
		if err != nil || !reflect.DeepEqual(sum.Unfinished, []uint64{2}) || sum.Seeds != 10 || sum.Wall != 15*time.Second {
			t.Errorf("%v, %+v", err, sum)
		}
		if p := s.Progress(); p.Slow != 2 || p.For != 15*time.Second || p.Seeds != 10 {
			t.Errorf("progress %+v", p)
		}
		close(release)
		<-time.After(time.Minute)
		if p := s.Progress(); p.Seeds != 10 {
			t.Errorf("what was left behind was added: %+v", p)
		}
	})
}

// An interruption does not wait for ever either.
func TestInterruptedWhileStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		release := make(chan struct{})
		sum, err := sweep.New(draw(func(seed uint64) sweep.Outcome {
			<-release
			return plain(seed)
		}), sweep.Options{First: 1, Seeds: 4, Grace: 3 * time.Second, Jobs: 2}).Run(ctx)
		if err != nil || !sum.Interrupted || !reflect.DeepEqual(sum.Unfinished, []uint64{1, 2}) || sum.Wall != 8*time.Second {
			t.Errorf("%v, %+v", err, sum)
		}
		close(release)
	})
}

func TestInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		sum, err := sweep.New(draw(func(seed uint64) sweep.Outcome {
			<-time.After(2 * time.Second)
			return plain(seed)
		}), sweep.Options{First: 1, Jobs: 1}).Run(ctx)
		if err != nil || !sum.Interrupted || sum.Seeds != 3 {
			t.Errorf("%v, %+v", err, sum)
		}
	})
}
