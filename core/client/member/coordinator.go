package member

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// search is one FindCoordinator.
type search struct{ call cluster.Call }

// link is a connection to the coordinator that can take a call now, or nil: then the coordinator is being looked for, or the
// connection established.
func (m *Member) link(now core.Now, lane cluster.Lane, out *step.Effects) *cluster.Link {
	if m.coordinator != core.NoNode && !m.cl.Known(m.coordinator) {
		m.coordinator = core.NoNode // fenced: the metadata does not name it any more
	}
	if m.coordinator == core.NoNode {
		m.find(now, out)
		return nil
	}
	l := m.cl.Link(now, m.coordinator, lane, out)
	if l == nil && m.cl.Failing(m.coordinator, lane) {
		m.lostTouch(now) // another broker may be the coordinator by now
		m.wakeAt(now, m.retryAt)
	}
	return l
}

// find asks any broker for the coordinator.
func (m *Member) find(now core.Now, out *step.Effects) {
	if m.finding {
		return
	}
	if now.Mono < m.retryAt {
		m.wakeAt(now, m.retryAt)
		return
	}
	l := m.cl.AnyLink(now, out)
	if l == nil {
		return
	}
	s := &search{}
	s.call = cluster.FindCoordinator(cluster.Call{Owner: cluster.Group, Ref: s}, cluster.GroupCoordinator, m.opts.Group)
	if !m.cl.Call(now, l, &s.call, out) {
		m.fail(core.ErrUnsupportedVersion, "FindCoordinator")
		return
	}
	m.finding = true
}

// found takes the answer.
func (m *Member) found(now core.Now, done *cluster.Completion) {
	m.finding, m.dirty = false, true
	node, code, lost := m.cl.Coordinator(done, m.opts.Group)
	if lost {
		m.backOff(now)
		return
	}
	switch code {
	case core.ErrNone:
		m.coordinator = node
	case core.ErrGroupAuthorizationFailed, core.ErrInvalidGroupID, core.ErrInvalidRequest:
		m.fail(code, "FindCoordinator")
	default:
		m.backOff(now)
	}
}

// lostTouch gives the coordinator up: it could not be reached, or did not answer.
func (m *Member) lostTouch(now core.Now) {
	m.coordinator = core.NoNode
	m.backOff(now)
}

// coordinatorSays reacts to a refusal that says something about the coordinator itself.
func (m *Member) coordinatorSays(now core.Now, code core.ErrorCode) {
	if code == core.ErrNotCoordinator || code == core.ErrCoordinatorNotAvailable {
		m.coordinator = core.NoNode
	}
	m.backOff(now)
}

func (m *Member) backOff(now core.Now) {
	m.dirty = true
	m.failures++
	m.retryAt = m.cl.RetryAfter(now.Mono, m.failures)
}

// heard notes that the coordinator answered a request of the protocol.
func (m *Member) heard() { m.failures = 0 }

// Done takes the end of one of the member's calls.
func (m *Member) Done(now core.Now, done *cluster.Completion) {
	if m.closed {
		return
	}
	m.dirty = true
	switch ref := done.Call.Ref.(type) {
	case *search:
		m.found(now, done)
	case *fetch:
		m.fetched(now, ref, done)
	case *commit:
		m.committed(now, ref, done)
	case *request:
		m.answered(now, ref, done)
	case *parting:
		if m.parting == ref {
			m.parting = nil
		}
	}
}

// instance is group.instance.id as requests carry it.
func (m *Member) instance() *string {
	if m.opts.InstanceID == "" {
		return nil
	}
	return kmsg.StringPtr(m.opts.InstanceID)
}

// parting is a word to the coordinator that this membership is over.
type parting struct {
	call     cluster.Call
	memberID string
	until    core.Mono
	sent     bool
}

// The member epochs of KIP-848 that are none.
const (
	epochJoin        int32 = 0
	epochLeave       int32 = -1
	epochLeaveStatic int32 = -2 // the partitions are kept for the instance that comes back
)

// depart makes the next turn say farewell for the present membership, if it has begun. A static member of a classic group says
// nothing: its partitions wait for it (KIP-345).
func (m *Member) depart(now core.Now) {
	silent := m.opts.Protocol == Classic && m.opts.InstanceID != ""
	if m.memberID != "" && !silent && (m.opts.Protocol == Classic || m.generation > 0) {
		m.parting = &parting{memberID: m.memberID, until: now.Mono.Add(m.cl.Options().RequestTimeout)}
	}
	m.memberID = ""
}

// part sends the farewell, once.
func (m *Member) part(now core.Now, out *step.Effects) {
	p := m.parting
	if p == nil || p.sent {
		return
	}
	if now.Mono >= p.until {
		m.parting, m.dirty = nil, true
		return
	}
	m.wakeAt(now, p.until)
	l := m.link(now, cluster.Main, out) // not behind a JoinGroup that is parked
	if l == nil {
		return
	}
	p.call = cluster.Call{Owner: cluster.Group, Ref: p, Body: m.farewell(p)}
	if p.sent = m.cl.Call(now, l, &p.call, out); !p.sent {
		m.parting, m.dirty = nil, true
	}
}

func (m *Member) farewell(p *parting) kmsg.Request {
	if m.opts.Protocol == Consumer {
		req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		req.Group, req.MemberID, req.MemberEpoch, req.InstanceID = m.opts.Group, p.memberID, epochLeave, m.instance()
		if m.opts.InstanceID != "" {
			req.MemberEpoch = epochLeaveStatic
		}
		return req
	}
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = m.opts.Group, p.memberID
	row := kmsg.NewLeaveGroupRequestMember()
	row.MemberID, row.InstanceID = p.memberID, m.instance()
	req.Members = append(req.Members, row)
	return req
}

// leave goes on with Leave, once everything is given up.
func (m *Member) leave(now core.Now) {
	if m.giving.active {
		return
	}
	if m.round != m.leftRound {
		m.depart(now)
		m.reset()
		m.leftRound = m.round
	}
	if m.parting != nil {
		return
	}
	m.state = Off
	for _, c := range m.commits {
		m.finish(c, core.ErrIllegalGeneration)
	}
	m.commits = nil
	m.event(Event{Kind: EventLeft})
}
