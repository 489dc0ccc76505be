package broker

import (
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/coordination"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/broker/route"
	"github.com/klamm-log/klamm/core/broker/txns"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/replica"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// coordinators are this broker's coordinators, each around its internal topic.
type coordinators struct {
	offsets *coordination.Topic // __consumer_offsets
	groups  *groups.Plane
	state   *coordination.Topic // __transaction_state
	txns    *txns.Plane
}

func newCoordinators(b *Broker) *coordinators {
	c := &coordinators{}
	c.offsets = coordination.New(coordination.Options{Host: logs{b}, LoadBufferBytes: b.cfg.Groups.LoadBufferBytes})
	c.groups = groups.New(groups.Options{
		Config: b.cfg.Groups, Rand: b.rand.Fork("groups"), Host: coordinatorHost{c.offsets, b, route.LaneVerify},
		Verification: b.cfg.Transactions.Verification, Check: b.opts.Tuning.Check,
	})
	c.offsets.Open(c.groups)
	c.state = coordination.New(coordination.Options{Host: logs{b}, LoadBufferBytes: b.cfg.Transactions.LoadBufferBytes})
	c.txns = txns.New(txns.Options{Config: b.cfg.Transactions, Host: coordinatorHost{c.state, b, route.LaneMarkers}, Check: b.opts.Tuning.Check})
	c.state.Open(c.txns)
	return c
}

// of is the internal topic that a name stands for, nil for every other topic.
func (c *coordinators) of(topic string) *coordination.Topic {
	switch {
	case c == nil:
	case topic == groups.Topic:
		return c.offsets
	case topic == txns.Topic:
		return c.state
	}
	return nil
}

// handle takes a request if it is one for coordinators.
func (c *coordinators) handle(now core.Now, r *step.Request, out *step.Effects) bool {
	return c.groups.Handle(now, r, out) || c.txns.Handle(now, r, out)
}

// tick does what is due.
func (c *coordinators) tick(now core.Now, out *step.Effects) {
	c.groups.Tick(now, out)
	c.txns.Tick(now, out)
}

// check asserts the coordinators' invariants.
func (c *coordinators) check() {
	c.groups.Check()
	c.txns.Check()
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

// coordinatorHost is the broker as the planes of coordinators see it.
type coordinatorHost struct {
	*coordination.Topic
	b    *Broker
	lane peer.Lane // of what it asks other brokers
}

// Image implements [shards.Host].
func (h coordinatorHost) Image() *metadata.Image { return h.b.image() }

// Client implements [shards.Finder].
func (h coordinatorHost) Client(r *step.Request) (listener, remote string) {
	if of := h.b.conns[r.Conn]; of != nil {
		return of.listener, of.remote
	}
	return "", ""
}

// Ask implements [shards.Asker].
func (h coordinatorHost) Ask(
	now core.Now, to core.NodeID, body wire.Request, timeout core.Mono, then func(core.Now, wire.Response, *step.Effects), out *step.Effects,
) {
	h.b.route.AskBroker(now, to, h.lane, body, timeout, then, out)
}

// AllocateIDs implements [txns.Host].
func (h coordinatorHost) AllocateIDs(
	now core.Now, then func(core.Now, core.ProducerID, int32, *step.Effects), out *step.Effects,
) {
	req := kmsg.NewPtrAllocateProducerIDsRequest()
	req.BrokerID, req.BrokerEpoch = int32(h.b.cfg.NodeID), int64(h.b.life.epoch)
	h.b.route.AskController(now, req, core.Millis(h.b.cfg.BrokerSessionTimeoutMs), func(now core.Now, body wire.Response, out *step.Effects) {
		resp, ok := body.(*kmsg.AllocateProducerIDsResponse)
		if !ok || resp.ErrorCode != 0 {
			then(now, core.NoProducerID, 0, out)
			return
		}
		then(now, core.ProducerID(resp.ProducerIDStart), resp.ProducerIDLen, out)
	}, out)
}

// CreateTopic implements [shards.Finder].
func (h coordinatorHost) CreateTopic(now core.Now, topic string, out *step.Effects) {
	g, t := &h.b.cfg.Groups, &h.b.cfg.Transactions
	configs := [][2]string{{"cleanup.policy", "compact"}}
	if topic == txns.Topic {
		// Kafka forbids unclean elections here whatever the cluster's default: a decision must not be forgotten. Its
		// compression.type is uncompressed; here the coordinator does not compress in the first place.
		h.b.createInternal(now, topic, t.TopicPartitions, t.TopicReplication, append(configs,
			[2]string{"compression.type", "producer"}, [2]string{"segment.bytes", strconv.Itoa(int(t.TopicSegmentBytes))},
			[2]string{"min.insync.replicas", strconv.Itoa(int(t.TopicMinISR))}, [2]string{"unclean.leader.election.enable", "false"}), out)
		return
	}
	h.b.createInternal(now, topic, g.TopicPartitions, g.TopicReplication, append(configs,
		[2]string{"compression.type", "producer"}, [2]string{"segment.bytes", strconv.Itoa(int(g.TopicSegmentBytes))}), out)
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
