package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AlterPartition (key 56, KIP-497).
//
// Behavior: a leader proposes an ISR for each of its partitions; each is decided by itself and answered with the
// partition's state afterwards. The answer is sent when the changes are committed.
//
// Version notes: 2 names topics by id, 3 the broker epoch of each member (KIP-903).
func (p *Plane) alterPartition(now core.Now, r *step.Request, req *kmsg.AlterPartitionRequest, out *step.Effects) {
	wish := controller.AlterPartition{BrokerID: core.NodeID(req.BrokerID), BrokerEpoch: core.BrokerEpoch(req.BrokerEpoch)}
	for i := range req.Topics {
		t := controller.AlterPartitionTopic{TopicID: req.Topics[i].TopicID}
		for j := range req.Topics[i].Partitions {
			t.Partitions = append(t.Partitions, wishedISR(&req.Topics[i].Partitions[j], r.Version))
		}
		wish.Topics = append(wish.Topics, t)
	}
	refusal, altered, recs := p.ctl.AlterPartition(now, wish)
	resp := req.ResponseKind().(*kmsg.AlterPartitionResponse)
	resp.ErrorCode = int16(refusal.Code)
	for i := range altered {
		a := &altered[i]
		n := len(resp.Topics)
		if n == 0 || core.TopicID(resp.Topics[n-1].TopidID) != a.TopicID {
			row := kmsg.NewAlterPartitionResponseTopic()
			row.TopidID = a.TopicID
			resp.Topics = append(resp.Topics, row)
			n++
		}
		rp := kmsg.NewAlterPartitionResponseTopicPartition()
		rp.Partition, rp.ErrorCode = a.Index, int16(a.Code)
		rp.LeaderID, rp.LeaderEpoch, rp.PartitionEpoch = int32(a.LeaderID), int32(a.LeaderEpoch), int32(a.PartitionEpoch)
		rp.ISR, rp.LeaderRecoveryState = NodeIDs(a.ISR), int8(a.RecoveryState)
		resp.Topics[n-1].Partitions = append(resp.Topics[n-1].Partitions, rp)
	}
	p.settle(now, r, recs, resp)
}

// wishedISR is one partition's proposal; before version 3 members are any incarnation of their broker.
func wishedISR(rp *kmsg.AlterPartitionRequestTopicPartition, version int16) controller.PartitionISR {
	w := controller.PartitionISR{
		Index: rp.Partition, LeaderEpoch: core.LeaderEpoch(rp.LeaderEpoch), PartitionEpoch: core.PartitionEpoch(rp.PartitionEpoch),
		LeaderRecoveryState: metadata.LeaderRecoveryState(rp.LeaderRecoveryState),
	}
	if version < 3 {
		for _, id := range rp.NewISR {
			w.NewISR = append(w.NewISR, controller.ReplicaState{ID: core.NodeID(id), BrokerEpoch: -1})
		}
		return w
	}
	for _, m := range rp.NewEpochISR {
		w.NewISR = append(w.NewISR, controller.ReplicaState{ID: core.NodeID(m.BrokerID), BrokerEpoch: core.BrokerEpoch(m.BrokerEpoch)})
	}
	return w
}
