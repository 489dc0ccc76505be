package workload

import (
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/member"
)

// GroupOptions are a group member's options; zero fields mean the client's defaults.
type GroupOptions struct {
	Group  int32    `json:"group"`  // group.id is "g" and this number
	Topics []string `json:"topics"` // all that the group reads; in Settle every member subscribes to them
	Modern bool     `json:"modern,omitempty"`
	// Mixed says that others of the group may speak the other protocol. Then the epoch of the group can rise while a classic member is in
	// it and is asked for nothing, as it never does in a classic group.
	Mixed     bool     `json:"mixed,omitempty"`
	Patterns  bool     `json:"patterns,omitempty"` // subscribes by regular expressions
	Assignors []string `json:"assignors,omitempty"`
	Server    string   `json:"server,omitempty"` // group.remote.assignor
	Instance  string   `json:"instance,omitempty"`
	// Twin says that another client has the same Instance: a process that was taken for dead, or is yet to be. It goes when faults
	// have stopped, so that the other one stays.
	Twin      bool      `json:"twin,omitempty"`
	Session   core.Mono `json:"session_ns,omitempty"`
	Heartbeat core.Mono `json:"heartbeat_ns,omitempty"`
	Rebalance core.Mono `json:"rebalance_ns,omitempty"`  // max.poll.interval.ms
	AutoEvery core.Mono `json:"auto_every_ns,omitempty"` // 0: commits by hand, after processing
	Async     bool      `json:"async,omitempty"`         // goes on without waiting for its commits
	MaxWait   core.Mono `json:"max_wait_ns,omitempty"`
}

func groupID(number int32) string { return "g" + strconv.Itoa(int(number)) }

// options are the machine's. Names of assignors that there are not are found by the client's own validation: they become one
// that clients do not have.
func (o *GroupOptions) options() (consumer.Options, member.Options) {
	m := member.Options{
		Group: groupID(o.Group), InstanceID: o.Instance, SessionTimeout: o.Session, HeartbeatInterval: o.Heartbeat,
		RebalanceTimeout: o.Rebalance, ManualCommit: o.AutoEvery == 0, AutoCommitInterval: o.AutoEvery, CommitTimeout: 10 * core.Second,
		Witness: true,
	}
	if o.Modern {
		m.Protocol, m.ServerAssignor = member.Consumer, o.Server
	}
	for _, name := range o.Assignors {
		a, ok := assignor.ByName(name)
		if !ok {
			a = assignor.Uniform
		}
		m.Assignors = append(m.Assignors, a)
	}
	return consumer.Options{Reset: consumer.ResetEarliest, MaxWait: o.MaxWait}, m
}

// Groups is what all members of a run share: who holds what, so that a member knows when its group has come to rest, and the
// numbers of group.instance.ids, and which have twins.
type Groups struct {
	held      map[groupPlace]int
	instances map[string]int32
	twins     map[string]bool
}

type groupPlace struct {
	group int32
	tp    core.TopicPartition
}

// NewGroups is an empty registry.
func NewGroups() *Groups {
	return &Groups{held: make(map[groupPlace]int), instances: make(map[string]int32), twins: make(map[string]bool)}
}

// instance is the history's number of a group.instance.id, 0 of none.
func (g *Groups) instance(id string) int32 {
	if n := g.instances[id]; n > 0 || id == "" {
		return n
	}
	g.instances[id] = int32(len(g.instances) + 1)
	return g.instances[id]
}

// grouped is the role of a group's member.
type grouped struct {
	c    *Client
	m    *member.Member
	opts GroupOptions

	most    int       // records per poll; 0: the loop stands still
	every   core.Mono // processing of one poll
	batch   []extent  // under way
	busyTil core.Mono
	token   uint64
	waiting bool      // for the commit of token
	again   []string  // what an earlier incarnation was subscribed to
	retryAt core.Mono // of a member whose predecessor was still there, 0 for none

	membership uint64    // see [member.Member.Membership]
	since      core.Mono // when it was first seen: nothing of it had been sent before
	before     int32     // see [history.Group], as asked
	asked      core.Mono

	held    []hold // as the history knows it
	proving []hold // claimed, or given up with consent, and not confirmed since
	records []consumer.Record
	events  []member.Event
	commits []member.Commit
}

// hold is a claim as the history knows it.
type hold struct {
	tp         core.TopicPartition
	generation int32
	membership uint64
	since      core.Mono // proving
}

// extent is a run of records of one partition.
type extent struct {
	tp       core.TopicPartition
	from, to core.Offset
}

func newGrouped(c *Client) *grouped {
	return &grouped{c: c, m: c.machine.Group(), opts: *c.plan.Group, most: defaultMost}
}

// replay: a member that comes back joins as its predecessor had.
func (r *grouped) replay(op *Op) {
	switch op.Kind {
	case Work:
		r.most, r.every = int(op.Max), op.Every
	case Join:
		r.again = op.Topics
	case Leave:
		r.again = nil
	default: // not a member's
	}
}

func (r *grouped) begin(now core.Now, at core.Mono, op *Op) {
	switch op.Kind {
	case Join:
		r.subscribe(now, op.Topics)
	case Leave:
		r.finishBatch(now, at)
		r.m.Leave(now)
	case Work:
		r.most, r.every = int(op.Max), op.Every
	default: // not a member's
	}
}

// subscribe takes topics by their names, or by an expression that they alone match.
func (r *grouped) subscribe(now core.Now, topics []string) {
	if !r.opts.Patterns {
		r.m.Subscribe(now, topics)
	} else if err := r.m.SubscribePattern(now, strings.Join(topics, "|")); err != nil {
		panic(err) // the names of topics are no syntax
	}
}

// enter: in Settle everybody is in the group and reads everything, at once. Of twins one leaves.
func (r *grouped) enter(now core.Now, at core.Mono, phase Phase) {
	if phase != Settle {
		return
	}
	r.most, r.every, r.busyTil = defaultMost, 0, at
	if r.opts.Twin {
		r.retryAt = 0
		r.finishBatch(now, at)
		r.m.Leave(now)
		return
	}
	if s := r.m.State(); s == member.Off || s == member.Failed || !slices.Equal(r.m.Topics(), r.opts.Topics) {
		r.subscribe(now, r.opts.Topics)
	}
}

func (r *grouped) act(now core.Now, at core.Mono) {
	r.m.Tag(int64(at))
	if r.again != nil {
		r.subscribe(now, r.again)
		r.again = nil
	}
	r.hear(at)
	r.track(at)
	r.restart(now, at)
	r.work(now, at)
	r.track(at)
}

// restart joins anew where somebody who looks after the process would.
func (r *grouped) restart(now core.Now, at core.Mono) {
	if r.c.phase == Settle && r.m.State() == member.Off && !r.opts.Twin { // it was leaving when the faults ended
		r.subscribe(now, r.opts.Topics)
	}
	if r.retryAt != 0 && at >= r.retryAt {
		r.retryAt = 0
		if r.m.State() == member.Failed {
			r.subscribe(now, r.opts.Topics)
		}
	}
}

// hear takes what the member was told.
func (r *grouped) hear(at core.Mono) {
	r.events = r.m.Events(r.events[:0])
	for i := range r.events {
		switch e := &r.events[i]; {
		case e.Kind == member.EventFetched:
			r.note(core.Mono(e.Tag), at, history.OK, e.Partitions[0], history.Group{Step: history.Fetched, Generation: e.Generation, To: e.Offset})
		case e.Kind == member.EventFailed && r.revives(e.Err):
			r.retryAt = at.Add(supervised)
		}
	}
	r.commits = r.m.Commits(r.commits[:0])
	for i := range r.commits {
		c := &r.commits[i]
		r.committed(at, c, false)
		if c.Token == r.token && !c.Auto {
			r.waiting = false
		}
	}
	for _, e := range r.c.machine.Consumer().Events(nil) {
		if e.Err == core.ErrCorruptMessage && r.c.env.Damage != nil {
			r.c.env.Damage(core.TopicPartition{Topic: e.Topic, Partition: e.Partition}, e.From, e.Detail)
		}
	}
}

// revives reports whether the process is started again by whoever supervises it when its client has given up.
func (r *grouped) revives(why core.ErrorCode) bool {
	switch {
	case r.opts.Twin && r.c.phase != Safety:
		return false
	case why == core.ErrUnreleasedInstanceID:
		// KIP-848: the instance's predecessor, or its twin, is a member until its session ends.
		return true
	case why == core.ErrFencedInstanceID:
		// The twin that fenced it has left, or does so; or a JoinGroup of the process before this one has come late. Where there is
		// neither, nobody may have: it stays out, and is missed.
		return r.c.phase != Safety && (r.c.incarn > 1 || r.c.env.Groups.twins[r.opts.Instance])
	default:
		return false
	}
}

// committed adds a commit to the history, one event for each partition.
func (r *grouped) committed(at core.Mono, c *member.Commit, open bool) {
	for i := range c.Offsets {
		o := &c.Offsets[i]
		outcome := history.OK
		switch {
		case open, o.Err != core.ErrNone && c.Ambiguous:
			outcome = history.Info
		case o.Err != core.ErrNone:
			outcome = history.Fail
		}
		r.note(core.Mono(c.Tag), at, outcome, o.TopicPartition, history.Group{Step: history.Committed, Generation: c.Generation, To: o.Offset, Ambiguous: c.Ambiguous})
	}
}

// note adds one event. Groups know topics by name: nobody deletes theirs, and a member may be assigned one whose id it does not
// know yet.
func (r *grouped) note(start, end core.Mono, outcome history.Outcome, tp core.TopicPartition, g history.Group) {
	g.Group, g.Before = r.opts.Group, -1
	if g.Step == history.Claimed {
		g.Instance, g.Before, g.Asked = r.c.env.Groups.instance(r.opts.Instance), r.before, r.asked
	}
	g.Place = history.Place{Topic: r.c.env.Topics.Ref(tp.Topic, core.TopicID{}), Partition: tp.Partition}
	if g.Step != history.Processed {
		g.From = core.NoOffset
	}
	r.c.env.Log.Group(r.c.op(start, end, outcome, core.ErrNone), g)
}

// track tells the history what is held, in which generation.
func (r *grouped) track(at core.Mono) {
	if r.opts.Twin {
		r.c.env.Groups.twins[r.opts.Instance] = true
	}
	owned := r.m.Owned(nil)
	// A generation whose assignment nobody has been told is in no log: the next coordinator may use its number again.
	generation := r.m.Metadata().Generation
	membership := r.confirm(at)
	if membership != r.membership {
		r.membership, r.since = membership, at
	}
	r.before, r.asked = -1, 0
	if before, asked := r.m.Lineage(); before >= 0 && !r.opts.Mixed && r.m.State() == member.Stable {
		r.before, r.asked = before, core.Mono(asked)
	}
	kept := r.held[:0]
	for _, h := range r.held {
		if slices.Contains(owned, h.tp) {
			kept = append(kept, h)
			continue
		}
		r.released(at, h)
		r.prove(at, h)
	}
	r.held = kept
	for _, tp := range owned {
		i := slices.IndexFunc(r.held, func(h hold) bool { return h.tp == tp })
		switch {
		case i < 0:
			h := hold{tp: tp, generation: generation, membership: membership}
			r.held = append(r.held, h)
			r.c.env.Groups.held[groupPlace{r.opts.Group, tp}]++
			r.prove(at, h)
		case r.held[i].generation == generation || generation < 0:
			continue
		case !r.opts.Modern && generation > r.held[i].generation+1 && r.m.Revoking(tp):
			// A static member that was in a generation without knowing of it: what it had was for others to take, then and since.
			continue
		default: // kept, or still to be given up
			r.held[i].generation = generation
		}
		r.note(r.since, at, history.OK, tp, history.Group{Step: history.Claimed, Generation: generation, To: core.NoOffset})
	}
}

// prove waits for the coordinator's word that the member, which has claimed a partition or given it up, is a member still.
func (r *grouped) prove(at core.Mono, h hold) {
	r.proving = slices.DeleteFunc(r.proving, func(old hold) bool { return old.tp == h.tp })
	h.since = at
	r.proving = append(r.proving, h)
}

// confirm tells the history what has become certain. It returns the number of the membership.
func (r *grouped) confirm(at core.Mono) uint64 {
	membership, proof := r.m.Membership()
	r.proving = slices.DeleteFunc(r.proving, func(h hold) bool {
		proven := h.membership == membership && core.Mono(proof) > h.since
		if proven {
			r.note(core.Mono(proof), at, history.OK, h.tp, history.Group{Step: history.Confirmed, Generation: -1, To: core.NoOffset})
		}
		return proven || h.membership != membership
	})
	return membership
}

func (r *grouped) released(at core.Mono, h hold) {
	r.c.env.Groups.held[groupPlace{r.opts.Group, h.tp}]--
	r.note(at, at, history.OK, h.tp, history.Group{Step: history.Released, Generation: -1, To: core.NoOffset})
}

// work runs the application's loop: poll, process, commit.
func (r *grouped) work(now core.Now, at core.Mono) {
	for !r.waiting {
		if len(r.batch) > 0 && at < r.busyTil {
			return
		}
		r.finishBatch(now, at)
		if r.waiting || r.most == 0 {
			return
		}
		r.records = r.m.Poll(now, r.most, r.records[:0])
		if len(r.records) == 0 {
			return
		}
		for i := range r.records {
			r.take(&r.records[i])
		}
		r.busyTil = at.Add(r.every)
	}
}

// take adds a record to the batch.
func (r *grouped) take(rec *consumer.Record) {
	tp := core.TopicPartition{Topic: rec.Topic, Partition: rec.Partition}
	if n := len(r.batch); n > 0 && r.batch[n-1].tp == tp && r.batch[n-1].to == rec.Offset {
		r.batch[n-1].to++
		return
	}
	r.batch = append(r.batch, extent{tp, rec.Offset, rec.Offset + 1})
}

// finishBatch is the end of processing.
func (r *grouped) finishBatch(now core.Now, at core.Mono) {
	if len(r.batch) == 0 {
		return
	}
	for _, e := range r.batch {
		r.note(at, at, history.OK, e.tp, history.Group{Step: history.Processed, Generation: -1, From: e.from, To: e.to})
	}
	r.batch = r.batch[:0]
	if r.opts.AutoEvery == 0 {
		r.token++
		r.waiting = !r.opts.Async
		r.m.Commit(now, nil, r.token)
	}
}

// supervised is how long it takes until a client that has given up is started again.
const supervised = core.Second

func (r *grouped) due() core.Mono {
	due := cluster.Never
	if len(r.batch) > 0 && !r.waiting {
		due = r.busyTil
	}
	if r.retryAt != 0 {
		due = min(due, r.retryAt)
	}
	return due
}

// wants that the group has come to rest, and that this member has read what it has to the end. In Final the group must be at rest,
// too: it is judged by how the run leaves it.
func (r *grouped) wants() string {
	if r.c.phase == Safety {
		return ""
	}
	state := r.m.State()
	switch {
	case r.opts.Twin && state != member.Off && state != member.Failed:
		return "to be over, as the second process with a group.instance.id"
	case r.opts.Twin:
		return ""
	case state != member.Stable:
		return "to be a stable member of its group"
	case r.c.phase == Settle && (len(r.batch) > 0 || r.waiting):
		return "to have processed and committed a batch"
	}
	for _, name := range r.opts.Topics {
		t := r.c.machine.Cluster().Want(name)
		for p := range t.Partitions {
			if r.c.env.Groups.held[groupPlace{r.opts.Group, core.TopicPartition{Topic: name, Partition: int32(p)}}] != 1 {
				return "each partition of its group to have one owner"
			}
		}
	}
	if r.c.phase == Final {
		return ""
	}
	for _, h := range r.held {
		if lag, known := r.c.machine.Consumer().Lag(h.tp.Topic, h.tp.Partition); !known || lag > 0 {
			return "to have read what it owns to the end"
		}
	}
	return ""
}

// finish: what the process held is nobody's, and what it had asked for may happen yet.
func (r *grouped) finish(at core.Mono) {
	r.hear(at)
	for _, c := range r.m.Unfinished(nil) {
		r.committed(at, &c, true)
	}
	for _, h := range r.held {
		r.released(at, h)
	}
	r.held = nil
}
