package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ListPartitionReassignments (key 46, KIP-455).
//
// Behavior: the partitions whose replicas are changing, of the topics asked for or, with null, of all. The controller
// answers from what it has proposed, so a reassignment that was just begun is listed.
func (p *Plane) listReassignments(now core.Now, r *step.Request, req *kmsg.ListPartitionReassignmentsRequest) {
	resp := req.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
	var parts []core.TopicPartition
	if req.Topics != nil {
		parts = []core.TopicPartition{}
	}
	for i := range req.Topics {
		for _, index := range req.Topics[i].Partitions {
			parts = append(parts, core.TopicPartition{Topic: req.Topics[i].Topic, Partition: index})
		}
	}
	for _, o := range p.ctl.ListAssignments(parts) {
		n := len(resp.Topics)
		if n == 0 || resp.Topics[n-1].Topic != o.Topic {
			resp.Topics = append(resp.Topics, kmsg.ListPartitionReassignmentsResponseTopic{Topic: o.Topic})
			n++
		}
		resp.Topics[n-1].Partitions = append(resp.Topics[n-1].Partitions, ongoing(&o))
	}
	p.settle(now, r, nil, resp) // it reads what is proposed and not yet committed
}

func ongoing(o *controller.OngoingReassignment) kmsg.ListPartitionReassignmentsResponseTopicPartition {
	return kmsg.ListPartitionReassignmentsResponseTopicPartition{
		Partition: o.Partition, Replicas: NodeIDs(o.Replicas), AddingReplicas: NodeIDs(o.Adding), RemovingReplicas: NodeIDs(o.Removing),
	}
}

// NodeIDs are node ids as the wire has them; never null.
func NodeIDs(nodes []core.NodeID) []int32 {
	ids := make([]int32, len(nodes))
	for i, n := range nodes {
		ids[i] = int32(n)
	}
	return ids
}
