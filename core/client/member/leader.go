package member

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor"
	"github.com/klamm-log/klamm/core/assignor/protocol"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// leading is the leader's part in one generation of a classic group.
type leading struct {
	members []leadingMember
	topics  []string // of all members, sorted
	counts  []int32  // their partitions when the assignment was made, 0 if a topic did not exist
	version int64    // of the metadata when the generation began
	// assigned: the assignment is made, once in a generation. A SyncGroup whose answer was lost is sent again as it was: the coordinator
	// may have stored the first one, and answers with that.
	assigned bool
	list     []kmsg.SyncGroupRequestGroupAssignment
	// skip: KIP-814, the coordinator has the assignment; a static leader came back and only watches the topics.
	skip  bool
	self  string // the leader's member id, if it is a static member
	stale bool   // skip: the assignment does not rest on the topics as they are
}

type leadingMember struct {
	id, instance string
	subscription protocol.Subscription
	known        bool // the subscription could be read
}

// newLeading takes the members of a JoinGroup response.
func (m *Member) newLeading(resp *kmsg.JoinGroupResponse) *leading {
	l := &leading{version: m.cl.MetadataVersion(), skip: resp.SkipAssignment}
	if m.opts.InstanceID != "" {
		l.self = resp.MemberID
	}
	for i := range resp.Members {
		r := &resp.Members[i]
		one := leadingMember{id: r.MemberID}
		if r.InstanceID != nil {
			one.instance = *r.InstanceID
		}
		s, _, err := protocol.ParseSubscription(r.ProtocolMetadata)
		one.subscription, one.known = s, err == nil // who cannot be understood gets nothing, and the others go on
		l.members = append(l.members, one)
		l.topics = append(l.topics, s.Topics...)
	}
	slices.Sort(l.topics)
	l.topics = slices.Compact(l.topics)
	for _, t := range l.topics {
		m.cl.Want(t)
	}
	m.cl.Refresh() // an assignment of yesterday's partitions would be followed by another rebalance
	return l
}

// prepared reports whether the topics are known as they were after the generation began.
func (l *leading) prepared(cl *cluster.Cluster) bool {
	if cl.MetadataVersion() == l.version {
		return false
	}
	for _, name := range l.topics {
		if !cl.Want(name).Answered {
			return false
		}
	}
	return true
}

// partitionsOf is the number of a topic's partitions as far as known.
func partitionsOf(cl *cluster.Cluster, name string) int32 {
	t := cl.Want(name)
	if t.Err == core.ErrUnknownTopicOrPartition {
		return 0
	}
	return int32(len(t.Partitions))
}

// assignment is what the leader has assigned in this generation.
func (l *leading) assignment(using assignor.Assignor, cl *cluster.Cluster) []kmsg.SyncGroupRequestGroupAssignment {
	if !l.assigned {
		l.assigned, l.list = true, l.assign(using, cl)
	}
	return l.list
}

// assign divides the partitions. Racks count only if some member has one (KIP-881).
func (l *leading) assign(using assignor.Assignor, cl *cluster.Cluster) []kmsg.SyncGroupRequestGroupAssignment {
	for _, name := range l.topics {
		l.counts = append(l.counts, partitionsOf(cl, name))
	}
	if l.skip {
		return nil
	}
	var members []assignor.Member
	racks := false
	for i := range l.members {
		if o := &l.members[i]; o.known {
			members = append(members, o.subscription.Member(using, o.id, o.instance))
			racks = racks || o.subscription.Rack != ""
		}
	}
	topics := make([]assignor.Topic, 0, len(l.topics))
	for i, name := range l.topics {
		t := assignor.Topic{Name: name, Partitions: l.counts[i]}
		if racks {
			parts := cl.Want(name).Partitions
			for p := range parts[:t.Partitions] {
				t.Racks = append(t.Racks, cl.RacksOf(&parts[p]))
			}
		}
		topics = append(topics, t)
	}
	var out []kmsg.SyncGroupRequestGroupAssignment
	for i, list := range using.Assign(members, topics) {
		a := protocol.Assignment{Partitions: list}
		if members[i].ID == l.self {
			a.UserData = l.basis()
		}
		row := kmsg.NewSyncGroupRequestGroupAssignment()
		row.MemberID, row.MemberAssignment = members[i].ID, a.AppendTo(nil, protocol.Newest)
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b kmsg.SyncGroupRequestGroupAssignment) int { return strings.Compare(a.MemberID, b.MemberID) })
	return out
}

// basis is a hash of the topics and the numbers of their partitions, on which the assignment rests. A static leader gives it to itself, as
// the user data of its assignment.
func (l *leading) basis() []byte {
	h := fnv.New64a()
	var b []byte
	for i, name := range l.topics {
		b = binary.BigEndian.AppendUint32(append(append(b[:0], name...), 0), uint32(l.counts[i]))
		_, _ = h.Write(b)
	}
	return h.Sum(nil)
}

// resumed takes the assignment of a static leader that came back. KIP-814 spares its group a rebalance and leaves it the watch over the
// topics; but what was created while it was away is no change to somebody who has seen nothing before.
func (l *leading) resumed(a *protocol.Assignment) {
	l.stale = l.skip && !bytes.Equal(a.UserData, l.basis())
}

// changed reports whether the assignment does not fit the topics any more. Nobody else in a classic group looks at that.
func (l *leading) changed(cl *cluster.Cluster) bool {
	if l.stale {
		return true
	}
	for i, name := range l.topics {
		if i < len(l.counts) && partitionsOf(cl, name) != l.counts[i] {
			return true
		}
	}
	return false
}
