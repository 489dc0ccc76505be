package wire

import "github.com/twmb/franz-go/pkg/kmsg"

// The response versions that change the layout of Fetch.
const (
	fetchFirstV2       int16 = 4  // RecordBatch v2, aborted transactions (KIP-98); the oldest version served
	fetchLogStart      int16 = 5  // KIP-107
	fetchSessions      int16 = 7  // KIP-227
	fetchRack          int16 = 11 // KIP-392
	fetchFlexible      int16 = 12 // KIP-482
	fetchTopicIDs      int16 = 13 // KIP-516
	fetchNodeEndpoints int16 = 16 // KIP-951
)

// AppendFetchResponse appends the frame of a Fetch response, versions 4 to 18, whose record bytes are somewhere
// else: lens holds their lengths, one per (topic, partition) in the body's order, and is nil if there are none.
// RecordBatches in the body is written where lens has no entry, and not read otherwise. For each length one position in dst is appended to cuts: there the bytes
// belong. The frame's length field counts them.
//
// Records are never null: Kafka sends an empty set for an error, and some clients stumble over null. Of the tags unknown to kmsg those
// of partitions are written ([SetEverywhere]).
func AppendFetchResponse(dst []byte, cuts []int, corr int32, version int16, r *kmsg.FetchResponse, lens []int64) ([]byte, []int) {
	start := len(dst)
	e := fetchEncoder{version: version, flexible: version >= fetchFlexible, dst: dst, cuts: cuts, lens: lens}
	e.dst = appendResponseHeader(e.dst, corr, e.flexible)
	e.dst = appendInt32(e.dst, r.ThrottleMillis)
	if version >= fetchSessions {
		e.dst = appendInt16(e.dst, r.ErrorCode)
		e.dst = appendInt32(e.dst, r.SessionID)
	}
	e.dst = appendArrayLen(e.dst, len(r.Topics), e.flexible)
	for i := range r.Topics {
		e.topic(&r.Topics[i])
	}
	if e.flexible {
		e.brokers(r)
	}
	return setLength(e.dst, start, e.spanned), e.cuts
}

// fetchEncoder is one encoding in progress.
type fetchEncoder struct {
	version  int16
	flexible bool
	dst      []byte
	cuts     []int
	lens     []int64
	next     int   // partition, counted over all topics
	spanned  int64 // bytes of all spans
}

func (e *fetchEncoder) topic(t *kmsg.FetchResponseTopic) {
	if e.version >= fetchTopicIDs {
		e.dst = append(e.dst, t.TopicID[:]...)
	} else {
		e.dst = appendString(e.dst, t.Topic, e.flexible)
	}
	e.dst = appendArrayLen(e.dst, len(t.Partitions), e.flexible)
	for i := range t.Partitions {
		e.partition(&t.Partitions[i])
	}
	if e.flexible {
		e.dst = append(e.dst, 0) // no tags
	}
}

func (e *fetchEncoder) partition(p *kmsg.FetchResponseTopicPartition) {
	e.dst = appendInt32(e.dst, p.Partition)
	e.dst = appendInt16(e.dst, p.ErrorCode)
	e.dst = appendInt64(e.dst, p.HighWatermark)
	e.dst = appendInt64(e.dst, p.LastStableOffset)
	if e.version >= fetchLogStart {
		e.dst = appendInt64(e.dst, p.LogStartOffset)
	}
	e.aborted(p.AbortedTransactions)
	if e.version >= fetchRack {
		e.dst = appendInt32(e.dst, p.PreferredReadReplica)
	}
	e.records(p.RecordBatches)
	if e.flexible {
		e.partitionTags(p)
	}
}

// aborted writes the aborted transactions; null, which read_uncommitted gets, is not the same as none.
func (e *fetchEncoder) aborted(txns []kmsg.FetchResponseTopicPartitionAbortedTransaction) {
	switch {
	case txns != nil:
		e.dst = appendArrayLen(e.dst, len(txns), e.flexible)
	case e.flexible:
		e.dst = append(e.dst, 0)
	default:
		e.dst = appendInt32(e.dst, -1)
	}
	for i := range txns {
		e.dst = appendInt64(e.dst, txns[i].ProducerID)
		e.dst = appendInt64(e.dst, txns[i].FirstOffset)
		if e.flexible {
			e.dst = append(e.dst, 0) // no tags
		}
	}
}

// records writes the length of the next span and notes where its bytes belong, or writes the bytes that the body holds.
func (e *fetchEncoder) records(body []byte) {
	if e.next >= len(e.lens) {
		e.dst = append(appendArrayLen(e.dst, len(body), e.flexible), body...)
		return
	}
	size := e.lens[e.next]
	e.dst = appendArrayLen(e.dst, int(size), e.flexible)
	e.cuts = append(e.cuts, len(e.dst))
	e.spanned += size
	e.next++
}

// partitionTags writes the tagged fields whose value is not their default, which is how absent fields read.
func (e *fetchEncoder) partitionTags(p *kmsg.FetchResponseTopicPartition) {
	diverging := p.DivergingEpoch.Epoch != -1 || p.DivergingEpoch.EndOffset != -1 // KIP-595
	leader := p.CurrentLeader.LeaderID != -1 || p.CurrentLeader.LeaderEpoch != -1 // KIP-595, KIP-951
	snapshot := p.SnapshotID.EndOffset != -1 || p.SnapshotID.Epoch != -1          // KIP-630
	e.dst = append(e.dst, count(diverging)+count(leader)+count(snapshot)+byte(p.UnknownTags.Len()))
	if diverging {
		e.dst = append(e.dst, 0, 4+8+1)
		e.dst = appendInt32(e.dst, p.DivergingEpoch.Epoch)
		e.dst = append(appendInt64(e.dst, p.DivergingEpoch.EndOffset), 0)
	}
	if leader {
		e.dst = append(e.dst, 1, 4+4+1)
		e.dst = appendInt32(e.dst, p.CurrentLeader.LeaderID)
		e.dst = append(appendInt32(e.dst, p.CurrentLeader.LeaderEpoch), 0)
	}
	if snapshot {
		e.dst = append(e.dst, 2, 8+4+1)
		e.dst = appendInt64(e.dst, p.SnapshotID.EndOffset)
		e.dst = append(appendInt32(e.dst, p.SnapshotID.Epoch), 0)
	}
	if p.UnknownTags.Len() > 0 {
		e.dst = p.UnknownTags.AppendEach(e.dst)
	}
}

// brokers writes the response's one tagged field, the endpoints of the leaders that its partitions name (KIP-951).
func (e *fetchEncoder) brokers(r *kmsg.FetchResponse) {
	if len(r.Brokers) == 0 || e.version < fetchNodeEndpoints {
		e.dst = append(e.dst, 0)
		return
	}
	size := uvarintLen(uint32(len(r.Brokers)) + 1)
	for i := range r.Brokers {
		size += brokerLen(&r.Brokers[i])
	}
	e.dst = append(e.dst, 1, 0)
	e.dst = appendUvarint(e.dst, uint32(size))
	e.dst = appendArrayLen(e.dst, len(r.Brokers), true)
	for i := range r.Brokers {
		b := &r.Brokers[i]
		e.dst = appendInt32(e.dst, b.NodeID)
		e.dst = appendString(e.dst, b.Host, true)
		e.dst = appendInt32(e.dst, b.Port)
		e.dst = append(appendNullableString(e.dst, b.Rack, true), 0)
	}
}

// brokerLen is the encoded size of one broker.
func brokerLen(b *kmsg.FetchResponseBroker) int {
	n := 4 + uvarintLen(uint32(len(b.Host))+1) + len(b.Host) + 4 + 1 + 1
	if b.Rack != nil {
		n += uvarintLen(uint32(len(*b.Rack))+1) + len(*b.Rack) - 1
	}
	return n
}

func count(present bool) byte {
	if present {
		return 1
	}
	return 0
}
