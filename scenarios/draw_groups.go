package scenarios

import (
	"fmt"

	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
	"github.com/klamm-log/klamm/sim/workload/draws"
)

// drawGroups draws the coordinators' settings and the clients of a profile with consumer groups. Their topics keep all that is
// written, so that what a group has processed can be counted from offset 0.
func drawGroups(r *prng.Rand, p Profile, plan *sim.Plan, shape *draws.Shape) {
	g := p.Groups
	props := []sim.Property{
		{Name: "offsets.topic.num.partitions", Value: fmt.Sprint(g.OffsetsPartitions.draw(r.Fork("offsets")))},
		{Name: "offsets.topic.replication.factor", Value: fmt.Sprint(min(3, len(shape.Nodes)))},
		{Name: "group.min.session.timeout.ms", Value: "10"},
		{Name: "group.initial.rebalance.delay.ms", Value: fmt.Sprint(r.Fork("delay").Skewed(1500))},
	}
	session := g.TimeoutsMs.draw(r.Fork("session")) // of KIP-848 groups
	props = append(props, sim.Property{Name: "group.consumer.session.timeout.ms", Value: fmt.Sprint(session)},
		sim.Property{Name: "group.consumer.heartbeat.interval.ms", Value: fmt.Sprint(max(1, session/r.Fork("heartbeat").Between(3, 8)))})
	if v := knob(r.Fork("load"), p, 1, 2000); v > 0 { // a load of many reads
		props = append(props, sim.Property{Name: "offsets.load.buffer.size", Value: fmt.Sprint(v)})
	}
	drawCoordinatorsCleaner(r.Fork("cleaner"), plan)
	for i := range plan.Brokers {
		// A group is one record, and a batch that no segment can hold is refused: with SyncGroup's UNKNOWN_SERVER_ERROR, for
		// ever. Seed 198 had 14 members and segments of 1,715 bytes.
		if t := &plan.Brokers[i].Tuning; t.SegmentBytes > 0 {
			t.SegmentBytes = max(t.SegmentBytes, 16<<10)
		}
		if plan.Brokers[i].IsBroker() {
			plan.Brokers[i].Properties = append(plan.Brokers[i].Properties, props...)
		}
	}
	shape.Churn = nil
	for i := range shape.Topics {
		shape.Topics[i].Retention = false
	}
	plan.Clients = draws.Groups(r.Fork("clients"), *shape, draws.GroupShape{
		Groups: g.Groups, Members: g.Members, Producers: g.Producers, Session: [2]int64(g.TimeoutsMs),
	})
	for i := range plan.Clients {
		// Who gives up before a join can have been answered begins anew each time, and is in nobody's group for long: client 5 of seed
		// 9905763, with 20 ms where one way takes 5 to 10.
		if c := &plan.Clients[i]; c.Kind == workload.Member {
			c.Network.RequestTimeout = max(c.Network.RequestTimeout, replication(plan))
		}
	}
}
