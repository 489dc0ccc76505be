package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// UpdateFeatures (key 57, KIP-584, KIP-778).
//
// Behavior: finalizes levels, all of the request's or none. metadata.version never falls. The answer is sent when the
// levels are committed.
//
// Version notes: 0 says with a flag whether a level may fall, 1 by which kind of downgrade, and can only validate; 2 has no
// row per feature any more.
func (p *Plane) updateFeatures(now core.Now, r *step.Request, req *kmsg.UpdateFeaturesRequest, out *step.Effects) {
	var wishes []controller.FeatureUpdate
	for _, u := range req.FeatureUpdates {
		kind := controller.UpgradeType(u.UpgradeType)
		if r.Version < 1 {
			kind = controller.Upgrade
			if u.AllowDowngrade {
				kind = controller.SafeDowngrade
			}
		}
		wishes = append(wishes, controller.FeatureUpdate{Name: u.Feature, Level: metadata.FeatureLevel(u.MaxVersionLevel), Type: kind})
	}
	refusal, recs := p.ctl.UpdateFeatures(wishes, r.Version >= 1 && req.ValidateOnly)
	resp := req.ResponseKind().(*kmsg.UpdateFeaturesResponse)
	resp.ErrorCode, resp.ErrorMessage = int16(refusal.Code), Words(refusal)
	if r.Version < 2 && refusal.OK() {
		for _, u := range req.FeatureUpdates {
			row := kmsg.NewUpdateFeaturesResponseResult()
			row.Feature = u.Feature
			resp.Results = append(resp.Results, row)
		}
	}
	p.settle(now, r, recs, resp)
}
