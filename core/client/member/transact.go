package member

import (
	"github.com/klamm-log/klamm/core"
)

// Metadata is as whom a transaction commits the group's offsets (KIP-447).
type Metadata struct {
	Group      string
	MemberID   string
	InstanceID string
	Generation int32 // with KIP-848 the member epoch
}

// Metadata is the membership of the last assignment. Between JoinGroup and SyncGroup the member is in a generation already whose
// assignment it does not know: in that one its partitions may be another's, who may have fetched their offsets, and coordinators
// take commits of transactions meanwhile. So the generation before goes on to count until then.
func (m *Member) Metadata() Metadata {
	m.confirm()
	return m.settled
}

// confirm notes the generation of an assignment that is known.
func (m *Member) confirm() {
	if m.state == Stable || m.opts.Protocol == Consumer {
		m.settled = Metadata{Group: m.opts.Group, MemberID: m.memberID, InstanceID: m.opts.InstanceID, Generation: m.generation}
	}
}

// Claim is the number of the claim by which the member holds a partition, 0 if it does not. Claims are numbered in the order of
// assignment: a partition that was lost and won again in between has another number.
func (m *Member) Claim(tp core.TopicPartition) uint64 {
	if c := m.claims.At(tp); c != nil {
		return c.number
	}
	return 0
}

// Delivered appends behind what was handed to the application, for each partition of which something was, to dst.
func (m *Member) Delivered(dst []Offset) []Offset {
	m.renew()
	for tp, c := range m.claims.All() {
		if c.delivered.offset != core.NoOffset {
			dst = append(dst, Offset{TopicPartition: tp, Offset: c.delivered.offset, EpochPlusOne: c.delivered.epochPlusOne})
		}
	}
	return dst
}

// Rewind goes back to the group's committed offsets in all partitions that are not being revoked: what was handed out since was not
// committed, or nobody knows. Nothing is handed out until they are fetched again; what is being fetched now may be of before.
func (m *Member) Rewind(now core.Now) {
	m.dirty = true
	m.rewinds++
	for _, c := range m.claims.All() {
		if c.revoking || !c.located {
			continue
		}
		c.located = false
		c.delivered, c.processed = place{offset: core.NoOffset}, place{offset: core.NoOffset}
		m.k.Unassign(now, c.tp.Topic, c.tp.Partition)
	}
}
