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
	p.alterResources(now, r, resp, &resourceChanges{
		n: len(req.Resources), dry: req.ValidateOnly,
		at: func(i int) metadata.ConfigResource {
			return ConfigResource(req.Resources[i].ResourceType, req.Resources[i].ResourceName)
		},
		decide: func(i int, res metadata.ConfigResource) (controller.Refusal, []metadata.Record) {
			entries := make([]controller.ConfigEntry, len(req.Resources[i].Configs))
			for j, c := range req.Resources[i].Configs {
				entries[j] = controller.ConfigEntry{Name: c.Name, Value: c.Value}
			}
			return p.ctl.AlterConfigs(res, entries)
		},
		row: func(i int, refusal controller.Refusal) {
			row := kmsg.NewAlterConfigsResponseResource()
			row.ResourceType, row.ResourceName = req.Resources[i].ResourceType, req.Resources[i].ResourceName
			row.ErrorCode, row.ErrorMessage = int16(refusal.Code), Words(refusal)
			resp.Resources = append(resp.Resources, row)
		},
	})
}
