package groups

import (
	"bytes"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group/classic"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// SyncGroup (key 14).
//
// Behavior: the leader brings everybody's assignment; the others wait for it. It is answered when the assignment is committed, so
// that no member works under one that a new coordinator does not know.
//
// Version notes: 3 adds group.instance.id (KIP-345); 5 protocol type and name, which must be there and the group's (KIP-559).
func (p *Plane) syncGroup(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.SyncGroupRequest)
	w := begin(r, 1)
	if !validMemberGroup(req.Group) {
		w.Refuse(0, core.ErrInvalidGroupID, out)
		return
	}
	if r.Version >= 5 && (req.ProtocolType == nil || req.Protocol == nil) {
		w.Refuse(0, core.ErrInconsistentGroupProtocol, out)
		return
	}
	s := p.Serving(w, 0, req.Group, out)
	if s == nil {
		return
	}
	q := &classic.SyncRequest{
		Ticket: p.Park(s, w), MemberID: req.MemberID, InstanceID: req.InstanceID, Generation: req.Generation,
		ProtocolType: req.ProtocolType, Protocol: req.Protocol,
	}
	for i := range req.GroupAssignment {
		a := &req.GroupAssignment[i]
		q.Assignments = append(q.Assignments, classic.Assigned{MemberID: a.MemberID, Assignment: bytes.Clone(a.MemberAssignment)})
	}
	s.Machine().Sync(now, req.Group, q)
	p.Settle(now, s, out)
}

// fillSync writes a group's answer into the response.
func fillSync(w *pending, a *classic.SyncResult) {
	resp := w.Resp.(*kmsg.SyncGroupResponse)
	resp.ErrorCode, resp.ProtocolType, resp.Protocol, resp.MemberAssignment = int16(a.Code), a.ProtocolType, a.Protocol, a.Assignment
}
