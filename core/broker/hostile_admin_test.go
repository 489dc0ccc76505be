package broker_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

// Words that quote what was asked must fit where the wire has 16 bits for their length: a longer text would make an answer that no
// client can read.
func TestRefusalsOfLongNamesCanBeRead(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("\x01", 30_000)
	for _, kind := range []kmsg.ConfigResourceType{kmsg.ConfigResourceTypeBroker, kmsg.ConfigResourceTypeTopic} {
		req := kmsg.NewPtrAlterConfigsRequest()
		req.Resources = []kmsg.AlterConfigsRequestResource{{ResourceType: kind, ResourceName: long}}
		row := ask[*kmsg.AlterConfigsResponse](r, 1, req).Resources[0]
		require.NotZero(t, row.ErrorCode)
		require.Less(t, len(*row.ErrorMessage), 2_000)
	}
	create := kmsg.NewPtrCreateTopicsRequest()
	create.Topics = []kmsg.CreateTopicsRequestTopic{newTopic("a", 1, "retention.ms", long)}
	row := ask[*kmsg.CreateTopicsResponse](r, 4, create).Topics[0]
	require.Equal(t, core.ErrInvalidConfig, code(row.ErrorCode))
	require.True(t, strings.HasPrefix(*row.ErrorMessage, `retention.ms: "\x01`), *row.ErrorMessage)
}

// One long name with many partitions must not come back once per partition.
func TestAnswersDoNotRepeatNames(t *testing.T) {
	r := newRig(t)
	long, many := strings.Repeat("x", 30_000), make([]int32, 2_000)
	for i := range many {
		many[i] = int32(i)
	}
	elect := kmsg.NewPtrElectLeadersRequest()
	elect.Topics = []kmsg.ElectLeadersRequestTopic{{Topic: long, Partitions: many}}
	require.Less(t, len(ask[*kmsg.ElectLeadersResponse](r, 2, elect).AppendTo(nil)), 300_000)

	alter := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	topic := kmsg.AlterPartitionAssignmentsRequestTopic{Topic: long}
	for _, id := range many {
		topic.Partitions = append(topic.Partitions, kmsg.AlterPartitionAssignmentsRequestTopicPartition{Partition: id})
	}
	alter.Topics = append(alter.Topics, topic)
	require.Less(t, len(ask[*kmsg.AlterPartitionAssignmentsResponse](r, 0, alter).AppendTo(nil)), 300_000)
}

// A quorum has one partition. Named a thousand times, it would be described a thousand times.
func TestDescribeQuorumIsOfOnePartition(t *testing.T) {
	r := newRig(t)
	req := kmsg.NewPtrDescribeQuorumRequest()
	row := kmsg.DescribeQuorumRequestTopic{Topic: "__cluster_metadata", Partitions: make([]kmsg.DescribeQuorumRequestTopicPartition, 1)}
	req.Topics = []kmsg.DescribeQuorumRequestTopic{row}
	one := ask[*kmsg.DescribeQuorumResponse](r, 2, req).Topics[0].Partitions[0]
	require.Equal(t, core.ErrNone, code(one.ErrorCode))
	require.Len(t, one.CurrentVoters, 1)

	row.Partitions = make([]kmsg.DescribeQuorumRequestTopicPartition, 1_000)
	req.Topics = []kmsg.DescribeQuorumRequestTopic{row}
	for _, rp := range ask[*kmsg.DescribeQuorumResponse](r, 2, req).Topics[0].Partitions {
		require.Equal(t, core.ErrUnknownTopicOrPartition, code(rp.ErrorCode))
		require.Empty(t, rp.CurrentVoters)
	}
}

// A partition that comes twice is INVALID_REQUEST both times: each could ask for another search of the log.
func TestListOffsetsOfAPartitionTwice(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 2))
	req := kmsg.NewPtrListOffsetsRequest()
	for _, ids := range [][]int32{{0, 1}, {0}} {
		topic := kmsg.NewListOffsetsRequestTopic()
		topic.Topic = "a"
		for _, id := range ids {
			rp := kmsg.NewListOffsetsRequestTopicPartition()
			rp.Partition, rp.Timestamp = id, -2
			topic.Partitions = append(topic.Partitions, rp)
		}
		req.Topics = append(req.Topics, topic)
	}
	var codes []core.ErrorCode
	for _, topic := range ask[*kmsg.ListOffsetsResponse](r, 7, req).Topics {
		for _, rp := range topic.Partitions {
			codes = append(codes, code(rp.ErrorCode))
		}
	}
	require.Equal(t, []core.ErrorCode{core.ErrInvalidRequest, core.ErrNone, core.ErrInvalidRequest}, codes)
}

// The coordinators' logs are their own, whatever cleanup.policy their topics have been given.
func TestRecordsOfInternalTopicsAreNotDeleted(t *testing.T) {
	r := newRig(t, "offsets.topic.replication.factor", "1", "offsets.topic.num.partitions", "1")
	r.create(newTopic("__consumer_offsets", 1, "cleanup.policy", "compact,delete"))
	req := kmsg.NewPtrDeleteRecordsRequest()
	for _, name := range []string{"__consumer_offsets", "__transaction_state"} { // the latter does not exist
		req.Topics = append(req.Topics, kmsg.DeleteRecordsRequestTopic{
			Topic: name, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: -1}},
		})
	}
	req.TimeoutMillis = 1000
	for _, topic := range ask[*kmsg.DeleteRecordsResponse](r, 2, req).Topics {
		require.Equal(t, core.ErrInvalidTopic, code(topic.Partitions[0].ErrorCode), topic.Topic)
	}
}

// Which of two offsets was meant is not known, and what is deleted is gone. Each of a million would be looked at in every turn until
// the last replica has followed.
func TestDeleteRecordsOfAPartitionTwice(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 2))
	for range 3 {
		c, _ := r.produce("a")
		require.Equal(t, core.ErrNone, c)
	}
	of := func(id int32, offset int64) kmsg.DeleteRecordsRequestTopicPartition {
		return kmsg.DeleteRecordsRequestTopicPartition{Partition: id, Offset: offset}
	}
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 1000
	req.Topics = []kmsg.DeleteRecordsRequestTopic{
		{Topic: "a", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{of(0, 1), of(1, 0)}},
		{Topic: "a", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{of(0, 2)}},
	}
	var codes []core.ErrorCode
	for _, topic := range ask[*kmsg.DeleteRecordsResponse](r, 2, req).Topics {
		for _, rp := range topic.Partitions {
			codes = append(codes, code(rp.ErrorCode))
		}
	}
	require.Equal(t, []core.ErrorCode{core.ErrInvalidRequest, core.ErrNone, core.ErrInvalidRequest}, codes)
	view, _ := r.broker.View(core.TopicPartition{Topic: "a"})
	require.Zero(t, view.LogStartOffset)
}

// Whoever waits for replicas that do not come, with all the patience there is, and asks anew over another connection leaves nothing
// behind. What it asked for happens all the same.
func TestDeletionsOfClosedConnectionsAreForgotten(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	c, _ := r.produce("a")
	require.Equal(t, core.ErrNone, c)
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = math.MaxInt32
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: "a", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: 1}}}}
	r.send(connOuter, 2, req)
	r.node.Poll()
	require.Equal(t, 1, r.broker.Deletions())
	r.node.Deliver(&step.ConnState{Conn: connOuter})
	r.node.Poll()
	require.Zero(t, r.broker.Deletions())
	r.run(func() bool {
		view, _ := r.broker.View(core.TopicPartition{Topic: "a"})
		return view.LogStartOffset == 1
	})
}

// The log start that a DeleteRecords has brought is the log's own affair: where that begins anew below it, the checkpoint must not say
// more, or the next process takes what stands there for deleted.
func TestADeletionDoesNotOutliveTheLog(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	for range 5 {
		c, _ := r.produce("a")
		require.Equal(t, core.ErrNone, c)
	}
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 1000
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: "a", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: 5}}}}
	require.Equal(t, core.ErrNone, code(ask[*kmsg.DeleteRecordsResponse](r, 2, req).Topics[0].Partitions[0].ErrorCode))
	tp := core.TopicPartition{Topic: "a"}
	r.broker.BeginAnew(r.Now(), tp, 2)
	r.run(func() bool {
		view, _ := r.broker.View(tp)
		return !view.Opening && view.LogStartOffset == 2 && view.LogEndOffset == 2
	})
	c, _ := r.produce("a")
	require.Equal(t, core.ErrNone, c)

	r.disk.PowerLoss(r.now)
	r.start(2)
	view, _ := r.broker.View(tp)
	require.Equal(t, []core.Offset{2, 3}, []core.Offset{view.LogStartOffset, view.LogEndOffset})
}

// Version 0 of ElectLeaders has no place for an error of the request: an answer without rows would be success.
func TestTooManyElectionsAreRefusedInVersion0(t *testing.T) {
	r := newRig(t)
	req := kmsg.NewPtrElectLeadersRequest()
	req.Topics = []kmsg.ElectLeadersRequestTopic{{Topic: "a", Partitions: make([]int32, 10_001)}}
	rows := ask[*kmsg.ElectLeadersResponse](r, 0, req).Topics
	require.Len(t, rows, 1)
	require.Len(t, rows[0].Partitions, 10_001)
	require.Equal(t, core.ErrPolicyViolation, code(rows[0].Partitions[0].ErrorCode))
	require.Equal(t, core.ErrPolicyViolation, code(ask[*kmsg.ElectLeadersResponse](r, 1, req).ErrorCode))
}
