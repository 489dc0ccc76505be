package cluster

import (
	"math"
	"sort"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// producers is the oracle's own fold over one replica's log: plainer than the broker's, without windows, snapshots and expiry.
type producers struct {
	rows map[core.ProducerID]*row
	// ended are transactions whose marker may not be committed, in the order of their markers.
	ended []ending
	// whole says that the fold began at offset 0 and has missed nothing. What begins later, because retention or compaction has taken what
	// was before, knows less than the replica may.
	whole     bool
	forgotten map[core.ProducerID]core.Offset // by expiry: the producer's last offset then
}

// row is one producer.
type row struct {
	history.ProducerState
	last core.Offset // of its newest batch or marker
}

// ending is a transaction with a marker.
type ending struct{ first, marker core.Offset }

// fold begins anew with all batches of a log.
func (r *replica) fold() {
	f := &r.producers
	f.rows, f.ended, f.whole = make(map[core.ProducerID]*row), nil, r.log.start == 0
	next := core.Offset(0)
	for i := range r.log.batches {
		b := &r.log.batches[i]
		f.whole = f.whole && b.Base == next
		next = b.Last + 1
		f.apply(b)
	}
}

// apply takes the next batch.
func (f *producers) apply(b *history.Stored) {
	p := &b.Produced
	if !p.By {
		return
	}
	if f.rows == nil {
		f.rows = make(map[core.ProducerID]*row)
	}
	w := f.rows[p.ID]
	if w == nil {
		w = &row{ProducerState: history.ProducerState{ID: p.ID, Epoch: p.Epoch, LastSeq: -1, LastOffset: core.NoOffset, Coordinator: -1,
			TxnFirst: core.NoOffset}}
		f.rows[p.ID] = w
	}
	if w.Epoch != p.Epoch { // sequence numbers begin anew
		w.Epoch, w.LastSeq, w.LastOffset = p.Epoch, -1, core.NoOffset
	}
	w.last = b.Last
	if p.Marker {
		w.Coordinator = p.Coordinator
		if w.TxnFirst != core.NoOffset {
			f.ended = append(f.ended, ending{w.TxnFirst, b.Last})
			w.TxnFirst = core.NoOffset
		}
		return
	}
	w.LastSeq, w.LastOffset = p.LastSeq, b.Last
	if p.Transactional && w.TxnFirst == core.NoOffset {
		w.TxnFirst = b.Base
	}
}

// fenced checks that what a log takes is not of somebody who was fenced there (KIP-98). Who has forgotten a producer, because it was silent
// or the log's beginning is gone, cannot know.
func (o *Oracle) fenced(at core.Mono, p *partition, r *replica, b *history.Stored) {
	x, w := &b.Produced, r.producers.rows[b.Produced.ID]
	if !x.By || w == nil || x.Epoch >= w.Epoch && (!x.Marker || x.Coordinator >= w.Coordinator) {
		return
	}
	for _, m := range p.replicas {
		if _, forgotten := m.producers.forgotten[x.ID]; forgotten || !m.whole(p) {
			return
		}
	}
	o.report(at, TxnFenced, p, b.Base, "node %d appends a batch of producer %d in epoch %d (marker: %v, of coordinator epoch %d), which was in epoch %d, and its coordinator in %d",
		r.node.id, x.ID, x.Epoch, x.Marker, x.Coordinator, w.Epoch, w.Coordinator)
}

// unstable is the first offset that is not decided below a HighWatermark, or the largest offset there is.
func (f *producers) unstable(hw core.Offset) core.Offset {
	first := core.Offset(math.MaxInt64)
	for _, w := range f.rows { //det:unordered a minimum
		if w.TxnFirst != core.NoOffset {
			first = min(first, w.TxnFirst)
		}
	}
	n := sort.Search(len(f.ended), func(i int) bool { return f.ended[i].marker >= hw })
	for _, e := range f.ended[n:] {
		first = min(first, e.first)
	}
	f.ended = f.ended[n:]
	return first
}

// Forgotten implements [history.ProducerWitness].
func (o *Oracle) Forgotten(at core.Mono, id core.NodeID, k history.Key, producer core.ProducerID) {
	p := o.part(k)
	r := p.replica(id)
	if r == nil {
		return
	}
	w := r.producers.rows[producer]
	switch {
	case w == nil:
		return
	case w.TxnFirst != core.NoOffset:
		o.report(at, PstatePure, p, w.TxnFirst, "node %d has forgotten producer %d, whose transaction is open from %d on", id, producer, w.TxnFirst)
	}
	if r.producers.forgotten == nil {
		r.producers.forgotten = make(map[core.ProducerID]core.Offset)
	}
	r.producers.forgotten[producer] = w.last
}

// Producers implements [history.ProducerWitness].
func (o *Oracle) Producers(at core.Mono, l history.ProducerLook) {
	p := o.part(l.Key)
	r := p.replica(l.Node)
	if r == nil || !r.open || p.raft() {
		return
	}
	first := r.producers.unstable(l.HighWatermark)
	want := min(l.HighWatermark, max(l.LogStartOffset, first))
	// A replica that knows where a transaction began before its log did holds the LastStableOffset at the log start.
	if exact := l.LastStableOffset == want; !exact && (r.whole(p) || l.LastStableOffset != l.LogStartOffset) {
		o.report(at, LsoExact, p, l.LastStableOffset, "node %d has LastStableOffset %d, HighWatermark %d, log start %d; the first undecided transaction begins at %d (%d: none)",
			l.Node, l.LastStableOffset, l.HighWatermark, l.LogStartOffset, first, int64(math.MaxInt64))
		return
	}
	p.stable = max(p.stable, l.LastStableOffset)
	if l.Changed {
		o.pure(at, p, r, &l)
	}
}

// whole reports whether the oracle's fold has missed nothing.
func (r *replica) whole(p *partition) bool { return r.producers.whole && !p.compacted }

// pure compares a replica's producer table with the fold over its log.
func (o *Oracle) pure(at core.Mono, p *partition, r *replica, l *history.ProducerLook) {
	f, whole := &r.producers, r.whole(p)
	held := 0
	for i := range l.Producers {
		have := &l.Producers[i]
		w := f.rows[have.ID]
		if w == nil {
			if whole || have.LastOffset >= r.log.start && !p.compacted || have.TxnFirst >= max(r.log.start, l.LogStartOffset) {
				o.report(at, PstatePure, p, have.LastOffset, "node %d holds producer %d (%+v), of whom its log knows nothing", l.Node, have.ID, *have)
				return
			}
			continue
		}
		held++
		if what := differ(w, have, whole, r.log.start); what != "" {
			o.report(at, PstatePure, p, w.last, "node %d holds %+v of producer %d; its log says %+v: %s", l.Node, *have, have.ID, w.ProducerState, what)
			return
		}
	}
	if held == len(f.rows) {
		return
	}
	known := make(map[core.ProducerID]bool, len(l.Producers))
	for i := range l.Producers {
		known[l.Producers[i].ID] = true
	}
	var missing *row
	for _, w := range f.rows { //det:unordered the least id
		at, gone := f.forgotten[w.ID]
		if !known[w.ID] && !(gone && at >= w.last) && (missing == nil || w.ID < missing.ID) {
			missing = w
		}
	}
	if missing != nil {
		o.report(at, PstatePure, p, missing.last, "node %d knows nothing of producer %d; its log says %+v", l.Node, missing.ID, missing.ProducerState)
	}
}

// differ says what a replica holds otherwise than its log says. Of what stands before the log's beginning the replica may know more.
func differ(w *row, have *history.ProducerState, whole bool, start core.Offset) string {
	switch {
	case have.Epoch != w.Epoch:
		return "another epoch"
	case have.LastSeq != w.LastSeq && (whole || w.LastOffset != core.NoOffset):
		return "another sequence number"
	case have.LastOffset != w.LastOffset && (whole || w.LastOffset != core.NoOffset):
		return "another last offset"
	case have.Coordinator != w.Coordinator && (whole || w.Coordinator > have.Coordinator):
		return "another coordinator epoch"
	case have.TxnFirst == w.TxnFirst:
	case whole, have.TxnFirst == core.NoOffset, have.TxnFirst >= start:
		return "another open transaction"
	}
	return ""
}
