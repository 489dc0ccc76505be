package simdisk

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
)

// Config is all that shapes a disk besides its seed. The zero Config is a healthy disk without a size limit.
type Config struct {
	Meta     Latency `json:"meta,omitzero"`      // Open, Close, Rename, Remove, Mkdir, RemoveDir, List, Truncate
	Read     Latency `json:"read,omitzero"`      // Read
	Append   Latency `json:"append,omitzero"`    // Append, into the page cache
	Sync     Latency `json:"sync,omitzero"`      // Sync and SyncDir
	Capacity int64   `json:"capacity,omitempty"` // bytes of file contents that fit; 0 is no limit
	Plan     []Fault `json:"plan,omitempty"`
	// Outcomes are the fates that an unsynced write may meet at a power loss; empty allows all. A shrinker narrows it.
	Outcomes []Outcome `json:"outcomes,omitempty"`
}

// Latency is a distribution of service times. The zero Latency stands for the default of the operation's class.
type Latency struct {
	Base core.Mono `json:"base"` // least
	Skew core.Mono `json:"skew"` // added: below this bound, small values likelier
	// One operation in SlowOneIn takes Slow longer (a cleaner, a flush of another tenant); 0 is never.
	SlowOneIn int64     `json:"slow_one_in"`
	Slow      core.Mono `json:"slow"`
}

// withDefaults fills in the classes that were left zero: a cloud volume with a write-back page cache.
func (c Config) withDefaults() Config {
	fill := func(l *Latency, d Latency) {
		if *l == (Latency{}) {
			*l = d
		}
	}
	fill(&c.Meta, Latency{Base: 10 * core.Microsecond, Skew: 200 * core.Microsecond, SlowOneIn: 500, Slow: 10 * core.Millisecond})
	fill(&c.Read, Latency{Base: 2 * core.Microsecond, Skew: 500 * core.Microsecond, SlowOneIn: 500, Slow: 10 * core.Millisecond})
	fill(&c.Append, Latency{Base: 2 * core.Microsecond, Skew: 20 * core.Microsecond, SlowOneIn: 2000, Slow: 20 * core.Millisecond})
	fill(&c.Sync, Latency{Base: 50 * core.Microsecond, Skew: 5 * core.Millisecond, SlowOneIn: 300, Slow: 50 * core.Millisecond})
	return c
}

// draw is one service time. It always takes the same number of draws, so that the stream stays aligned when a
// distribution changes.
func (l Latency) draw(r *prng.Rand) core.Mono {
	at := l.Base + core.Mono(r.Skewed(max(1, int64(l.Skew))))
	if slow := r.Chance(1, max(1, l.SlowOneIn)); slow && l.SlowOneIn > 0 {
		at += l.Slow
	}
	return at
}
