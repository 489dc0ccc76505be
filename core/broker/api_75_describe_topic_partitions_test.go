package broker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
)

func partitionsOf(limit int32, cursor *kmsg.DescribeTopicPartitionsRequestCursor, topics ...string) *kmsg.DescribeTopicPartitionsRequest {
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	req.ResponsePartitionLimit, req.Cursor = limit, cursor
	for _, name := range topics {
		req.Topics = append(req.Topics, kmsg.DescribeTopicPartitionsRequestTopic{Topic: name})
	}
	return req
}

func at(topic string, partition int32) *kmsg.DescribeTopicPartitionsRequestCursor {
	return &kmsg.DescribeTopicPartitionsRequestCursor{Topic: topic, Partition: partition}
}

// page is an answer in words: partitions, topics with errors, and "> topic-partition" for the cursor.
func page(resp *kmsg.DescribeTopicPartitionsResponse) (out []string) {
	for _, t := range resp.Topics {
		if t.ErrorCode != 0 {
			out = append(out, fmt.Sprintf("%s: %v", *t.Topic, code(t.ErrorCode)))
		}
		for _, p := range t.Partitions {
			out = append(out, fmt.Sprintf("%s-%d", *t.Topic, p.Partition))
		}
	}
	if c := resp.NextCursor; c != nil {
		out = append(out, fmt.Sprintf("> %s-%d", c.Topic, c.Partition))
	}
	return out
}

func TestDescribeTopicPartitionsPages(t *testing.T) {
	r := newRig(t, "max.request.partition.size.limit", "5")
	r.create(newTopic("b", 3), newTopic("a", 2), newTopic("c", 1))
	for _, c := range []struct {
		what string
		req  *kmsg.DescribeTopicPartitionsRequest
		want []string
	}{
		{"all, cut by the broker's limit between topics", partitionsOf(2000, nil), []string{"a-0", "a-1", "b-0", "b-1", "b-2", "> c-0"}},
		{"cut by the client's limit inside a topic", partitionsOf(3, nil), []string{"a-0", "a-1", "b-0", "> b-1"}},
		{"a limit of nothing is one", partitionsOf(0, nil), []string{"a-0", "> a-1"}},
		{"from a cursor on", partitionsOf(3, at("b", 1)), []string{"b-1", "b-2", "c-0"}},
		{"a cursor at the topic's end", partitionsOf(3, at("b", 3)), []string{"c-0"}},
		{"a cursor at a topic that is gone", partitionsOf(3, at("aa", 1)), []string{"b-0", "b-1", "b-2", "> c-0"}},
		{"named, in order, each once", partitionsOf(9, nil, "c", "a", "c"), []string{"a-0", "a-1", "c-0"}},
		{"named from a cursor on", partitionsOf(9, at("b", 2), "c", "b", "a"), []string{"b-2", "c-0"}},
		{"unknown topics", partitionsOf(9, nil, "none", "x y", "c"), []string{"c-0", "none: UNKNOWN_TOPIC_OR_PARTITION", "x y: INVALID_TOPIC_EXCEPTION"}},
		{"a cursor that is not in the list", partitionsOf(9, at("b", 0), "a", "c"), []string{"a: INVALID_REQUEST", "c: INVALID_REQUEST"}},
		{"a negative partition", partitionsOf(9, at("a", -1), "a"), []string{"a: INVALID_REQUEST"}},
	} {
		require.Equal(t, c.want, page(ask[*kmsg.DescribeTopicPartitionsResponse](r, 0, c.req)), c.what)
	}
}

// TestDescribeTopicPartitionsWalk: pages of every size list every partition once.
func TestDescribeTopicPartitionsWalk(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 2), newTopic("b", 3), newTopic("c", 1))
	for limit := int32(1); limit <= 7; limit++ {
		var seen []string
		var cursor *kmsg.DescribeTopicPartitionsRequestCursor
		for range 10 {
			resp := ask[*kmsg.DescribeTopicPartitionsResponse](r, 0, partitionsOf(limit, cursor))
			for _, topic := range resp.Topics {
				require.Equal(t, int32(3576), topic.AuthorizedOperations)
				for _, p := range topic.Partitions {
					require.Equal(t, []any{core.ErrNone, int32(1), int32(0)}, []any{code(p.ErrorCode), p.LeaderID, p.LeaderEpoch})
					require.Equal(t, [][]int32{{1}, {1}, nil}, [][]int32{p.Replicas, p.ISR, p.OfflineReplicas})
					seen = append(seen, fmt.Sprintf("%s-%d", *topic.Topic, p.Partition))
				}
			}
			if resp.NextCursor == nil {
				cursor = nil
				break
			}
			cursor = at(resp.NextCursor.Topic, resp.NextCursor.Partition)
		}
		require.Nil(t, cursor, "the walk ends")
		require.Equal(t, []string{"a-0", "a-1", "b-0", "b-1", "b-2", "c-0"}, seen, "pages of %d", limit)
	}
}
