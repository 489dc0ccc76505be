package compact

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/txindex"
	"github.com/klamm-log/klamm/core/record"
)

// txns tells, during one pass in offset order, which batches belong to aborted transactions, and which markers have
// nothing left to decide about.
type txns struct {
	aborted []txindex.Txn // by First
	next    int           // the first that has not begun
	open    map[core.ProducerID]*openTxn
}

// openTxn is a transaction whose marker was not met yet.
type openTxn struct {
	aborted bool
	data    bool // some of its batches are still in the log
}

// begin notes the aborted transactions that begin at or below the offset.
func (t *txns) begin(o core.Offset) {
	for ; t.next < len(t.aborted) && t.aborted[t.next].First <= o; t.next++ {
		t.of(t.aborted[t.next].ProducerID).aborted = true
	}
}

func (t *txns) of(id core.ProducerID) *openTxn {
	if t.open == nil {
		t.open = make(map[core.ProducerID]*openTxn)
	}
	x := t.open[id]
	if x == nil {
		x = &openTxn{}
		t.open[id] = x
	}
	return x
}

// data notes a batch of records and reports whether it was aborted: nobody will ever read it.
func (t *txns) data(h *record.Header) bool {
	t.begin(h.LastOffset())
	if !h.Attributes.Transactional() {
		return false
	}
	x := t.of(h.ProducerID)
	x.data = true
	return x.aborted
}

// marker notes a control batch and reports whether nothing depends on it any more. A marker whose data are dropped in
// this very round still counts: a reader may hold them, and must learn the outcome (KAFKA-8351: the marker of the first
// of several segments must not go while data stand in a later one, which is why the pass has one state for all groups).
func (t *txns) marker(h *record.Header) bool {
	t.begin(h.LastOffset())
	if h.RecordCount == 0 {
		return true // an earlier round has emptied it
	}
	if !h.HasProducerID() {
		return false // not a marker but the quorum's: it tells what no other record does
	}
	x := t.open[h.ProducerID]
	delete(t.open, h.ProducerID)
	return x == nil || !x.data
}
