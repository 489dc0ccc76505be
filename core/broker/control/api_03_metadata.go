package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Metadata (key 3).
//
// Behavior: the live brokers, at the address advertised for the listener that the client came through, and the topics
// asked for. Every broker takes admin requests, so controller_id is this one (as Kafka in KRaft mode answers any). A
// topic that does not exist is created if both the client and auto.create.topics.enable allow it; the answer is
// UNKNOWN_TOPIC_OR_PARTITION all the same, and the client asks again. Names that no topic can have are
// INVALID_TOPIC_EXCEPTION and never created.
//
// missing says why there is no topic of a name, and has it created if that is to be.
//
// Version notes: 0 takes an empty list for all topics; from 1 on null is all and empty is none. 0 lists those replicas
// only that can be reached, and says REPLICA_NOT_AVAILABLE if some cannot. 0-3 imply
// auto-creation (core/wire sets the flag). 5 offline replicas, 7 leader epochs, 8-10 the cluster's authorized
// operations, 8 the topics'. 10 returns topic ids, 12 looks topics up by them; an id in versions 10-11 is
// INVALID_REQUEST.
func (p *Plane) Metadata(listener string, r *step.Request, req *kmsg.MetadataRequest, missing func(name string) core.ErrorCode, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	resp.ClusterID = &p.cfg.ClusterID
	resp.ControllerID = int32(p.cfg.NodeID)
	resp.AuthorizedOperations = Authorized(req.IncludeClusterAuthorizedOperations, ClusterOperations)
	for n := range p.image.Brokers() {
		if e, ok := n.Endpoint(listener); ok && !n.Fenced {
			resp.Brokers = append(resp.Brokers, kmsg.MetadataResponseBroker{
				NodeID: int32(n.ID), Host: e.Host, Port: int32(e.Port), Rack: n.Rack,
			})
		}
	}
	v := topicView{p: p, listener: listener, version: r.Version, operations: req.IncludeTopicAuthorizedOperations}
	switch {
	case req.Topics == nil || r.Version == 0 && len(req.Topics) == 0:
		for t := range p.image.Topics() {
			resp.Topics = append(resp.Topics, v.row(t))
		}
	case idsTooEarly(r.Version, req.Topics):
		for i := range req.Topics {
			resp.Topics = append(resp.Topics, v.missing(&req.Topics[i], core.ErrInvalidRequest))
		}
	default:
		resp.Topics = p.askedTopics(req.Topics, missing, &v)
	}
	p.reply(r, resp, out)
}

// idsTooEarly reports whether a request of a version that only returns topic ids looks up by them.
func idsTooEarly(version int16, topics []kmsg.MetadataRequestTopic) bool {
	for i := range topics {
		if version < 12 && (topics[i].Topic == nil || topics[i].TopicID != core.TopicID{}) {
			return true
		}
	}
	return false
}

// askedTopics answers for each topic once, in the order of the request.
func (p *Plane) askedTopics(asked []kmsg.MetadataRequestTopic, missing func(name string) core.ErrorCode, v *topicView) []kmsg.MetadataResponseTopic {
	rows := make([]kmsg.MetadataResponseTopic, 0, len(asked))
	names, ids := make(map[string]bool, len(asked)), make(map[core.TopicID]bool)
	for i := range asked {
		a := &asked[i]
		byID := core.TopicID(a.TopicID) != core.TopicID{}
		switch {
		case byID && ids[a.TopicID] || !byID && a.Topic != nil && names[*a.Topic]:
		case byID:
			ids[a.TopicID] = true
			if t := p.image.TopicByID(a.TopicID); t != nil {
				rows = append(rows, v.row(t))
			} else {
				row := v.missing(a, core.ErrUnknownTopicID)
				row.Topic = nil
				rows = append(rows, row)
			}
		case a.Topic == nil:
			rows = append(rows, v.missing(a, core.ErrInvalidRequest))
		default:
			names[*a.Topic] = true
			if t := p.image.Topic(*a.Topic); t != nil {
				rows = append(rows, v.row(t))
			} else {
				rows = append(rows, v.missing(a, missing(*a.Topic)))
			}
		}
	}
	return rows
}

// topicView makes the rows that describe topics to clients of one listener.
type topicView struct {
	p          *Plane
	listener   string
	version    int16
	operations bool
}

func (v *topicView) row(t *metadata.Topic) kmsg.MetadataResponseTopic {
	row := kmsg.NewMetadataResponseTopic()
	row.Topic, row.TopicID, row.IsInternal = kmsg.StringPtr(t.Name), t.ID, InternalTopic(t.Name)
	row.AuthorizedOperations = Authorized(v.operations, TopicOperations)
	row.Partitions = make([]kmsg.MetadataResponseTopicPartition, 0, len(t.Partitions()))
	for _, state := range t.Partitions() {
		s := v.p.Sight(state, v.listener)
		rp := kmsg.NewMetadataResponseTopicPartition()
		rp.Partition, rp.Leader, rp.LeaderEpoch = state.ID, s.Leader, int32(state.LeaderEpoch)
		rp.Replicas, rp.ISR, rp.OfflineReplicas = NodeIDs(state.Replicas), NodeIDs(state.ISR), s.Offline
		if v.version == 0 {
			rp.Replicas, rp.ISR = v.reachable(state.Replicas), v.reachable(state.ISR)
		}
		switch {
		case s.Leader >= 0 && (len(rp.Replicas) < len(state.Replicas) || len(rp.ISR) < len(state.ISR)):
			rp.ErrorCode = int16(core.ErrReplicaNotAvailable)
		case s.Leader >= 0:
		case state.Leader != core.NoNode && v.version >= 6: // before, clients know only that there is no leader for them
			rp.ErrorCode = int16(core.ErrListenerNotFound)
		default:
			rp.ErrorCode = int16(core.ErrLeaderNotAvailable)
		}
		row.Partitions = append(row.Partitions, rp)
	}
	return row
}

// reachable is the nodes of a list that clients of the listener can reach.
func (v *topicView) reachable(nodes []core.NodeID) []int32 {
	out := make([]int32, 0, len(nodes))
	for _, id := range nodes {
		if n := v.p.image.Broker(id); n != nil {
			if _, ok := n.Endpoint(v.listener); ok {
				out = append(out, int32(id))
			}
		}
	}
	return out
}

// missing is the row of a topic that cannot be described.
func (v *topicView) missing(asked *kmsg.MetadataRequestTopic, code core.ErrorCode) kmsg.MetadataResponseTopic {
	row := kmsg.NewMetadataResponseTopic()
	row.Topic, row.TopicID, row.ErrorCode = asked.Topic, asked.TopicID, int16(code)
	if row.Topic == nil && v.version < 12 {
		row.Topic = kmsg.StringPtr("") // the name cannot be null on the wire before
	}
	if row.Topic != nil {
		row.IsInternal = InternalTopic(*row.Topic)
		row.AuthorizedOperations = Authorized(v.operations, TopicOperations)
	}
	return row
}
