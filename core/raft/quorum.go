package raft

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/smallfile"
	"github.com/klamm-log/klamm/core/step"
)

// Owners are the shares of the machine's id space that a Quorum uses.
type Owners struct {
	Log   step.Owner // the metadata log
	Files step.Owner // quorum-state and snapshots, written whole
	Reads step.Owner // reads of the log, and snapshots that are served
}

// Options configures a Quorum. Zero fields mean their defaults.
type Options struct {
	NodeID      core.NodeID
	DirectoryID metadata.DirectoryID
	// Voter says that process.roles has "controller": the node may vote and become a voter. Without it the node observes.
	Voter bool
	// Static is controller.quorum.voters: the voter set until the log has one.
	Static []Bootstrap
	// Seeds is controller.quorum.bootstrap.servers, "host:port" each: whom an observer asks when it knows no leader. With
	// neither Static nor Seeds the node is the only voter of a quorum of its own.
	Seeds []string
	// Endpoints are this node's own controller listeners, announced to the others. The first one's name is the listener
	// by which voters are reached.
	Endpoints []metadata.VoterEndpoint

	Log  log.Config
	Past log.Past

	ReadBytes       int64 // of one read while replaying the log; default 1 MiB
	FetchBytes      int32 // most bytes asked and served per fetch, a first batch always; default 8 MiB
	SnapshotRecords int64 // a snapshot is due after so many records; 0: after SnapshotBytes
	SnapshotBytes   int64 // metadata.log.max.record.bytes.between.snapshots; default 20 MiB

	ElectionTimeout    core.Mono // controller.quorum.election.timeout.ms, default 1 s; randomised up to twice that
	FetchTimeout       core.Mono // controller.quorum.fetch.timeout.ms, default 2 s
	ElectionBackoffMax core.Mono // controller.quorum.election.backoff.max.ms, default 1 s
	RequestTimeout     core.Mono // controller.quorum.request.timeout.ms, default 2 s
	RetryBackoff       core.Mono // controller.quorum.retry.backoff.ms, default 20 ms
	FetchMaxWait       core.Mono // how long the leader may hold a fetch back, default 500 ms

	Rand *prng.Rand // of election timeouts; default a stream seeded with NodeID
}

func (o Options) withDefaults() Options {
	if len(o.Static) == 0 && len(o.Seeds) == 0 {
		o.Voter = true
		o.Static = []Bootstrap{{ID: o.NodeID, Addr: addrOf(o.Endpoints, defaultListener)}}
	}
	orDefault(&o.ReadBytes, 1<<20)
	orDefault(&o.FetchBytes, 8<<20)
	orDefault(&o.SnapshotBytes, 20<<20)
	orDefault(&o.ElectionTimeout, core.Second)
	orDefault(&o.FetchTimeout, 2*core.Second)
	orDefault(&o.ElectionBackoffMax, core.Second)
	orDefault(&o.RequestTimeout, 2*core.Second)
	orDefault(&o.RetryBackoff, 20*core.Millisecond)
	orDefault(&o.FetchMaxWait, 500*core.Millisecond)
	if o.Rand == nil {
		o.Rand = prng.New(uint64(o.NodeID)) //nolint:gosec // a seed
	}
	o.Log.TrackWrites = true // followers are served what is written, synced or not
	return o
}

func orDefault[T int32 | int64 | core.Mono](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// listener is the name of the listener by which voters are reached.
func (o *Options) listener() string {
	if len(o.Endpoints) > 0 {
		return o.Endpoints[0].Name
	}
	return defaultListener
}

// Quorum is one node of the metadata quorum. Make one with [New].
type Quorum struct {
	opts  Options
	self  VoterKey
	log   *log.Log
	files *smallfile.Files
	ids   step.IDs // of the owner Reads

	phase  phase
	failed string
	boot   boot

	role       role
	hard       hardState
	store      stateStore
	leaderAddr string    // of hard.leader, "" if unknown
	timer      core.Mono // when the role's patience ends; see each role
	voters     voterHistory
	box        outbox

	campaign campaign   // prospective, candidate
	lead     leadership // leader
	follow   following  // follower, observer
	resigned resignation

	// hw is the end of what is known to be committed. It never falls, and no truncation goes below it.
	hw       core.Offset
	nextSeed int // whom an observer without a leader asks next
	cut      cutting
	snaps    snapshotStore

	reader  reader
	applied OffsetAndEpoch // end of what has been handed out
	tail    []record.Batch // batches appended by this process that are not yet handed out, in order, up to the log's end
	ready   []Committed
	builder record.Builder
	codecs  record.Codecs
	iter    record.Iterator
	// appliedBytes is the size of the batches handed out since the newest snapshot; appliedAt the newest one's time.
	appliedBytes int64
	appliedAt    core.Wall
}

type phase uint8

const (
	phaseNew     phase = iota
	phaseOpening       // recovery: the log, quorum-state, the newest snapshot, the voter set
	phaseRunning       // in one of the roles
	phaseClosed        // Close was called
)

// New is a quorum that has not been opened.
func New(opts Options, owners Owners) *Quorum {
	opts = opts.withDefaults()
	q := &Quorum{
		opts: opts, self: VoterKey{opts.NodeID, opts.DirectoryID},
		log:   log.New(opts.Log, owners.Log, Dir, opts.Past),
		files: smallfile.New(owners.Files),
		ids:   step.NewIDs(owners.Reads),
		hard:  hardState{epoch: core.NoLeaderEpoch, voted: nobody(), leader: core.NoNode},
	}
	q.voters.reset(configuration{offset: core.NoOffset, voters: staticVoters(opts.Static, opts.listener())})
	return q
}

// Log is the metadata partition's log; read it only. The caller does for it what every log wants of its node: the
// recovery-point checkpoint before a truncation ([log.Log.NeedsCheckpoint]).
func (q *Quorum) Log() *log.Log { return q.log }

// Failed says why the quorum cannot go on; the process must end.
func (q *Quorum) Failed() (string, bool) { return q.failed, q.failed != "" }

func (q *Quorum) fail(why string) {
	if q.failed == "" {
		q.failed = why
	}
}

// Epoch is the current epoch, -1 before it is known.
func (q *Quorum) Epoch() core.LeaderEpoch { return q.hard.epoch }

// Leader is the leader as far as this node knows, NoNode if it does not, and the epoch.
func (q *Quorum) Leader() (core.NodeID, core.LeaderEpoch) {
	c := q.current()
	return c.LeaderID, c.LeaderEpoch
}

// LeaderAddr is where the leader's controller listener is, "host:port", or "".
func (q *Quorum) LeaderAddr() string { return q.current().LeaderAddr }

// current is what this node tells others about the quorum. A leader that has resigned, or was one before it restarted,
// leads no more.
func (q *Quorum) current() Current {
	c := Current{LeaderID: q.hard.leader, LeaderEpoch: q.hard.epoch, LeaderAddr: q.leaderAddr}
	switch {
	case q.role == roleLeader:
		c.LeaderAddr = addrOf(q.opts.Endpoints, q.opts.listener())
	case q.hard.leader == q.self.ID || q.phase != phaseRunning:
		c.LeaderID, c.LeaderAddr = core.NoNode, ""
	}
	return c
}

// HighWatermark is the end of what this node knows to be committed. On a leader it does not move before this epoch's
// LeaderChange record is on a majority (raft's section 5.4.2).
func (q *Quorum) HighWatermark() core.Offset { return q.hw }

// Applied is the end of what Drain has handed out: where a snapshot of the state folded from it stands.
func (q *Quorum) Applied() OffsetAndEpoch { return q.applied }

// Active reports whether this node leads, has committed in its epoch, and has handed out everything up to its epoch's
// start: only then does its state hold all that earlier leaders promised (KAFKA-15345).
func (q *Quorum) Active() bool {
	return q.role == roleLeader && q.phase == phaseRunning && q.failed == "" &&
		q.lead.hw > q.lead.start && q.applied.Offset > q.lead.start
}

// end is the end of this node's log. During a truncation it is the old end: a vote is then judged by more than this node
// has, which refuses more and grants nothing that it should not.
func (q *Quorum) end() OffsetAndEpoch {
	if q.cut.running {
		return q.cut.before
	}
	e := OffsetAndEpoch{q.log.LogEndOffset(), max(0, q.log.LatestEpoch())}
	if n := len(q.snaps.list); n > 0 && q.snaps.list[n-1].id.Offset == e.Offset {
		e.Epoch = max(e.Epoch, q.snaps.list[n-1].id.Epoch) // the log is empty behind its snapshot
	}
	return e
}

// LogDone takes a completion of the log's.
func (q *Quorum) LogDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	q.log.DiskDone(now, d, out)
}

// FilesDone takes a completion of a small file's.
func (q *Quorum) FilesDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	r, ok := q.files.DiskDone(d, out)
	if !ok {
		return
	}
	if r.Err != step.DiskOK {
		q.fail(r.Path + ": " + r.Err.String() + " " + r.Detail)
		return
	}
	switch r.Tag {
	case tagState:
		if q.phase == phaseOpening {
			q.boot.stateRead(q, r)
		} else {
			q.stateSaved()
		}
	case tagSnapshotRead:
		q.boot.snapshotRead(q, r)
	case tagSnapshotWrite:
		q.snapshotWritten(out)
	case tagSnapshotFetch:
		q.cut.fetched = true
	}
}

// EndTurn moves the quorum on after the turn's events: recovery, timeouts, the role's work, committed records into Drain's
// list, messages whose state is durable into Calls and Answers.
func (q *Quorum) EndTurn(now core.Now, out *step.Effects) {
	if f, off := q.log.Offline(); off {
		q.fail("the metadata log is offline: " + f.What)
	}
	if q.failed != "" {
		q.log.EndTurn(now, out)
		return
	}
	if q.phase == phaseOpening {
		q.open(now, out)
	}
	if q.phase == phaseRunning {
		q.proceed(now, out)
		q.saveState(out)
		q.advance(out)
	}
	q.log.EndTurn(now, out)
	q.box.release(q.store.durable)
}

// proceed does the role's work, again as long as it leads into another role.
func (q *Quorum) proceed(now core.Now, out *step.Effects) {
	q.proceedCut(now, out)
	q.expireCalls(now, out)
	for again := true; again && q.failed == ""; {
		before := q.role
		if q.timer <= now.Mono {
			q.timeout(now, out)
		}
		q.work(now, out)
		again = q.role != before
	}
	q.prune(now, out)
}

// NextDeadline is when Tick wants to be called.
func (q *Quorum) NextDeadline() (core.Mono, bool) {
	next, ok := q.log.NextDeadline()
	if q.phase != phaseRunning || q.failed != "" {
		return next, ok
	}
	take := func(at core.Mono) {
		if at < never && (!ok || at < next) {
			next, ok = at, true
		}
	}
	take(q.timer)
	for _, c := range q.box.open {
		take(c.until)
	}
	switch q.role {
	case roleProspective, roleCandidate:
		take(q.campaign.nextDeadline())
	case roleLeader:
		take(q.lead.nextDeadline(q))
	case roleFollower, roleObserver:
		take(q.follow.nextDeadline())
	case roleResigned:
		take(q.resigned.nextDeadline())
	case roleNone, roleUnattached, roleVoted: // the timer is all
	}
	return next, ok
}

// never is an instant that does not come.
const never = core.Mono(1<<63 - 1)

// Tick takes the quorum down with a stuck disk. What else is due happens in the EndTurn that follows.
func (q *Quorum) Tick(now core.Now, _ *step.Effects) { q.log.Tick(now) }

// Close flushes and closes the log. A leader leads no more (call Resign some time before); requests are refused from now
// on. Log().Closed() reports the end.
func (q *Quorum) Close(now core.Now, out *step.Effects) {
	if q.phase == phaseRunning {
		q.leave(out)
		q.box.answers = nil // what they say may never be durable now
	}
	q.phase = phaseClosed
	q.log.Close(now, out)
}

// Check panics if an invariant of the quorum is broken. Tests and the simulator call it after each turn.
func (q *Quorum) Check() {
	q.log.Check()
	if q.phase != phaseRunning || q.failed != "" || !q.log.Ready() {
		return
	}
	start, end := q.log.LogStartOffset(), q.log.LogEndOffset()
	invariant.Check(q.hw <= end, "high watermark %d, log end %d", q.hw, end)
	invariant.Check(q.applied.Offset <= q.hw, "applied %d, high watermark %d", q.applied.Offset, q.hw)
	invariant.Check(start <= q.applied.Offset, "log start %d, applied %d", start, q.applied.Offset)
	invariant.Check(q.log.LatestEpoch() <= q.hard.epoch, "log epoch %d, epoch %d", q.log.LatestEpoch(), q.hard.epoch)
	invariant.Check(start == 0 || len(q.snaps.list) > 0 && q.snaps.list[0].id.Offset <= start,
		"log start %d without a snapshot there", start)
	invariant.Check(q.voters.last().offset < end, "voter set of offset %d, log end %d", q.voters.last().offset, end)
	if n := len(q.tail); n > 0 {
		invariant.Check(q.tail[n-1].NextOffset() == end, "tail ends at %d, log at %d", q.tail[n-1].NextOffset(), end)
	}
	if q.role == roleLeader {
		invariant.Check(q.hard.leader == q.self.ID && q.hard.voted == q.self, "leader with state %+v", q.hard)
		invariant.Check(q.lead.hw == core.NoOffset || q.lead.hw > q.lead.start, "high watermark %d, epoch start %d",
			q.lead.hw, q.lead.start)
	}
}
