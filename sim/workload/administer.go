package workload

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// administering is the role of an admin.
type administering struct {
	c       *Client
	a       *admin.Admin
	tasks   []*task // unfinished, in the order of their beginning
	token   uint64
	replies []admin.Reply
}

// task is one operation in progress.
type task struct {
	op      Op
	token   uint64                // of the call under way
	start   core.Mono             // of that call
	flying  bool                  // there is one
	again   core.Mono             // not flying: when to try again
	spec    core.Wall             // ListOffsets
	before  core.Offset           // DeleteRecords, once it is known
	located bool                  // DeleteRecords: before is known
	id      core.TopicID          // DeleteTopic: the incarnation that was named; zero: by name
	voter   admin.Voter           // AddVoter, RemoveVoter: once it is known
	forget  []core.TopicPartition // DeleteOffsets
}

// createEvery is how long a failed creation waits for its next attempt.
const createEvery = 500 * core.Millisecond

func newAdministering(c *Client) *administering {
	return &administering{c: c, a: c.machine.Admin()}
}

func (r *administering) replay(*Op) {}

func (r *administering) begin(now core.Now, at core.Mono, op *Op) {
	t := &task{op: *op}
	r.tasks = append(r.tasks, t)
	r.call(now, at, t)
}

// enter: in Final nothing is tried again.
func (r *administering) enter(_ core.Now, _ core.Mono, phase Phase) {
	if phase == Final {
		for _, t := range r.tasks {
			t.again = 0
		}
	}
}

// call sends the request that a task needs next.
func (r *administering) call(now core.Now, at core.Mono, t *task) {
	r.token++
	t.token, t.start, t.flying = r.token, at, true
	op := &t.op
	tp := core.TopicPartition{Topic: op.Topic, Partition: op.Partition}
	switch op.Kind {
	case CreateTopic:
		r.a.Call(now, createTopic(op), admin.Route{Kind: admin.Controller}, t.token)
	case DeleteTopic:
		t.id = r.c.topicID(op.Topic)
		r.a.Call(now, deleteTopic(op, t.id), admin.Route{Kind: admin.Controller}, t.token)
	case CreatePartitions:
		r.a.Call(now, createPartitions(op), admin.Route{Kind: admin.Controller}, t.token)
	case AlterConfig:
		r.a.Call(now, alterConfig(op), admin.Route{Kind: admin.Controller}, t.token)
	case Describe:
		r.a.Call(now, describe(op), admin.Route{Kind: admin.AnyBroker}, t.token)
	case ListOffsets:
		t.spec = specOf(now, op)
		r.a.ListOffsets(now, []admin.OffsetAsk{{TopicPartition: tp, Timestamp: t.spec}}, false, t.token)
	case DeleteRecords:
		if op.Permille < 0 {
			t.before, t.located = core.NoOffset, true
		}
		if t.located {
			r.a.DeleteRecords(now, []admin.OffsetAsk{{TopicPartition: tp, Offset: t.before}}, t.token)
			return
		}
		r.a.ListOffsets(now, []admin.OffsetAsk{{TopicPartition: tp, Timestamp: admin.LatestOffset}}, false, t.token)
	case DeleteOffsets:
		t.forget = r.partitions(op)
		r.a.Call(now, deleteOffsets(op, t.forget), admin.Route{Kind: admin.Coordinator, Group: groupID(op.Group)}, t.token)
	case Reassign:
		r.a.AlterAssignments(now, []admin.Assignment{{TopicPartition: tp, Replicas: nodeIDs(op.Replicas)}}, t.token)
	case ElectLeaders:
		r.a.ElectLeaders(now, false, r.partitions(op), t.token)
	case DescribeQuorum, AddVoter, RemoveVoter:
		r.voters(now, t)
	case UpdateFeature:
		// Kafka's UpgradeType 2 is a safe downgrade, which it takes for upgrades, too.
		r.a.UpdateFeatures(now, []admin.FeatureUpdate{{Feature: op.Topic, Level: int16(op.Max), Downgrade: downgrade(op)}}, false, t.token)
	case UnregisterBroker:
		r.a.UnregisterBroker(now, core.NodeID(op.Node), t.token)
	default: // operations of producers and consumers never become tasks
	}
}

func (r *administering) act(now core.Now, at core.Mono) {
	r.replies = r.a.Replies(r.replies[:0])
	for i := range r.replies {
		for _, t := range r.tasks {
			if t.flying && t.token == r.replies[i].Token {
				t.flying = false
				r.answered(now, at, t, &r.replies[i])
			}
		}
	}
	kept := r.tasks[:0]
	for _, t := range r.tasks {
		if !t.flying && t.again > 0 && at >= t.again {
			t.again = 0
			r.call(now, at, t)
		}
		if t.flying || t.again > 0 {
			kept = append(kept, t)
		}
	}
	clear(r.tasks[len(kept):])
	r.tasks = kept
}

// answered records what came of a task's call, and goes on where there is more to do.
func (r *administering) answered(now core.Now, at core.Mono, t *task, rep *admin.Reply) {
	switch t.op.Kind {
	case CreateTopic:
		r.created(at, t, rep)
	case DeleteTopic:
		r.deleted(at, t, rep)
	case ListOffsets:
		r.listed(at, t, t.spec, rep)
	case DeleteRecords:
		if t.located {
			r.deletedRecords(at, t, rep)
			return
		}
		r.listed(at, t, admin.LatestOffset, rep)
		if o := &rep.Offsets[0]; o.Err == core.ErrNone && o.Offset >= 0 {
			t.before, t.located = permille(o.Offset, t.op.Permille), true
			if t.op.Permille > 1000 {
				t.before = max(t.before, o.Offset+1)
			}
			r.call(now, at, t)
		}
	case DeleteOffsets:
		r.forgotten(at, t, rep)
	case AddVoter, RemoveVoter:
		r.described(now, at, t, rep)
	default: // the metadata shows what became of the others
	}
}

// created records an attempt to create a topic. One that did not succeed and still may is repeated, unless the name is
// one that comes and goes: what the plan's other clients want to use should exist. So is one that is needed, and for which there
// were not enough brokers.
func (r *administering) created(at core.Mono, t *task, rep *admin.Reply) {
	code, id := rep.Err, core.TopicID{}
	if resp, ok := rep.Body.(*kmsg.CreateTopicsResponse); ok && len(resp.Topics) == 1 {
		code, id = core.ErrorCode(resp.Topics[0].ErrorCode), core.TopicID(resp.Topics[0].TopicID)
	}
	outcome := adminOutcome(code, rep)
	if outcome != history.OK {
		id = core.TopicID{}
	}
	r.c.env.Log.CreateTopic(r.c.op(t.start, at, outcome, code), history.CreateTopic{
		Topic: r.c.env.Topics.Ref(t.op.Topic, id), Partitions: t.op.Partitions})
	final := outcome == history.Fail && !code.Retriable() && !(t.op.Needed && code == core.ErrInvalidReplicationFactor)
	if outcome != history.OK && !final && r.c.phase != Final && !r.c.env.Topics.Settings(t.op.Topic).Churned {
		t.again = at.Add(createEvery)
	}
}

// deleted records an attempt to delete a topic. A deletion by name whose answer is lost may have met any incarnation.
func (r *administering) deleted(at core.Mono, t *task, rep *admin.Reply) {
	code, id := rep.Err, t.id
	if id.IsZero() && (rep.Ambiguous || r.c.env.Forwarded) { // the attempt that was answered need not be the only one, see below
		r.c.env.Topics.deletedByName(t.op.Topic, r.c.op(t.start, at, history.Info, core.ErrNone).Process, t.start)
	}
	if resp, ok := rep.Body.(*kmsg.DeleteTopicsResponse); ok && len(resp.Topics) == 1 {
		code = core.ErrorCode(resp.Topics[0].ErrorCode)
		if told := core.TopicID(resp.Topics[0].TopicID); id.IsZero() && code == core.ErrNone {
			id = told
		}
	}
	outcome := adminOutcome(code, rep)
	if r.c.env.Forwarded && (code == core.ErrUnknownTopicOrPartition || code == core.ErrUnknownTopicID) {
		// The broker that passes the request on repeats it where the controller is lost, as Kafka's does (KIP-590): the answer may be
		// about the work of the attempt before.
		outcome = history.Info
	}
	r.recordDeletion(at, t, id, outcome, code)
}

func (r *administering) recordDeletion(at core.Mono, t *task, id core.TopicID, outcome history.Outcome, code core.ErrorCode) {
	ids := []core.TopicID{id}
	if id.IsZero() && outcome != history.Fail {
		ids = append(ids, r.c.env.Topics.Incarnations(t.op.Topic)...)
	}
	for _, id := range ids {
		r.c.env.Log.DeleteTopic(r.c.op(t.start, at, outcome, code),
			history.DeleteTopic{Topic: r.c.env.Topics.Ref(t.op.Topic, id)})
	}
}

// listed records a lookup, unless it may be about any incarnation of the name.
func (r *administering) listed(at core.Mono, t *task, spec core.Wall, rep *admin.Reply) {
	o := &rep.Offsets[0]
	if r.c.env.Topics.Settings(o.Topic).Churned {
		return
	}
	b := history.ListOffsets{Place: r.place(&t.op), Spec: spec, Offset: core.NoOffset, Timestamp: core.NoTimestamp,
		Epoch: core.NoLeaderEpoch}
	outcome := history.Fail // of a question: it was not answered
	if o.Err == core.ErrNone {
		outcome = history.OK
		b.Offset, b.Timestamp, b.Epoch = o.Offset, o.Timestamp, o.LeaderEpoch
	}
	r.c.env.Log.ListOffsets(r.c.op(t.start, at, outcome, o.Err), b)
}

func (r *administering) deletedRecords(at core.Mono, t *task, rep *admin.Reply) {
	o := &rep.Offsets[0]
	b := history.DeleteRecords{Place: r.place(&t.op), Before: t.before, LowWatermark: core.NoOffset}
	outcome := history.OK
	switch {
	case o.Err == core.ErrNone:
		b.LowWatermark = o.Offset
	case rep.Ambiguous, !refusesUndone(o.Err), o.Err == core.ErrOffsetOutOfRange:
		outcome = history.Info // a leader that was deposed meanwhile may have deleted, and its successor refuse the next attempt
	default:
		outcome = history.Fail
	}
	r.c.env.Log.DeleteRecords(r.c.op(t.start, at, outcome, o.Err), b)
}

func (r *administering) place(op *Op) history.Place {
	return history.Place{Topic: r.c.env.Topics.Ref(op.Topic, r.c.topicID(op.Topic)), Partition: op.Partition}
}

// adminOutcome maps the answer to a request that changes something. Without any answer and without a lost attempt the
// request never left.
func adminOutcome(code core.ErrorCode, rep *admin.Reply) history.Outcome {
	switch {
	case code == core.ErrNone && rep.Body != nil:
		return history.OK
	case rep.Ambiguous:
		return history.Info
	case rep.Body == nil, refusesUndone(code):
		return history.Fail
	}
	return history.Info
}

// refusesUndone reports whether a broker that answers so has certainly done nothing.
func refusesUndone(code core.ErrorCode) bool {
	switch code {
	case core.ErrOffsetOutOfRange, core.ErrUnknownTopicOrPartition, core.ErrUnknownTopicID, core.ErrTopicAlreadyExists,
		core.ErrInvalidTopic, core.ErrInvalidPartitions, core.ErrInvalidReplicationFactor, core.ErrInvalidConfig,
		core.ErrInvalidRequest, core.ErrPolicyViolation, core.ErrUnsupportedVersion, core.ErrNotController,
		core.ErrTopicAuthorizationFailed, core.ErrClusterAuthorizationFailed, core.ErrTopicDeletionDisabled:
		return true
	}
	return false
}

func (r *administering) due() core.Mono {
	at := cluster.Never
	for _, t := range r.tasks {
		if !t.flying {
			at = min(at, t.again)
		}
	}
	return at
}

func (r *administering) wants() string {
	if len(r.tasks) == 0 || r.c.phase == Final {
		return ""
	}
	return "answers to what an admin asked for"
}

func (r *administering) finish(at core.Mono) {
	r.act(core.Now{}, at)
	for _, t := range r.tasks {
		if !t.flying {
			continue
		}
		switch t.op.Kind {
		case CreateTopic:
			r.c.env.Log.CreateTopic(r.c.op(t.start, at, history.Info, core.ErrNone), history.CreateTopic{
				Topic: r.c.env.Topics.Ref(t.op.Topic, core.TopicID{}), Partitions: t.op.Partitions})
		case DeleteTopic:
			if t.id.IsZero() {
				r.c.env.Topics.deletedByName(t.op.Topic, r.c.op(t.start, at, history.Info, core.ErrNone).Process, t.start)
			}
			r.recordDeletion(at, t, t.id, history.Info, core.ErrNone)
		case DeleteRecords:
			if t.located {
				r.c.env.Log.DeleteRecords(r.c.op(t.start, at, history.Info, core.ErrNone),
					history.DeleteRecords{Place: r.place(&t.op), Before: t.before, LowWatermark: core.NoOffset})
			}
		case DeleteOffsets:
			for _, tp := range t.forget {
				r.forget(at, t, tp, history.Info, core.ErrNone, true)
			}
		default: // the history knows no other operation that an unanswered call may still perform
		}
	}
	r.tasks = nil
}
