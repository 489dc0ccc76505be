package scenarios

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
	"github.com/klamm-log/klamm/sim/workload/draws"
)

// drawTxns draws the coordinators' settings and the clients of a profile with transactions. Their topics keep all that is written, so
// that what is consumed can be counted from offset 0.
func drawTxns(r *prng.Rand, p Profile, plan *sim.Plan, shape *draws.Shape) {
	x := p.Txns
	nodes := min(3, len(shape.Nodes))
	props := []sim.Property{
		{Name: "offsets.topic.num.partitions", Value: fmt.Sprint(x.OffsetsPartitions.draw(r.Fork("offsets")))},
		{Name: "offsets.topic.replication.factor", Value: fmt.Sprint(nodes)},
		{Name: "group.min.session.timeout.ms", Value: "10"},
		{Name: "group.initial.rebalance.delay.ms", Value: fmt.Sprint(r.Fork("delay").Skewed(1500))},
		{Name: "transaction.state.log.num.partitions", Value: fmt.Sprint(x.StatePartitions.draw(r.Fork("state")))},
		{Name: "transaction.state.log.replication.factor", Value: fmt.Sprint(nodes)},
		{Name: "transaction.state.log.min.isr", Value: fmt.Sprint(min(2, nodes))},
		{Name: "transaction.abort.timed.out.transaction.cleanup.interval.ms", Value: fmt.Sprint(x.AbortEveryMs.draw(r.Fork("abort")))},
	}
	session := x.SessionsMs.draw(r.Fork("session")) // of KIP-848 groups
	props = append(props, sim.Property{Name: "group.consumer.session.timeout.ms", Value: fmt.Sprint(session)},
		sim.Property{Name: "group.consumer.heartbeat.interval.ms", Value: fmt.Sprint(max(1, session/r.Fork("heartbeat").Between(3, 8)))})
	if v := knob(r.Fork("load"), p, 1, 2000); v > 0 { // a load of many reads
		props = append(props, sim.Property{Name: "transaction.state.log.load.buffer.size", Value: fmt.Sprint(v)},
			sim.Property{Name: "offsets.load.buffer.size", Value: fmt.Sprint(v)})
	}
	// No transactional id expires in a run: one that goes nevertheless is missed. By default nobody looks before an hour is over.
	if v := knob(r.Fork("expiry"), p, 200, 5000); v > 0 {
		props = append(props, sim.Property{Name: "transaction.remove.expired.transaction.cleanup.interval.ms", Value: fmt.Sprint(v)})
	}
	drawCoordinatorsCleaner(r.Fork("cleaner"), plan)
	for i := range plan.Brokers {
		if t := &plan.Brokers[i].Tuning; t.SegmentBytes > 0 { // as for groups: a group is one record
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
	plan.Clients = draws.Txns(r.Fork("clients"), *shape, draws.TxnShape{
		Writers: x.Writers, Pipelines: x.Pipelines, Timeout: x.TimeoutsMs, Session: x.SessionsMs, Levels: x.Levels,
	})
}

// stuckID is the first id of the faults that drawStuck makes: others have lower ones.
const stuckID = 500_000

// drawStuck makes requests of some writers and pipelines arrive late: what a client sends within a moment, to whichever broker, comes
// seconds later, when the client has given up, repeated it on a new connection, and gone on (KIP-890). Such clients are impatient.
func drawStuck(r *prng.Rand, plan *sim.Plan) {
	id := int64(stuckID)
	for i := range plan.Clients {
		c := &plan.Clients[i]
		own := r.ForkN("client", int64(c.ID))
		if c.Txn == nil || !own.Chance(1, 2) {
			continue
		}
		c.Network.RequestTimeout = core.Mono(own.Between(100, 400)) * core.Millisecond
		for j := range c.Ops { // something must be open when they come
			if hold := own.ForkN("hold", int64(c.Ops[j].ID)); c.Ops[j].Kind == workload.Transact && hold.Chance(1, 2) {
				c.Ops[j].Hold = core.Mono(hold.Between(100, 2500)) * core.Millisecond
			}
		}
		for range own.Between(1, 5) {
			at := core.Mono(own.Below(int64(plan.Safety)))
			until := at + core.Mono(own.Between(5, 150))*core.Millisecond
			late := own.Between(int64(400*core.Millisecond), int64(4*core.Second))
			for b := range plan.Brokers {
				plan.Faults = append(plan.Faults, sim.Fault{ID: id, Kind: sim.SlowLink, At: at, Until: until,
					Node: int32(len(plan.Brokers) + i), Peer: int32(b), Amount: late})
				id++
			}
		}
	}
}
