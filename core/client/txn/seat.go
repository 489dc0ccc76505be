package txn

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/step"
)

// seat is a coordinator's place: who has it, as far as is known.
type seat struct {
	kind     cluster.CoordinatorKind
	key      string
	node     core.NodeID
	finding  bool
	failures int
	retryAt  core.Mono
	call     cluster.Call
}

// link is a connection to the coordinator that can take a call now, or nil: then it is being looked for, or connected to.
func (m *Manager) link(now core.Now, s *seat, out *step.Effects) *cluster.Link {
	if s.node != core.NoNode && !m.cl.Known(s.node) {
		s.node = core.NoNode // fenced: the metadata does not name it any more
	}
	if s.node == core.NoNode {
		m.find(now, s, out)
		return nil
	}
	l := m.cl.Link(now, s.node, cluster.Main, out)
	if l == nil && m.cl.Failing(s.node, cluster.Main) {
		m.lost(now, s)
	}
	return l
}

// find asks any broker for the coordinator.
func (m *Manager) find(now core.Now, s *seat, out *step.Effects) {
	if s.finding {
		return
	}
	if now.Mono < s.retryAt {
		m.wakeAt(now, s.retryAt)
		return
	}
	l := m.cl.AnyLink(now, out)
	if l == nil {
		return
	}
	s.call = cluster.FindCoordinator(cluster.Call{Owner: cluster.Transactions, Ref: s}, s.kind, s.key)
	if !m.cl.Call(now, l, &s.call, out) {
		m.fail(core.ErrUnsupportedVersion)
		return
	}
	s.finding = true
}

// found takes the answer.
func (m *Manager) found(now core.Now, s *seat, d *cluster.Completion) {
	s.finding = false
	node, code, lost := m.cl.Coordinator(d, s.key)
	if lost {
		m.lost(now, s)
		return
	}
	switch code {
	case core.ErrNone:
		s.node = node
	case core.ErrTransactionalIDAuthorizationFailed, core.ErrInvalidRequest, core.ErrUnsupportedVersion:
		m.fail(code)
	case core.ErrGroupAuthorizationFailed, core.ErrInvalidGroupID:
		m.doom(code)
	default:
		m.lost(now, s)
	}
}

// lost gives a coordinator up, and looks for another after the back-off.
func (m *Manager) lost(now core.Now, s *seat) {
	s.node = core.NoNode
	m.backOff(now, s)
}

func (m *Manager) backOff(now core.Now, s *seat) {
	m.dirty = true
	s.failures++
	s.retryAt = m.cl.RetryAfter(now.Mono, s.failures)
}
