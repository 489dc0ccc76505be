package controller

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/ordmap"
)

// contacts is the controller's soft state: when it heard from whom. It is not in the log, because heartbeats would fill
// it; a new controller starts with none and gives every broker a whole session (KIP-631).
type contacts struct {
	timeout  core.Mono
	sessions *ordmap.Map[core.NodeID, *session] // one for each registered broker
	due      deadline.Heap[core.NodeID]         // one entry for each armed session, at or before its end
}

// session is what is known of one registration of a broker beyond the image.
type session struct {
	epoch   core.BrokerEpoch
	contact core.Mono   // when it was heard last; counts while the broker is not fenced
	broken  core.Mono   // when its connection broke, and it was not heard since; 0: it has not
	offset  core.Offset // of the metadata log, up to which it said to have applied; -1: it has not said yet
	// leaving is the offset that every active broker must have applied before this one may end its controlled shutdown:
	// only then do all know the leaders that follow it. -1: it is in none.
	leaving core.Offset
	armed   deadline.Handle
	waiting bool // armed is in the heap
}

// newContacts gives every registered broker a session that begins now.
func newContacts(timeout core.Mono, m *metadata.Image, now core.Now) *contacts {
	k := &contacts{timeout: timeout, sessions: ordmap.Ordered[core.NodeID, *session]()}
	for b := range m.Brokers() {
		s := &session{epoch: b.Epoch, contact: now.Mono, offset: core.NoOffset, leaving: core.NoOffset}
		if b.InControlledShutdown {
			// The record of its shutdown is somewhere below; what follows it is at most here.
			s.leaving = m.Offset()
		}
		k.sessions.Set(b.ID, s)
		k.arm(b, s)
	}
	return k
}

// apply follows one change of the image that is part of a batch with the given last offset.
func (k *contacts) apply(ch *metadata.Change, last core.Offset) {
	if ch.Kind != metadata.BrokerChanged {
		return
	}
	b := ch.BrokerAfter
	s := k.sessions.At(ch.Node)
	if s != nil && (b == nil || b.Epoch != s.epoch) {
		k.disarm(s) // what the old incarnation said does not count for the new one
		k.sessions.Delete(ch.Node)
		s = nil
	}
	if b == nil {
		return
	}
	if s == nil {
		s = &session{epoch: b.Epoch, offset: core.NoOffset, leaving: core.NoOffset}
		k.sessions.Set(b.ID, s)
	}
	switch {
	case !b.InControlledShutdown:
		s.leaving = core.NoOffset
	case s.leaving == core.NoOffset:
		s.leaving = last
	}
	k.arm(b, s)
}

// arm keeps the session of an unfenced broker in the heap, and that of a fenced one out of it.
func (k *contacts) arm(b *metadata.Broker, s *session) {
	switch {
	case b.Fenced:
		k.disarm(s)
	case !s.waiting:
		s.armed, s.waiting = k.due.Add(k.end(s), b.ID), true
	}
}

func (k *contacts) disarm(s *session) {
	if s.waiting {
		k.due.Cancel(s.armed)
		s.waiting = false
	}
}

// touch notes that a broker was heard. Its entry in the heap stays where it is: it is moved when it comes up, once per
// session instead of once per heartbeat.
func (k *contacts) touch(node core.NodeID, now core.Now) *session {
	s := k.sessions.At(node)
	s.contact, s.broken = max(s.contact, now.Mono), 0
	return s
}

// grace is the part of a session that is left to a broker whose connection has broken: 300 ms of Kafka's nine seconds.
const grace = 30

// end is when a session runs out.
func (k *contacts) end(s *session) core.Mono {
	end := s.contact.Add(k.timeout)
	if s.broken > 0 {
		end = min(end, s.broken.Add(k.timeout/grace))
	}
	return end
}

// lost notes that a broker's connection has broken.
func (k *contacts) lost(b *metadata.Broker, now core.Now) {
	s := k.sessions.At(b.ID)
	if b.Fenced || s.broken > 0 {
		return
	}
	s.broken = max(1, now.Mono)
	k.disarm(s)
	k.arm(b, s)
}

// alive reports whether a broker has a session: it is not fenced, and was heard less than a timeout ago.
func (k *contacts) alive(b *metadata.Broker, now core.Now) bool {
	s := k.sessions.At(b.ID)
	return !b.Fenced && s != nil && now.Mono <= k.end(s)
}

// ended ends a broker's session.
func (k *contacts) ended(b *metadata.Broker) {
	s := k.sessions.At(b.ID)
	s.contact = never
	k.disarm(s)
	k.arm(b, s)
}

// never is an instant before any session.
const never core.Mono = -1 << 62

// expired takes one broker whose session has run out, if there is any.
func (k *contacts) expired(now core.Now) (core.NodeID, bool) {
	for {
		node, ok := k.due.PopDue(now.Mono)
		if !ok {
			return core.NoNode, false
		}
		s := k.sessions.At(node)
		s.waiting = false
		if end := k.end(s); now.Mono <= end {
			// One nanosecond late, so that an entry that has come up is either expired or in the future.
			s.armed, s.waiting = k.due.Add(end.Add(1), node), true
			continue
		}
		return node, true
	}
}

// lowestActive is the least metadata offset that any active broker has said to have applied, and false if there is no
// active broker.
func (k *contacts) lowestActive(m *metadata.Image) (least core.Offset, ok bool) {
	for b := range m.Brokers() {
		if !b.Active() {
			continue
		}
		if s := k.sessions.At(b.ID); !ok || s.offset < least {
			least, ok = s.offset, true
		}
	}
	return least, ok
}
