package explain

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/klamm-log/klamm/sim"
)

// faultText is what a fault does, in words; its process stands in front.
func faultText(f *sim.Fault, procs []Proc) string {
	peer := ""
	if int(f.Peer) < len(procs) {
		peer = procs[f.Peer].Name
	}
	switch f.Kind {
	case sim.Groups:
		return "the network parts: " + sides(f.Amount, procs) + " cannot reach the other nodes"
	case sim.Bridge:
		return "the network parts: " + sides(f.Amount, procs) + " cannot reach the others but by this node"
	case sim.OneWay:
		if f.Amount == 1 {
			return "reaches the other nodes and does not hear them"
		}
		return "hears the other nodes and cannot reach them"
	case sim.NoController:
		return "loses every controller, and keeps all brokers"
	case sim.NoReplication:
		return "cannot fetch from the other brokers, nor they from it; controllers and clients hear all"
	case sim.Wipe:
		return "loses its power and its disk"
	case sim.Crash:
		return "is to crash"
	case sim.PowerLoss:
		return "is to lose its power"
	case sim.Pause:
		return "is paused: no turn, what arrives waits"
	case sim.ClockJump:
		return fmt.Sprintf("its wall clock jumps by %d ms", f.Amount)
	case sim.ClockDrift:
		return fmt.Sprintf("its monotonic clock runs %d ppm fast from the next start on", f.Amount)
	case sim.Cut:
		return "what it sends to " + peer + " waits: the link is cut"
	case sim.CutAPI:
		return fmt.Sprintf("its %s requests to %s stall", wire.Name(int16(f.Amount)), peer)
	case sim.SlowLink:
		return fmt.Sprintf("what it sends to %s takes %s longer", peer, Span(core.Mono(f.Amount)))
	case sim.Reset:
		return "one of its connections is reset"
	case sim.CrashLoop:
		return fmt.Sprintf("is to crash %d times in a row", f.Amount)
	case sim.CrashDirty:
		return "is to lose its power as soon as it has written what is not synced"
	case sim.CleanReboot:
		return "is told to shut down in good order"
	}
	return string(f.Kind)
}

// FaultText is what a fault of the plan does, in words.
func (t *Tape) FaultText(f *sim.Fault) string { return faultText(f, t.Procs) }

// sides names the nodes whose bits are set.
func sides(bits int64, procs []Proc) string {
	text := ""
	for i := range procs {
		if procs[i].Node != core.NoNode && bits>>i&1 == 1 {
			if text != "" {
				text += ", "
			}
			text += procs[i].Name
		}
	}
	return text
}

// Span is a length of time as people write it: three digits and a unit.
func Span(d core.Mono) string {
	units := [...]struct {
		name string
		size core.Mono
	}{{"s", core.Second}, {"ms", core.Millisecond}, {"us", core.Microsecond}}
	for _, u := range units {
		if d < u.size && d > -u.size {
			continue
		}
		whole, frac := d/u.size, (d%u.size)*1000/u.size
		if frac < 0 {
			frac = -frac
		}
		switch {
		case whole >= 100 || whole <= -100 || frac == 0:
			return fmt.Sprintf("%d %s", whole, u.name)
		case whole >= 10 || whole <= -10:
			return fmt.Sprintf("%d.%d %s", whole, frac/100, u.name)
		}
		return fmt.Sprintf("%d.%02d %s", whole, frac/10, u.name)
	}
	return fmt.Sprintf("%d ns", d)
}

// Count writes a number of things.
func Count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " " + what
}
