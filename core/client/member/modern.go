package member

import (
	"encoding/base64"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// modern is what only members of KIP-848 groups have.
type modern struct {
	pattern  string // as the application gave it
	target   []idPartition
	targeted bool // there has been a target in this membership
	interval core.Mono
	full     bool       // say everything in the next heartbeat
	beatNow  bool       // there is something to say
	told     sentModern // what the coordinator has confirmed to have heard
}

// idPartition is a partition as KIP-848 names it.
type idPartition struct {
	id        core.TopicID
	partition int32
}

func (a idPartition) compare(b idPartition) int {
	if c := a.id.Compare(b.id); c != 0 {
		return c
	}
	return int(min(max(int64(a.partition)-int64(b.partition), -1), 1))
}

// sentModern is the part of a heartbeat that is left out while it does not change.
type sentModern struct {
	topics  []string
	pattern string
	owned   []idPartition
}

func (m *modern) reset() {
	m.target, m.targeted, m.told = nil, false, sentModern{}
	m.full, m.beatNow = true, false
}

// beatModern sends a heartbeat (KIP-848): the first one joins, later ones tell what has changed and keep the session alive.
func (m *Member) beatModern(now core.Now, out *step.Effects) {
	if m.rejoin {
		m.rejoin, m.modern.beatNow = false, true
	}
	if m.beating || m.asleep || m.state != Joining && m.state != Stable && (m.state != Leaving || !m.giving.active || m.generation <= 0) {
		return
	}
	due := m.retryAt
	if m.state != Joining && !m.modern.beatNow {
		due = max(due, m.beatAt)
	}
	if now.Mono < due {
		m.wakeAt(now, due)
		return
	}
	l := m.link(now, cluster.Coordinating, out)
	if l == nil {
		return
	}
	if m.memberID == "" && l.Supports(int16(kmsg.ConsumerGroupHeartbeat), 1) {
		var id [16]byte // KIP-1082: the member makes its own id, so that a lost answer leaves no member behind
		m.rand.Fill(id[:])
		m.memberID = base64.RawURLEncoding.EncodeToString(id[:])
	}
	r := &request{}
	req := m.heartbeat(r, l.Supports(int16(kmsg.ConsumerGroupHeartbeat), 1))
	if m.ask(now, l, r, req, 0, out) {
		m.beating, m.modern.beatNow, m.modern.full = true, false, false
	}
}

// heartbeat is the next request: everything when joining or in doubt, else what has changed.
func (m *Member) heartbeat(r *request, patterns bool) *kmsg.ConsumerGroupHeartbeatRequest {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch, req.InstanceID = m.opts.Group, m.memberID, max(m.generation, epochJoin), m.instance()
	full := m.modern.full || m.state == Joining
	r.sent = sentModern{topics: m.topics, owned: m.ownedIDs()}
	if m.pattern != nil && patterns {
		r.sent.topics, r.sent.pattern = []string{}, m.modern.pattern
	}
	if full {
		req.RebalanceTimeoutMillis = int32(m.opts.RebalanceTimeout / core.Millisecond)
		if m.opts.Rack != "" {
			req.RackID = kmsg.StringPtr(m.opts.Rack)
		}
		if m.opts.ServerAssignor != "" {
			req.ServerAssignor = kmsg.StringPtr(m.opts.ServerAssignor)
		}
	}
	if full || !slices.Equal(r.sent.topics, m.modern.told.topics) {
		req.SubscribedTopicNames = append([]string{}, r.sent.topics...) // empty, not null: null is "as before"
	}
	if patterns && (full && r.sent.pattern != "" || r.sent.pattern != m.modern.told.pattern) {
		req.SubscribedTopicRegex = kmsg.StringPtr(r.sent.pattern)
	}
	if full || !slices.Equal(r.sent.owned, m.modern.told.owned) {
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
		for _, p := range r.sent.owned {
			if n := len(req.Topics); n == 0 || req.Topics[n-1].TopicID != p.id {
				req.Topics = append(req.Topics, kmsg.ConsumerGroupHeartbeatRequestTopic{TopicID: p.id})
			}
			t := &req.Topics[len(req.Topics)-1]
			t.Partitions = append(t.Partitions, p.partition)
		}
	}
	return req
}

// ownedIDs are the claims as the coordinator names them, sorted.
func (m *Member) ownedIDs() []idPartition {
	list := make([]idPartition, 0, m.claims.Len())
	for tp, c := range m.claims.All() {
		list = append(list, idPartition{c.id, tp.Partition})
	}
	slices.SortFunc(list, idPartition.compare)
	return list
}

// beatenModern takes the answer to a heartbeat of KIP-848.
func (m *Member) beatenModern(now core.Now, r *request, resp *kmsg.ConsumerGroupHeartbeatResponse) {
	detail, code := "ConsumerGroupHeartbeat", core.ErrorCode(resp.ErrorCode)
	if resp.ErrorMessage != nil {
		detail += ": " + *resp.ErrorMessage
	}
	if code == core.ErrGroupIDNotFound && m.state != Joining {
		// It was silent for longer than its session, and the group, in which nobody was left, has expired or was deleted. Whoever joins
		// makes it anew; who cannot join hears of it then. Kafka's client gives up.
		code = core.ErrUnknownMemberID
	}
	switch code {
	case core.ErrNone:
		m.heard()
		m.proof = r.tag
		if resp.MemberID != nil && *resp.MemberID != "" {
			m.memberID = *resp.MemberID
		}
		m.generation = resp.MemberEpoch
		m.modern.interval = core.Millis(int64(max(resp.HeartbeatIntervalMillis, 1)))
		m.beatAt = now.Mono.Add(m.modern.interval)
		m.modern.told = r.sent
		if m.state == Joining {
			m.state = Stable
		}
		if resp.Assignment != nil {
			m.modern.aim(resp.Assignment)
		}
		m.reconcile(now)
	case core.ErrUnknownMemberID, core.ErrFencedMemberEpoch:
		m.expelled(now, code)
	case core.ErrCoordinatorLoadInProgress, core.ErrNotCoordinator, core.ErrCoordinatorNotAvailable, core.ErrRequestTimedOut,
		core.ErrUnknownServerError:
		m.coordinatorSays(now, code)
		m.modern.full, m.modern.beatNow = true, true
	default: // UNRELEASED_INSTANCE_ID, UNSUPPORTED_ASSIGNOR, INVALID_REGULAR_EXPRESSION ...: no repetition helps
		m.fail(code, detail)
	}
}

// aim takes a target assignment.
func (m *modern) aim(a *kmsg.ConsumerGroupHeartbeatResponseAssignment) {
	m.target, m.targeted = nil, true
	for i := range a.Topics {
		for _, p := range a.Topics[i].Partitions {
			m.target = append(m.target, idPartition{a.Topics[i].TopicID, p})
		}
	}
	slices.SortFunc(m.target, idPartition.compare)
	m.target = slices.Compact(m.target)
}

// reconcile takes the next step towards the target: first what is not in it is given up, and the coordinator told; then, as
// it has freed them, come the others.
func (m *Member) reconcile(now core.Now) {
	if !m.modern.targeted || m.giving.active || m.state != Stable {
		return
	}
	var gone, fresh []core.TopicPartition
	for tp, c := range m.claims.All() {
		if _, wanted := slices.BinarySearchFunc(m.modern.target, idPartition{c.id, tp.Partition}, idPartition.compare); !wanted {
			gone = append(gone, tp)
		}
	}
	if len(gone) > 0 {
		m.revoke(now, gone)
		return
	}
	ids := make(map[core.TopicPartition]core.TopicID)
	for _, p := range m.modern.target {
		name, known := m.nameOf(p.id)
		if !known { // the metadata will tell; until then the partition waits
			m.cl.Refresh()
			continue
		}
		if tp := (core.TopicPartition{Topic: name, Partition: p.partition}); !m.claims.Has(tp) {
			fresh = append(fresh, tp)
			ids[tp] = p.id
		}
	}
	slices.SortFunc(fresh, core.TopicPartition.Compare)
	m.assign(fresh, ids)
	if !slices.Equal(m.ownedIDs(), m.modern.told.owned) {
		m.modern.beatNow, m.dirty = true, true
	}
}

// nameOf is the name of a topic that the coordinator named by its id.
func (m *Member) nameOf(id core.TopicID) (string, bool) {
	if t := m.cl.TopicByID(id); t != nil {
		return t.Name, true
	}
	all, _ := m.cl.Topics()
	for _, t := range all {
		if t.ID == id {
			return t.Name, true
		}
	}
	return "", false
}
