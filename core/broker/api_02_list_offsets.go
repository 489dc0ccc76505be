package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ListOffsets (key 2).
//
// Behavior: -1 is the HighWatermark (for read_committed the LastStableOffset), -2 the log start, both with timestamp
// -1. A timestamp asks for the first record at or after it; none is offset -1 and timestamp -1, no error. Searches by
// time read the log outside the loop, one partition after another. A partition that comes twice is INVALID_REQUEST each
// time.
//
// A leader whose HighWatermark has not reached the start of its epoch answers OFFSET_NOT_AVAILABLE, LEADER_NOT_AVAILABLE
// below version 5 (KIP-207).
//
// Version notes: 1 one offset per partition, 2 isolation, 4 leader epochs (KIP-320), 7 the largest timestamp, -3
// (KIP-734), 8 the local log start, -4 (KIP-405), 9 the last tiered offset, -5 (KIP-1005), 11 the earliest pending
// upload, -6 (KIP-1023). There is no tiered storage: -4 equals -2, -5 and -6 find nothing. A special below its version
// is UNSUPPORTED_VERSION.

// Special timestamps of ListOffsets.
const (
	timeLatest         = -1
	timeEarliest       = -2
	timeMax            = -3
	timeEarliestLocal  = -4
	timeLatestTiered   = -5
	timeEarliestUpload = -6
)

// offsetLookup is one ListOffsets being answered.
type offsetLookup struct {
	req   *step.Request
	body  *kmsg.ListOffsetsRequest
	resp  *kmsg.ListOffsetsResponse
	times map[core.TopicPartition]int
	t, j  int        // the partition being looked up
	p     *partition // its replica, while a read is outstanding
	query log.TimeQuery
	need  log.ReadRequest
}

func (b *Broker) listOffsets(r *step.Request, req *kmsg.ListOffsetsRequest, out *step.Effects) {
	l := &offsetLookup{
		req: r, body: req, resp: req.ResponseKind().(*kmsg.ListOffsetsResponse), times: make(map[core.TopicPartition]int),
	}
	l.resp.Topics = make([]kmsg.ListOffsetsResponseTopic, len(req.Topics))
	for i := range req.Topics {
		l.resp.Topics[i].Topic = req.Topics[i].Topic
		l.resp.Topics[i].Partitions = make([]kmsg.ListOffsetsResponseTopicPartition, len(req.Topics[i].Partitions))
		for j := range req.Topics[i].Partitions {
			l.times[core.TopicPartition{Topic: req.Topics[i].Topic, Partition: req.Topics[i].Partitions[j].Partition}]++
		}
	}
	b.runLookup(l, out)
}

// runLookup answers partition after partition until one needs a read.
func (b *Broker) runLookup(l *offsetLookup, out *step.Effects) {
	for ; l.t < len(l.body.Topics); l.t, l.j = l.t+1, 0 {
		for ; l.j < len(l.body.Topics[l.t].Partitions); l.j++ {
			if !b.lookupOne(l, out) {
				return
			}
		}
	}
	reply(l.req, l.resp, out)
}

// lookupOne answers the current partition; false means that it needs a read.
func (b *Broker) lookupOne(l *offsetLookup, out *step.Effects) bool {
	topic := l.body.Topics[l.t].Topic
	asked, rp := &l.body.Topics[l.t].Partitions[l.j], &l.resp.Topics[l.t].Partitions[l.j]
	*rp = kmsg.NewListOffsetsResponseTopicPartition()
	rp.Partition, rp.Offset, rp.Timestamp, rp.LeaderEpoch = asked.Partition, -1, -1, -1
	p, code := b.lookup(core.TopicID{}, topic, asked.Partition)
	if l.times[core.TopicPartition{Topic: topic, Partition: asked.Partition}] > 1 {
		code = core.ErrInvalidRequest
	}
	if code == core.ErrNone {
		code = p.CheckEpoch(core.LeaderEpoch(asked.CurrentLeaderEpoch))
	}
	if code == core.ErrNone && asked.Timestamp != timeEarliest && asked.Timestamp != timeEarliestLocal && !p.HWKnown() {
		// KIP-207: a new leader's HighWatermark may lag behind what an earlier leader has told.
		code = core.ErrOffsetNotAvailable
		if l.req.Version < 5 {
			code = core.ErrLeaderNotAvailable
		}
	}
	if code == core.ErrNone && !specialServed(asked.Timestamp, l.req.Version) {
		code = core.ErrUnsupportedVersion
	}
	if code != core.ErrNone {
		rp.ErrorCode = int16(code)
		return true
	}
	end := p.HighWatermark()
	if l.body.IsolationLevel == 1 {
		end = p.LastStableOffset()
	}
	switch asked.Timestamp {
	case timeLatest:
		rp.Offset, rp.LeaderEpoch = int64(end), int32(p.LeaderEpoch())
		return true
	case timeEarliest, timeEarliestLocal:
		start := p.Log.LogStartOffset()
		rp.Offset, rp.LeaderEpoch = int64(start), int32(p.EpochAt(start))
		return true
	case timeLatestTiered, timeEarliestUpload:
		return true
	}
	l.p = p
	l.query = log.TimeQuery{Timestamp: core.Wall(asked.Timestamp), Max: asked.Timestamp == timeMax, UpperBound: end}
	return b.lookupFound(l, p.Log.FindByTimestamp(l.query), out)
}

// specialServed reports whether a negative timestamp is known at the request's version.
func specialServed(timestamp int64, version int16) bool {
	switch timestamp {
	case timeMax:
		return version >= 7
	case timeEarliestLocal:
		return version >= 8
	case timeLatestTiered:
		return version >= 9
	case timeEarliestUpload:
		return version >= 11
	}
	return timestamp >= timeEarliest
}

// lookupFound takes the outcome of a search by time; false means that bytes must be read first.
func (b *Broker) lookupFound(l *offsetLookup, found log.TimeFound, out *step.Effects) bool {
	if found.Need.Len > 0 {
		l.need = found.Need
		b.reads.start(b, found.Need, pendingRead{p: l.p, log: l.p.Log, lookup: l}, out)
		return false
	}
	rp := &l.resp.Topics[l.t].Partitions[l.j]
	rp.ErrorCode = int16(found.Code)
	if found.Code == core.ErrNone && found.Found {
		rp.Offset, rp.Timestamp, rp.LeaderEpoch = int64(found.Offset), int64(found.Timestamp), int32(found.Epoch)
	}
	return true
}

// resumeLookup goes on with a search whose read has completed.
func (b *Broker) resumeLookup(l *offsetLookup, d *step.DiskDone, out *step.Effects) {
	found := log.TimeFound{Code: core.ErrKafkaStorageError}
	if d.Err == step.DiskOK {
		if found.Code = l.p.Serving(); found.Code == core.ErrNone {
			found = l.p.Log.ResolveTimestamp(l.query, l.need, d.Data, &b.codecs)
		}
	}
	if b.lookupFound(l, found, out) {
		l.j++
		b.runLookup(l, out)
	}
}
