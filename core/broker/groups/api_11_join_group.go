package groups

import (
	"bytes"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group/classic"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// JoinGroup (key 11).
//
// Behavior: the member waits until all others have joined, or the rebalance timeout has passed; then all get the new generation,
// and the leader the list of its members. A group that was empty waits group.initial.rebalance.delay.ms for more of them.
//
// Version notes: 1 has a rebalance timeout of its own (KIP-62), before that it is the session timeout; 4 tells a new dynamic member its
// id first (MEMBER_ID_REQUIRED, KIP-394); 5 adds group.instance.id (KIP-345); 7 the protocol type in the response (KIP-559); 8 the
// reason, for the log of the broker (KIP-800), of which there is none here; 9 skip_assignment (KIP-814).
func (p *Plane) joinGroup(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.JoinGroupRequest)
	w := begin(r, 1)
	if !validMemberGroup(req.Group) {
		w.Refuse(0, core.ErrInvalidGroupID, out)
		return
	}
	s := p.Serving(w, 0, req.Group, out)
	if s == nil {
		return
	}
	_, remote := p.host.Client(r)
	j := &classic.JoinRequest{
		Ticket: p.Park(s, w), MemberID: req.MemberID, InstanceID: req.InstanceID, ClientID: r.ClientID, ClientHost: hostOf(remote),
		SessionTimeoutMs: req.SessionTimeoutMillis, RebalanceTimeoutMs: req.RebalanceTimeoutMillis, ProtocolType: req.ProtocolType,
		RequireMemberID: r.Version >= 4 && req.InstanceID == nil, SkipAssignment: r.Version >= 9,
	}
	if r.Version < 1 {
		j.RebalanceTimeoutMs = req.SessionTimeoutMillis
	}
	for i := range req.Protocols {
		// The request's frame would stay in memory as long as the member does.
		j.Protocols = append(j.Protocols, classic.Protocol{Name: req.Protocols[i].Name, Metadata: bytes.Clone(req.Protocols[i].Metadata)})
	}
	s.Machine().Join(now, req.Group, j)
	p.Settle(now, s, out)
}

// hostOf is the address of a connection's other end as Kafka prints it: "/127.0.0.1", without the port.
func hostOf(remote string) string {
	if i := strings.LastIndexByte(remote, ':'); i >= 0 {
		remote = remote[:i]
	}
	return "/" + remote
}

// fillJoin writes a group's answer into the response.
func fillJoin(w *pending, a *classic.JoinResult) {
	resp := w.Resp.(*kmsg.JoinGroupResponse)
	resp.ErrorCode, resp.Generation, resp.ProtocolType, resp.Protocol = int16(a.Code), a.Generation, a.ProtocolType, a.Protocol
	resp.LeaderID, resp.SkipAssignment, resp.MemberID = a.Leader, a.SkipAssignment, a.MemberID
	for i := range a.Members {
		m := kmsg.NewJoinGroupResponseMember()
		m.MemberID, m.InstanceID, m.ProtocolMetadata = a.Members[i].ID, a.Members[i].InstanceID, a.Members[i].Metadata
		resp.Members = append(resp.Members, m)
	}
}
