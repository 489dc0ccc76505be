package perf

import (
	"testing"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// toPartition0 is a request with batches for partition 0 of a topic.
func toPartition0(topic string, id [16]byte, batches ...harness.Batch) *kmsg.ProduceRequest {
	request := kmsg.NewPtrProduceRequest()
	request.SetVersion(request.MaxVersion())
	request.Acks = -1
	partition := kmsg.NewProduceRequestTopicPartition()
	for _, b := range batches {
		partition.Records = append(partition.Records, b.Encode()...)
	}
	to := kmsg.NewProduceRequestTopic()
	to.Topic, to.TopicID, to.Partitions = topic, id, append(to.Partitions, partition)
	request.Topics = append(request.Topics, to)
	return request
}

// topicID asks for the id of a topic.
func topicID(t *testing.T, c *harness.Conn, topic string) [16]byte {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	request.SetVersion(request.MaxVersion())
	wanted := kmsg.NewMetadataRequestTopic()
	wanted.Topic = &topic
	request.Topics = append(request.Topics, wanted)
	response, err := c.Ask(request)
	if err != nil {
		t.Fatal(err)
	}
	return response.(*kmsg.MetadataResponse).Topics[0].TopicID
}

// TestDiscardPipelines sends three requests before it reads an answer: they come in order, at offsets that grow by the
// records of all batches.
func TestDiscardPipelines(t *testing.T) {
	addr := startDiscard(t).addrs[0]
	harness.CreateTopic(t, addr, "piped", 2)
	c := harness.Dial(t, addr)
	id := topicID(t, c, "piped")
	request := toPartition0("piped", id, harness.Plain("a", "b"), harness.Plain("c"))
	var sent []byte
	for corr := range int32(3) {
		sent = append(sent, harness.Request(request, corr)...)
	}
	if err := c.Send(sent); err != nil {
		t.Fatal(err)
	}
	for corr := range int32(3) {
		body, err := c.Receive()
		if err != nil {
			t.Fatal(err)
		}
		response, err := harness.Decode(request, corr, body)
		if err != nil {
			t.Fatal(err)
		}
		got := response.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
		if got.ErrorCode != 0 || got.BaseOffset != int64(3*corr) {
			t.Errorf("answer %d: error %d, base offset %d", corr, got.ErrorCode, got.BaseOffset)
		}
	}
}

// TestDiscardRefuses asks for a topic that was deleted.
func TestDiscardRefuses(t *testing.T) {
	addr := startDiscard(t).addrs[0]
	harness.CreateTopic(t, addr, "gone", 1)
	c := harness.Dial(t, addr)
	id := topicID(t, c, "gone")
	harness.DeleteTopic(t, addr, "gone")
	response, err := c.Ask(toPartition0("gone", id, harness.Plain("a")))
	if err != nil {
		t.Fatal(err)
	}
	if code := response.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode; code == 0 {
		t.Error("a record for a topic that is gone was acknowledged")
	}
}
