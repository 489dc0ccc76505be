package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// requestTimeout bounds an administrative request, restarts of the node included.
const requestTimeout = 30 * time.Second

// ask sends one request through franz-go, which finds version and broker.
func ask[T any](t testing.TB, addr string, request interface {
	RequestWith(context.Context, kmsg.Requestor) (T, error)
}) T {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), requestTimeout)
	defer cancel()
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		t.Fatalf("%T: %v", request, err)
	}
	return response
}

// CreateTopic creates a topic with one replica. Configs are pairs of name and value.
func CreateTopic(t testing.TB, addr, topic string, partitions int32, configs ...string) {
	t.Helper()
	CreateReplicated(t, addr, topic, partitions, 1, configs...)
}

// CreateReplicated creates a topic with as many replicas as wanted, -1 for the cluster's default.
func CreateReplicated(t testing.TB, addr, topic string, partitions int32, replicas int16, configs ...string) {
	t.Helper()
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic, wanted.NumPartitions, wanted.ReplicationFactor = topic, partitions, replicas
	for i := 0; i+1 < len(configs); i += 2 {
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = configs[i], &configs[i+1]
		wanted.Configs = append(wanted.Configs, config)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = int32(requestTimeout / time.Millisecond)
	request.Topics = append(request.Topics, wanted)
	for _, got := range ask(t, addr, request).Topics {
		if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
			t.Fatalf("creating %s: %v", topic, err)
		}
	}
}

// CreateAssigned creates a topic of one partition on the nodes given, the preferred leader first.
func CreateAssigned(t testing.TB, addr, topic string, replicas []int32) {
	t.Helper()
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic, wanted.NumPartitions, wanted.ReplicationFactor = topic, -1, -1
	wanted.ReplicaAssignment = []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Replicas: replicas}}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = int32(requestTimeout / time.Millisecond)
	request.Topics = append(request.Topics, wanted)
	if err := kerr.ErrorForCode(ask(t, addr, request).Topics[0].ErrorCode); err != nil {
		t.Fatalf("creating %s: %v", topic, err)
	}
}

// Ends returns the end offset of each partition as ListOffsets tells it.
func Ends(t testing.TB, addr, topic string, partitions int32) []int64 {
	t.Helper()
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID = -1
	wanted := kmsg.NewListOffsetsRequestTopic()
	wanted.Topic = topic
	for p := range partitions {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp, partition.CurrentLeaderEpoch = p, -1, -1
		wanted.Partitions = append(wanted.Partitions, partition)
	}
	request.Topics = append(request.Topics, wanted)
	ends := make([]int64, partitions)
	for _, got := range ask(t, addr, request).Topics[0].Partitions {
		if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
			t.Fatalf("end of %s-%d: %v", topic, got.Partition, err)
		}
		ends[got.Partition] = got.Offset
	}
	return ends
}

// Serves tells whether the node answers to an api key.
func Serves(t testing.TB, addr string, key kmsg.Key) bool {
	t.Helper()
	for _, served := range ask(t, addr, kmsg.NewPtrApiVersionsRequest()).ApiKeys {
		if served.ApiKey == key.Int16() {
			return true
		}
	}
	return false
}

// AlterTopic sets one config of a topic.
func AlterTopic(t testing.TB, addr, topic, name, value string) {
	t.Helper()
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name, config.Value = name, &value
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	resource.Configs = append(resource.Configs, config)
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	for _, got := range ask(t, addr, request).Resources {
		if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
			t.Fatalf("altering %s: %v", topic, err)
		}
	}
}

// AddPartitions raises a topic's number of partitions.
func AddPartitions(t testing.TB, addr, topic string, total int32) {
	t.Helper()
	wanted := kmsg.NewCreatePartitionsRequestTopic()
	wanted.Topic, wanted.Count = topic, total
	request := kmsg.NewPtrCreatePartitionsRequest()
	request.TimeoutMillis = int32(requestTimeout / time.Millisecond)
	request.Topics = append(request.Topics, wanted)
	for _, got := range ask(t, addr, request).Topics {
		if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
			t.Fatalf("adding partitions to %s: %v", topic, err)
		}
	}
}

// DeleteTopic deletes a topic.
func DeleteTopic(t testing.TB, addr, topic string) {
	t.Helper()
	wanted := kmsg.NewDeleteTopicsRequestTopic()
	wanted.Topic = &topic
	request := kmsg.NewPtrDeleteTopicsRequest()
	request.TimeoutMillis = int32(requestTimeout / time.Millisecond)
	request.Topics, request.TopicNames = append(request.Topics, wanted), append(request.TopicNames, topic)
	for _, got := range ask(t, addr, request).Topics {
		if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
			t.Fatalf("deleting %s: %v", topic, err)
		}
	}
}

// DescribeGroup is a classic group's state in words, for whoever wonders why nothing moves. It never fails the test.
func DescribeGroup(t testing.TB, addrs, group string) string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(addrs, ",")...))
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	request := kmsg.NewPtrDescribeGroupsRequest()
	request.Groups = []string{group}
	response, err := request.RequestWith(ctx, client)
	if err != nil || len(response.Groups) == 0 {
		return fmt.Sprintf("group %s cannot be described: %v", group, err)
	}
	g := &response.Groups[0]
	words := fmt.Sprintf("group %s is %s, error %v", group, g.State, kerr.ErrorForCode(g.ErrorCode))
	for i := range g.Members {
		words += fmt.Sprintf(", %s (%d bytes of assignment)", g.Members[i].MemberID, len(g.Members[i].MemberAssignment))
	}
	return words
}
