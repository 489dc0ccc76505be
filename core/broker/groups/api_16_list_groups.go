package groups

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/group"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ListGroups (key 16).
//
// Behavior: answers the groups that this broker coordinates; clients ask all brokers. While one of its partitions is loading
// the whole is COORDINATOR_LOAD_IN_PROGRESS, for the list would look complete and not be. A partition that it could not read, or has
// lost by the time of the answer, makes it COORDINATOR_NOT_AVAILABLE for the same reason (Kafka leaves its groups out).
//
// Version notes: 4 filters by state (KIP-518); 5 by type (KIP-848).
func (p *Plane) listGroups(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.ListGroupsRequest)
	w := begin(r, 1)
	if code := p.Complete(); code != core.ErrNone {
		w.Refuse(0, code, out)
		return
	}
	resp, active := w.Resp.(*kmsg.ListGroupsResponse), slices.Collect(p.Active())
	w.Left += len(active)
	states, kinds := group.NewFilter(req.StatesFilter), group.NewFilter(req.TypesFilter)
	for i, s := range active {
		for _, g := range s.Machine().List(states, kinds) {
			row := kmsg.NewListGroupsResponseGroup()
			row.Group, row.ProtocolType, row.GroupState, row.GroupType = g.ID(), g.ProtocolType(), g.StateName(), g.Kind().String()
			resp.Groups = append(resp.Groups, row)
		}
		s.Defer(now, shards.Part{Of: w, Index: i})
	}
	w.Done(out)
	for _, s := range active {
		p.Settle(now, s, out)
	}
}
