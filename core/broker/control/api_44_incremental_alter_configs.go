package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// IncrementalAlterConfigs (key 44, KIP-339).
//
// Behavior: sets, deletes, appends to or subtracts from single keys of each resource. Each resource succeeds or fails
// as a whole. Appending to what is no list is INVALID_CONFIG; a value that a topic cannot have too, while for a broker
// it is INVALID_REQUEST (KAFKA-13609). A resource that comes twice is INVALID_REQUEST both times, a key that comes
// twice once. The answer is sent when the change is committed and applied here.
//
// Version notes: 1 is flexible; 0-1 mean the same.
func (p *Plane) incrementalAlterConfigs(now core.Now, r *step.Request, req *kmsg.IncrementalAlterConfigsRequest) {
	resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
	times := make(map[metadata.ConfigResource]int, len(req.Resources))
	for i := range req.Resources {
		times[ConfigResource(req.Resources[i].ResourceType, req.Resources[i].ResourceName)]++
	}
	end, altered := core.NoOffset, false
	for i := range req.Resources {
		asked := &req.Resources[i]
		res := ConfigResource(asked.ResourceType, asked.ResourceName)
		changes := make([]controller.ConfigChange, len(asked.Configs))
		for j, c := range asked.Configs {
			changes[j] = controller.ConfigChange{Name: c.Name, Op: controller.ConfigOp(c.Op), Value: c.Value}
		}
		refusal, recs := resourceTwice(), []metadata.Record(nil)
		if times[res] == 1 {
			refusal, recs = p.ctl.IncrementalAlterConfigs(res, changes)
		}
		if refusal.OK() && !req.ValidateOnly && len(recs) > 0 {
			end, altered = p.propose(now, recs), true
		}
		row := kmsg.NewIncrementalAlterConfigsResponseResource()
		row.ResourceType, row.ResourceName = asked.ResourceType, asked.ResourceName
		row.ErrorCode, row.ErrorMessage = int16(refusal.Code), Words(refusal)
		resp.Resources = append(resp.Resources, row)
	}
	if !altered {
		p.settle(now, r, nil, resp) // what is refused may rest on what is proposed and not yet committed
		return
	}
	p.answerAfter(r, end, false, 0, answer(r, resp))
}
