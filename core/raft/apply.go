package raft

import (
	"errors"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// Committed is one committed record, in order of offset. Control records are the quorum's own and not handed out.
type Committed struct {
	Offset core.Offset // of a snapshot's record: the snapshot's last offset
	Epoch  core.LeaderEpoch
	Value  []byte // of a metadata record; nil only if a snapshot without records is handed out

	// Reset says that state begins anew, and empty, with this record: it is the first of a snapshot. SnapshotEnd marks the
	// snapshot's last record; one Drain has both.
	Reset       bool
	SnapshotEnd bool
}

// reader walks the log's batches from an offset on, one read at a time.
type reader struct {
	next  core.Offset // of the next batch wanted
	op    step.OpID   // of the outstanding read, 0 if none
	query log.Query
	need  log.ReadRequest
	laps  uint64 // counts truncations: the files of a read from before one are closed
	lap   uint64 // of the outstanding read
	start core.Offset
}

// readOn reads the next batches below the bound.
func (q *Quorum) readOn(bound core.Offset, out *step.Effects) {
	r := &q.reader
	r.query = log.Query{Offset: r.next, MaxBytes: q.opts.ReadBytes, MinOneBatch: true, UpperBound: bound}
	q.locate(q.log.Locate(r.query), out)
}

// locate reads what a lookup answered with: the batches, or first the bytes it needs to find them.
func (q *Quorum) locate(at log.Located, out *step.Effects) {
	r := &q.reader
	if at.Code != core.ErrNone {
		q.fail("locating an offset in the metadata log: " + at.Code.String())
		return
	}
	r.need = at.Need
	op := readOf(at)
	if op.Len == 0 {
		return // not written yet
	}
	op.Op = q.ids.Op()
	r.op, r.lap, r.start = op.Op, r.laps, q.log.LogStartOffset()
	out.Disk = append(out.Disk, op)
}

// readOf is the read that a lookup asks for.
func readOf(at log.Located) step.DiskOp {
	op := step.DiskOp{Kind: step.Read, File: at.Span.File, Pos: at.Span.Pos, Len: at.Span.Len}
	if at.Need.Len > 0 {
		op.File, op.Pos, op.Len = at.Need.File, at.Need.Pos, at.Need.Len
	}
	return op
}

// ReadsDone takes a completion of the owner Reads.
func (q *Quorum) ReadsDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	switch {
	case d.Op == 0: // a silent operation failed: the awaited one behind it fails too
	case d.Op == q.reader.op:
		q.readDone(d, out)
	case d.Op == q.boot.list:
		q.listed(d, out)
	case q.snaps.opened(d):
		q.serveWaiting(now, out)
	default:
		q.lookupDone(now, d, out)
	}
}

// readDone takes the reader's bytes.
func (q *Quorum) readDone(d *step.DiskDone, out *step.Effects) {
	r := &q.reader
	r.op = 0
	if r.lap != r.laps {
		return // the log was cut meanwhile; what is still wanted is read again
	}
	switch {
	case d.Err == step.ErrNotExist && r.start != q.log.LogStartOffset(): // the segment went with the log's beginning
	case d.Err != step.DiskOK:
		q.fail("reading the metadata log: " + d.Err.String() + " " + d.Detail)
	case r.need.Len > 0:
		q.locate(q.log.ResolveLocate(r.query, r.need, d.Data), out)
	case q.phase == phaseOpening:
		q.walk(d.Data, r.query.UpperBound, q.observe)
	default:
		q.walk(d.Data, r.query.UpperBound, q.deliver)
	}
}

// walk passes whole batches at or above the reader's next offset and below the bound to visit.
func (q *Quorum) walk(data []byte, bound core.Offset, visit func(record.Batch) error) {
	for len(data) > 0 {
		b, rest, err := record.ParseBatch(data)
		if errors.Is(err, record.ErrIncomplete) || err == nil && b.LastOffset() >= bound {
			return
		}
		if err == nil {
			err = b.VerifyCRC() // KAFKA-14104: what the medium has spoilt must not become state
		}
		if err == nil && b.LastOffset() >= q.reader.next {
			err = visit(b)
			q.reader.next = b.NextOffset()
		}
		if err != nil {
			q.fail("the metadata log is damaged: " + err.Error())
			return
		}
		data = rest
	}
}

// observe folds a batch's control records into the voter history. It is called for every batch when it is appended, and
// for those that the log had at start-up.
func (q *Quorum) observe(b record.Batch) error {
	if !b.Attributes().Control() {
		return nil
	}
	return q.eachRecord(b, func(r *record.Record) error {
		c, err := controlOf(r)
		if err == nil && c != nil {
			q.voters.add(r.Offset, c)
		}
		return err
	})
}

// controlOf parses a control record; nil if its type is not the quorum's.
func controlOf(r *record.Record) (metadata.ControlRecord, error) {
	t, err := record.ParseControlKey(r.Key)
	if err != nil || t < record.ControlLeaderChange || t > record.ControlKRaftVoters {
		return nil, err
	}
	return metadata.ParseControl(metadata.ControlType(t), r.Value)
}

func (q *Quorum) eachRecord(b record.Batch, visit func(*record.Record) error) error {
	if err := q.iter.Reset(b, &q.codecs, record.DefaultMaxDecompressed); err != nil {
		return err
	}
	var r record.Record
	for q.iter.Next(&r) {
		if err := visit(&r); err != nil {
			return err
		}
	}
	return q.iter.Err()
}

// advance hands out what is committed: from memory what this process appended, from the log what was there before.
func (q *Quorum) advance(out *step.Effects) {
	for q.reader.op == 0 && q.applied.Offset < q.hw && q.log.Ready() && q.failed == "" {
		q.reader.next = q.applied.Offset
		if len(q.tail) == 0 || q.tail[0].BaseOffset() > q.applied.Offset {
			end := q.hw
			if len(q.tail) > 0 {
				end = min(end, q.tail[0].BaseOffset())
			}
			q.readOn(end, out)
			return
		}
		b := q.tail[0]
		if b.LastOffset() >= q.hw {
			return
		}
		q.tail[0] = nil
		q.tail = q.tail[1:]
		if err := q.deliver(b); err != nil {
			q.fail("a batch of the metadata log: " + err.Error())
		}
	}
}

// deliver hands one batch's metadata records out. Values are views of the batch's bytes, which nobody changes.
func (q *Quorum) deliver(b record.Batch) error {
	if b.LastOffset() < q.applied.Offset {
		return nil
	}
	invariant.Check(b.NextOffset() <= q.hw, "batch up to %d handed out, high watermark %d", b.NextOffset(), q.hw)
	q.applied = OffsetAndEpoch{b.NextOffset(), b.PartitionLeaderEpoch()}
	q.appliedBytes += b.SizeInBytes()
	q.appliedAt = max(q.appliedAt, b.MaxTimestamp())
	if b.Attributes().Control() {
		return nil
	}
	return q.eachRecord(b, func(r *record.Record) error {
		q.ready = append(q.ready, Committed{Offset: r.Offset, Epoch: b.PartitionLeaderEpoch(), Value: r.Value})
		return nil
	})
}

// Drain returns the committed records that have not been drained, in offset order; the slice is valid until the next
// EndTurn.
func (q *Quorum) Drain() []Committed {
	out := q.ready
	q.ready = q.ready[:0]
	return out
}

// Reading reports whether more of the log is waiting to be handed out and nothing outstanding will bring it. A log that is
// being cut says itself when it is ready again.
func (q *Quorum) Reading() bool {
	return q.phase == phaseRunning && q.applied.Offset < q.hw && q.reader.op == 0 && q.log.Ready()
}

// Propose appends one batch of record values under the current epoch; it returns the offset of the first. They are
// committed when Drain hands them out. Only an active leader may propose.
func (q *Quorum) Propose(now core.Now, values [][]byte) core.Offset {
	invariant.Check(q.Active(), "a proposal in role %v, epoch %d", q.role, q.hard.epoch)
	q.builder.Begin(nil, record.Options{})
	for _, v := range values {
		err := q.builder.Append(now.Wall, nil, v, nil)
		invariant.Check(err == nil, "building a metadata batch of %d records: %v", len(values), err)
	}
	return q.append(now)
}

// proposeControl appends one batch of control records.
func (q *Quorum) proposeControl(now core.Now, recs ...metadata.ControlRecord) core.Offset {
	q.builder.Begin(nil, record.Options{Control: true})
	for _, r := range recs {
		err := q.builder.AppendControl(now.Wall, record.ControlType(r.ControlType()), metadata.AppendControl(nil, r))
		invariant.Check(err == nil, "building a control batch: %v", err)
	}
	return q.append(now)
}

// append finishes the builder's batch and appends it as leader.
func (q *Quorum) append(now core.Now) core.Offset {
	invariant.Check(q.role == roleLeader, "an append as leader in role %v", q.role)
	b, err := q.builder.Finish(&q.codecs)
	invariant.Check(err == nil, "finishing a metadata batch: %v", err)
	sum, refusal := record.Check(b, record.Limits{Internal: true}, &q.codecs)
	invariant.Check(refusal.OK(), "a metadata batch of our own: %v", refusal)
	a := q.log.AppendAsLeader(now, b, &sum, q.hard.epoch)
	if a.Code != core.ErrNone {
		q.fail("appending to the metadata log: " + a.Code.String() + " " + a.Why)
		return core.NoOffset
	}
	q.tail = append(q.tail, b)
	err = q.observe(b)
	invariant.Check(err == nil, "a control batch of our own: %v", err)
	return a.Base
}
