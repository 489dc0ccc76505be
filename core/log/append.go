package log

import (
	"errors"
	"math"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/log/recent"
	"github.com/klamm-log/klamm/core/log/txindex"
	"github.com/klamm-log/klamm/core/record"
)

// AppendAsLeader appends one checked batch. Offsets, leader epoch and, as the topic's configuration wants it, the
// time are stamped into it in place; the bytes then belong to the log. A nil summary is a batch that the broker built
// itself: its header is trusted. The batch is part of the log at once and durable when DurableOffset passes
// Appended.Last.
//
// Codes: those of [pstate.Table.Check], RECORD_LIST_TOO_LARGE for a batch larger than a segment,
// KAFKA_STORAGE_ERROR, and NOT_LEADER_OR_FOLLOWER while the log is not ready.
func (l *Log) AppendAsLeader(
	now core.Now, batch record.Batch, sum *record.Summary, epoch core.LeaderEpoch,
) Appended {
	if l.state != ready {
		return refused(l.refusal(), "the log is not ready")
	}
	if int64(len(batch)) != batch.SizeInBytes() {
		invariant.Fail("append of %d bytes, the batch has %d", len(batch), batch.SizeInBytes())
	}
	h := batch.Header()
	view := l.producerView(batch, &h)
	v := l.producers.Check(&view)
	if v.Code != core.ErrNone {
		return refused(v.Code, v.Why)
	}
	if v.Duplicate {
		a := Appended{Base: v.First, Last: v.Last, AppendTime: core.NoTimestamp, Duplicate: true}
		if l.cfg.TimestampType == record.LogAppendTime {
			a.AppendTime = v.Timestamp
		}
		return a
	}
	if int64(len(batch)) > int64(l.cfg.SegmentBytes) {
		return refused(core.ErrRecordListTooLarge, "the batch is larger than segment.bytes")
	}
	if l.end > math.MaxInt64-core.Offset(h.LastOffsetDelta)-1 {
		return refused(core.ErrKafkaStorageError, "the partition has no offsets left")
	}
	a := Appended{Base: l.end, Last: l.end + core.Offset(h.LastOffsetDelta), AppendTime: core.NoTimestamp}
	batch.SetBaseOffset(l.end)
	batch.SetPartitionLeaderEpoch(epoch)
	switch {
	case l.cfg.TimestampType == record.LogAppendTime: // KIP-32
		batch.SetMaxTimestamp(record.LogAppendTime, now.Wall)
		a.AppendTime = now.Wall
	case sum != nil:
		batch.SetMaxTimestamp(record.CreateTime, sum.MaxTimestamp)
	}
	h = batch.Header()
	if l.active().full(&l.cfg, now, &h) {
		l.roll(now, &h)
	}
	view.FirstOffset, view.LastOffset, view.MaxTimestamp, view.Seen = a.Base, a.Last, h.MaxTimestamp, now.Mono
	l.accept(&h, &view)
	l.fold(l.active(), &view)
	l.active().stage(batch)
	return a
}

// fold takes a batch of the segment, the log's newest, into the producer table, and an aborted transaction into the segment's index.
func (l *Log) fold(s *segment, view *pstate.Batch) {
	if e, done := l.producers.Apply(view); done && !e.Commit {
		s.aborted.Add(txindex.Txn{ProducerID: e.ProducerID, First: e.First, Last: e.Last, LastStable: e.LastStable})
	}
}

func refused(code core.ErrorCode, why string) Appended {
	return Appended{Code: code, Why: why, Base: core.NoOffset, Last: core.NoOffset, AppendTime: core.NoTimestamp}
}

// producerView is what the producer table sees of the batch. Control batches that end no transaction are no
// producer's.
func (l *Log) producerView(b record.Batch, h *record.Header) pstate.Batch {
	if !h.Attributes.Control() {
		return pstate.Of(h)
	}
	if m, ok := pstate.Marker(b, &l.iter, &l.codecs); ok {
		return m
	}
	return pstate.Batch{ProducerID: core.NoProducerID}
}

// accept makes a batch, whose header says where it belongs, the log's last: index, ring, epochs, end. The producer
// table is the caller's affair.
func (l *Log) accept(h *record.Header, view *pstate.Batch) {
	s := l.active()
	l.recent.Push(recent.Batch{Base: h.BaseOffset, Delta: h.LastOffsetDelta, Pos: int32(s.size),
		Size: int32(h.SizeInBytes())}, l.cfg.RecentBatches)
	l.epochs.assign(h.PartitionLeaderEpoch, h.BaseOffset)
	s.account(h, l.cfg.IndexIntervalBytes)
	l.end = s.next
	l.journalBatch(h, view)
}

// AppendAsFollower is AppendFromLeader without a bound for the batches' epochs.
func (l *Log) AppendAsFollower(now core.Now, data []byte) Appended {
	return l.AppendFromLeader(now, data, math.MaxInt32)
}

// AppendFromLeader appends the whole batches at the start of data as the leader of the given epoch wrote them; an
// incomplete batch at the end is left (fetch responses may end so), see Appended.Consumed. The bytes then belong to the
// log. Nothing is appended unless all of the batches are in order and undamaged.
//
// Codes: CORRUPT_MESSAGE for damage (the leader's copy or the way here), OFFSET_OUT_OF_RANGE for batches that do not
// continue this log, and those of an unusable log. An empty follower whose leader's log start lies inside a batch gets
// that whole batch, hence OFFSET_OUT_OF_RANGE; it has to TruncateFullyAndStartAt the batch's base offset first.
func (l *Log) AppendFromLeader(now core.Now, data []byte, epoch core.LeaderEpoch) Appended {
	if l.state != ready {
		return refused(l.refusal(), "the log is not ready")
	}
	whole, first, refusal := l.verify(data, epoch)
	if refusal.Code != core.ErrNone {
		return refusal
	}
	a := Appended{Base: first, AppendTime: core.NoTimestamp, Consumed: int64(len(whole))}
	run := whole // not yet staged
	for rest := whole; len(rest) > 0; {
		h := record.Batch(rest).Header()
		if l.active().full(&l.cfg, now, &h) {
			l.active().stage(run[:len(run)-len(rest)])
			run = rest
			l.roll(now, &h)
		}
		view := l.producerView(record.Batch(rest[:h.SizeInBytes()]), &h)
		view.Seen = now.Mono
		l.accept(&h, &view)
		l.fold(l.active(), &view)
		rest = rest[h.SizeInBytes():]
	}
	l.active().stage(run)
	a.Last = l.end - 1
	return a
}

// verify judges the whole batches at the start of data: format, checksum (a corrupt batch must not spread, KAFKA-14104),
// continuity and epochs. Holes are refused unless the topic is, or was, compacted. Offset and epoch of a batch are
// outside its checksum: along a log epochs never fall, and none is newer than the leader's (KAFKA-18723); an epoch that
// was damaged and stored would make two logs that differ seem equal, or the reverse.
func (l *Log) verify(data []byte, newest core.LeaderEpoch) (whole []byte, first core.Offset, _ Appended) {
	next, first := l.end, l.end
	epoch := l.epochs.of(l.end - 1)
	rest := data
	for {
		b, after, err := record.ParseBatch(rest)
		if errors.Is(err, record.ErrIncomplete) {
			break
		}
		if err != nil {
			return nil, 0, refused(core.ErrCorruptMessage, err.Error())
		}
		if err := b.VerifyCRC(); err != nil {
			return nil, 0, refused(core.ErrCorruptMessage, err.Error())
		}
		h, err := record.ParseHeader(b)
		if err != nil {
			return nil, 0, refused(core.ErrCorruptMessage, err.Error())
		}
		if h.BaseOffset < next || h.BaseOffset > next && !l.cfg.Compacted {
			return nil, 0, refused(core.ErrOffsetOutOfRange, "the batches do not continue this log")
		}
		if e := h.PartitionLeaderEpoch; e >= 0 && (e < epoch || e > newest) {
			return nil, 0, refused(core.ErrCorruptMessage, "the batch's leader epoch cannot stand here")
		} else if e >= 0 {
			epoch = e
		}
		if len(rest) == len(data) {
			first = h.BaseOffset
		}
		next, rest = h.NextOffset(), after
	}
	return data[:len(data)-len(rest)], first, Appended{}
}

// roll seals the active segment and begins a new one at the log's end, for the batch that did not fit. Its file is
// created by EndTurn. The producer state of this point is kept beside it, so that recovery need not go further back.
func (l *Log) roll(now core.Now, h *record.Header) {
	old := l.active()
	old.sealed = true
	old.stampTime()
	base := l.end
	if h != nil && h.LastOffset()-base > math.MaxInt32 {
		base = h.BaseOffset // a hole (compaction) too wide for relative offsets
	}
	old.next = base
	l.end = base
	l.segments = append(l.segments, newSegment(base, now.Wall))
	l.takeSnapshot()
}

// takeSnapshot writes the producer state as of the log's end, unless that has been done.
func (l *Log) takeSnapshot() {
	if n := len(l.snapshots); n > 0 && l.snapshots[n-1] == l.end {
		return
	}
	l.snapshots = append(l.snapshots, l.end)
	l.files = append(l.files, smallFile{
		path: l.path(segmentName(l.end, snapshotSuffix)), data: l.producers.AppendSnapshot(nil),
	})
}
