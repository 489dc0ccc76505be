package log

import (
	"sort"

	"github.com/klamm-log/klamm/core"
)

// EpochStart says that a leader epoch begins at an offset.
type EpochStart struct {
	Epoch core.LeaderEpoch
	Start core.Offset
}

// epochCache is the log's leader epochs, ascending in both fields (KIP-101).
type epochCache struct {
	entries []EpochStart
	// saved is the number of leading entries that the checkpoint file is known to hold durably. They may be followed
	// in the file by entries that are gone from here; recovery drops those when it meets the batches.
	saved int
	dirty bool // the file differs
}

// latest is the newest epoch, or NoLeaderEpoch.
func (c *epochCache) latest() core.LeaderEpoch {
	if n := len(c.entries); n > 0 {
		return c.entries[n-1].Epoch
	}
	return core.NoLeaderEpoch
}

// assign notes that batches from start on carry the epoch. Entries that begin at or after start belong to leaderships
// that left no record here (a leader that was deposed before its first append), as do higher epochs.
//
// The order of the tests matters. Entries (4, 0) and (5, 10), the latter without records; then the leader of epoch 6
// sends more of epoch 4: epoch 5 has to go, and epoch 4 still begins at 0.
func (c *epochCache) assign(e core.LeaderEpoch, start core.Offset) {
	if e < 0 {
		return
	}
	n := len(c.entries)
	for n > 0 && (c.entries[n-1].Epoch > e || c.entries[n-1].Start > start ||
		c.entries[n-1].Start == start && c.entries[n-1].Epoch != e) {
		n--
	}
	changed := n != len(c.entries)
	c.entries = c.entries[:n]
	c.saved = min(c.saved, n)
	if n == 0 || c.entries[n-1].Epoch != e {
		c.entries = append(c.entries, EpochStart{Epoch: e, Start: start})
		changed = true
	}
	c.dirty = c.dirty || changed
}

// truncateEnd drops the epochs that begin at or above end, where the log now ends.
func (c *epochCache) truncateEnd(end core.Offset) {
	n := len(c.entries)
	for n > 0 && c.entries[n-1].Start >= end {
		n--
	}
	c.dirty = c.dirty || n != len(c.entries)
	c.entries = c.entries[:n]
	c.saved = min(c.saved, n)
}

// truncateStart drops the epochs that end at or below start, where the log now begins; the epoch that start falls into
// then begins there.
func (c *epochCache) truncateStart(start core.Offset) {
	n := sort.Search(len(c.entries), func(i int) bool { return c.entries[i].Start > start })
	if n == 0 || n == 1 && c.entries[0].Start == start {
		return
	}
	n-- // the epoch that contains start stays
	c.entries = append(c.entries[:0], c.entries[n:]...)
	c.entries[0].Start = start
	c.saved = max(0, c.saved-n)
	c.dirty = true
}

// end is the largest known epoch at or below the one asked for, and the offset after its last record (KIP-279: the
// asker may have an epoch that this log never saw, and must then fall back to the one before). Unknown: (-1, -1).
func (c *epochCache) end(asked core.LeaderEpoch, logEnd core.Offset) (core.LeaderEpoch, core.Offset) {
	if asked < 0 {
		return core.NoLeaderEpoch, core.NoOffset
	}
	if asked == c.latest() {
		return asked, logEnd
	}
	higher := sort.Search(len(c.entries), func(i int) bool { return c.entries[i].Epoch > asked })
	switch {
	case higher == len(c.entries): // newer than anything here
		return core.NoLeaderEpoch, core.NoOffset
	case higher == 0: // older than anything here: it ended where our first epoch begins
		return asked, c.entries[0].Start
	}
	return c.entries[higher-1].Epoch, c.entries[higher].Start
}

// of is the epoch of the record at the offset, or NoLeaderEpoch.
func (c *epochCache) of(o core.Offset) core.LeaderEpoch {
	i := sort.Search(len(c.entries), func(i int) bool { return c.entries[i].Start > o })
	if i == 0 {
		return core.NoLeaderEpoch
	}
	return c.entries[i-1].Epoch
}

// EpochEnd is the largest known leader epoch at or below the one asked for and the offset at which it ends
// (OffsetForLeaderEpoch, KIP-101 and 279); (-1, -1) if this log knows nothing of it.
func (l *Log) EpochEnd(asked core.LeaderEpoch) (core.LeaderEpoch, core.Offset) {
	epoch, end := l.EpochBoundary(asked)
	if end >= 0 {
		end = max(end, l.start) // the cache reaches back to the first segment's base
	}
	return epoch, end
}

// EpochBoundary is EpochEnd as far as the history reaches back, perhaps below the log start: what a follower's log must
// not reach beyond in that epoch. A follower that ends just at the log start, with an epoch that ended before it here,
// holds something else than this log once did.
func (l *Log) EpochBoundary(asked core.LeaderEpoch) (core.LeaderEpoch, core.Offset) {
	return l.epochs.end(asked, l.end)
}

// LatestEpoch is the newest leader epoch of the log, or NoLeaderEpoch.
func (l *Log) LatestEpoch() core.LeaderEpoch { return l.epochs.latest() }

// EpochOf is the leader epoch of the record at an offset, or NoLeaderEpoch.
func (l *Log) EpochOf(o core.Offset) core.LeaderEpoch { return l.epochs.of(o) }

// AssignEpoch notes that a leadership begins at the log's end: a new leader calls it before its first append, so that
// followers which ask for the epoch get an answer (KIP-101).
func (l *Log) AssignEpoch(e core.LeaderEpoch) { l.epochs.assign(e, l.end) }

// Epochs is the leader epochs, oldest first; the slice is the log's own and valid until the next call.
func (l *Log) Epochs() []EpochStart { return l.epochs.entries }
