package raft

import (
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// A snapshot is the state as of an end of the log, in a file beside the segments (KIP-630):
//
//	00000000000000001234-0000000007.checkpoint    all of [0, 1234), whose last record has epoch 7
//
// It opens with a SnapshotHeader record and closes with a SnapshotFooter; behind the header stand kraft.version and the
// voter set as of that end (KIP-853). The file appears whole, by renaming: one without a footer is damage.

const (
	snapshotSuffix       = ".checkpoint"
	snapshotOffsetDigits = 20
	snapshotEpochDigits  = 10
	snapshotBatchBytes   = 1 << 20 // records of a snapshot are gathered into batches of about this size
	snapshotsKept        = 2       // the log begins at the oldest of these, so that a follower that is a little behind needs none
)

// snapshotPath is the file of a snapshot.
func snapshotPath(id OffsetAndEpoch) string {
	return Dir + "/" + pad(int64(id.Offset), snapshotOffsetDigits) + "-" + pad(int64(id.Epoch), snapshotEpochDigits) + snapshotSuffix
}

func pad(n int64, digits int) string {
	s := strconv.FormatInt(n, 10)
	return strings.Repeat("0", max(0, digits-len(s))) + s
}

// parseSnapshotName is the end of the log that a file name says, if it is a snapshot's.
func parseSnapshotName(name string) (OffsetAndEpoch, bool) {
	stem, ok := strings.CutSuffix(name, snapshotSuffix)
	if !ok || len(stem) != snapshotOffsetDigits+1+snapshotEpochDigits || stem[snapshotOffsetDigits] != '-' {
		return OffsetAndEpoch{}, false
	}
	offset, err := strconv.ParseInt(stem[:snapshotOffsetDigits], 10, 64)
	epoch, err2 := strconv.ParseInt(stem[snapshotOffsetDigits+1:], 10, 32)
	if err != nil || err2 != nil || offset < 0 || epoch < 0 {
		return OffsetAndEpoch{}, false
	}
	return OffsetAndEpoch{core.Offset(offset), core.LeaderEpoch(epoch)}, true
}

// snapshotStore is the snapshots on this node's disk.
type snapshotStore struct {
	list    []*storedSnapshot // durable ones, ascending; the log begins at or after the first
	writing OffsetAndEpoch    // our own under way, if busy
	busy    bool
	waiting []waitingPiece // FetchSnapshot requests whose file is being opened
	untidy  bool           // there may be something to prune
}

type storedSnapshot struct {
	id   OffsetAndEpoch
	file step.FileID // open for spans, 0 if not
	open step.OpID   // being opened
	size int64
	used core.Mono // when a piece of it was asked for last, 0 if never
}

type waitingPiece struct {
	from Asker
	req  FetchSnapshotRequest
}

func (s *snapshotStore) insert(id OffsetAndEpoch) {
	i, ok := slices.BinarySearchFunc(s.list, id, func(e *storedSnapshot, id OffsetAndEpoch) int {
		if e.id.Offset != id.Offset {
			return int(max(-1, min(1, e.id.Offset-id.Offset)))
		}
		return e.id.Compare(id)
	})
	if !ok {
		s.list = slices.Insert(s.list, i, &storedSnapshot{id: id})
	}
	s.untidy = true
}

func (s *snapshotStore) find(id OffsetAndEpoch) *storedSnapshot {
	for _, e := range s.list {
		if e.id == id {
			return e
		}
	}
	return nil
}

// newest is the end of the newest snapshot, zero if there is none.
func (s *snapshotStore) newest() OffsetAndEpoch {
	if n := len(s.list); n > 0 {
		return s.list[n-1].id
	}
	return OffsetAndEpoch{}
}

// SnapshotDue reports whether enough has been handed out since the newest snapshot that another is worth its while. The
// caller then passes its state as of [Quorum.Applied] to WriteSnapshot.
func (q *Quorum) SnapshotDue() bool {
	if q.phase != phaseRunning || q.snaps.busy || !q.log.Ready() || q.cut.pending() || len(q.ready) > 0 {
		return false
	}
	records := int64(q.applied.Offset - q.snaps.newest().Offset)
	if q.opts.SnapshotRecords > 0 {
		return records >= q.opts.SnapshotRecords
	}
	return records > 0 && q.appliedBytes >= q.opts.SnapshotBytes
}

// WriteSnapshot stores the state as of at, which must be Applied with everything drained: values are the records of an
// image that has replayed all that was handed out. Older snapshots and the log below them are removed later on.
func (q *Quorum) WriteSnapshot(now core.Now, at OffsetAndEpoch, values [][]byte, out *step.Effects) {
	invariant.Check(at == q.applied && len(q.ready) == 0, "a snapshot at %v, handed out to %v, %d records not drained",
		at, q.applied, len(q.ready))
	if q.phase != phaseRunning || q.snaps.busy || !q.log.Ready() || q.cut.pending() || q.snaps.find(at) != nil || at.Offset == 0 {
		return
	}
	q.snaps.writing, q.snaps.busy = at, true
	q.appliedBytes = 0
	q.files.Replace(snapshotPath(at), q.buildSnapshot(now, at, values), tagSnapshotWrite, out)
}

// buildSnapshot is the contents of a snapshot file.
func (q *Quorum) buildSnapshot(now core.Now, at OffsetAndEpoch, values [][]byte) []byte {
	w := snapshotWriter{q: q, now: now, epoch: at.Epoch}
	head := []metadata.ControlRecord{&metadata.SnapshotHeaderRecord{LastContainedLogTimestamp: q.appliedAt}}
	if cfg := q.voters.before(at.Offset); cfg.kraft >= kraftReconfig {
		head = append(head, upgradeRecords(cfg.voters)...)
	}
	w.control(head...)
	w.values(values)
	w.control(&metadata.SnapshotFooterRecord{})
	return w.data
}

// snapshotWriter appends batches with offsets that count from 0, as Kafka's do.
type snapshotWriter struct {
	q     *Quorum
	now   core.Now
	epoch core.LeaderEpoch
	next  core.Offset
	data  []byte
}

func (w *snapshotWriter) begin(control bool) {
	w.q.builder.Begin(w.data, record.Options{Control: control, BaseOffset: w.next, PartitionLeaderEpoch: w.epoch})
}

func (w *snapshotWriter) finish() {
	w.next += core.Offset(w.q.builder.Count())
	data, err := w.q.builder.Finish(&w.q.codecs)
	invariant.Check(err == nil, "finishing a snapshot batch: %v", err)
	w.data = data
}

func (w *snapshotWriter) control(recs ...metadata.ControlRecord) {
	w.begin(true)
	for _, r := range recs {
		err := w.q.builder.AppendControl(w.now.Wall, record.ControlType(r.ControlType()), metadata.AppendControl(nil, r))
		invariant.Check(err == nil, "building a snapshot: %v", err)
	}
	w.finish()
}

func (w *snapshotWriter) values(values [][]byte) {
	for len(values) > 0 {
		w.begin(false)
		for len(values) > 0 && w.q.builder.Size() < snapshotBatchBytes {
			err := w.q.builder.Append(w.now.Wall, nil, values[0], nil)
			invariant.Check(err == nil, "building a snapshot: %v", err)
			values = values[1:]
		}
		w.finish()
	}
}

// snapshotWritten takes our own snapshot's completion.
func (q *Quorum) snapshotWritten(out *step.Effects) {
	out.Reachable("raft.snapshot-written", nil)
	q.snaps.busy = false
	q.snaps.insert(q.snaps.writing)
}

// snapshot is one that was read or fetched whole.
type snapshot struct {
	id      OffsetAndEpoch
	voters  *metadata.VotersRecord // nil while kraft.version is 0
	kraft   metadata.FeatureLevel
	time    core.Wall
	records []Committed
}

// snapshotError says why a file is no snapshot.
type snapshotError string

const (
	errSnapshotHeader snapshotError = "the snapshot does not begin with a header"
	errSnapshotFooter snapshotError = "the snapshot does not end with a footer"
	errSnapshotTail   snapshotError = "the snapshot has bytes behind its footer"
)

// Error is the reason in words.
func (e snapshotError) Error() string { return string(e) }

// parseSnapshot reads a snapshot file: whole, undamaged, header first and footer last, or it is refused.
func (q *Quorum) parseSnapshot(id OffsetAndEpoch, data []byte) (*snapshot, error) {
	s := &snapshot{id: id}
	header, footer := false, false
	for len(data) > 0 {
		b, rest, err := record.ParseBatch(data)
		if err == nil {
			err = b.VerifyCRC()
		}
		if err == nil && footer {
			err = errSnapshotTail
		}
		if err == nil && b.Attributes().Control() {
			err = q.eachRecord(b, func(r *record.Record) error { return s.control(r, &header, &footer) })
		} else if err == nil {
			err = q.eachRecord(b, func(r *record.Record) error {
				s.records = append(s.records, Committed{Offset: id.Offset - 1, Epoch: id.Epoch, Value: r.Value})
				return nil
			})
		}
		switch {
		case err != nil:
			return nil, err
		case !header:
			return nil, errSnapshotHeader
		}
		data = rest
	}
	if !footer {
		return nil, errSnapshotFooter
	}
	return s, nil
}

func (s *snapshot) control(r *record.Record, header, footer *bool) error {
	c, err := controlOf(r)
	switch c := c.(type) {
	case *metadata.SnapshotHeaderRecord:
		*header, s.time = true, c.LastContainedLogTimestamp
	case *metadata.SnapshotFooterRecord:
		*footer = true
	case *metadata.KRaftVersionRecord:
		s.kraft = c.KRaftVersion
	case *metadata.VotersRecord:
		s.voters = c
	}
	return err
}

// restore lets the state begin anew from a snapshot: voter set, HighWatermark, and what Drain hands out.
func (q *Quorum) restore(s *snapshot) {
	base := configuration{offset: core.NoOffset, voters: staticVoters(q.opts.Static, q.opts.listener())}
	q.voters.reset(base)
	if s.voters != nil {
		// It stood somewhere below the snapshot's end.
		q.voters.add(s.id.Offset-1, s.voters)
		q.voters.steps[len(q.voters.steps)-1].kraft = s.kraft
	}
	q.snaps.insert(s.id)
	q.hw = max(q.hw, s.id.Offset)
	q.applied, q.appliedBytes, q.appliedAt = s.id, 0, s.time
	if len(s.records) == 0 {
		s.records = []Committed{{Offset: s.id.Offset - 1, Epoch: s.id.Epoch}}
	}
	s.records[0].Reset, s.records[len(s.records)-1].SnapshotEnd = true, true
	q.ready = append(q.ready, s.records...)
}

// prune keeps the newest snapshots and lets the log begin at the oldest of them. The log's start moves only when the
// snapshot there is durable, and snapshots below go only after it has moved. One that is being fetched stays, and the log behind
// it: whoever fetches more slowly than snapshots are made would begin anew for ever (Kafka keeps them for days).
func (q *Quorum) prune(now core.Now, out *step.Effects) {
	s := &q.snaps
	if !s.untidy || !q.log.Ready() || q.cut.pending() {
		return
	}
	s.untidy = false
	n := len(s.list)
	if n >= snapshotsKept || n > 0 && q.log.LogStartOffset() > 0 {
		first := max(0, n-snapshotsKept)
		if i := slices.IndexFunc(s.list[:first], func(e *storedSnapshot) bool { return e.used > 0 && now.Mono-e.used < q.opts.FetchTimeout }); i >= 0 {
			first, s.untidy = i, true
		}
		start := s.list[first].id.Offset
		code := q.log.DeleteRecordsBefore(now, start, q.hw, out)
		invariant.Check(code == core.ErrNone, "log start to %d, high watermark %d: %v", start, q.hw, code)
		q.voters.forget(start)
	}
	for len(s.list) > 0 && s.list[0].id.Offset < q.log.LogStartOffset() {
		out.Reachable("raft.snapshot-pruned", nil)
		old := s.list[0]
		s.list = s.list[1:]
		if old.file != 0 {
			out.Disk = append(out.Disk, step.DiskOp{Kind: step.Close, File: old.file})
		}
		// Whether that succeeds does not matter: what is left over goes at the next start.
		out.Disk = append(out.Disk, step.DiskOp{Op: q.ids.Op(), Kind: step.Remove, Path: snapshotPath(old.id)})
	}
}
