package sim

import (
	"slices"
	"strconv"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// images tells what a node's committed image changes against the newest that was told, if it is newer. What a leader
// counts on may have changed at the very end of its last turn, so it is looked at again before it is judged.
func (r *run) images(m *metadata.Image, static int) {
	s, now := r.seer, r.w.now
	if m.Offset() <= s.image {
		return
	}
	s.image = m.Offset()
	s.registrations(now, m)
	for t := range m.Topics() {
		s.names[t.Name] = true
		for _, p := range t.Partitions() {
			k := history.Key{TopicID: t.ID, Partition: p.ID}
			seen := toldState{p.PartitionEpoch, minISR(m, t.Name, p, static), len(p.EligibleLeaderReplicas)}
			if was, ok := s.told[k]; ok && was == seen {
				continue
			}
			s.told[k] = seen
			tp := core.TopicPartition{Topic: t.Name, Partition: p.ID}
			s.witness.Partition(now, history.PartitionState{
				Name: tp, Key: k, Replicas: p.Replicas, ISR: p.ISR, ELR: p.EligibleLeaderReplicas,
				Adding: p.AddingReplicas, Removing: p.RemovingReplicas, Leader: p.Leader, LeaderEpoch: p.LeaderEpoch,
				PartitionEpoch: p.PartitionEpoch, MinISR: seen.min,
			})
			r.lookAgain(p.Leader, tp)
		}
	}
	s.deletions(now, m)
	s.witness.ImageSeen(now, m.Offset())
}

// lookAgain looks at a replica of another node than the one whose turn it was.
func (r *run) lookAgain(id core.NodeID, tp core.TopicPartition) {
	if id <= 0 || int(id) > len(r.brokers) {
		return
	}
	p := r.brokers[id-1]
	if n := p.insight(); n != nil {
		if v, ok := n.View(tp); ok && !v.Opening && v.Offline == "" {
			r.looked(p, n, id, &v)
		}
	}
}

// registrations tells which brokers are registered otherwise than was told.
func (s *seer) registrations(now core.Mono, m *metadata.Image) {
	for b := range m.Brokers() {
		was := s.brokers[b.ID]
		if was != nil && was.Epoch == b.Epoch && was.Fenced == b.Fenced && was.InControlledShutdown == b.InControlledShutdown {
			continue
		}
		s.brokers[b.ID] = b
		s.witness.Broker(now, history.BrokerState{ID: b.ID, Epoch: b.Epoch, Incarnation: b.IncarnationID,
			Fenced: b.Fenced, InControlledShutdown: b.InControlledShutdown})
	}
	var gone []core.NodeID
	for id := range s.brokers { //det:unordered sorted below
		if m.Broker(id) == nil {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	for _, id := range gone {
		delete(s.brokers, id)
		s.witness.Broker(now, history.BrokerState{ID: id, Gone: true})
	}
}

// deletions tells which topics are no more.
func (s *seer) deletions(now core.Mono, m *metadata.Image) {
	var gone []history.Key
	for k := range s.told { //det:unordered sorted below
		if m.TopicByID(k.TopicID) == nil {
			gone = append(gone, k)
		}
	}
	slices.SortFunc(gone, func(a, b history.Key) int {
		if c := a.TopicID.Compare(b.TopicID); c != 0 {
			return c
		}
		return int(min(1, max(-1, int64(a.Partition)-int64(b.Partition))))
	})
	for _, k := range gone {
		delete(s.told, k)
		s.witness.Partition(now, history.PartitionState{Key: k, Gone: true})
	}
}

// minISRProperty is the topic's setting and, under the same name, the broker's default for it.
const minISRProperty = "min.insync.replicas"

// minISR is a partition's effective min.insync.replicas by an image: the topic's own value, the cluster's dynamic default,
// or the given static default of a node; never more than there are replicas (KIP-966).
func minISR(m *metadata.Image, topic string, p *metadata.Partition, static int) int {
	least := static
	for _, res := range []metadata.ConfigResource{{Type: metadata.ResourceBroker}, {Type: metadata.ResourceTopic, Name: topic}} {
		if v, ok := m.Config(res, minISRProperty); ok {
			if n, err := strconv.Atoi(v); err == nil {
				least = n
			}
		}
	}
	return min(least, len(p.Replicas))
}

// elrOn reports whether the cluster keeps eligible leader replicas, without which the HighWatermark moves whatever the
// size of the ISR.
func elrOn(m *metadata.Image) bool { return m.FeatureLevel(metadata.EligibleLeaderReplicasFeature) > 0 }

// defaultMinISR is a node's static min.insync.replicas.
func (r *run) defaultMinISR(p *process) int {
	for _, x := range r.plan.Brokers[p.id].Properties {
		if x.Name == minISRProperty {
			if n, err := strconv.Atoi(x.Value); err == nil {
				return n
			}
		}
	}
	return 1
}
