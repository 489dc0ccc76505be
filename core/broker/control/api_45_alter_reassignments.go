package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AlterPartitionReassignments (key 45, KIP-455).
//
// Behavior: each partition gets new replicas, or with null replicas goes back to those before the reassignment that is
// under way. The answer is sent when the reassignment has begun; ListPartitionReassignments tells when it is over.
//
// Version notes: 1 says whether the replication factor may change (KIP-860); before it may.
func (p *Plane) alterAssignments(now core.Now, r *step.Request, req *kmsg.AlterPartitionAssignmentsRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.AlterPartitionAssignmentsResponse)
	var wishes []controller.Reassignment
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			w := controller.Reassignment{TopicPartition: core.TopicPartition{Topic: t.Topic, Partition: t.Partitions[j].Partition}}
			if t.Partitions[j].Replicas != nil {
				w.Replicas = BrokerIDs(t.Partitions[j].Replicas)
			}
			wishes = append(wishes, w)
		}
	}
	anyFactor := r.Version < 1 || req.AllowReplicationFactorChange
	resp.AllowReplicationFactorChange = anyFactor
	refusal, outcomes, recs := p.ctl.AlterAssignments(wishes, anyFactor)
	resp.ErrorCode, resp.ErrorMessage = int16(refusal.Code), Words(refusal)
	at := 0
	for i := range req.Topics {
		if !refusal.OK() {
			break
		}
		row := kmsg.AlterPartitionAssignmentsResponseTopic{Topic: req.Topics[i].Topic}
		for range req.Topics[i].Partitions {
			o := &outcomes[at]
			at++
			row.Partitions = append(row.Partitions, kmsg.AlterPartitionAssignmentsResponseTopicPartition{
				Partition: o.Partition, ErrorCode: int16(o.Code), ErrorMessage: Words(o.Refusal),
			})
		}
		resp.Topics = append(resp.Topics, row)
	}
	p.settle(now, r, recs, resp)
}
