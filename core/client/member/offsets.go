package member

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetch is one OffsetFetch: where the group is in newly assigned partitions.
type fetch struct {
	call    cluster.Call
	round   uint64
	rewinds int
	claims  []*claim
	tag     int64
}

// byIDs reports whether all topics of claims have a known id, so that they can be named by it (KIP-848; version 10).
func (m *Member) byIDs(claims []*claim) bool {
	for _, c := range claims {
		if m.cl.Want(c.tp.Topic).ID.IsZero() {
			return false
		}
	}
	return true
}

// namedOnly is the last version of OffsetFetch and OffsetCommit that names topics.
const namedOnly = 9

// fetchOffsets asks for the committed offsets of claims that are not read yet. Until they are known nothing can be read: a
// start anywhere else would skip or repeat.
func (m *Member) fetchOffsets(now core.Now, out *step.Effects) {
	if m.fetching || m.state != Stable && m.state != Preparing && m.state != Joining && m.state != Syncing {
		return
	}
	var want []*claim
	for _, c := range m.claims.All() {
		if !c.located && !c.revoking {
			want = append(want, c)
		}
	}
	if len(want) == 0 {
		m.fetchFail = 0
		return
	}
	if now.Mono < m.fetchAt {
		m.wakeAt(now, m.fetchAt)
		return
	}
	l := m.link(now, cluster.Main, out)
	if l == nil {
		return
	}
	f := &fetch{round: m.round, rewinds: m.rewinds, claims: want, tag: m.tag}
	f.call = cluster.Call{Owner: cluster.Group, Ref: f, Body: m.fetchRequest(want, l.Supports(int16(kmsg.OffsetFetch), 8)), MinVersion: 1}
	if !m.byIDs(want) {
		f.call.MaxVersion = namedOnly
	}
	if !m.cl.Call(now, l, &f.call, out) {
		m.fail(core.ErrUnsupportedVersion, "OffsetFetch")
		return
	}
	m.fetching = true
}

func (m *Member) fetchRequest(want []*claim, batched bool) *kmsg.OffsetFetchRequest {
	req := kmsg.NewPtrOffsetFetchRequest()
	// KIP-447: an offset that a transaction is about to overwrite is no place to begin at.
	req.RequireStable = true
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group, req.Group = m.opts.Group, m.opts.Group
	if m.opts.Protocol == Consumer {
		g.MemberID, g.MemberEpoch = kmsg.StringPtr(m.memberID), m.generation
	}
	for _, c := range want {
		if batched {
			if n := len(g.Topics); n == 0 || g.Topics[n-1].Topic != c.tp.Topic {
				t := kmsg.NewOffsetFetchRequestGroupTopic()
				t.Topic, t.TopicID = c.tp.Topic, m.cl.Want(c.tp.Topic).ID
				g.Topics = append(g.Topics, t)
			}
			t := &g.Topics[len(g.Topics)-1]
			t.Partitions = append(t.Partitions, c.tp.Partition)
			continue
		}
		if n := len(req.Topics); n == 0 || req.Topics[n-1].Topic != c.tp.Topic {
			req.Topics = append(req.Topics, kmsg.OffsetFetchRequestTopic{Topic: c.tp.Topic})
		}
		t := &req.Topics[len(req.Topics)-1]
		t.Partitions = append(t.Partitions, c.tp.Partition)
	}
	if batched {
		req.Groups = append(req.Groups, g)
	}
	return req
}

// fetchedOffset is one partition's row of an answer.
type fetchedOffset struct {
	offset core.Offset
	epoch  core.LeaderEpoch
	err    core.ErrorCode
}

// fetched takes the end of an OffsetFetch.
func (m *Member) fetched(now core.Now, f *fetch, done *cluster.Completion) {
	if f.round != m.round {
		return
	}
	m.fetching, m.dirty = false, true
	resp, ok := done.Resp.(*kmsg.OffsetFetchResponse)
	if !ok {
		m.lostTouch(now)
		m.retryFetch(now)
		return
	}
	rows, code := m.readOffsets(resp)
	switch code {
	case core.ErrNone:
	case core.ErrUnknownMemberID, core.ErrFencedMemberEpoch, core.ErrIllegalGeneration, core.ErrGroupIDNotFound:
		m.expelled(now, code)
		return
	case core.ErrGroupAuthorizationFailed, core.ErrInvalidGroupID, core.ErrUnsupportedVersion:
		m.fail(code, "OffsetFetch")
		return
	default:
		m.coordinatorSays(now, code)
		m.retryFetch(now)
		return
	}
	if f.rewinds != m.rewinds {
		return // asked again at once
	}
	for _, c := range f.claims {
		row, ok := rows[c.tp]
		switch {
		case !c.held || c.located || c.revoking:
		case !ok || row.err.Retriable() || row.err == core.ErrUnknownServerError:
			if row.err == core.ErrUnknownTopicID { // the topic has another by now
				m.cl.Refresh()
			}
			m.retryFetch(now)
		case row.err != core.ErrNone:
			m.fail(row.err, "the committed offset of "+c.tp.String())
			return
		default:
			m.begin(now, f, c, row)
		}
	}
}

func (m *Member) retryFetch(now core.Now) {
	m.fetchFail++
	m.fetchAt = m.cl.RetryAfter(now.Mono, m.fetchFail)
}

// begin reads a claim from its committed offset, or from where the reset policy says.
func (m *Member) begin(now core.Now, f *fetch, c *claim, row fetchedOffset) {
	at := consumer.Start{Kind: consumer.SeekReset}
	if row.offset >= 0 {
		at = consumer.Start{Kind: consumer.SeekOffset, Offset: row.offset, EpochPlusOne: max(row.epoch, core.NoLeaderEpoch) + 1}
	}
	m.locate(now, c, at)
	c.committed = max(row.offset, core.NoOffset)
	if m.opts.Witness {
		m.event(Event{Kind: EventFetched, Partitions: []core.TopicPartition{c.tp}, Offset: c.committed, Tag: f.tag, Generation: m.generation})
	}
}

// readOffsets brings the two shapes of the answer into one.
func (m *Member) readOffsets(resp *kmsg.OffsetFetchResponse) (map[core.TopicPartition]fetchedOffset, core.ErrorCode) {
	rows := make(map[core.TopicPartition]fetchedOffset)
	if resp.Version < 8 {
		for i := range resp.Topics {
			t := &resp.Topics[i]
			for j := range t.Partitions {
				p := &t.Partitions[j]
				rows[core.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = fetchedOffset{
					core.Offset(p.Offset), core.LeaderEpoch(p.LeaderEpoch), core.ErrorCode(p.ErrorCode)}
			}
		}
		return rows, core.ErrorCode(resp.ErrorCode)
	}
	for i := range resp.Groups {
		g := &resp.Groups[i]
		if g.Group != m.opts.Group {
			continue
		}
		for j := range g.Topics {
			name := m.topicName(resp.Version, g.Topics[j].Topic, g.Topics[j].TopicID)
			for k := range g.Topics[j].Partitions {
				p := &g.Topics[j].Partitions[k]
				rows[core.TopicPartition{Topic: name, Partition: p.Partition}] = fetchedOffset{
					core.Offset(p.Offset), core.LeaderEpoch(p.LeaderEpoch), core.ErrorCode(p.ErrorCode)}
			}
		}
		return rows, core.ErrorCode(g.ErrorCode)
	}
	return nil, core.ErrUnknownServerError
}

// topicName is the name of a topic in a response of OffsetFetch or OffsetCommit; empty if its id is not known any more.
func (m *Member) topicName(version int16, name string, id core.TopicID) string {
	if version <= namedOnly {
		return name
	}
	if t := m.cl.TopicByID(id); t != nil {
		return t.Name
	}
	return ""
}
