package raft

import (
	"errors"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/smallfile"
	"github.com/klamm-log/klamm/core/step"
)

// Owners are the shares of the machine's id space that a Quorum uses.
type Owners struct{ Log, Files, Reads step.Owner }

// Options configures a Quorum.
type Options struct {
	NodeID      core.NodeID
	DirectoryID metadata.DirectoryID
	Log         log.Config
	Past        log.Past
	ReadBytes   int64 // of one read while replaying the log; default 1 MiB
}

// Committed is one committed record.
type Committed struct {
	Offset core.Offset
	Epoch  core.LeaderEpoch
	Value  []byte // of a metadata record; control records are the quorum's own and not handed out
}

// Quorum is a quorum of one voter.
type Quorum struct {
	opts  Options
	log   *log.Log
	files *smallfile.Files
	ids   step.IDs // of reads

	phase  phase
	failed string

	epoch      core.LeaderEpoch
	epochStart core.Offset // of this epoch's LeaderChange record

	// applied is the end of what has been handed out; committed records below it are gone from memory.
	applied core.Offset
	read    step.OpID // outstanding read of the log, 0 if none
	query   log.Query // of the outstanding read
	need    log.ReadRequest
	tail    []record.Batch // batches appended by this process that are not yet committed, in order
	builder record.Builder
	codecs  record.Codecs
	ready   []Committed
}

type phase uint8

const (
	phaseOpening  phase = iota // log recovery and quorum-state
	phaseElecting              // the new epoch is being made durable
	phaseLeading
)

const tagState smallfile.Tag = 1

// New is a quorum that has not been opened.
func New(opts Options, owners Owners) *Quorum {
	if opts.ReadBytes == 0 {
		opts.ReadBytes = 1 << 20
	}
	return &Quorum{
		opts: opts, epoch: core.NoLeaderEpoch,
		log:   log.New(opts.Log, owners.Log, Dir, opts.Past),
		files: smallfile.New(owners.Files),
		ids:   step.NewIDs(owners.Reads),
	}
}

// Open starts recovery.
func (q *Quorum) Open(now core.Now, out *step.Effects) {
	q.log.Open(now, out)
	q.files.Read(StateFile, tagState, out)
}

// Log is the metadata partition's log; read it only.
func (q *Quorum) Log() *log.Log { return q.log }

// Failed says why the quorum cannot go on; the process must end.
func (q *Quorum) Failed() (string, bool) { return q.failed, q.failed != "" }

// Active reports whether this node leads and has handed out everything up to its epoch's start.
func (q *Quorum) Active() bool {
	return q.phase == phaseLeading && q.applied > q.epochStart && q.failed == ""
}

// Epoch is the current epoch.
func (q *Quorum) Epoch() core.LeaderEpoch { return q.epoch }

// HighWatermark is the end of what is committed. Nothing is before this epoch's LeaderChange record is durable
// (raft section 5.4.2: an epoch commits earlier epochs' records only together with one of its own).
func (q *Quorum) HighWatermark() core.Offset {
	if d := q.log.DurableOffset(); q.phase == phaseLeading && d > q.epochStart {
		return d
	}
	return 0
}

// LogDone takes a completion of the log's.
func (q *Quorum) LogDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	q.log.DiskDone(now, d, out)
}

// FilesDone takes a completion of the state file's.
func (q *Quorum) FilesDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	r, ok := q.files.DiskDone(d, out)
	if !ok {
		return
	}
	switch {
	case r.Err != step.DiskOK:
		q.fail(r.Path + ": " + r.Err.String() + " " + r.Detail)
	case q.phase == phaseOpening:
		s, err := parseElectionState(r.Data)
		if err != nil {
			q.fail(err.Error())
			return
		}
		// The next epoch, never the stored one: this node may have led it, and written in it what is lost now.
		q.epoch = s.LeaderEpoch + 1
		q.elect(out)
	case q.phase == phaseElecting:
		q.lead(now)
	}
}

// ReadsDone takes a completion of a read of the log.
func (q *Quorum) ReadsDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	if d.Op != q.read {
		return
	}
	q.read = 0
	switch {
	case d.Err != step.DiskOK:
		q.fail("reading the metadata log: " + d.Err.String() + " " + d.Detail)
	case q.need.Len > 0:
		q.locate(q.log.ResolveLocate(q.query, q.need, d.Data), out)
	default:
		q.deliver(d.Data, q.query.UpperBound)
	}
}

func (q *Quorum) fail(why string) {
	if q.failed == "" {
		q.failed = why
	}
}

// elect makes the new epoch durable once both the log and the old state are known.
func (q *Quorum) elect(out *step.Effects) {
	if q.phase != phaseOpening || !q.log.Ready() || q.epoch == core.NoLeaderEpoch {
		return
	}
	q.phase = phaseElecting
	q.epoch = max(q.epoch, q.log.LatestEpoch()+1)
	q.applied = q.log.LogStartOffset()
	s := electionState{
		LeaderID: q.opts.NodeID, LeaderEpoch: q.epoch, VotedID: core.NoNode, VotedDirectoryID: noDirectory, DataVersion: 1,
	}
	q.files.Replace(StateFile, s.encode(), tagState, out)
}

// lead opens the epoch with its LeaderChange record (KIP-595).
func (q *Quorum) lead(now core.Now) {
	q.phase = phaseLeading
	q.epochStart = q.log.LogEndOffset()
	self := []metadata.Voter{{ID: q.opts.NodeID}}
	msg := metadata.LeaderChangeMessage{LeaderID: q.opts.NodeID, Voters: self, GrantingVoters: self}
	q.builder.Begin(nil, record.Options{Control: true})
	err := q.builder.AppendControl(now.Wall, record.ControlType(msg.ControlType()), metadata.AppendControl(nil, &msg))
	invariant.Check(err == nil, "building a LeaderChange record: %v", err)
	q.append(now)
}

// Propose appends one batch of record values under the current epoch; it returns the offset of the first. They are
// committed when [Quorum.HighWatermark] has passed the last.
func (q *Quorum) Propose(now core.Now, values [][]byte) core.Offset {
	invariant.Check(q.phase == phaseLeading, "a proposal in phase %d", q.phase)
	q.builder.Begin(nil, record.Options{})
	for _, v := range values {
		err := q.builder.Append(now.Wall, nil, v, nil)
		invariant.Check(err == nil, "building a metadata batch of %d records: %v", len(values), err)
	}
	return q.append(now)
}

// append finishes the builder's batch and appends it.
func (q *Quorum) append(now core.Now) core.Offset {
	b, err := q.builder.Finish(&q.codecs)
	invariant.Check(err == nil, "finishing a metadata batch: %v", err)
	sum, refusal := record.Check(b, record.Limits{Internal: true}, &q.codecs)
	invariant.Check(refusal.OK(), "a metadata batch of our own: %v", refusal)
	a := q.log.AppendAsLeader(now, b, &sum, q.epoch)
	if a.Code != core.ErrNone {
		q.fail("appending to the metadata log: " + a.Code.String() + " " + a.Why)
		return core.NoOffset
	}
	q.tail = append(q.tail, b)
	return a.Base
}

// EndTurn moves the quorum on after the turn's events: recovery into election, committed records into Drain's list.
func (q *Quorum) EndTurn(now core.Now, out *step.Effects) {
	q.log.EndTurn(now, out)
	if f, off := q.log.Offline(); off {
		q.fail("the metadata log is offline: " + f.What)
	}
	if q.failed != "" {
		return
	}
	q.elect(out)
	if q.phase == phaseLeading {
		q.advance(out)
	}
}

// advance hands out what is committed: from memory what this process appended, from the log what was there before.
func (q *Quorum) advance(out *step.Effects) {
	hw := q.HighWatermark()
	if q.read != 0 || q.applied >= hw {
		return
	}
	if len(q.tail) > 0 && q.tail[0].BaseOffset() <= q.applied {
		n := 0
		for n < len(q.tail) && q.tail[n].LastOffset() < hw {
			q.deliver(q.tail[n], hw)
			n++
		}
		clear(q.tail[:n])
		q.tail = q.tail[n:]
		return
	}
	end := hw
	if len(q.tail) > 0 {
		end = min(end, q.tail[0].BaseOffset())
	}
	q.query = log.Query{Offset: q.applied, MaxBytes: q.opts.ReadBytes, MinOneBatch: true, UpperBound: end}
	q.locate(q.log.Locate(q.query), out)
}

// locate reads what a lookup answered with: the batches, or first the bytes it needs to find them.
func (q *Quorum) locate(at log.Located, out *step.Effects) {
	if at.Code != core.ErrNone {
		q.fail("locating offset in the metadata log: " + at.Code.String())
		return
	}
	q.need = at.Need
	op := step.DiskOp{Kind: step.Read, File: at.Span.File, Pos: at.Span.Pos, Len: at.Span.Len}
	if at.Need.Len > 0 {
		op.File, op.Pos, op.Len = at.Need.File, at.Need.Pos, at.Need.Len
	}
	invariant.Check(op.Len > 0, "nothing to read at %d below %d", q.query.Offset, q.query.UpperBound)
	op.Op = q.ids.Op()
	q.read = op.Op
	out.Disk = append(out.Disk, op)
}

// deliver adds the records of whole batches below the bound to Drain's list.
func (q *Quorum) deliver(data []byte, bound core.Offset) {
	for len(data) > 0 {
		b, rest, err := record.ParseBatch(data)
		if errors.Is(err, record.ErrIncomplete) || err == nil && b.LastOffset() >= bound {
			return
		}
		if err == nil {
			err = b.VerifyCRC()
		}
		if err == nil && b.LastOffset() >= q.applied {
			err = q.records(b)
			q.applied = b.NextOffset()
		}
		if err != nil {
			q.fail("the metadata log is damaged: " + err.Error())
			return
		}
		data = rest
	}
}

// records adds one batch's metadata records. Values are views of the batch's bytes, which nobody changes.
func (q *Quorum) records(b record.Batch) error {
	if b.Attributes().Control() {
		return nil
	}
	var it record.Iterator
	if err := it.Reset(b, &q.codecs, record.DefaultMaxDecompressed); err != nil {
		return err
	}
	var r record.Record
	for it.Next(&r) {
		q.ready = append(q.ready, Committed{Offset: r.Offset, Epoch: b.PartitionLeaderEpoch(), Value: r.Value})
	}
	return it.Err()
}

// Drain returns the committed records that have not been drained, in offset order; the slice is valid until the next
// EndTurn.
func (q *Quorum) Drain() []Committed {
	out := q.ready
	q.ready = q.ready[:0]
	return out
}

// Reading reports whether EndTurn should be called again although no event of the quorum's came: more of the log is
// waiting to be handed out.
func (q *Quorum) Reading() bool {
	return q.phase == phaseLeading && q.applied < q.HighWatermark() && q.read == 0
}

// NextDeadline is the log's.
func (q *Quorum) NextDeadline() (core.Mono, bool) { return q.log.NextDeadline() }

// Tick takes the quorum down with a stuck disk.
func (q *Quorum) Tick(now core.Now) { q.log.Tick(now) }

// Close flushes and closes the log; nothing may be proposed any more. Log().Closed() reports the end.
func (q *Quorum) Close(now core.Now, out *step.Effects) { q.log.Close(now, out) }
