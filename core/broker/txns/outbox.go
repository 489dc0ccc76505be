package txns

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/txn"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// markerTimeout is how long an answer to WriteTxnMarkers is waited for. Its partitions wait for the HighWatermark; who has not
// heard by then asks again.
const markerTimeout = 10 * core.Second

// outbox is what waits for other brokers, and for this one.
type outbox struct {
	// queues are the markers that wait for each broker's last request to be answered.
	queues *ordmap.Map[core.NodeID, []letter]
	busy   map[core.NodeID]bool
}

func newOutbox() outbox {
	return outbox{queues: ordmap.Ordered[core.NodeID, []letter](), busy: make(map[core.NodeID]bool)}
}

// letter is a transaction's marker for partitions of one broker, from one shard under one leadership.
type letter struct {
	partition int32
	marker    txn.Marker
}

// post puts what a shard's coordinator has handed out into the outbox. Partitions are looked up now: the leader is asked that this
// broker knows, and one that is not (any more) refuses. A topic that is gone is done with. That it is missing in the image
// means that it was deleted, not that this broker has not heard of it: whoever took the partition into the transaction had it in
// its image, at an older metadata offset than the election that this shard serves under.
func (p *Plane) post(now core.Now, s *shard, out *step.Effects) {
	markers := s.Machine().TakeMarkers()
	if len(markers) == 0 {
		return
	}
	image := p.host.Image()
	for i := range markers {
		m := &markers[i]
		byLeader := ordmap.Ordered[core.NodeID, []core.TopicPartition]()
		for _, tp := range m.Partitions {
			t := image.Topic(tp.Topic)
			if t == nil || t.Partition(tp.Partition) == nil {
				out.Reachable("txns.marker-of-deleted-topic", nil)
				s.Machine().MarkerAnswered(now, m.ID, m.Producer, tp, core.ErrNone)
				continue
			}
			leader := t.Partition(tp.Partition).Leader
			if leader == core.NoNode {
				s.Machine().MarkerAnswered(now, m.ID, m.Producer, tp, core.ErrLeaderNotAvailable)
				continue
			}
			byLeader.Set(leader, append(byLeader.At(leader), tp))
		}
		for leader, tps := range byLeader.All() {
			l := letter{partition: s.Partition(), marker: *m}
			l.marker.Partitions = tps
			p.outbox.queues.Set(leader, append(p.outbox.queues.At(leader), l))
		}
	}
	p.flush(now, out)
}

// live is the shard that a letter comes from, nil if its leadership has ended: who leads now sends for itself.
func (p *Plane) live(l *letter) *shard {
	if s := p.At(l.partition); s != nil && s.Phase() == coord.Active && s.Epoch() == l.marker.Epoch {
		return s
	}
	return nil
}

// flush sends what waits to every broker that owes no answer.
func (p *Plane) flush(now core.Now, out *step.Effects) {
	for to, letters := range p.outbox.queues.All() {
		if p.outbox.busy[to] {
			continue
		}
		p.outbox.queues.Delete(to)
		p.send(now, to, letters, out)
	}
}

// send puts the markers to a broker, one request for all.
func (p *Plane) send(now core.Now, to core.NodeID, letters []letter, out *step.Effects) {
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	req.SetVersion(2)
	var sent []letter
	for i := range letters {
		if p.live(&letters[i]) == nil {
			continue
		}
		sent = append(sent, letters[i])
		req.Markers = append(req.Markers, wireMarker(&letters[i].marker))
	}
	if len(sent) == 0 {
		return
	}
	out.Sometimes(len(sent) > 1, "txns.markers-batched", nil)
	p.outbox.busy[to] = true
	p.host.Ask(now, to, req, markerTimeout, func(now core.Now, body wire.Response, out *step.Effects) {
		p.outbox.busy[to] = false
		p.answered(now, sent, body, out)
		p.flush(now, out)
	}, out)
}

// wireMarker is a marker as WriteTxnMarkers has it.
func wireMarker(m *txn.Marker) kmsg.WriteTxnMarkersRequestMarker {
	w := kmsg.NewWriteTxnMarkersRequestMarker()
	w.ProducerID, w.ProducerEpoch, w.Committed = int64(m.Producer.ID), int16(m.Producer.Epoch), m.Commit
	w.CoordinatorEpoch, w.TransactionVersion = int32(m.Epoch), int8(m.Version)
	for _, tp := range m.Partitions {
		if n := len(w.Topics); n == 0 || w.Topics[n-1].Topic != tp.Topic {
			t := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
			t.Topic = tp.Topic
			w.Topics = append(w.Topics, t)
		}
		last := &w.Topics[len(w.Topics)-1]
		last.Partitions = append(last.Partitions, tp.Partition)
	}
	return w
}

// verdict names one partition's answer for one producer.
type verdict struct {
	producer core.ProducerID
	tp       core.TopicPartition
}

// answered tells the coordinators what has become of their markers. What is not in the answer, or if there is none, is not known:
// it is asked for again.
func (p *Plane) answered(now core.Now, sent []letter, body wire.Response, out *step.Effects) {
	codes := make(map[verdict]core.ErrorCode)
	if resp, ok := body.(*kmsg.WriteTxnMarkersResponse); ok {
		for i := range resp.Markers {
			for j := range resp.Markers[i].Topics {
				t := &resp.Markers[i].Topics[j]
				for _, row := range t.Partitions {
					v := verdict{core.ProducerID(resp.Markers[i].ProducerID), core.TopicPartition{Topic: t.Topic, Partition: row.Partition}}
					codes[v] = core.ErrorCode(row.ErrorCode)
				}
			}
		}
	}
	for i := range sent {
		s := p.live(&sent[i])
		if s == nil {
			out.Reachable("txns.marker-answer-late", nil)
			continue
		}
		m := &sent[i].marker
		for _, tp := range m.Partitions {
			code, told := codes[verdict{m.Producer.ID, tp}]
			if !told {
				code = core.ErrRequestTimedOut
			}
			s.Machine().MarkerAnswered(now, m.ID, m.Producer, tp, code)
		}
		p.Settle(now, s, out)
	}
}
