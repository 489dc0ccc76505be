package replica

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/step"
)

// FetcherOptions shape a fetcher. A zero field means its default.
type FetcherOptions struct {
	MaxBytes   int32     // replica.fetch.max.bytes: bytes per partition, default 1 MiB
	Backoff    core.Mono // after a first failure, default 20 ms
	MaxBackoff core.Mono // after many (replica.fetch.backoff.ms), default 1 s
}

// AskedPartition is one partition of a fetch request.
type AskedPartition struct {
	TopicID            core.TopicID
	Topic              string
	Index              int32
	CurrentLeaderEpoch core.LeaderEpoch
	FetchOffset        core.Offset      // all below it is durable here: the acknowledgement
	LastFetchedEpoch   core.LeaderEpoch // of the record before it, -1 if there is none
	LogStartOffset     core.Offset
	HighWatermark      core.Offset // ours (Fetch 18, KIP-1166)
	MaxBytes           int32
}

// ForgottenPartition is a partition that leaves the fetch session.
type ForgottenPartition struct {
	TopicID core.TopicID
	Topic   string
	Index   int32
}

// FetchRequest is a follower's Fetch. How long the leader may wait and how much it may answer is the caller's affair.
type FetchRequest struct {
	ID           uint64 // to be echoed in the FetchResponse
	SessionID    int32
	SessionEpoch int32
	Partitions   []AskedPartition
	Forgotten    []ForgottenPartition
}

// FetchResponse is the answer.
type FetchResponse struct {
	ID         uint64
	Code       core.ErrorCode
	SessionID  int32
	Partitions []FetchedPartition
	Frame      []byte // the memory in which all records lie, nil if nobody wants it back; see [step.Effects.Spent]
}

// Fetcher fetches from one leader all partitions of this node that follow it. At most one request is in flight. The
// session (KIP-227) keeps requests small: a partition is named when it is new or its position has changed.
//
// One round is fetch, append, sync: the next request goes out when everything that the last answer brought is durable,
// so that its offsets acknowledge it. The rounds of a busy leader are thus group commits on the follower's disk.
type Fetcher struct {
	leader core.NodeID
	opts   FetcherOptions

	parts   map[partKey]*tracked
	dirty   []*tracked              // whose position may differ from what the leader was told
	syncing []*tracked              // that hold records which are not durable yet
	fed     []*Replica              // result of AppendHeld
	frame   []byte                  // of the last answer, if all of it will be durable once nothing is syncing
	delayed deadline.Heap[*tracked] // that pause after an error
	forget  map[partKey]struct{}    // in the session, wanted no more
	goodbye []ForgottenPartition    // the same, in order
	order   []*tracked              // every partition, in the order of their adding; gone ones are dropped when seen

	sessionID    int32
	sessionEpoch int32 // of the next request; 0 asks for a new session and names all partitions
	listed       int   // partitions in the session

	sent     uint64 // requests
	awaited  uint64 // the request in flight, 0 if none
	failures int    // in a row
	retryAt  core.Mono
}

type partKey struct {
	id    core.TopicID
	index int32
}

// tracked is a partition of a fetcher.
type tracked struct {
	r        *Replica
	gone     bool
	isDirty  bool
	listed   bool           // the leader's session has it, with the position in told
	told     AskedPartition // as last asked
	failures int            // errors in a row
	failedIn core.LeaderEpoch
	paused   bool
	timer    deadline.Handle
	held     []byte // records that wait for the log to begin anew
}

// NewFetcher is a fetcher without partitions.
func NewFetcher(leader core.NodeID, opts FetcherOptions) *Fetcher {
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 1 << 20
	}
	if opts.Backoff <= 0 {
		opts.Backoff = 20 * core.Millisecond
	}
	if opts.MaxBackoff <= 0 {
		opts.MaxBackoff = core.Second
	}
	return &Fetcher{leader: leader, opts: opts, parts: make(map[partKey]*tracked), forget: make(map[partKey]struct{})}
}

// Leader is the node fetched from.
func (f *Fetcher) Leader() core.NodeID { return f.leader }

// Len is the number of partitions.
func (f *Fetcher) Len() int { return len(f.parts) }

// InFlight reports whether an answer is awaited.
func (f *Fetcher) InFlight() bool { return f.awaited != 0 }

func keyOf(r *Replica) partKey { return partKey{r.TopicID, r.TP.Partition} }

// Add begins to fetch a partition that follows this leader. Adding it again is a Touch.
func (f *Fetcher) Add(r *Replica) {
	k := keyOf(r)
	if t := f.parts[k]; t != nil {
		if t.r == r {
			f.Touch(r)
			return
		}
		f.Remove(t.r)
	}
	t := &tracked{r: r, failedIn: core.NoLeaderEpoch}
	f.parts[k] = t
	f.order = append(f.order, t)
	f.mark(t)
}

// Remove ends the fetching of a partition. An answer that is under way does not touch it any more.
func (f *Fetcher) Remove(r *Replica) {
	k := keyOf(r)
	t := f.parts[k]
	if t == nil || t.r != r {
		return
	}
	delete(f.parts, k)
	f.delayed.Cancel(t.timer)
	t.gone = true
	f.unlist(t)
}

// unlist has the leader forget a partition with the next request.
func (f *Fetcher) unlist(t *tracked) {
	if !t.listed {
		return
	}
	t.listed = false
	f.listed--
	f.forget[keyOf(t.r)] = struct{}{}
	f.goodbye = append(f.goodbye, ForgottenPartition{TopicID: t.r.TopicID, Topic: t.r.TP.Topic, Index: t.r.TP.Partition})
}

// Touch tells that a partition's log or role has changed: it became ready, a sync completed, metadata arrived.
func (f *Fetcher) Touch(r *Replica) {
	t := f.parts[keyOf(r)]
	if t == nil || t.r != r {
		return
	}
	if t.paused && t.failedIn != r.epoch {
		f.resume(t) // the new epoch may be what the errors were about
	}
	f.mark(t)
}

func (f *Fetcher) mark(t *tracked) {
	if !t.isDirty {
		t.isDirty = true
		f.dirty = append(f.dirty, t)
	}
}

// Next is the request to send now, if there is one. It is asked at the end of each turn that touched the fetcher. The memory of the
// answer before is given back when its records are on the disk.
func (f *Fetcher) Next(now core.Now, out *step.Effects) (FetchRequest, bool) {
	if len(f.parts) == 0 { // what the last ones have left is nobody's business any more
		clear(f.syncing)
		f.syncing, f.frame = f.syncing[:0], nil
	}
	if f.awaited != 0 || len(f.parts) == 0 || now.Mono < f.retryAt || f.busy() {
		return FetchRequest{}, false
	}
	if f.frame != nil {
		out.Spent = append(out.Spent, f.frame)
		f.frame = nil
	}
	full := f.sessionEpoch == 0
	if full {
		f.startOver()
	}
	req := FetchRequest{SessionID: f.sessionID, SessionEpoch: f.sessionEpoch}
	for _, t := range f.dirty {
		t.isDirty = false
		if t.gone {
			continue
		}
		want, ok := t.position(f)
		switch {
		case !ok:
			// In the session it would be served records at an offset that it is leaving.
			f.unlist(t)
		case !t.listed || !t.told.same(&want):
			if !t.listed {
				t.listed = true
				f.listed++
				f.recall(t)
			}
			t.told = want
			req.Partitions = append(req.Partitions, want)
		}
	}
	clear(f.dirty)
	f.dirty = f.dirty[:0]
	if f.listed == 0 {
		f.sessionEpoch = 0 // an emptied session ends (KIP-227); there is nothing to ask for anyway
		return FetchRequest{}, false
	}
	req.Forgotten, f.goodbye = f.goodbye, nil
	clear(f.forget)
	f.sent++
	f.awaited = f.sent
	req.ID = f.sent
	return req, true
}

// recall takes a partition out of the list of those to be forgotten, since it is asked for again: the leader forgets
// after it adds, so naming it in both lists would lose it.
func (f *Fetcher) recall(t *tracked) {
	k := keyOf(t.r)
	if _, ok := f.forget[k]; ok {
		delete(f.forget, k)
		f.goodbye = slices.DeleteFunc(f.goodbye, func(g ForgottenPartition) bool { return partKey{g.TopicID, g.Index} == k })
	}
}

// startOver makes every partition new to the leader.
func (f *Fetcher) startOver() {
	f.order = slices.DeleteFunc(f.order, func(t *tracked) bool { return t.gone })
	for _, t := range f.order {
		t.listed = false
		f.mark(t)
	}
	f.listed, f.goodbye = 0, nil
	clear(f.forget)
}

// busy reports whether records of the last answer are still on their way to the disk. A log that is being cut, or that
// has failed, keeps nobody waiting.
func (f *Fetcher) busy() bool {
	left := f.syncing[:0]
	for _, t := range f.syncing {
		l := t.r.Log
		if t.gone || t.held != nil || !l.Ready() {
			f.frame = nil // it may be needed for longer; nobody here will know for how long
		}
		switch {
		case t.gone:
		case t.held != nil || l.Ready() && l.DurableOffset() < l.LogEndOffset():
			left = append(left, t)
		default:
			f.mark(t)
		}
	}
	clear(f.syncing[len(left):])
	f.syncing = left
	return slices.ContainsFunc(left, func(t *tracked) bool { return t.held == nil })
}

// AppendHeld appends what waited for a log to begin anew at its first batch, where that has happened and the records are
// still this leader's. Call it in each turn before the logs' own EndTurn, whether a request is under way or not: the logs of
// the replicas that it returns have something to write. The slice is valid until the next call.
func (f *Fetcher) AppendHeld(now core.Now) []*Replica {
	f.fed = f.fed[:0]
	for _, t := range f.syncing {
		_, offline := t.r.Log.Offline()
		leader, following := t.r.Following()
		switch {
		case t.held == nil || t.gone:
		case offline || !following || leader != f.leader || t.told.CurrentLeaderEpoch != t.r.epoch:
			t.held = nil
		case t.r.Log.Ready():
			t.r.Settle()
			if t.r.Log.AppendFromLeader(now, t.held, t.r.epoch).Code != core.ErrNone {
				f.pause(now, t)
			}
			t.held = nil
			f.fed = append(f.fed, t.r)
		}
	}
	return f.fed
}

// position is what a partition has to ask for, and whether it can be asked now.
func (t *tracked) position(f *Fetcher) (AskedPartition, bool) {
	r := t.r
	r.Settle()
	if leader, ok := r.Following(); !ok || leader != f.leader || t.paused || t.held != nil {
		return AskedPartition{}, false
	}
	if !r.Log.Ready() || r.Log.DurableOffset() != r.Log.LogEndOffset() {
		return AskedPartition{}, false
	}
	return AskedPartition{
		TopicID: r.TopicID, Topic: r.TP.Topic, Index: r.TP.Partition,
		CurrentLeaderEpoch: r.epoch, FetchOffset: r.Log.LogEndOffset(), LastFetchedEpoch: r.lastFetched(),
		LogStartOffset: r.Log.LogStartOffset(), HighWatermark: r.highWatermark, MaxBytes: f.opts.MaxBytes,
	}, true
}

// same compares all but the HighWatermark: that alone is no reason to name a partition.
func (a *AskedPartition) same(b *AskedPartition) bool {
	x := *a
	x.HighWatermark = b.HighWatermark
	return x == *b
}

// Response takes an answer. What does not answer the request in flight is ignored.
func (f *Fetcher) Response(now core.Now, resp FetchResponse, out *step.Effects) {
	if f.awaited == 0 || resp.ID != f.awaited {
		out.Reachable("replica.answer-not-awaited", nil)
		return
	}
	if resp.Code != core.ErrNone {
		f.sessionFailed(now, resp.Code, out)
		return
	}
	f.awaited, f.failures, f.retryAt, f.frame = 0, 0, 0, resp.Frame
	switch {
	case resp.SessionID == 0: // none was opened, or it was closed: the next request names all partitions
		f.sessionID, f.sessionEpoch = 0, 0
	case f.sessionEpoch == 0:
		f.sessionID, f.sessionEpoch = resp.SessionID, 1
	default:
		f.sessionEpoch = nextSessionEpoch(f.sessionEpoch)
	}
	for i := range resp.Partitions {
		a := &resp.Partitions[i]
		t := f.parts[partKey{a.TopicID, a.Index}]
		if t == nil || !t.answers(f) {
			out.Reachable("replica.stale-answer-dropped", nil)
			continue
		}
		f.answered(now, t, a, out)
	}
}

// answers reports whether the partition is still what its answer is about (BUGS A5): it follows this leader in the
// same epoch and its log still ends where it was asked for. B cuts to an answer of leader C, epoch 2, that was delayed
// until B had fetched committed records from A, epoch 3: they are gone.
func (t *tracked) answers(f *Fetcher) bool {
	leader, following := t.r.Following()
	return following && leader == f.leader && t.listed && t.held == nil && t.told.CurrentLeaderEpoch == t.r.epoch &&
		t.r.Log.Ready() && t.told.FetchOffset == t.r.Log.LogEndOffset()
}

// answered applies one partition's answer.
func (f *Fetcher) answered(now core.Now, t *tracked, a *FetchedPartition, out *step.Effects) {
	switch t.r.take(now, a, out) {
	case fetchLater:
		f.pause(now, t)
	case straddling:
		t.held = a.Records
		f.syncing = append(f.syncing, t)
	case fetchOn:
		t.failures = 0
		switch l := t.r.Log; {
		case !l.Ready():
			f.frame = nil
		case l.DurableOffset() < l.LogEndOffset():
			f.syncing = append(f.syncing, t)
		}
	}
	f.mark(t)
}

// pause keeps a partition out of the requests for a while.
func (f *Fetcher) pause(now core.Now, t *tracked) {
	t.paused, t.failedIn = true, t.r.epoch
	f.delayed.Cancel(t.timer)
	t.timer = f.delayed.Add(now.Mono.Add(f.backoff(t.failures)), t)
	t.failures++
	f.mark(t)
}

func (f *Fetcher) resume(t *tracked) {
	t.paused = false
	f.delayed.Cancel(t.timer)
	f.mark(t)
}

// backoff doubles from the first pause to the longest. An election is over in milliseconds, and each pause of a
// follower delays acknowledgements: Kafka's fixed second would show in every failover.
func (f *Fetcher) backoff(failures int) core.Mono {
	return min(f.opts.Backoff<<min(failures, 16), f.opts.MaxBackoff)
}

// sessionFailed takes an answer whose session half is an error: nothing was served.
func (f *Fetcher) sessionFailed(now core.Now, code core.ErrorCode, out *step.Effects) {
	switch code {
	case core.ErrFetchSessionIDNotFound:
		out.Reachable("replica.fetch-session-lost", nil)
		f.sessionID = 0
	case core.ErrInvalidFetchSessionEpoch, core.ErrFetchSessionTopicIDError:
	default:
		f.Failed(now)
		return
	}
	if f.sessionEpoch == 0 { // it was no session's fault, then
		f.Failed(now)
		return
	}
	f.awaited, f.sessionEpoch = 0, 0
}

// Starved reports whether partitions that could be fetched are not named in the request that is in flight: they came after it
// was made, and the leader may hold it back for as long as the others are silent.
func (f *Fetcher) Starved() bool {
	return f.awaited != 0 && slices.ContainsFunc(f.dirty, func(t *tracked) bool {
		if t.gone || t.listed {
			return false
		}
		_, ok := t.position(f)
		return ok
	})
}

// Failed tells that the request in flight will not be answered, or that it could not be sent. The leader may have
// executed it, and with it moved its session on: the next request closes that session and opens another (KIP-227).
func (f *Fetcher) Failed(now core.Now) {
	f.awaited, f.sessionEpoch = 0, 0
	f.retryAt = now.Mono.Add(f.backoff(f.failures))
	f.failures++
}

// NextDeadline is when Tick wants to be called, if at all.
func (f *Fetcher) NextDeadline() (core.Mono, bool) {
	at, ok := f.delayed.Next()
	if f.retryAt != 0 && f.awaited == 0 && len(f.parts) > 0 && (!ok || f.retryAt < at) {
		return f.retryAt, true
	}
	return at, ok
}

// Tick ends the pauses that are over; then Next may have a request.
func (f *Fetcher) Tick(now core.Now) {
	if f.retryAt <= now.Mono {
		f.retryAt = 0
	}
	for {
		t, ok := f.delayed.PopDue(now.Mono)
		if !ok {
			return
		}
		f.resume(t)
	}
}

// nextSessionEpoch counts from 1 to the largest int32 and starts again at 1.
func nextSessionEpoch(e int32) int32 {
	if e == 1<<31-1 {
		return 1
	}
	return e + 1
}
