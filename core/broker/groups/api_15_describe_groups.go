package groups

import (
	"math"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupOperations are all operations on a group, as bits 1 << AclOperation: read, delete, describe, describe and alter its
// configs. There is no authorizer.
const groupOperations = 1<<3 | 1<<6 | 1<<8 | 1<<10 | 1<<11

// DescribeGroups (key 15).
//
// Behavior: answers state and members of classic groups. A group that is not there, or of another kind, is Dead. Metadata and
// assignments are those of a Stable group; in the other states they are about to change.
//
// Version notes: 3 authorized operations; 4 group.instance.id (KIP-345); 6 says GROUP_ID_NOT_FOUND of groups that are not there,
// with a message (KIP-1043).
func (p *Plane) describeGroups(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.DescribeGroupsRequest)
	w := begin(r, len(req.Groups))
	resp := w.resp.(*kmsg.DescribeGroupsResponse)
	resp.Groups = make([]kmsg.DescribeGroupsResponseGroup, len(req.Groups))
	if len(req.Groups) == 0 {
		w.left = 1
		w.done(out)
		return
	}
	again := repeated(len(req.Groups))
	for i, id := range req.Groups {
		if code := checkBatched(id, again(id)); code != core.ErrNone {
			w.refuse(i, code, out)
			continue
		}
		s := p.serving(w, i, id, out)
		if s == nil {
			continue
		}
		row := describe(s.Machine(), id, r.Version)
		if row.AuthorizedOperations = math.MinInt32; req.IncludeAuthorizedOperations && row.ErrorCode == 0 {
			row.AuthorizedOperations = groupOperations
		}
		resp.Groups[i] = row
		p.wait(now, s, w, i, out)
	}
}

func describe(c *group.Coordinator, id string, version int16) kmsg.DescribeGroupsResponseGroup {
	row := kmsg.NewDescribeGroupsResponseGroup()
	row.Group, row.State = id, "Dead"
	g := c.Describe(id)
	if g == nil {
		if version >= 6 {
			row.ErrorCode = int16(core.ErrGroupIDNotFound)
			row.ErrorMessage = kmsg.StringPtr("Group " + id + " not found.")
		}
		return row
	}
	row.State, row.ProtocolType = g.State().String(), g.ProtocolType()
	if g.Protocol() != nil && row.State == "Stable" {
		row.Protocol = *g.Protocol()
	}
	for _, m := range g.Members() {
		rm := kmsg.NewDescribeGroupsResponseGroupMember()
		rm.MemberID, rm.InstanceID, rm.ClientID, rm.ClientHost = m.ID, m.InstanceID, m.ClientID, m.ClientHost
		rm.ProtocolMetadata, rm.MemberAssignment = m.Metadata, m.Assignment
		row.Members = append(row.Members, rm)
	}
	return row
}
