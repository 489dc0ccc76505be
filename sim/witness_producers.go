package sim

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/record"
)

// produced is what a batch says of its producer, in the witness' words.
func produced(b *pstate.Batch) history.Produced {
	if b.ProducerID < 0 {
		return history.Produced{}
	}
	return history.Produced{By: true, Transactional: b.Transactional, Marker: b.Marker, Commit: b.Commit, ID: b.ProducerID, Epoch: b.Epoch,
		FirstSeq: b.FirstSequence, LastSeq: b.LastSequence, Coordinator: b.CoordinatorEpoch}
}

// producedBy is produced for a batch on the disk.
func (s *seer) producedBy(b record.Batch, h *record.Header) history.Produced {
	view := pstate.Of(h)
	if h.Attributes.Control() {
		m, ok := pstate.Marker(b, &s.iter, &s.codecs)
		if !ok {
			return history.Produced{}
		}
		view = m
	}
	return produced(&view)
}

// producersLooked tells what a replica holds of producers and transactions.
func (r *run) producersLooked(id core.NodeID, k history.Key, v *broker.ReplicaView) {
	w, ok := r.seer.witness.(history.ProducerWitness)
	if !ok || v.Producers == nil {
		return
	}
	look := history.ProducerLook{Node: id, Key: k, LogStartOffset: v.LogStartOffset, HighWatermark: v.HighWatermark,
		LastStableOffset: v.LastStableOffset, Changed: r.seer.changed[k]}
	if look.Changed && v.Producers.Len() > 0 {
		for _, p := range v.Producers.Producers() {
			look.Producers = append(look.Producers, history.ProducerState{ID: p.ID, Epoch: p.Epoch, LastSeq: p.LastSequence,
				LastOffset: p.LastOffset, Coordinator: p.CoordinatorEpoch, TxnFirst: p.TxnFirst})
		}
	}
	w.Producers(r.w.now, look)
}
