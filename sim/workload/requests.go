package workload

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// brokerTimeoutMillis is what administrative requests grant the broker.
const brokerTimeoutMillis = 5000

func createTopic(op *Op) kmsg.Request {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = brokerTimeoutMillis
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = op.Topic, max(op.Partitions, 1), max(op.Replication, 1)
	for _, c := range op.Configs {
		k := kmsg.NewCreateTopicsRequestTopicConfig()
		k.Name, k.Value = c.Name, kmsg.StringPtr(c.Value)
		t.Configs = append(t.Configs, k)
	}
	req.Topics = append(req.Topics, t)
	return req
}

// deleteTopic names the incarnation where it is known (KIP-516).
func deleteTopic(op *Op, id core.TopicID) kmsg.Request {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = brokerTimeoutMillis
	t := kmsg.NewDeleteTopicsRequestTopic()
	if id.IsZero() {
		t.Topic = kmsg.StringPtr(op.Topic)
		req.TopicNames = append(req.TopicNames, op.Topic) // before version 6
	} else {
		t.TopicID = id
	}
	req.Topics = append(req.Topics, t)
	return req
}

func createPartitions(op *Op) kmsg.Request {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = brokerTimeoutMillis
	t := kmsg.NewCreatePartitionsRequestTopic()
	t.Topic, t.Count = op.Topic, op.Partitions
	req.Topics = append(req.Topics, t)
	return req
}

func alterConfig(op *Op) kmsg.Request {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	t := kmsg.NewIncrementalAlterConfigsRequestResource()
	t.ResourceType, t.ResourceName = kmsg.ConfigResourceTypeTopic, op.Topic
	for _, c := range op.Configs {
		k := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		k.Name, k.Value = c.Name, kmsg.StringPtr(c.Value)
		t.Configs = append(t.Configs, k)
	}
	req.Resources = append(req.Resources, t)
	return req
}

// describe asks for one thing or another about a topic or the cluster; which, follows from the operation's id.
func describe(op *Op) kmsg.Request {
	switch op.ID % 4 {
	case 0:
		return kmsg.NewPtrDescribeClusterRequest()
	case 1:
		req := kmsg.NewPtrDescribeConfigsRequest()
		t := kmsg.NewDescribeConfigsRequestResource()
		t.ResourceType, t.ResourceName = kmsg.ConfigResourceTypeTopic, op.Topic
		req.Resources = append(req.Resources, t)
		return req
	case 2:
		req := kmsg.NewPtrDescribeLogDirsRequest()
		return req
	}
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	t := kmsg.NewDescribeTopicPartitionsRequestTopic()
	t.Topic = op.Topic
	req.Topics = append(req.Topics, t)
	return req
}

// specOf is the place of a lookup as ListOffsets names it.
func specOf(now core.Now, op *Op) core.Wall {
	switch op.Where {
	case Beginning:
		return admin.EarliestOffset
	case MaxTimestamp:
		return admin.MaxTimestampOffset
	case AtTime:
		return max(0, now.Wall-op.Ago)
	default:
		return admin.LatestOffset
	}
}
