package hooked_test

import (
	"slices"
	"testing"

	"github.com/klamm-log/klamm/cmd/klamm/hooked"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/step"
)

// diary is a machine that writes down what happens to it.
type diary struct{ lines []string }

func (d *diary) say(s string) { d.lines = append(d.lines, s) }

func (d *diary) Step(_ core.Now, ev step.Event, _ *step.Effects) {
	switch ev.(type) {
	case *step.Start:
		d.say("start")
	case *step.Tick:
		d.say("tick")
	default:
		d.say("event")
	}
}
func (d *diary) EndTurn(core.Now, *step.Effects) { d.say("end") }
func (d *diary) NextDeadline() (core.Mono, bool) { return 0, false }

type fixed struct{}

func (fixed) Now() core.Now { return core.Now{Mono: 5} }

func TestOrder(t *testing.T) {
	d := &diary{}
	var n *node.Node
	var inbox []step.Event // a loop has one of its own, too: Deliver is not for use in a turn
	wakes := 0
	poll := func() {
		for _, ev := range inbox {
			n.Deliver(ev)
		}
		inbox = nil
		n.Poll()
	}
	m := hooked.Wrap(d, hooked.Hooks{
		Event: func(step.Event) { d.say("seen") },
		After: func(now core.Now) {
			if now.Mono != 5 {
				t.Errorf("after at %d", now.Mono)
			}
			d.say("after")
		},
		Wake: func(ev *step.Tick) { wakes++; inbox = append(inbox, ev) },
	})
	n = node.New(m, fixed{}, nil, nil)
	poll()
	m.Do(func(core.Now) {
		d.say("first")
		m.Do(func(core.Now) { d.say("third") }) // from within a call: before the next turn
	})
	m.Do(func(core.Now) { d.say("second") })
	inbox = append(inbox, &step.DiskDone{})
	poll()
	poll()
	if n.Pending(5) {
		t.Error("there is work left")
	}
	want := []string{
		"seen", "start", "end", "after",
		"first", "second", "seen", "tick", "seen", "event", "end", "after",
		"third", "seen", "tick", "end", "after",
	}
	if !slices.Equal(d.lines, want) {
		t.Errorf("happened: %q\nwanted:   %q", d.lines, want)
	}
	if wakes != 2 {
		t.Errorf("%d wakes, want one per burst: 2", wakes)
	}
}
