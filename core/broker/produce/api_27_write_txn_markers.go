package produce

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// WriteTxnMarkers (key 27).
//
// Behavior: ends transactions on partitions that this broker leads: each gets a control batch under the transaction's producer id and epoch,
// with the coordinator's epoch in it. The answer comes when the markers are committed, as for acks=all. A coordinator that was
// deposed is refused (TRANSACTION_COORDINATOR_FENCED), as is an epoch below the producer's (INVALID_PRODUCER_EPOCH). A marker without an
// open transaction is appended all the same: it raises the epoch, which keeps late batches out. A partition that comes twice for one
// marker is INVALID_REQUEST the second time.
//
// Where the partition is a coordinator's own (__consumer_offsets), the coordinator hears of the marker in the same turn. While it loads, or
// is elsewhere, the answer is NOT_LEADER_OR_FOLLOWER: transaction coordinators know no other way to be told to come again.
//
// Version notes: 1 flexible. 2 says by which transaction version the epoch was raised: with 2 a marker with the epoch of an open transaction is
// an earlier one's, and refused (KIP-1228); one that stands here already is answered and not written again, where Kafka says
// INVALID_PRODUCER_EPOCH.

// markersTimeout is how long markers may take to be committed (Kafka: request.timeout.ms).
const markersTimeout = 30 * core.Second

// bumpsEpochs is the transaction version from which on the coordinator raises the epoch before it writes markers.
const bumpsEpochs = 2

// place is where a marker of a request, by its index, is to be written.
type place struct {
	marker int
	tp     core.TopicPartition
}

// WriteTxnMarkers serves a request.
func (p *Plane) WriteTxnMarkers(now core.Now, r *step.Request, req *kmsg.WriteTxnMarkersRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.WriteTxnMarkersResponse)
	w := wait{req: r, resp: resp}
	seen := make(map[place]bool)
	resp.Markers = make([]kmsg.WriteTxnMarkersResponseMarker, len(req.Markers))
	for i := range req.Markers {
		m, rm := &req.Markers[i], &resp.Markers[i]
		rm.ProducerID = m.ProducerID
		rm.Topics = make([]kmsg.WriteTxnMarkersResponseMarkerTopic, len(m.Topics))
		for j := range m.Topics {
			t, rt := &m.Topics[j], &rm.Topics[j]
			rt.Topic = t.Topic
			rt.Partitions = make([]kmsg.WriteTxnMarkersResponseMarkerTopicPartition, len(t.Partitions))
			for k, partition := range t.Partitions {
				rt.Partitions[k].Partition = partition
				at := place{marker: i, tp: core.TopicPartition{Topic: t.Topic, Partition: partition}}
				if seen[at] {
					rt.Partitions[k].ErrorCode = int16(core.ErrInvalidRequest)
					continue
				}
				seen[at] = true
				rt.Partitions[k].ErrorCode = int16(p.writeMarker(now, m, t.Topic, &rt.Partitions[k], &w, out))
			}
		}
	}
	if len(w.appended) == 0 {
		p.reply(&w, out)
		return
	}
	p.park(w, now.Mono.Add(markersTimeout))
}

// writeMarker appends one marker, or says why not.
func (p *Plane) writeMarker(
	now core.Now, m *kmsg.WriteTxnMarkersRequestMarker, topic string, rp *kmsg.WriteTxnMarkersResponseMarkerTopicPartition,
	w *wait, out *step.Effects,
) core.ErrorCode {
	if m.ProducerID < 0 || m.ProducerEpoch < 0 {
		return core.ErrInvalidRequest
	}
	to, code := p.host.Lookup(core.TopicID{}, topic, rp.Partition)
	if code != core.ErrNone {
		return code
	}
	if code := p.host.MarkerCode(&to); code != core.ErrNone {
		return core.ErrNotLeaderOrFollower
	}
	if code := to.EnoughReplicas(int(to.Config.MinInsyncReplicas)); code != core.ErrNone {
		return code
	}
	told := coord.Marker{
		ProducerID: core.ProducerID(m.ProducerID), Epoch: core.ProducerEpoch(m.ProducerEpoch), Commit: m.Committed,
		Bumped: m.TransactionVersion >= bumpsEpochs,
	}
	verdict := to.Log.Producers().Check(&pstate.Batch{
		ProducerID: told.ProducerID, Epoch: told.Epoch, FirstSequence: record.NoSequence, LastSequence: record.NoSequence,
		Transactional: true, Marker: true, Commit: told.Commit, CoordinatorEpoch: m.CoordinatorEpoch, Bumped: told.Bumped,
	})
	wait := appended{t: to, end: to.Log.LogEndOffset(), epoch: to.LeaderEpoch(), marker: rp}
	switch {
	case verdict.Code != core.ErrNone:
		out.Reachable("produce.marker-refused", nil)
		return verdict.Code
	case verdict.Duplicate:
		out.Reachable("produce.marker-repeated", nil)
		w.appended = append(w.appended, wait) // committed when all is that stands here now
		return core.ErrNone
	}
	a := to.Append(now, p.marker(now, &told, m.CoordinatorEpoch), nil)
	p.host.Touch(to.Replica)
	if a.Code != core.ErrNone {
		return a.Code
	}
	p.gate.Ended(to.Slot, &told)
	p.host.Marked(now, &to, a.Last+1, &told, out)
	wait.end = a.Last + 1
	w.appended = append(w.appended, wait)
	return core.ErrNone
}

// marker is the control batch.
func (p *Plane) marker(now core.Now, m *coord.Marker, coordinatorEpoch int32) record.Batch {
	var b record.Builder
	b.Begin(nil, record.Options{
		Control: true, Transactional: true, Idempotent: true, ProducerID: m.ProducerID, ProducerEpoch: m.Epoch, BaseSequence: record.NoSequence,
	})
	err := b.AppendEndTxn(now.Wall, m.Commit, coordinatorEpoch)
	data, err2 := b.Finish(&p.codecs)
	if err != nil || err2 != nil {
		panic("produce: a transaction marker cannot be encoded") // ten bytes, not compressed
	}
	return data
}
