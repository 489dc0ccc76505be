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
	p.alterResources(now, r, resp, &resourceChanges{
		n: len(req.Resources), dry: req.ValidateOnly,
		at: func(i int) metadata.ConfigResource {
			return ConfigResource(req.Resources[i].ResourceType, req.Resources[i].ResourceName)
		},
		decide: func(i int, res metadata.ConfigResource) (controller.Refusal, []metadata.Record) {
			changes := make([]controller.ConfigChange, len(req.Resources[i].Configs))
			for j, c := range req.Resources[i].Configs {
				changes[j] = controller.ConfigChange{Name: c.Name, Op: controller.ConfigOp(c.Op), Value: c.Value}
			}
			return p.ctl.IncrementalAlterConfigs(res, changes)
		},
		row: func(i int, refusal controller.Refusal) {
			row := kmsg.NewIncrementalAlterConfigsResponseResource()
			row.ResourceType, row.ResourceName = req.Resources[i].ResourceType, req.Resources[i].ResourceName
			row.ErrorCode, row.ErrorMessage = int16(refusal.Code), Words(refusal)
			resp.Resources = append(resp.Resources, row)
		},
	})
}
