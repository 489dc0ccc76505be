package groups

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Heartbeat (key 12).
//
// Behavior: keeps the member's session alive. REBALANCE_IN_PROGRESS tells it to join again, ILLEGAL_GENERATION and
// UNKNOWN_MEMBER_ID that it is out, FENCED_INSTANCE_ID that another process has its group.instance.id. While the
// coordinator loads, the answer is that all is well.
//
// Version notes: 3 adds group.instance.id (KIP-345).
func (p *Plane) heartbeat(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.HeartbeatRequest)
	w := begin(r, 1)
	if !validMemberGroup(req.Group) {
		w.Refuse(0, core.ErrInvalidGroupID, out)
		return
	}
	s := p.Serving(w, 0, req.Group, out)
	if s == nil {
		return
	}
	code := s.Machine().Heartbeat(now, req.Group, req.MemberID, req.InstanceID, req.Generation)
	out.Sometimes(code == core.ErrFencedInstanceID, "groups.instance-fenced", nil)
	w.Resp.(*kmsg.HeartbeatResponse).ErrorCode = int16(code)
	p.Wait(now, s, w, 0, out)
}
