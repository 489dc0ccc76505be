package groups

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group/classic"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// LeaveGroup (key 13).
//
// Behavior: members leave at once, and the others rebalance. Static members do not send it when they stop; an administrator
// removes them by group.instance.id.
//
// Version notes: 3 takes several members, by member id or group.instance.id (KIP-345), and answers each; before, the one
// member's error is the answer's. 5 adds the reason (KIP-800).
func (p *Plane) leaveGroup(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.LeaveGroupRequest)
	w := begin(r, 1)
	if !validMemberGroup(req.Group) {
		w.Refuse(0, core.ErrInvalidGroupID, out)
		return
	}
	s := p.Serving(w, 0, req.Group, out)
	if s == nil {
		return
	}
	resp := w.Resp.(*kmsg.LeaveGroupResponse)
	if r.Version < 3 {
		codes := s.Machine().Leave(now, req.Group, []classic.Leaver{{MemberID: req.MemberID}})
		resp.ErrorCode = int16(codes[0])
		p.Wait(now, s, w, 0, out)
		return
	}
	leavers := make([]classic.Leaver, len(req.Members))
	for i := range req.Members {
		leavers[i] = classic.Leaver{MemberID: req.Members[i].MemberID, InstanceID: req.Members[i].InstanceID}
	}
	for i, code := range s.Machine().Leave(now, req.Group, leavers) {
		m := kmsg.NewLeaveGroupResponseMember()
		m.MemberID, m.InstanceID, m.ErrorCode = leavers[i].MemberID, leavers[i].InstanceID, int16(code)
		resp.Members = append(resp.Members, m)
	}
	p.Wait(now, s, w, 0, out)
}
