package transport

import (
	"time"

	"github.com/klamm-log/klamm/core"
)

// Clock is the machine's real clock: Mono counts from the making of the Clock and never goes back, Wall is what the
// operating system says.
type Clock struct{ start time.Time }

// NewClock is a clock whose Mono starts now.
func NewClock() *Clock { return &Clock{start: time.Now()} }

// Now reads both clocks.
func (c *Clock) Now() core.Now {
	t := time.Now()
	return core.Now{Mono: core.Mono(t.Sub(c.start)), Wall: core.Wall(t.UnixMilli())}
}
