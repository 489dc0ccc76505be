// Package cleaner decides which of a node's logs is compacted next. The work itself is core/log's.
//
// # What it models
//
// Kafka's cleaner threads: as many rounds of compaction at the same time as log.cleaner.threads says, each in the log of
// which the largest part is dirty (min.cleanable.dirty.ratio), or in one where records have waited too long
// (max.compaction.lag.ms, KIP-354). Their memory and their rate are shared equally. A look that finds nothing is repeated
// after log.cleaner.backoff.ms; the end of a round is looked after at once. No log has a timer of its own.
//
// # State and callers
//
// A [Manager] knows the rounds under way and when to look again, nothing else: which logs there are and how far they may be
// cleaned it is told at each look. core/broker calls [Manager.Tick] when [Manager.NextDeadline] has come.
package cleaner

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/log/compact"
	"github.com/klamm-log/klamm/core/step"
)

// chunkBytes is the most that a round works on in one turn of the loop: about a third of a millisecond.
const chunkBytes = 64 << 10

// Candidate is a log of a compacted topic.
type Candidate struct {
	Log        *log.Log
	Stable     core.Offset // LastStableOffset: the cleaner goes no further
	Everywhere core.Offset // what all replicas have: tombstones and markers go only below it
}

// Manager starts rounds of compaction.
type Manager struct {
	cfg    config.Cleaner
	active []*log.Log
	lookAt core.Mono
}

// New is a manager that looks for the first time one log.cleaner.backoff.ms from now.
func New(now core.Now, cfg config.Cleaner) *Manager {
	return &Manager{cfg: cfg, lookAt: now.Mono.Add(core.Millis(cfg.BackoffMs))}
}

// NextDeadline is when Tick wants to be called: at once, with 0, when a round has ended.
func (m *Manager) NextDeadline() (core.Mono, bool) {
	if m.cfg.Disabled {
		return 0, false
	}
	for _, l := range m.active {
		if !l.Cleaning() {
			return 0, true
		}
	}
	// While all threads are busy there is nothing to look for.
	return m.lookAt, len(m.active) < int(m.cfg.Threads)
}

// Tick starts what is due, among the logs that candidates yields. started is told each log in which a round has begun.
func (m *Manager) Tick(
	now core.Now, candidates func(yield func(Candidate)), started func(*log.Log), out *step.Effects,
) {
	if at, ok := m.NextDeadline(); !ok || at > now.Mono {
		return
	}
	busy := m.active[:0]
	for _, l := range m.active {
		if l.Cleaning() {
			busy = append(busy, l)
		}
	}
	clear(m.active[len(busy):])
	m.active = busy
	for len(m.active) < int(m.cfg.Threads) {
		c, found := m.dirtiest(now, candidates)
		if !found || !c.Log.StartCleaning(now, m.options(&c), out) {
			m.lookAt = now.Mono.Add(core.Millis(m.cfg.BackoffMs))
			return
		}
		m.active = append(m.active, c.Log)
		started(c.Log)
	}
}

// dirtiest is the log that needs it most.
func (m *Manager) dirtiest(now core.Now, candidates func(yield func(Candidate))) (best Candidate, found bool) {
	var most compact.Range
	candidates(func(c Candidate) {
		if c.Log.Cleaning() {
			return
		}
		if r, due := c.Log.CleanDue(now, c.Stable); due && (!found || r.Dirtier(&most)) {
			best, most, found = c, r, true
		}
	})
	return best, found
}

// options are one round's share of what the configuration allows.
func (m *Manager) options(c *Candidate) log.CleanOptions {
	threads := int64(m.cfg.Threads)
	return log.CleanOptions{
		Stable: c.Stable, Everywhere: c.Everywhere, MapBytes: max(1, m.cfg.MapBytes/threads), MapLoad: max(1, m.cfg.MapLoad),
		ChunkBytes:     min(chunkBytes, max(1, int64(m.cfg.IOBufferBytes)/threads/2)),
		BytesPerSecond: max(1, m.cfg.BytesPerSecond/threads),
	}
}
