package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AlterConfigs (key 33).
//
// Behavior: gives each resource exactly the keys of the request; what was set besides goes back to the layers below.
// Deprecated in Kafka for that reason, and still used by older clients. Each resource succeeds or fails as a whole; a
// resource that comes twice is INVALID_REQUEST both times. The answer is sent when the change is committed and applied
// here.
//
// Version notes: 2 is flexible; 0-2 mean the same.
func (p *Plane) alterConfigs(now core.Now, r *step.Request, req *kmsg.AlterConfigsRequest) {
	resp := req.ResponseKind().(*kmsg.AlterConfigsResponse)
	times := make(map[metadata.ConfigResource]int, len(req.Resources))
	for i := range req.Resources {
		times[ConfigResource(req.Resources[i].ResourceType, req.Resources[i].ResourceName)]++
	}
	end, altered := core.NoOffset, false
	for i := range req.Resources {
		asked := &req.Resources[i]
		res := ConfigResource(asked.ResourceType, asked.ResourceName)
		entries := make([]controller.ConfigEntry, len(asked.Configs))
		for j, c := range asked.Configs {
			entries[j] = controller.ConfigEntry{Name: c.Name, Value: c.Value}
		}
		refusal, recs := resourceTwice(), []metadata.Record(nil)
		if times[res] == 1 {
			refusal, recs = p.ctl.AlterConfigs(res, entries)
		}
		if refusal.OK() && !req.ValidateOnly && len(recs) > 0 {
			end, altered = p.propose(now, recs), true
		}
		row := kmsg.NewAlterConfigsResponseResource()
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

// ConfigResource is a resource of the wire as the metadata names it.
func ConfigResource(kind kmsg.ConfigResourceType, name string) metadata.ConfigResource {
	return metadata.ConfigResource{Type: metadata.ResourceType(kind), Name: name}
}

func resourceTwice() controller.Refusal {
	return controller.Refusal{Code: core.ErrInvalidRequest, Why: "the resource comes more than once in the request"}
}
