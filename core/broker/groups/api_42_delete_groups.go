package groups

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DeleteGroups (key 42).
//
// Behavior: deletes empty groups with their offsets, each for itself. NON_EMPTY_GROUP and GROUP_ID_NOT_FOUND say why not. One that is
// named twice is deleted, and answered, once.
//
// Version notes: 3 says in words why a group was not deleted.
func (p *Plane) deleteGroups(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.DeleteGroupsRequest)
	again := repeated(len(req.Groups))
	groups := slices.DeleteFunc(slices.Clone(req.Groups), again)
	w := begin(r, len(groups))
	resp := w.Resp.(*kmsg.DeleteGroupsResponse)
	resp.Groups = make([]kmsg.DeleteGroupsResponseGroup, len(groups))
	if len(groups) == 0 {
		w.Left = 1
		w.Done(out)
		return
	}
	for i, id := range groups {
		resp.Groups[i].Group = id
		if !shards.ValidKey(id) {
			w.Refuse(i, core.ErrInvalidGroupID, out)
			continue
		}
		s := p.Serving(w, i, id, out)
		if s == nil {
			continue
		}
		code := s.Machine().Delete(now, id)
		resp.Groups[i].ErrorCode, resp.Groups[i].ErrorMessage = int16(code), undeleted(id, code)
		p.Wait(now, s, w, i, out)
	}
}

// undeleted says why a group was not deleted; nil if it was.
func undeleted(id string, code core.ErrorCode) *string {
	why := "Group " + id + " cannot be deleted: " + code.String() + "."
	switch code {
	case core.ErrNone:
		return nil
	case core.ErrGroupIDNotFound:
		why = "Group " + id + " does not exist."
	case core.ErrNonEmptyGroup:
		why = "Group " + id + " has members."
	case core.ErrInvalidGroupID:
		why = "The group id is not valid."
	}
	return &why
}
