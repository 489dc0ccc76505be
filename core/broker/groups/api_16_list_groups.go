package groups

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ListGroups (key 16).
//
// Behavior: answers the groups that this broker coordinates; clients ask all brokers. While one of its partitions is loading
// the whole is COORDINATOR_LOAD_IN_PROGRESS, for the list would look complete and not be. A partition that it has lost by the
// time of the answer makes it COORDINATOR_NOT_AVAILABLE for the same reason (Kafka leaves its groups out).
//
// Version notes: 4 filters by state (KIP-518); 5 by type (KIP-848).
func (p *Plane) listGroups(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.ListGroupsRequest)
	w := begin(r, 1)
	for _, s := range p.led {
		if s.Phase().Code() == core.ErrCoordinatorLoadInProgress {
			w.refuse(0, core.ErrCoordinatorLoadInProgress, out)
			return
		}
	}
	resp, shards := w.resp.(*kmsg.ListGroupsResponse), slices.Collect(p.active())
	w.left += len(shards)
	for i, s := range shards {
		for _, g := range s.Machine().List(req.StatesFilter, req.TypesFilter) {
			row := kmsg.NewListGroupsResponseGroup()
			row.Group, row.ProtocolType, row.GroupState, row.GroupType = g.ID(), g.ProtocolType(), g.StateName(), g.Kind().String()
			resp.Groups = append(resp.Groups, row)
		}
		s.Defer(now, part{of: w, index: i})
	}
	w.done(out)
	for _, s := range shards {
		p.settle(now, s, out)
	}
}
