package broker

import (
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/coordination"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/replica"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// coordinators are this broker's coordinators, each around its internal topic.
type coordinators struct {
	offsets *coordination.Topic
	groups  *groups.Plane
}

func newCoordinators(b *Broker) *coordinators {
	c := &coordinators{}
	c.offsets = coordination.New(coordination.Options{Host: logs{b}, LoadBufferBytes: b.cfg.Groups.LoadBufferBytes})
	c.groups = groups.New(groups.Options{
		Config: b.cfg.Groups, Rand: b.rand.Fork("groups"), Host: groupsHost{c.offsets, b}, Check: b.opts.Tuning.Check,
	})
	c.offsets.Open(c.groups)
	return c
}

// of is the internal topic that a name stands for, nil for every other topic.
func (c *coordinators) of(topic string) *coordination.Topic {
	if c != nil && topic == groups.Topic {
		return c.offsets
	}
	return nil
}

// logs is the broker as the internal topics see it.
type logs struct{ b *Broker }

// Config implements [coordination.Host].
func (h logs) Config(r *replica.Replica) *config.Topic { return &h.b.partitionOf(r).cfg }

// Touch implements [coordination.Host].
func (h logs) Touch(r *replica.Replica) { h.b.touch(h.b.partitionOf(r)) }

// Load implements [coordination.Host].
func (h logs) Load(need log.ReadRequest, l *coordination.Load, out *step.Effects) {
	h.b.reads.start(h.b, need, pendingRead{load: l}, out)
}

// groupsHost is the broker as the group coordinators see it.
type groupsHost struct {
	*coordination.Topic
	b *Broker
}

// Image implements [groups.Host].
func (h groupsHost) Image() *metadata.Image { return h.b.image() }

// Client implements [groups.Host].
func (h groupsHost) Client(r *step.Request) (listener, remote string) {
	if of := h.b.conns[r.Conn]; of != nil {
		return of.listener, of.remote
	}
	return "", ""
}

// CreateOffsetsTopic implements [groups.Host].
func (h groupsHost) CreateOffsetsTopic(now core.Now, out *step.Effects) {
	cfg := &h.b.cfg.Groups
	h.b.createInternal(now, groups.Topic, cfg.TopicPartitions, cfg.TopicReplication, [][2]string{
		{"cleanup.policy", "compact"}, {"compression.type", "producer"}, {"segment.bytes", strconv.Itoa(int(cfg.TopicSegmentBytes))},
	}, out)
}

// createInternal asks for a coordinators' topic. Who looks for a coordinator asks again, whatever became of it.
func (b *Broker) createInternal(now core.Now, topic string, partitions int32, replication int16, configs [][2]string, out *step.Effects) {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, partitions, replication
	for _, x := range configs {
		entry := kmsg.NewCreateTopicsRequestTopicConfig()
		entry.Name, entry.Value = x[0], &x[1]
		t.Configs = append(t.Configs, entry)
	}
	_ = b.createTopic(now, &t, out)
}
