package kclient

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Cluster is what a broker tells of its cluster.
type Cluster struct {
	ID         string // empty if the broker does not tell
	Controller core.NodeID
	Brokers    []Broker
	Topics     []Topic // by name
}

// Broker is one broker of a cluster.
type Broker struct {
	ID   core.NodeID
	Host string
	Port int32
	Rack string
}

// Topic is what a broker tells of a topic.
type Topic struct {
	Name       string
	ID         core.TopicID
	Internal   bool
	Err        core.ErrorCode // why the rest is empty
	Partitions []Partition    // by index
}

// Partition is one partition of a topic.
type Partition struct {
	Index       int32
	Err         core.ErrorCode
	Leader      core.NodeID // core.NoNode if there is none
	LeaderEpoch core.LeaderEpoch
	Replicas    []core.NodeID
	ISR         []core.NodeID
	Offline     []core.NodeID
	// Eligible leader replicas, and the last members of an ISR that became empty (KIP-966). Only [Client.Replicas] tells.
	ELR          []core.NodeID
	LastKnownELR []core.NodeID
}

// Metadata tells of the named topics, or of all if there are no names. Topics are not made by asking.
func (c *Client) Metadata(ctx context.Context, names ...string) (Cluster, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range names {
		row := kmsg.NewMetadataRequestTopic()
		row.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, row)
	}
	resp, _, err := request[*kmsg.MetadataResponse](ctx, c, req, admin.AnyBroker)
	if err != nil {
		return Cluster{}, err
	}
	out := Cluster{Controller: core.NodeID(resp.ControllerID)}
	if resp.ClusterID != nil {
		out.ID = *resp.ClusterID
	}
	for i := range resp.Brokers {
		b := &resp.Brokers[i]
		broker := Broker{ID: core.NodeID(b.NodeID), Host: b.Host, Port: b.Port}
		if b.Rack != nil {
			broker.Rack = *b.Rack
		}
		out.Brokers = append(out.Brokers, broker)
	}
	for i := range resp.Topics {
		out.Topics = append(out.Topics, topicOf(&resp.Topics[i]))
	}
	slices.SortFunc(out.Topics, func(a, b Topic) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

func topicOf(t *kmsg.MetadataResponseTopic) Topic {
	out := Topic{ID: t.TopicID, Internal: t.IsInternal, Err: core.ErrorCode(t.ErrorCode)}
	if t.Topic != nil {
		out.Name = *t.Topic
	}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		out.Partitions = append(out.Partitions, Partition{
			Index: p.Partition, Err: core.ErrorCode(p.ErrorCode), Leader: core.NodeID(p.Leader),
			LeaderEpoch: core.LeaderEpoch(p.LeaderEpoch), Replicas: nodes(p.Replicas), ISR: nodes(p.ISR), Offline: nodes(p.OfflineReplicas),
		})
	}
	slices.SortFunc(out.Partitions, func(a, b Partition) int { return cmp.Compare(a.Index, b.Index) })
	return out
}

func nodes(ids []int32) []core.NodeID {
	out := make([]core.NodeID, 0, len(ids))
	for _, id := range ids {
		out = append(out, core.NodeID(id))
	}
	return out
}

// Topic tells of one topic. The error of a topic that is not there wraps its code.
func (c *Client) Topic(ctx context.Context, name string) (Topic, error) {
	cl, err := c.Metadata(ctx, name)
	switch {
	case err != nil:
		return Topic{}, err
	case len(cl.Topics) != 1:
		return Topic{}, fmt.Errorf("the answer to Metadata has %d topics", len(cl.Topics))
	}
	return cl.Topics[0], refused("topic "+name, int16(cl.Topics[0].Err), nil)
}

// Configs tells the configuration of a topic, in the broker's order.
func (c *Client) Configs(ctx context.Context, topic string) ([]Config, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	res := kmsg.NewDescribeConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	req.Resources = append(req.Resources, res)
	resp, _, err := request[*kmsg.DescribeConfigsResponse](ctx, c, req, admin.AnyBroker)
	if err != nil {
		return nil, err
	}
	if len(resp.Resources) != 1 {
		return nil, fmt.Errorf("the answer to DescribeConfigs has %d resources", len(resp.Resources))
	}
	got := &resp.Resources[0]
	if err := refused("topic "+topic, got.ErrorCode, got.ErrorMessage); err != nil {
		return nil, err
	}
	out := make([]Config, 0, len(got.Configs))
	for i := range got.Configs {
		e := &got.Configs[i]
		entry := Config{Name: e.Name, Override: e.Source == kmsg.ConfigSourceDynamicTopicConfig}
		if e.Value != nil {
			entry.Value, entry.HasValue = *e.Value, true
		}
		out = append(out, entry)
	}
	return out, nil
}

// Offsets looks up one offset in each partition: the first at or after a time, or one of the admin package's special
// ones. The rows have errors of their own. For who reads what is committed the end is the last stable offset (KIP-98).
func (c *Client) Offsets(ctx context.Context, topic string, partitions []int32, at core.Wall) ([]admin.PartitionOffset, error) {
	asks := make([]admin.OffsetAsk, 0, len(partitions))
	for _, p := range partitions {
		asks = append(asks, admin.OffsetAsk{TopicPartition: core.TopicPartition{Topic: topic, Partition: p}, Timestamp: at})
	}
	committed := c.opts.Consumer.Isolation == consumer.ReadCommitted
	answer, err := c.ask(ctx, func(a *admin.Admin, now core.Now, token uint64) { a.ListOffsets(now, asks, committed, token) })
	if err != nil {
		return nil, err
	}
	return answer.Offsets, nil
}
