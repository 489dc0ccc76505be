package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/control"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
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
// Version notes: 0 takes an empty list for all topics; from 1 on null is all and empty is none. 0-3 imply
// auto-creation (core/wire sets the flag). 5 offline replicas, 7 leader epochs, 8-10 the cluster's authorized
// operations, 8 the topics'. 10 returns topic ids, 12 looks topics up by them; an id in versions 10-11 is
// INVALID_REQUEST.
func (b *Broker) metadata(now core.Now, r *step.Request, req *kmsg.MetadataRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	listener := b.listenerOf(r)
	resp.ClusterID = &b.cfg.ClusterID
	resp.ControllerID = int32(b.cfg.NodeID)
	resp.AuthorizedOperations = control.Authorized(req.IncludeClusterAuthorizedOperations, control.ClusterOperations)
	for n := range b.image().Brokers() {
		if e, ok := n.Endpoint(listener); ok && !n.Fenced {
			resp.Brokers = append(resp.Brokers, kmsg.MetadataResponseBroker{
				NodeID: int32(n.ID), Host: e.Host, Port: int32(e.Port), Rack: n.Rack,
			})
		}
	}
	v := topicView{b: b, listener: listener, version: r.Version, operations: req.IncludeTopicAuthorizedOperations}
	switch {
	case req.Topics == nil || r.Version == 0 && len(req.Topics) == 0:
		for t := range b.image().Topics() {
			resp.Topics = append(resp.Topics, v.row(t))
		}
	case idsTooEarly(r.Version, req.Topics):
		for i := range req.Topics {
			resp.Topics = append(resp.Topics, v.missing(&req.Topics[i], core.ErrInvalidRequest))
		}
	default:
		create := req.AllowAutoTopicCreation && b.cfg.AutoCreateTopics
		resp.Topics = b.askedTopics(now, req.Topics, create, &v, out)
	}
	reply(r, resp, out)
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
func (b *Broker) askedTopics(now core.Now, asked []kmsg.MetadataRequestTopic, create bool, v *topicView, out *step.Effects) []kmsg.MetadataResponseTopic {
	rows := make([]kmsg.MetadataResponseTopic, 0, len(asked))
	names, ids := make(map[string]bool, len(asked)), make(map[core.TopicID]bool)
	for i := range asked {
		a := &asked[i]
		byID := core.TopicID(a.TopicID) != core.TopicID{}
		switch {
		case byID && ids[a.TopicID] || !byID && a.Topic != nil && names[*a.Topic]:
		case byID:
			ids[a.TopicID] = true
			if t := b.image().TopicByID(a.TopicID); t != nil {
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
			if t := b.image().Topic(*a.Topic); t != nil {
				rows = append(rows, v.row(t))
			} else {
				rows = append(rows, v.missing(a, b.missingTopic(now, *a.Topic, create, out)))
			}
		}
	}
	return rows
}

// missingTopic says why there is no topic of that name, and asks the controller for it if it may be created. The answer
// does not wait for that: clients ask again.
func (b *Broker) missingTopic(now core.Now, name string, create bool, out *step.Effects) core.ErrorCode {
	if r := controller.CheckTopicName(name); !r.OK() {
		return r.Code
	}
	// The internal topics are their coordinators' to create, with partitions and configuration that a client's glance
	// at them must not decide.
	if !create || control.InternalTopic(name) || name == metadataTopic {
		return core.ErrUnknownTopicOrPartition
	}
	if b.creating[name] {
		return core.ErrUnknownTopicOrPartition
	}
	if len(b.creating) >= maxAutoCreations {
		return core.ErrPolicyViolation
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.SetVersion(7)
	req.TimeoutMillis = int32(autoCreateTimeout / core.Millisecond)
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, -1, -1
	req.Topics = append(req.Topics, t)
	b.creating[name] = true
	code := core.ErrUnknownTopicOrPartition
	b.askController(now, req, autoCreateTimeout, func(_ core.Now, resp wire.Response, _ *step.Effects) {
		delete(b.creating, name)
		// Kafka says UNKNOWN_TOPIC_OR_PARTITION whatever the controller says, and lets the client ask for ever. This node's
		// own controller refuses at once, and then the client hears why.
		if made, ok := resp.(*kmsg.CreateTopicsResponse); ok && len(made.Topics) > 0 && made.Topics[0].ErrorCode != 0 {
			code = core.ErrorCode(made.Topics[0].ErrorCode)
		}
	}, out)
	if b.plane.Active() {
		b.plane.Finish(now, out)
	}
	if code == core.ErrTopicAlreadyExists {
		code = core.ErrUnknownTopicOrPartition
	}
	return code
}

// Bounds of topics that are created because a client asked for their metadata.
const (
	maxAutoCreations  = 1000 // under way at once
	autoCreateTimeout = 10 * core.Second
)

// topicView makes the rows that describe topics to clients of one listener.
type topicView struct {
	b          *Broker
	listener   string
	version    int16
	operations bool
}

func (v *topicView) row(t *metadata.Topic) kmsg.MetadataResponseTopic {
	row := kmsg.NewMetadataResponseTopic()
	row.Topic, row.TopicID, row.IsInternal = kmsg.StringPtr(t.Name), t.ID, control.InternalTopic(t.Name)
	row.AuthorizedOperations = control.Authorized(v.operations, control.TopicOperations)
	row.Partitions = make([]kmsg.MetadataResponseTopicPartition, 0, len(t.Partitions()))
	for _, p := range t.Partitions() {
		s := v.b.plane.Sight(p, v.listener)
		rp := kmsg.NewMetadataResponseTopicPartition()
		rp.Partition, rp.Leader, rp.LeaderEpoch = p.ID, s.Leader, int32(p.LeaderEpoch)
		rp.Replicas, rp.ISR, rp.OfflineReplicas = control.NodeIDs(p.Replicas), control.NodeIDs(p.ISR), s.Offline
		switch {
		case s.Leader >= 0:
		case p.Leader != core.NoNode && v.version >= 6: // before, clients know only that there is no leader for them
			rp.ErrorCode = int16(core.ErrListenerNotFound)
		default:
			rp.ErrorCode = int16(core.ErrLeaderNotAvailable)
		}
		row.Partitions = append(row.Partitions, rp)
	}
	return row
}

// missing is the row of a topic that cannot be described.
func (v *topicView) missing(asked *kmsg.MetadataRequestTopic, code core.ErrorCode) kmsg.MetadataResponseTopic {
	row := kmsg.NewMetadataResponseTopic()
	row.Topic, row.TopicID, row.ErrorCode = asked.Topic, asked.TopicID, int16(code)
	if row.Topic == nil && v.version < 12 {
		row.Topic = kmsg.StringPtr("") // the name cannot be null on the wire before
	}
	if row.Topic != nil {
		row.IsInternal = control.InternalTopic(*row.Topic)
		row.AuthorizedOperations = control.Authorized(v.operations, control.TopicOperations)
	}
	return row
}

// listenerOf is the listener that a request came through.
func (b *Broker) listenerOf(r *step.Request) string {
	if c := b.conns[r.Conn]; c != nil {
		return c.listener
	}
	return "" // the connection has closed; nobody reads the answer
}

// metadataTopic is the metadata log's name; it is no topic to clients.
const metadataTopic = "__cluster_metadata"
