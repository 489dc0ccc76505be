package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/control"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// metadata serves Metadata (key 3): the control plane describes, and what is missing may be created.
func (b *Broker) metadata(now core.Now, r *step.Request, req *kmsg.MetadataRequest, out *step.Effects) {
	create := req.AllowAutoTopicCreation && b.cfg.AutoCreateTopics
	b.plane.Metadata(b.listenerOf(r), r, req, func(name string) core.ErrorCode { return b.missingTopic(now, name, create, out) }, out)
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
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, -1, -1
	return b.createTopic(now, &t, out)
}

// createTopic asks the controller for a topic that a client's request needs; not twice at the same time. The answer is what
// is known at once: UNKNOWN_TOPIC_OR_PARTITION while the topic may come to be.
func (b *Broker) createTopic(now core.Now, t *kmsg.CreateTopicsRequestTopic, out *step.Effects) core.ErrorCode {
	name := t.Topic
	if b.creating[name] {
		return core.ErrUnknownTopicOrPartition
	}
	if len(b.creating) >= maxAutoCreations {
		return core.ErrPolicyViolation
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.SetVersion(7)
	req.TimeoutMillis = int32(autoCreateTimeout / core.Millisecond)
	req.Topics = append(req.Topics, *t)
	b.creating[name] = true
	code := core.ErrUnknownTopicOrPartition
	b.route.AskController(now, req, autoCreateTimeout, func(_ core.Now, resp wire.Response, _ *step.Effects) {
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

// listenerOf is the listener that a request came through.
func (b *Broker) listenerOf(r *step.Request) string {
	if c := b.conns[r.Conn]; c != nil {
		return c.listener
	}
	return "" // the connection has closed; nobody reads the answer
}

// metadataTopic is the metadata log's name; it is no topic to clients.
const metadataTopic = "__cluster_metadata"
