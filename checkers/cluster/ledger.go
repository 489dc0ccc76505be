package cluster

import (
	"sort"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// ledger is the batches of one log, ascending and without overlap, from start on. What retention removes from the front
// stays in it: nothing that is compared with it looks there.
type ledger struct {
	start   core.Offset
	batches []history.Stored
}

// end is the offset behind the last batch.
func (l *ledger) end() core.Offset {
	if n := len(l.batches); n > 0 {
		return l.batches[n-1].Last + 1
	}
	return l.start
}

// at is the index of the first batch that ends at or above an offset.
func (l *ledger) at(o core.Offset) int {
	return sort.Search(len(l.batches), func(i int) bool { return l.batches[i].Last >= o })
}

// begin is where an epoch begins, or the end if no batch is of it.
func (l *ledger) begin(epoch core.LeaderEpoch) core.Offset {
	i := len(l.batches)
	for i > 0 && l.batches[i-1].Epoch >= epoch {
		i--
	}
	if i == len(l.batches) {
		return l.end()
	}
	return l.batches[i].Base
}

// cut removes every batch that reaches an offset or lies above it. Logs are cut between batches; a batch that spans the
// cut goes as a whole, as in Kafka.
func (l *ledger) cut(o core.Offset) {
	l.batches = l.batches[:l.at(o)]
	if len(l.batches) == 0 {
		l.start = min(l.start, o)
	}
}

// restart empties the ledger.
func (l *ledger) restart(o core.Offset) { l.start, l.batches = o, l.batches[:0] }

// append adds a batch behind the last; false if it does not follow it. The log start may lie within the first batch.
func (l *ledger) append(b history.Stored) bool {
	if len(l.batches) == 0 {
		if b.Last < l.start || b.Base > l.start {
			return false
		}
	} else if b.Base != l.end() {
		return false
	}
	l.batches = append(l.batches, b)
	return true
}

// differs is the first batch of want that lies within [from, to) and is not in l just so; have is what l has instead, zero
// if nothing. Batches below l's start are taken for deleted. A batch that spans to is not compared.
func (l *ledger) differs(want *ledger, from, to core.Offset) (w, have history.Stored, found bool) {
	from = max(from, l.start)
	j := l.at(from)
	for i := want.at(from); i < len(want.batches) && want.batches[i].Last < to; i++ {
		w = want.batches[i]
		if w.Base < l.start {
			continue // the front of it was deleted, and the batch with it, or is about to be
		}
		for j < len(l.batches) && l.batches[j].Last < w.Base {
			j++
		}
		if j == len(l.batches) {
			return w, history.Stored{}, true
		}
		if l.batches[j] != w {
			return w, l.batches[j], true
		}
	}
	return w, have, false
}
