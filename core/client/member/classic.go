package member

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor"
	"github.com/klamm-log/klamm/core/assignor/protocol"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// request is one JoinGroup, SyncGroup, Heartbeat or ConsumerGroupHeartbeat.
type request struct {
	call  cluster.Call
	round uint64
	asked core.Mono
	tag   int64
	sent  sentModern // KIP-848: what the heartbeat said
}

// lastAssignment is what the sticky assignor is told of the past: unlike cooperative members, those of an eager group own
// nothing when they join (KIP-54).
type lastAssignment struct {
	partitions []core.TopicPartition
	generation int32
}

// lapse is how much longer a member waits for the answer to a JoinGroup or SyncGroup than the coordinator may take.
const lapse = 5 * core.Second

// prepare begins a rebalance. With an eager assignor everything is given up first, else only topics that are not read any more:
// the others are kept until it is known who gets them (KIP-429).
func (m *Member) prepare(now core.Now) {
	m.state, m.rejoin = Preparing, false
	var list []core.TopicPartition
	for tp := range m.claims.All() {
		if _, subscribed := slices.BinarySearch(m.topics, tp.Topic); !subscribed || !m.opts.cooperative() {
			list = append(list, tp)
		}
	}
	m.revoke(now, list)
}

// ask sends a request of the protocol to the coordinator.
func (m *Member) ask(now core.Now, l *cluster.Link, r *request, body kmsg.Request, timeout core.Mono, out *step.Effects) bool {
	r.round, r.asked, r.tag = m.round, now.Mono, m.tag
	r.call = cluster.Call{Owner: cluster.Group, Ref: r, Body: body, Timeout: timeout}
	if m.opts.InstanceID != "" { // KIP-345: without it the coordinator would make a dynamic member of a static one
		switch body.(type) {
		case *kmsg.JoinGroupRequest:
			r.call.MinVersion = 5
		case *kmsg.SyncGroupRequest, *kmsg.HeartbeatRequest:
			r.call.MinVersion = 3
		}
	}
	if !m.cl.Call(now, l, &r.call, out) {
		m.fail(core.ErrUnsupportedVersion, kmsg.NameForKey(body.Key()))
		return false
	}
	return true
}

// ready is a connection for the next JoinGroup or SyncGroup, nil if one is under way or must wait.
func (m *Member) ready(now core.Now, out *step.Effects) *cluster.Link {
	if m.control {
		return nil
	}
	if now.Mono < m.retryAt {
		m.wakeAt(now, m.retryAt)
		return nil
	}
	return m.link(now, cluster.Coordinating, out)
}

// join sends JoinGroup.
func (m *Member) join(now core.Now, out *step.Effects) {
	l := m.ready(now, out)
	if l == nil {
		return
	}
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.ProtocolType = m.opts.Group, m.memberID, m.instance(), protocol.Type
	req.SessionTimeoutMillis = int32(m.opts.SessionTimeout / core.Millisecond)
	req.RebalanceTimeoutMillis = int32(m.opts.RebalanceTimeout / core.Millisecond)
	for _, a := range m.opts.Assignors {
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = a.Name(), m.subscription(a).AppendTo(nil, protocol.Newest)
		req.Protocols = append(req.Protocols, p)
	}
	timeout := max(m.cl.Options().RequestTimeout, m.opts.RebalanceTimeout.Add(lapse))
	m.control = m.ask(now, l, &request{}, req, timeout, out)
	m.rejoin = false
}

// subscription is what the leader is told for one assignor.
func (m *Member) subscription(a assignor.Assignor) protocol.Subscription {
	s := protocol.Subscription{Topics: m.topics, Generation: m.generation, Rack: m.opts.Rack, Owned: m.claims.Keys()}
	switch a {
	case assignor.Sticky:
		s.UserData = protocol.AppendStickyUserData(nil, m.last.partitions, m.last.generation)
	case assignor.CooperativeSticky:
		s.UserData = protocol.AppendCooperativeUserData(nil, m.generation)
	case assignor.Range, assignor.RoundRobin, assignor.Uniform:
	}
	return s
}

// answered takes the end of a request of the protocol.
func (m *Member) answered(now core.Now, r *request, done *cluster.Completion) {
	if r.round != m.round {
		return
	}
	switch resp := done.Resp.(type) {
	case *kmsg.JoinGroupResponse:
		m.control = false
		m.joined(now, r, resp)
	case *kmsg.SyncGroupResponse:
		m.control = false
		m.synced(now, resp)
	case *kmsg.HeartbeatResponse:
		m.beating = false
		m.beaten(now, core.ErrorCode(resp.ErrorCode))
	case *kmsg.ConsumerGroupHeartbeatResponse:
		m.beating = false
		m.beatenModern(now, r, resp)
	default: // lost
		m.unanswered(now, r)
	}
}

// unanswered treats a lost request: it may have been executed, and may be yet.
func (m *Member) unanswered(now core.Now, r *request) {
	m.lostTouch(now)
	switch r.call.Body.(type) {
	case *kmsg.JoinGroupRequest:
		m.control = false
		m.lineage.blurred = true
	case *kmsg.SyncGroupRequest:
		// The assignment may have been made; who asks again with the same generation is told it, while the generation lasts.
		m.control = false
	case *kmsg.HeartbeatRequest:
		m.beating = false
		m.beatAt = m.retryAt
	case *kmsg.ConsumerGroupHeartbeatRequest:
		m.beating = false
		m.modern.full, m.modern.beatNow = true, true // what the coordinator has taken in of it is not known
	}
}

// joined takes the answer to JoinGroup.
func (m *Member) joined(now core.Now, r *request, resp *kmsg.JoinGroupResponse) {
	if m.state != Joining {
		return
	}
	switch code := core.ErrorCode(resp.ErrorCode); code {
	case core.ErrNone:
		m.heard()
		m.memberID, m.generation = resp.MemberID, resp.Generation
		m.lineage.told(resp.MemberID, resp.Generation, r.tag)
		using, ok := assignor.Range, false
		if resp.Protocol != nil {
			using, ok = assignor.ByName(*resp.Protocol)
		}
		if !ok || !slices.Contains(m.opts.Assignors, using) {
			m.fail(core.ErrInconsistentGroupProtocol, "the coordinator chose an assignor that was not offered")
			return
		}
		m.using, m.lead, m.state = using, nil, Syncing
		if resp.LeaderID == resp.MemberID {
			m.lead = m.newLeading(resp)
		}
	case core.ErrMemberIDRequired: // KIP-394: join again under the id, so that a lost answer leaves no member behind
		m.memberID = resp.MemberID
		m.lineage = newLineage(resp.MemberID)
	case core.ErrUnknownMemberID, core.ErrIllegalGeneration:
		m.expelled(now, code)
	case core.ErrCoordinatorLoadInProgress, core.ErrNotCoordinator, core.ErrCoordinatorNotAvailable, core.ErrRebalanceInProgress,
		core.ErrRequestTimedOut, core.ErrUnknownServerError:
		m.lineage.blurred = true
		m.coordinatorSays(now, code)
	default: // FENCED_INSTANCE_ID, INCONSISTENT_GROUP_PROTOCOL, GROUP_MAX_SIZE_REACHED ...: no repetition helps
		m.fail(code, "JoinGroup")
	}
}

// sync sends SyncGroup: the leader's with everybody's assignment.
func (m *Member) sync(now core.Now, out *step.Effects) {
	if m.lead != nil && !m.lead.prepared(m.cl) {
		return
	}
	l := m.ready(now, out)
	if l == nil {
		return
	}
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.Generation, req.MemberID, req.InstanceID = m.opts.Group, m.generation, m.memberID, m.instance()
	req.ProtocolType, req.Protocol = kmsg.StringPtr(protocol.Type), kmsg.StringPtr(m.using.Name())
	if m.lead != nil {
		req.GroupAssignment = m.lead.assignment(m.using, m.cl)
	}
	timeout := max(m.cl.Options().RequestTimeout, m.opts.RebalanceTimeout.Add(lapse))
	m.control = m.ask(now, l, &request{}, req, timeout, out)
}

// synced takes the assignment.
func (m *Member) synced(now core.Now, resp *kmsg.SyncGroupResponse) {
	if m.state != Syncing {
		return
	}
	switch code := core.ErrorCode(resp.ErrorCode); code {
	case core.ErrNone:
		a, _, err := protocol.ParseAssignment(resp.MemberAssignment)
		if err != nil {
			m.fail(core.ErrUnknownServerError, "the leader's assignment: "+err.Error())
			return
		}
		m.heard()
		if m.lead != nil {
			m.lead.resumed(&a)
		}
		m.state, m.seen = Stable, -1 // what came while the assignment was on its way is looked at now
		m.beatAt = now.Mono.Add(m.opts.HeartbeatInterval)
		m.adopt(now, a.Partitions)
	case core.ErrRebalanceInProgress: // another rebalance has begun; the generation is good for joining that
		m.prepare(now)
	case core.ErrUnknownMemberID, core.ErrIllegalGeneration:
		m.expelled(now, code)
	case core.ErrCoordinatorLoadInProgress, core.ErrNotCoordinator, core.ErrCoordinatorNotAvailable, core.ErrRequestTimedOut,
		core.ErrUnknownServerError:
		// The coordinator may have moved before it stored this generation: join again. Kafka's client does the same.
		m.coordinatorSays(now, code)
		m.prepare(now)
	default:
		m.fail(code, "SyncGroup")
	}
}

// adopt takes an assignment over: what is not in it is given up, what is new begins. Something to be given up means that
// another member waits for it: that takes another rebalance (KIP-429).
func (m *Member) adopt(now core.Now, list []core.TopicPartition) {
	list = slices.Clone(list)
	slices.SortFunc(list, core.TopicPartition.Compare)
	list = slices.Compact(list)
	m.last = lastAssignment{list, m.generation}
	var gone, fresh []core.TopicPartition
	for tp := range m.claims.All() {
		if _, kept := slices.BinarySearchFunc(list, tp, core.TopicPartition.Compare); !kept {
			gone = append(gone, tp)
		}
	}
	for _, tp := range list {
		if !m.claims.Has(tp) {
			fresh = append(fresh, tp)
		}
	}
	if len(gone) > 0 {
		m.revoke(now, gone)
		m.rejoin = true
	}
	m.assign(fresh, nil)
	m.dirty = true
}

// beat keeps the session of a classic group alive. While a JoinGroup or SyncGroup waits at the coordinator that does it.
func (m *Member) beat(now core.Now, out *step.Effects) {
	switch {
	case m.state != Stable && m.state != Preparing && (m.state != Leaving || !m.giving.active), m.generation == noGeneration, m.asleep:
		return
	case m.beating:
		return
	case now.Mono < m.beatAt:
		m.wakeAt(now, m.beatAt)
		return
	}
	l := m.link(now, cluster.Coordinating, out)
	if l == nil {
		return
	}
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.Generation, req.MemberID, req.InstanceID = m.opts.Group, m.generation, m.memberID, m.instance()
	// KIP-62: who says nothing for a session must be taken for dead, however long other requests may take.
	m.beating = m.ask(now, l, &request{}, req, min(m.cl.Options().RequestTimeout, m.opts.SessionTimeout), out)
}

// beaten takes the answer to a heartbeat.
func (m *Member) beaten(now core.Now, code core.ErrorCode) {
	m.beatAt = now.Mono.Add(m.opts.HeartbeatInterval)
	if m.state == Joining || m.state == Syncing { // it was sent before that
		return
	}
	switch code {
	case core.ErrNone:
		m.heard()
	case core.ErrRebalanceInProgress:
		m.heard()
		if m.state == Stable {
			m.rejoin = true
		}
	case core.ErrUnknownMemberID, core.ErrIllegalGeneration:
		m.expelled(now, code)
	case core.ErrFencedInstanceID:
		m.fail(code, "another process has the same group.instance.id")
	case core.ErrGroupAuthorizationFailed, core.ErrInvalidGroupID: // no repetition helps
		m.fail(code, "Heartbeat")
	default:
		m.coordinatorSays(now, code)
		m.beatAt = m.retryAt
	}
}
