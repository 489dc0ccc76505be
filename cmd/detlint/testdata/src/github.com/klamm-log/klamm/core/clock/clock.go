// Package clock holds every way to the machine's clock.
package clock

import "time"

func reads() {
	start := time.Now()              // want `time.Now: time is an input: take core.Now as a parameter`
	_ = time.Since(start)            // want `time.Since: time is an input`
	_ = time.Until(start)            // want `time.Until: time is an input`
	time.Sleep(1)                    // want `time.Sleep: nothing waits here: keep a deadline in the state and report it from NextDeadline`
	_ = time.After(1)                // want `time.After: nothing waits here`
	_ = time.Tick(1)                 // want `time.Tick: nothing waits here`
	_ = time.NewTimer(1)             // want `time.NewTimer: nothing waits here`
	_ = time.NewTicker(1)            // want `time.NewTicker: nothing waits here`
	_ = time.AfterFunc(1, func() {}) // want `time.AfterFunc: nothing waits here`
	now := time.Now                  // want `time.Now: time is an input`
	_ = now
}

func zones(at time.Time) {
	_ = at.Local()        // want `time.Time.Local: the time zone belongs to the machine; use UTC`
	_ = at.In(time.Local) // want `time.Local: the time zone belongs`
	_ = time.UnixMilli(1) // want `time.UnixMilli: its result is in the machine's time zone; call .UTC\(\) on it at once`
	_ = time.UnixMilli(1).UTC()
	_ = time.Unix(1, 0).Unix() // want `time.Unix: its result is in the machine's time zone`
	_ = time.Duration(3) * time.Second
	_ = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
}
