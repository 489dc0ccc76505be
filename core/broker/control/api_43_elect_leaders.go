package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ElectLeaders (key 43, KIP-183, KIP-460).
//
// Behavior: preferred elections give leadership back to the first replica, unclean ones end the offline state of a
// partition at the price of records. Null topics mean every partition that needs the election; then those that need
// none are not listed. The answer is sent when the elections are committed.
//
// Version notes: 1 adds the type and a top-level error; 0 is preferred.
func (p *Plane) electLeaders(now core.Now, r *step.Request, req *kmsg.ElectLeadersRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.ElectLeadersResponse)
	var parts []core.TopicPartition
	if req.Topics != nil {
		parts = []core.TopicPartition{}
	}
	for i := range req.Topics {
		for _, index := range req.Topics[i].Partitions {
			parts = append(parts, core.TopicPartition{Topic: req.Topics[i].Topic, Partition: index})
		}
	}
	refusal, outcomes, recs := p.ctl.ElectLeaders(controller.ElectionType(req.ElectionType), parts)
	if !refusal.OK() && r.Version < 1 { // which has no error but the partitions'
		p.refuse(r, refusal.Code, "too many elections at once", out)
		return
	}
	resp.ErrorCode = int16(refusal.Code)
	rows := make(map[string]int) // by topic
	for i := range outcomes {
		o := &outcomes[i]
		at, known := rows[o.Topic]
		if !known {
			at = len(resp.Topics)
			rows[o.Topic] = at
			resp.Topics = append(resp.Topics, kmsg.ElectLeadersResponseTopic{Topic: o.Topic})
		}
		resp.Topics[at].Partitions = append(resp.Topics[at].Partitions, kmsg.ElectLeadersResponseTopicPartition{
			Partition: o.Partition, ErrorCode: int16(o.Code), ErrorMessage: Words(o.Refusal),
		})
	}
	p.settle(now, r, recs, resp)
}
