package compact

import (
	"fmt"
	"math"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/log/txindex"
	"github.com/klamm-log/klamm/core/record"
)

// Error is a reason for which a log cannot be cleaned. The values are constants, compare with errors.Is.
type Error string

// Error makes the value an error.
func (e Error) Error() string { return string(e) }

// Reasons to leave a log alone.
const (
	// ErrDamaged is a batch that is not what was written. A rewrite would give it a new, right checksum.
	ErrDamaged Error = "compact: a batch is damaged"
)

// Options are the parameters of a round.
type Options struct {
	Range           Range
	Policy          Policy
	Keys            *Map
	Producers       []pstate.Producer // the log's table, as of its end
	MaxDecompressed int64             // bytes of one batch's records
	// Aborted are the aborted transactions that reach into the cleaned part, by first offset. No transaction is open there.
	Aborted []txindex.Txn
}

// Round is one round of cleaning. First every batch from the dirty part goes through Index, then, from the log's first
// segment on, every batch through Filter. It belongs to one goroutine.
type Round struct {
	o     Options
	end   core.Offset // everything below it is indexed
	full  bool        // the map is
	txns  txns
	last  map[core.ProducerID]lastBatch
	count Counters

	codecs  *record.Codecs
	iter    record.Iterator
	builder record.Builder
	kept    []record.Record
}

// lastBatch is the end of one producer's batches.
type lastBatch struct {
	data    core.Offset        // of the newest batch of records in the whole log, or NoOffset
	epoch   core.ProducerEpoch // of a producer without one
	indexed core.Offset        // of the newest batch of records in the indexed part, or NoOffset
	marked  bool               // the indexed part has a marker of epoch
}

// Counters are what a round has seen.
type Counters struct {
	Indexed   int64 // records of the dirty part
	Read      int64 // records that went through Filter
	Kept      int64 // those that are left
	Keyless   int64 // those dropped because they have no key
	Rewritten int64 // batches that were made anew
	Emptied   int64 // batches that are left without records
	Dropped   int64 // batches that are gone
}

// NewRound begins a round.
func NewRound(o Options, codecs *record.Codecs) *Round {
	r := &Round{o: o, end: o.Range.FirstDirty, codecs: codecs, last: make(map[core.ProducerID]lastBatch, len(o.Producers))}
	for i := range o.Producers {
		p := &o.Producers[i]
		r.last[p.ID] = lastBatch{data: p.LastOffset, epoch: p.Epoch, indexed: core.NoOffset}
	}
	r.txns.aborted = o.Aborted
	return r
}

// End is where the round ends: everything below it will be clean. It is the end of the range unless the map was full.
func (r *Round) End() core.Offset { return r.end }

// Counters is what the round has seen so far.
func (r *Round) Counters() Counters { return r.count }

// Index remembers the keys of a batch of the dirty part; batches come in order. It reports that the map is full: then the
// rest of the dirty part is left for the next round, from the first record on that did not fit.
func (r *Round) Index(b record.Batch) (full bool, err error) {
	h := b.Header()
	if b.VerifyCRC() != nil {
		return false, ErrDamaged
	}
	p, remembered := r.last[h.ProducerID]
	if h.Attributes.Control() {
		r.txns.marker(&h)
		if remembered && h.ProducerEpoch == p.epoch {
			p.marked = true
			r.last[h.ProducerID] = p
		}
		r.end = max(r.end, h.NextOffset())
		return false, nil
	}
	// Records that were aborted replace nothing.
	if !r.txns.data(&h) && h.RecordCount > 0 {
		if err := r.indexRecords(b); r.full || err != nil {
			return r.full, err
		}
	}
	if remembered {
		p.indexed = h.LastOffset()
		r.last[h.ProducerID] = p
	}
	r.end = max(r.end, h.NextOffset())
	return false, nil
}

// indexRecords puts the records' keys into the map. A batch may hold more keys than the map: the round then ends inside
// it, or there would never be an end (Kafka gives up such a partition).
func (r *Round) indexRecords(b record.Batch) error {
	if r.iter.Reset(b, r.codecs, r.o.MaxDecompressed) != nil {
		return ErrDamaged
	}
	var rec record.Record
	for r.iter.Next(&rec) {
		if rec.Offset < r.o.Range.FirstDirty {
			continue
		}
		r.count.Indexed++
		if rec.Key != nil && !r.o.Keys.Put(rec.Key, rec.Offset) {
			r.end, r.full = max(r.end, rec.Offset), true
			return nil
		}
	}
	if r.iter.Err() != nil {
		return ErrDamaged
	}
	return nil
}

// Indexed ends the first part of the round. Unless the map was full the end is that of the range: its last offsets may be
// a hole.
func (r *Round) Indexed() {
	if !r.full {
		r.end = r.o.Range.End
	}
	r.txns = txns{aborted: r.o.Aborted}
}

// Filter appends to dst what is left of a batch at the given time; batches come in order, from the log's first segment
// on. closing says that no batch follows in its output segment: it stays, empty if need be, so that the segment's extent
// can be told after a crash.
func (r *Round) Filter(dst []byte, b record.Batch, now core.Wall, closing bool) ([]byte, error) {
	h := b.Header()
	if b.VerifyCRC() != nil {
		return dst, ErrDamaged
	}
	drop, horizon := r.discards(&h, now)
	last := r.lastOfProducer(&h)
	stays := closing || last
	// A marker that nobody's data need any more is the last word on its producer's epoch: an empty one would say nothing to
	// whoever reads the log again.
	drop = drop && !(last && h.Attributes.Control())
	if drop && !stays {
		r.count.Dropped++
		r.count.Read += int64(h.RecordCount)
		return dst, nil
	}
	if h.BaseOffset >= r.end && !drop && !horizon { // not indexed: left as it is
		return append(dst, b...), nil
	}
	tombstones, err := r.retain(b, &h, drop, now)
	switch {
	case err != nil:
		return dst, err
	case len(r.kept) == 0 && !stays:
		r.count.Dropped++
		return dst, nil
	case len(r.kept) == 0:
		r.count.Emptied++
		return record.AppendEmpty(dst, h), nil
	}
	// A horizon is set only if all of the batch is indexed. Above the end an older value of the same key may be left, for
	// another round to remove: a reader who begins before that round would find the value, and no tombstone.
	fresh := (horizon || tombstones && h.NextOffset() <= r.end) && !h.Attributes.HasDeleteHorizon()
	if len(r.kept) == int(h.RecordCount) && !fresh {
		return append(dst, b...), nil
	}
	r.count.Rewritten++
	return r.rebuild(dst, &h, fresh, now)
}

// discards reports whether the records of a batch are nobody's any more, whatever their keys: aborted data, or a marker
// without data whose delete horizon has passed. horizon says that a marker has no data any more and must get one.
func (r *Round) discards(h *record.Header, now core.Wall) (drop, horizon bool) {
	if !h.Attributes.Control() {
		return r.txns.data(h), false
	}
	if !r.txns.marker(h) {
		return false, false
	}
	at, set := h.DeleteHorizon()
	return set && at <= now || h.RecordCount == 0, h.RecordCount > 0
}

// lastOfProducer reports whether the batch is the last of a producer that is still remembered: without it a log that is
// read again would not know the producer's last sequence, and take a repeat for new (KIP-98). The last batch of one whose newest
// epoch has only markers is a marker: it has the epoch that fences the producer's zombies.
//
// Kafka looks at the producer's newest batch in the whole log. That one may lie above the HighWatermark and be truncated
// away with the next change of leaders; then the newest one below must be there.
func (r *Round) lastOfProducer(h *record.Header) bool {
	p, ok := r.last[h.ProducerID]
	fenced := p.data == core.NoOffset
	switch {
	case !ok || !h.HasProducerID():
		return false
	case h.Attributes.Control():
		return fenced && h.ProducerEpoch == p.epoch
	case fenced && p.marked:
		return false
	case p.indexed != core.NoOffset:
		return h.LastOffset() == p.indexed || h.LastOffset() == p.data
	}
	// The clean part holds what earlier rounds left of the producer: its last batch of then, and records.
	return h.LastOffset() == p.data || fenced || p.data >= r.end
}

// retain fills r.kept with the records that stay and reports whether tombstones are among them.
func (r *Round) retain(b record.Batch, h *record.Header, drop bool, now core.Wall) (tombstones bool, err error) {
	r.kept = r.kept[:0]
	r.count.Read += int64(h.RecordCount)
	if drop || h.RecordCount == 0 {
		return false, nil
	}
	if r.iter.Reset(b, r.codecs, r.o.MaxDecompressed) != nil {
		return false, ErrDamaged
	}
	horizon, set := h.DeleteHorizon()
	expired := set && now >= horizon
	var rec record.Record
	for r.iter.Next(&rec) {
		if h.Attributes.Control() || r.keeps(&rec, expired) {
			r.kept = append(r.kept, rec)
			tombstones = tombstones || rec.Value == nil
		}
	}
	if r.iter.Err() != nil {
		return false, ErrDamaged
	}
	r.count.Kept += int64(len(r.kept))
	return tombstones, nil
}

// keeps decides about one record of a producer.
func (r *Round) keeps(rec *record.Record, expired bool) bool {
	switch {
	case rec.Offset >= r.end:
		return true
	case rec.Key == nil:
		r.count.Keyless++ // from before the topic was compacted: it is nobody's latest value
		return false
	case rec.Offset < r.o.Keys.Last(rec.Key):
		return false
	}
	return rec.Value != nil || !expired
}

// rebuild appends a batch of the kept records: same offsets, producer, codec, timestamps, headers; the delete horizon of
// before, or a fresh one.
func (r *Round) rebuild(dst []byte, h *record.Header, fresh bool, now core.Wall) ([]byte, error) {
	o := record.Options{
		Codec: h.Attributes.Codec(), BaseOffset: h.BaseOffset, PartitionLeaderEpoch: h.PartitionLeaderEpoch,
		Transactional: h.Attributes.Transactional(), Control: h.Attributes.Control(),
		Idempotent: true, ProducerID: h.ProducerID, ProducerEpoch: h.ProducerEpoch, BaseSequence: h.BaseSequence,
	}
	if h.Attributes.TimestampType() == record.LogAppendTime {
		o.AppendTime, o.LogAppendTime = true, h.MaxTimestamp
	}
	o.DeleteHorizon, o.Cleaned = h.DeleteHorizon()
	if fresh {
		o.Cleaned, o.DeleteHorizon = true, after(now, r.o.Policy.DeleteRetentionMs)
	}
	r.builder.Begin(dst, o)
	for i := range r.kept {
		if err := r.builder.Copy(&r.kept[i]); err != nil {
			return dst, fmt.Errorf("%w: %w", ErrDamaged, err) // a record that was read fits
		}
	}
	r.builder.KeepLast(h.LastOffset())
	return r.builder.Finish(r.codecs)
}

// after is the time ms after now; delete.retention.ms may be as large as its type.
func after(now core.Wall, ms int64) core.Wall {
	if ms > math.MaxInt64-int64(now) {
		return math.MaxInt64
	}
	return now + core.Wall(ms)
}
