package client_test

import (
	"bytes"
	"maps"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fakeGroup is a group coordinator's truth about one group. The client under test is its only real member; ghosts are members
// that do at once whatever a rebalance asks of them.
type fakeGroup struct {
	k           *fakeKafka
	coordinator int32
	refuse      core.ErrorCode // by every request to the coordinator, if set
	loseFind    core.ErrorCode // by FindCoordinator

	generation int32
	member     string // the real one; empty: not in the group
	epochs     int    // ids handed out
	rebalance  bool   // heartbeats say so
	syncing    bool
	ghostLeads bool
	ghosts     map[string]protocol.Subscription
	subscribed protocol.Subscription // of the real member, as last joined
	protocols  []string
	plan       map[string][]core.TopicPartition // by member, from the leader; a test's if ghosts lead
	basis      map[string][]byte                // and the user data that came with it
	planned    int32                            // the generation of plan
	planReal   []core.TopicPartition            // ghostLeads: what the real member gets
	committed  map[core.TopicPartition]int64
	commits    int
	left       []string
	unstable   int // answers of OffsetFetch that say UNSTABLE_OFFSET_COMMIT

	// KIP-848
	beats    []kmsg.ConsumerGroupHeartbeatRequest
	target   map[core.TopicID][]int32
	retarget bool // send target with the next answer
}

func (k *fakeKafka) newGroup() *fakeGroup {
	k.group = &fakeGroup{k: k, ghosts: map[string]protocol.Subscription{}, committed: map[core.TopicPartition]int64{}}
	return k.group
}

// handleGroup executes a request to a coordinator; it is false if it is none.
func (b *fakeBroker) handleGroup(req kmsg.Request, resp kmsg.Response) bool {
	g := b.kafka.group
	switch r := req.(type) {
	case *kmsg.FindCoordinatorRequest:
		g.findCoordinator(r, resp.(*kmsg.FindCoordinatorResponse))
	case *kmsg.JoinGroupRequest:
		g.join(r, resp.(*kmsg.JoinGroupResponse), g.check(b))
	case *kmsg.SyncGroupRequest:
		g.sync(r, resp.(*kmsg.SyncGroupResponse), g.check(b))
	case *kmsg.HeartbeatRequest:
		code := g.check(b)
		if code == core.ErrNone {
			code = g.fence(r.MemberID, r.Generation)
		}
		if code == core.ErrNone && g.rebalance {
			code = core.ErrRebalanceInProgress
		}
		resp.(*kmsg.HeartbeatResponse).ErrorCode = int16(code)
	case *kmsg.LeaveGroupRequest:
		id := r.MemberID
		if r.Version >= 3 {
			id = r.Members[0].MemberID
		}
		g.left = append(g.left, id)
		if id == g.member {
			g.member = ""
		}
	case *kmsg.OffsetFetchRequest:
		g.offsetFetch(r, resp.(*kmsg.OffsetFetchResponse), g.check(b))
	case *kmsg.OffsetCommitRequest:
		g.offsetCommit(r, resp.(*kmsg.OffsetCommitResponse), g.check(b))
	case *kmsg.ConsumerGroupHeartbeatRequest:
		g.heartbeat(r, resp.(*kmsg.ConsumerGroupHeartbeatResponse), g.check(b))
	default:
		return false
	}
	return true
}

func (g *fakeGroup) check(b *fakeBroker) core.ErrorCode {
	if int32(b.id) != g.coordinator {
		return core.ErrNotCoordinator
	}
	return g.refuse
}

func (g *fakeGroup) fence(member string, generation int32) core.ErrorCode {
	switch {
	case member != g.member:
		return core.ErrUnknownMemberID
	case generation != g.generation:
		return core.ErrIllegalGeneration
	}
	return core.ErrNone
}

func (g *fakeGroup) findCoordinator(r *kmsg.FindCoordinatorRequest, resp *kmsg.FindCoordinatorResponse) {
	b := g.k.brokers[g.coordinator]
	row := kmsg.FindCoordinatorResponseCoordinator{Key: "g", NodeID: int32(b.id), Host: "host", Port: b.port, ErrorCode: int16(g.loseFind)}
	if r.Version >= 4 {
		resp.Coordinators = append(resp.Coordinators, row)
		return
	}
	resp.NodeID, resp.Host, resp.Port, resp.ErrorCode = row.NodeID, row.Host, row.Port, row.ErrorCode
}

func (g *fakeGroup) newID() string {
	g.epochs++
	return "m" + string(rune('0'+g.epochs))
}

func (g *fakeGroup) join(r *kmsg.JoinGroupRequest, resp *kmsg.JoinGroupResponse, code core.ErrorCode) {
	resp.ErrorCode = int16(code)
	switch {
	case code != core.ErrNone:
		return
	case r.MemberID == "" && r.Version >= 4 && r.InstanceID == nil:
		resp.ErrorCode, resp.MemberID = int16(core.ErrMemberIDRequired), g.newID()
		g.member = resp.MemberID // pending
		return
	case r.MemberID == "" && g.generation > 0 && g.planned == g.generation: // KIP-345, KIP-814: a static leader is back
		old := g.member
		g.member = g.newID()
		g.plan[g.member], g.basis[g.member] = g.plan[old], g.basis[old]
		resp.SkipAssignment = true
		g.tell(r, resp)
		return
	case r.MemberID == "":
		g.member = g.newID()
	case r.MemberID != g.member:
		resp.ErrorCode = int16(core.ErrUnknownMemberID)
		return
	}
	g.protocols = nil
	for _, p := range r.Protocols {
		g.protocols = append(g.protocols, p.Name)
	}
	g.subscribed, _, _ = protocol.ParseSubscription(r.Protocols[0].Metadata)
	g.generation++
	g.rebalance, g.syncing = false, true
	g.tell(r, resp)
}

// tell answers a JoinGroup of the present generation.
func (g *fakeGroup) tell(r *kmsg.JoinGroupRequest, resp *kmsg.JoinGroupResponse) {
	resp.MemberID, resp.Generation, resp.LeaderID = g.member, g.generation, "ghost"
	resp.ProtocolType, resp.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr(r.Protocols[0].Name)
	if g.ghostLeads {
		return
	}
	resp.LeaderID = g.member
	resp.Members = append(resp.Members, kmsg.JoinGroupResponseMember{MemberID: g.member, ProtocolMetadata: r.Protocols[0].Metadata})
	for _, id := range slices.Sorted(maps.Keys(g.ghosts)) {
		resp.Members = append(resp.Members, kmsg.JoinGroupResponseMember{MemberID: id, ProtocolMetadata: g.ghosts[id].AppendTo(nil, protocol.Newest)})
	}
}

func (g *fakeGroup) sync(r *kmsg.SyncGroupRequest, resp *kmsg.SyncGroupResponse, code core.ErrorCode) {
	if code == core.ErrNone {
		code = g.fence(r.MemberID, r.Generation)
	}
	if code == core.ErrNone && g.rebalance {
		code = core.ErrRebalanceInProgress
	}
	if resp.ErrorCode = int16(code); code != core.ErrNone {
		return
	}
	g.syncing = false
	if g.planned == g.generation { // the group is Stable
		resp.MemberAssignment = protocol.Assignment{Partitions: g.plan[g.member], UserData: g.basis[g.member]}.AppendTo(nil, 0)
		return
	}
	g.planned = g.generation
	g.plan, g.basis = map[string][]core.TopicPartition{}, map[string][]byte{}
	if g.ghostLeads {
		g.plan[g.member] = g.planReal
	}
	for _, a := range r.GroupAssignment {
		one, _, err := protocol.ParseAssignment(a.MemberAssignment)
		if err != nil {
			panic(err)
		}
		g.plan[a.MemberID], g.basis[a.MemberID] = one.Partitions, bytes.Clone(one.UserData)
	}
	resp.MemberAssignment = protocol.Assignment{Partitions: g.plan[g.member]}.AppendTo(nil, 0)
}

// topicNamed brings both ways of naming a topic into one.
func (g *fakeGroup) topicNamed(version int16, name string, id core.TopicID) string {
	if version < 10 {
		return name
	}
	if t := g.k.find("", id); t != nil {
		return t.name
	}
	return ""
}

func (g *fakeGroup) offset(topic string, p int32) (offset int64, code core.ErrorCode) {
	if g.unstable > 0 {
		return -1, core.ErrUnstableOffsetCommit
	}
	if topic == "" {
		return -1, core.ErrUnknownTopicID
	}
	if o, ok := g.committed[core.TopicPartition{Topic: topic, Partition: p}]; ok {
		return o, core.ErrNone
	}
	return -1, core.ErrNone
}

func (g *fakeGroup) offsetFetch(r *kmsg.OffsetFetchRequest, resp *kmsg.OffsetFetchResponse, code core.ErrorCode) {
	if r.Version < 8 {
		resp.ErrorCode = int16(code)
		for _, t := range r.Topics {
			row := kmsg.OffsetFetchResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				o, code := g.offset(t.Topic, p)
				row.Partitions = append(row.Partitions, kmsg.OffsetFetchResponseTopicPartition{Partition: p, Offset: o, LeaderEpoch: -1, ErrorCode: int16(code)})
			}
			resp.Topics = append(resp.Topics, row)
		}
		return
	}
	out := kmsg.OffsetFetchResponseGroup{Group: r.Groups[0].Group, ErrorCode: int16(code)}
	for _, t := range r.Groups[0].Topics {
		row := kmsg.OffsetFetchResponseGroupTopic{Topic: t.Topic, TopicID: t.TopicID}
		for _, p := range t.Partitions {
			o, code := g.offset(g.topicNamed(r.Version, t.Topic, t.TopicID), p)
			row.Partitions = append(row.Partitions, kmsg.OffsetFetchResponseGroupTopicPartition{Partition: p, Offset: o, LeaderEpoch: -1, ErrorCode: int16(code)})
		}
		out.Topics = append(out.Topics, row)
	}
	resp.Groups = append(resp.Groups, out)
	g.unstable = max(0, g.unstable-1)
}

func (g *fakeGroup) offsetCommit(r *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, code core.ErrorCode) {
	if code == core.ErrNone {
		code = g.fence(r.MemberID, r.Generation)
	}
	if code == core.ErrNone && g.syncing {
		code = core.ErrRebalanceInProgress
	}
	g.commits++
	for _, t := range r.Topics {
		row := kmsg.OffsetCommitResponseTopic{Topic: t.Topic, TopicID: t.TopicID}
		for _, p := range t.Partitions {
			code, name := code, g.topicNamed(r.Version, t.Topic, t.TopicID)
			switch {
			case code != core.ErrNone:
			case name == "":
				code = core.ErrUnknownTopicID
			default:
				g.committed[core.TopicPartition{Topic: name, Partition: p.Partition}] = p.Offset
			}
			row.Partitions = append(row.Partitions, kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: int16(code)})
		}
		resp.Topics = append(resp.Topics, row)
	}
}

func (g *fakeGroup) heartbeat(r *kmsg.ConsumerGroupHeartbeatRequest, resp *kmsg.ConsumerGroupHeartbeatResponse, code core.ErrorCode) {
	g.beats = append(g.beats, *r)
	resp.HeartbeatIntervalMillis = 1000
	switch {
	case code != core.ErrNone:
	case r.MemberEpoch < 0:
		g.left = append(g.left, r.MemberID)
		g.member = ""
		resp.MemberEpoch = r.MemberEpoch
		return
	case r.MemberEpoch == 0:
		g.member, g.retarget = r.MemberID, true
		g.generation++
	case r.MemberID != g.member:
		code = core.ErrUnknownMemberID
	case r.MemberEpoch != g.generation:
		code = core.ErrFencedMemberEpoch
	}
	resp.ErrorCode, resp.MemberID, resp.MemberEpoch = int16(code), kmsg.StringPtr(r.MemberID), g.generation
	if code == core.ErrNone && g.retarget {
		g.retarget = false
		resp.Assignment = &kmsg.ConsumerGroupHeartbeatResponseAssignment{}
		for _, t := range g.k.topics {
			if list := g.target[t.id]; len(list) > 0 {
				resp.Assignment.Topics = append(resp.Assignment.Topics, kmsg.ConsumerGroupHeartbeatResponseAssignmentTopic{TopicID: t.id, Partitions: list})
			}
		}
	}
}
