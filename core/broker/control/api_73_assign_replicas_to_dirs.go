package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AssignReplicasToDirs (key 73, KIP-858).
//
// Behavior: a broker says in which of its log directories its replicas lie; each replica is decided by itself. The answer
// is sent when the changes are committed. Klamm's own brokers have one directory and never ask.
func (p *Plane) assignReplicasToDirs(now core.Now, r *step.Request, req *kmsg.AssignReplicasToDirsRequest, out *step.Effects) {
	var wishes []controller.DirAssignment
	for i := range req.Directories {
		d := &req.Directories[i]
		for j := range d.Topics {
			for _, rp := range d.Topics[j].Partitions {
				wishes = append(wishes, controller.DirAssignment{Dir: d.ID, TopicID: d.Topics[j].TopicID, Index: rp.Partition})
			}
		}
	}
	refusal, codes, recs := p.ctl.AssignReplicasToDirs(core.NodeID(req.BrokerID), core.BrokerEpoch(req.BrokerEpoch), wishes)
	if !refusal.OK() {
		p.refuse(r, refusal.Code, refusal.Why, out)
		return
	}
	resp := req.ResponseKind().(*kmsg.AssignReplicasToDirsResponse)
	for i := range req.Directories {
		d := kmsg.NewAssignReplicasToDirsResponseDirectory()
		d.ID = req.Directories[i].ID
		for _, t := range req.Directories[i].Topics {
			rt := kmsg.NewAssignReplicasToDirsResponseDirectoryTopic()
			rt.TopicID = t.TopicID
			for _, rp := range t.Partitions {
				row := kmsg.NewAssignReplicasToDirsResponseDirectoryTopicPartition()
				row.Partition, row.ErrorCode = rp.Partition, int16(codes[0])
				codes = codes[1:]
				rt.Partitions = append(rt.Partitions, row)
			}
			d.Topics = append(d.Topics, rt)
		}
		resp.Directories = append(resp.Directories, d)
	}
	p.settle(now, r, recs, resp)
}
