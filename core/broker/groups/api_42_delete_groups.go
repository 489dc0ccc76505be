package groups

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DeleteGroups (key 42).
//
// Behavior: deletes empty groups with their offsets, each for itself. NON_EMPTY_GROUP and GROUP_ID_NOT_FOUND say why not.
//
// Version notes: none that matter here.
func (p *Plane) deleteGroups(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.DeleteGroupsRequest)
	w := begin(r, len(req.Groups))
	resp := w.Resp.(*kmsg.DeleteGroupsResponse)
	resp.Groups = make([]kmsg.DeleteGroupsResponseGroup, len(req.Groups))
	if len(req.Groups) == 0 {
		w.Left = 1
		w.Done(out)
		return
	}
	for i, id := range req.Groups {
		resp.Groups[i].Group = id
		if !shards.ValidKey(id) {
			w.Refuse(i, core.ErrInvalidGroupID, out)
			continue
		}
		s := p.Serving(w, i, id, out)
		if s == nil {
			continue
		}
		resp.Groups[i].ErrorCode = int16(s.Machine().Delete(now, id))
		p.Wait(now, s, w, i, out)
	}
}
