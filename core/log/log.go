package log

import (
	"path"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/log/recent"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// state is what a log is doing.
type state uint8

const (
	created    state = iota // before Open
	recovering              // Open or a truncation is under way
	ready                   // appends and reads
	draining                // no appends; waits for outstanding operations, then does its errand
	deleting                // the directory is being removed
	closed                  // Close or Delete has completed
	offline                 // failed, for good
)

// errand is what a draining log does once nothing is outstanding.
type errand uint8

const (
	noErrand errand = iota
	truncateErrand
	closeErrand
	deleteErrand
)

// Log is one partition's log. It is not usable until [Log.Ready].
type Log struct {
	cfg     Config
	ids     step.IDs
	dir     string
	past    Past
	topicID core.TopicID
	unnamed bool // partition.metadata is being written

	state   state
	failure Failure
	errand  errand
	target  core.Offset // of a truncation
	journal []Entry
	promise core.Offset // the most that the recovery point may say while it is under way
	restart bool        // the truncation empties the log
	suffix  string      // of a deletion

	segments []*segment // by base, contiguous; the last one is active
	unsynced int        // index of the first segment that is not settled, or of the active one
	start    core.Offset
	end      core.Offset
	synced   core.Offset // end of what has been fsynced, directory entries included
	written  core.Offset // end of what is in the files
	recent   recent.Ring

	epochs    epochCache
	producers *pstate.Table
	committed core.Offset   // the HighWatermark, as told
	recovered core.Mono     // when the last recovery ended
	snapshots []core.Offset // offsets of the snapshot files, ascending

	// checkpointed is the recovery point that the node's checkpoint file holds for this log, as far as is known.
	checkpointed core.Offset

	ops      []pendingOp // outstanding operations, oldest first
	overdue  core.Mono   // lateAt when it was seen to have passed
	verdict  core.Mono   // and until when the disk may still answer
	files    []smallFile // replacements to begin at the end of the turn
	replaced []*saving   // replacements under way
	doomed   []*segment  // removed from the log, to be removed from the disk one by one
	removing bool        // the first of doomed is being removed
	released bool        // an offline log has closed its files

	// Compaction. Everything below cleanPoint has been cleaned; cleanSaid is the most that the checkpoint file may say.
	cleanPoint core.Offset
	cleanSaid  core.Offset
	clean      *cleaning // the round under way
	unclean    Failure   // why the log is not cleaned any more
	replacedBy []retired // files that a cleaner's output has replaced

	rec    *recovery
	codecs record.Codecs
	iter   record.Iterator
}

// pendingOp is an operation whose completion is awaited.
type pendingOp struct {
	op   step.OpID
	at   core.Mono
	kind opKind
	seg  *segment // of the hot kinds
	mark mark     // what the completion proves
	then func(now core.Now, d *step.DiskDone, out *step.Effects)
}

// opKind tells the frequent operations apart; the others carry their continuation.
type opKind uint8

const (
	opCall      opKind = iota + 1 // then is called
	opOptional                    // like opCall; ErrNotExist is an answer, not a failure
	opSpacious                    // like opCall; ErrNoSpace is an answer, not a failure
	opWritten                     // the last append of a turn
	opSynced                      // the sync of a segment
	opOpened                      // the creation of a segment's file
	opLinked                      // the directory sync after it
	opAnyResult                   // the outcome does not matter
)

// smallFile is a file to be written by [Replacement].
type smallFile struct {
	path string
	data []byte
	then func(now core.Now, out *step.Effects) // may be nil
}

type saving struct {
	*Replacement
	then func(now core.Now, out *step.Effects)
}

// Failure says why a log is offline.
type Failure struct {
	Code   core.ErrorCode // KAFKA_STORAGE_ERROR, or what fits better
	File   string         // the path concerned, or ""
	Pos    core.Pos       // where in the file, if that is known
	Offset core.Offset    // the first offset concerned, or -1
	What   string         // in words, for the operator
}

// Appended is the outcome of an append.
type Appended struct {
	Code       core.ErrorCode
	Why        string      // in words, when Code is set
	Base, Last core.Offset // offsets of the first and last record
	AppendTime core.Wall   // the log append time, or NoTimestamp with CreateTime
	// Duplicate says that the batch had been appended before (idempotent producer); Base and Last are the originals.
	Duplicate bool
	// Consumed is the number of bytes taken by AppendAsFollower: whole batches only.
	Consumed int64
}

// ReadRequest names bytes that a lookup needs to see. Len is 0 when nothing is needed; the read may return fewer bytes.
type ReadRequest struct {
	File step.FileID
	Pos  core.Pos
	Len  int64
}

// Query asks for batches from an offset on (KIP-74).
type Query struct {
	Offset      core.Offset // first offset wanted
	MaxBytes    int64
	MinOneBatch bool        // the first batch is returned whole even if it is larger than MaxBytes
	UpperBound  core.Offset // only batches that end at or below it: HighWatermark, LastStableOffset or LogEndOffset
}

// Located answers a [Query].
type Located struct {
	Code core.ErrorCode
	Span step.Span   // Len 0: nothing to read now
	Need ReadRequest // if Len > 0: not known yet, read this and call ResolveLocate
}

// TimeQuery asks for the first record at or after a timestamp, or for the record with the largest one.
type TimeQuery struct {
	Timestamp  core.Wall
	Max        bool        // KIP-734: the largest timestamp instead; Timestamp is ignored
	UpperBound core.Offset // records at or above it do not exist for the caller
}

// TimeFound answers a [TimeQuery].
type TimeFound struct {
	Code      core.ErrorCode
	Found     bool
	Offset    core.Offset
	Timestamp core.Wall
	Epoch     core.LeaderEpoch
	Need      ReadRequest // if Len > 0: not known yet, read this and call ResolveTimestamp
}

// New is a log in the directory dir, relative to the node's data directory, for instance "orders-0". Nothing happens
// before Open. The owner number must be the log's own: its operations and files are numbered with it.
func New(cfg Config, owner step.Owner, dir string, past Past) *Log {
	cfg.Compacted = cfg.Compacted || past.Compacted
	return &Log{
		cfg: cfg.withDefaults(), ids: step.NewIDs(owner), dir: dir, past: past, topicID: past.TopicID,
		checkpointed: past.RecoveryPoint, producers: &pstate.Table{},
		cleanPoint: past.CleanPoint, cleanSaid: past.CleanPoint,
	}
}

// Reconfigure replaces the configuration; it applies from the next append on. A log that was ever compacted keeps its
// holes, so Config.Compacted stays set.
func (l *Log) Reconfigure(cfg Config) {
	cfg.Compacted = cfg.Compacted || l.cfg.Compacted
	l.cfg = cfg.withDefaults()
}

// Ready reports whether the log can be appended to and read.
func (l *Log) Ready() bool { return l.state == ready }

// Closed reports whether a Close or Delete has completed.
func (l *Log) Closed() bool { return l.state == closed }

// Offline is the failure that ended the log's service, and whether there is one.
func (l *Log) Offline() (Failure, bool) { return l.failure, l.state == offline }

// LogStartOffset is the first offset that may be read.
func (l *Log) LogStartOffset() core.Offset { return l.start }

// LogEndOffset is the offset of the next record to be appended.
func (l *Log) LogEndOffset() core.Offset { return l.end }

// DurableOffset is the end of what counts as durable under the policy.
func (l *Log) DurableOffset() core.Offset {
	if l.cfg.Policy == OS {
		return l.written
	}
	return l.synced
}

// WrittenOffset is the end of what is known to be in the files, synced or not: what spans may name. Without
// Config.TrackWrites it follows the syncs.
func (l *Log) WrittenOffset() core.Offset { return l.written }

// RecoveryPoint is the value for recovery-point-offset-checkpoint: every offset below it would survive a power loss,
// and so would everything that recovery does not rebuild when it starts there.
func (l *Log) RecoveryPoint() core.Offset {
	point := l.synced
	for _, s := range l.segments[:max(0, len(l.segments)-1)] {
		if !s.indexed && !s.swapped { // recovery scans what it finds under a swap name, and rebuilds its indexes
			point = min(point, s.base)
			break
		}
	}
	if n := l.epochs.saved; n < len(l.epochs.entries) {
		point = min(point, l.epochs.entries[n].Start)
	}
	if l.unnamed { // a checkpoint entry above the start must find partition.metadata to tell whose it is
		point = l.segments[0].base
	}
	if l.errand == truncateErrand || l.state == recovering {
		point = min(point, l.promise)
	}
	return point
}

// Size is the bytes of all segments' .log files.
func (l *Log) Size() int64 {
	var n core.Pos
	for _, s := range l.segments {
		n += s.size
	}
	return int64(n)
}

// Segments is the number of segments.
func (l *Log) Segments() int { return len(l.segments) }

// TopicID is what partition.metadata says, zero if nothing.
func (l *Log) TopicID() core.TopicID { return l.topicID }

// Owner is the number by which the log's operations and files are told.
func (l *Log) Owner() step.Owner { return l.ids.Owner() }

// Dir is the log's directory, relative to the node's data directory.
func (l *Log) Dir() string { return l.dir }

// Producers is the table of idempotent producers as of LogEndOffset. The caller tells it the high watermark
// ([pstate.Table.Replicated]) and lets it expire; batches are the log's affair.
func (l *Log) Producers() *pstate.Table { return l.producers }

// Replicated tells the HighWatermark: transactions whose markers lie below it are decided for good (see [Log.FirstUnstable]). Told before
// the log is ready, it is what the node's checkpoint says.
func (l *Log) Replicated(hw core.Offset) {
	l.committed = hw
	l.producers.Replicated(hw)
}

// FirstUnstable is the offset that the LastStableOffset may not pass, and whether there is one.
func (l *Log) FirstUnstable() (core.Offset, bool) {
	first, ok := l.producers.FirstUnstable()
	// DeleteRecords may have removed the beginning of an open transaction; what is left of it begins at the log start.
	return max(first, l.start), ok
}

// ExpireProducers forgets producers that were silent for producer.id.expiration.ms and reports how many.
//
// Each replica does so by its own clock, as in Kafka. They differ until the producer's next batch, which is judged by the leader alone
// and makes them equal again ([pstate.Table.Apply]).
func (l *Log) ExpireProducers(now core.Now) int {
	forgotten := l.producers.Expire(now.Mono.Add(-core.Millis(l.cfg.ProducerIDExpirationMs)), l.recovered)
	if l.cfg.Journal {
		for _, id := range forgotten {
			l.journal = append(l.journal, Entry{Kind: EntryForgotten, Base: core.NoOffset, Producer: pstate.Batch{ProducerID: id}})
		}
	}
	return len(forgotten)
}

func (l *Log) active() *segment { return l.segments[len(l.segments)-1] }

func (l *Log) path(name string) string { return path.Join(l.dir, name) }

// await hands out an operation and notes what its completion means.
func (l *Log) await(now core.Now, op step.DiskOp, p pendingOp, out *step.Effects) {
	op.Op = l.ids.Op()
	p.op, p.at = op.Op, now.Mono
	l.ops = append(l.ops, p)
	out.Disk = append(out.Disk, op)
}

// DiskDone takes the completion of one of the log's operations (d.Owner() is the log's owner).
func (l *Log) DiskDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	if l.state == closed {
		return
	}
	if l.replacementDone(now, d, out) {
		l.settle(now, out)
		return
	}
	p, ok := l.take(d.Op)
	if l.state == offline {
		return
	}
	if d.Err != step.DiskOK && !p.kind.expects(d.Err) {
		l.diskFailed(d)
		return
	}
	if !ok {
		return
	}
	switch p.kind {
	case opCall, opOptional, opSpacious:
		p.then(now, d, out)
	case opWritten:
		p.seg.written = maxMark(p.seg.written, p.mark)
		l.advance()
	case opSynced:
		p.seg.syncing = false
		p.seg.synced, p.seg.written = maxMark(p.seg.synced, p.mark), maxMark(p.seg.written, p.mark)
		l.advance()
	case opOpened:
		l.opened(now, p.seg, d, out)
	case opLinked:
		p.seg.linked = true
		l.advance()
	case opAnyResult:
	}
	l.settle(now, out)
}

// expects reports whether the error is one of the operation's outcomes.
func (k opKind) expects(err step.DiskError) bool {
	return k == opAnyResult || k == opOptional && err == step.ErrNotExist || k == opSpacious && err == step.ErrNoSpace
}

// take removes the operation from the outstanding ones.
func (l *Log) take(id step.OpID) (pendingOp, bool) {
	for i := range l.ops {
		if id != 0 && l.ops[i].op == id {
			p := l.ops[i]
			l.ops = append(l.ops[:i], l.ops[i+1:]...)
			return p, true
		}
	}
	return pendingOp{}, false
}

func maxMark(a, b mark) mark {
	if b.pos > a.pos {
		return b
	}
	return a
}

// replacementDone feeds the replacements under way.
func (l *Log) replacementDone(now core.Now, d *step.DiskDone, out *step.Effects) bool {
	for i, r := range l.replaced {
		if !r.DiskDone(now, &l.ids, d, out) {
			continue
		}
		if err, done := r.Done(); done {
			l.replaced = append(l.replaced[:i], l.replaced[i+1:]...)
			switch {
			case err != step.DiskOK:
				l.diskFailed(d)
			case l.state != offline && r.then != nil:
				r.then(now, out)
			}
		}
		return true
	}
	return false
}

// diskFailed takes the log offline after a failed operation. Nothing is retried: after a failed sync the page cache
// may have dropped what a second sync would then claim to have saved.
func (l *Log) diskFailed(d *step.DiskDone) {
	file := d.Path
	for _, s := range l.segments {
		if s.file == d.File && d.File != 0 {
			file = l.path(segmentName(s.base, logSuffix))
		}
	}
	l.fail(Failure{Code: core.ErrKafkaStorageError, File: file, Offset: core.NoOffset,
		What: "disk operation " + d.Kind.Name() + ": " + d.Err.String() + " " + d.Detail})
}

// TakeOffline ends the log's service for a reason that its owner found, for instance a leader that lacks committed
// records. Like any failure it is for good: not a byte is changed any more.
func (l *Log) TakeOffline(f Failure) { l.fail(f) }

// fail takes the log offline; the first failure is kept.
func (l *Log) fail(f Failure) {
	if l.state != offline && l.state != closed {
		l.state, l.failure = offline, f
	}
}

// refusal is the code with which an unusable log answers.
func (l *Log) refusal() core.ErrorCode {
	if l.state == offline {
		return core.ErrKafkaStorageError
	}
	return core.ErrNotLeaderOrFollower
}

// NextDeadline is when Tick wants to be called: the age limit of the oldest outstanding operation, or when the cleaner
// may go on.
func (l *Log) NextDeadline() (core.Mono, bool) {
	at, ok := l.stuckAt()
	if more, waits := l.cleanerDue(); waits && (!ok || more < at) {
		return more, true
	}
	return at, ok
}

// stuckAt is when the log is given up if its disk says nothing.
func (l *Log) stuckAt() (core.Mono, bool) {
	at, ok := l.lateAt()
	if at == l.overdue {
		at = l.verdict
	}
	return at, ok
}

// lateAt is when the oldest outstanding operation has taken too long.
func (l *Log) lateAt() (core.Mono, bool) {
	oldest, ok := core.Mono(0), false
	if l.state == offline || l.state == closed {
		return 0, false
	}
	if len(l.ops) > 0 {
		oldest, ok = l.ops[0].at, true
	}
	for _, r := range l.replaced {
		if !ok || r.Since() < oldest {
			oldest, ok = r.Since(), true
		}
	}
	return oldest.Add(l.cfg.DiskTimeout), ok
}

// Tick takes a log offline whose disk has not answered for Config.DiskTimeout and, from the Tick that finds that out, a tenth
// more. A process that was stopped for long wakes up to deadlines that have passed, and to answers that nobody has brought
// it yet. A later answer brings no log back. What else was due is done by the EndTurn that has to follow.
func (l *Log) Tick(now core.Now) {
	switch at, ok := l.lateAt(); {
	case !ok || at > now.Mono:
	case at != l.overdue:
		l.overdue, l.verdict = at, now.Mono.Add(l.cfg.DiskTimeout/10)
	case l.verdict <= now.Mono:
		l.fail(Failure{Code: core.ErrKafkaStorageError, File: l.dir, Offset: core.NoOffset, What: "the disk does not answer"})
	}
}

// segmentFor is the index of the segment whose range contains the offset: the last one that begins at or below it.
func (l *Log) segmentFor(o core.Offset) int {
	low, high := 0, len(l.segments)
	for low < high {
		if mid := (low + high) / 2; l.segments[mid].base <= o {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low - 1
}

// Check panics if an invariant of the log is broken. Tests and the simulator call it after each turn.
func (l *Log) Check() {
	if l.state != ready && l.state != draining {
		return
	}
	ordered := l.start <= l.end && l.synced <= l.written && l.written <= l.end && l.RecoveryPoint() <= l.synced
	if !ordered || len(l.segments) == 0 || !l.restart && l.segments[0].base > l.start || l.active().next != l.end {
		invariant.Fail("start %d, recovery point %d, synced %d, written %d, end %d, %d segments",
			l.start, l.RecoveryPoint(), l.synced, l.written, l.end, len(l.segments))
	}
	for i, s := range l.segments {
		last := i == len(l.segments)-1
		switch {
		case s.sealed == last, !last && s.next > l.segments[i+1].base:
			invariant.Fail("segment %d of %d: sealed %v, ends at %d", i, len(l.segments), s.sealed, s.next)
		case s.synced.pos > s.written.pos, s.written.pos > s.size, s.stagedB != s.size:
			invariant.Fail("segment %d: synced %+v, written %+v, staged to %d, size %d", i, s.synced, s.written, s.stagedB, s.size)
		case i < l.unsynced && !s.settled():
			invariant.Fail("segment %d is not settled, unsynced %d", i, l.unsynced)
		}
		s.check()
	}
	if i, j, overlap := l.recent.Check(); overlap {
		invariant.Fail("recent batches %d and %d overlap", i, j)
	}
	l.producers.Verify()
}

// check panics unless the segment's indexes ascend inside it.
func (s *segment) check() {
	for i, e := range s.index {
		inside := core.Pos(e.Pos) < s.size && e.Pos > 0 && s.base+core.Offset(e.Rel) < s.next
		if !inside || i > 0 && (s.index[i-1].Rel >= e.Rel || s.index[i-1].Pos >= e.Pos) {
			invariant.Fail("segment %d: index entry %d: %+v", s.base, i, e)
		}
	}
	for i, e := range s.times {
		if i > 0 && (s.times[i-1].Timestamp >= e.Timestamp || s.times[i-1].Rel > e.Rel) {
			invariant.Fail("segment %d: time entry %d: %+v", s.base, i, e)
		}
	}
}
