package scenarios

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simdisk"
	"github.com/klamm-log/klamm/sim/workload/draws"
)

// The fault atlas of a cluster: what may happen together without destroying what the protocol promises to keep.
//
//   - What a replica or voter has acknowledged it has fsynced, so crashes and power losses lose nothing, however many.
//   - Disks that fail, fill up or hang end a process; they lose nothing that was acknowledged either.
//   - A lost disk takes a copy. At most one node of a world loses its disk, and then every topic has three replicas and
//     wants two in sync, nobody changes voters, there are three voters or more, and no other node ends uncleanly: two
//     unclean ends are one more than min.insync.replicas of two allows (KIP-966).
//   - Networks, clocks and pauses may do as they like.

// drawCluster makes the plan of a seed of a profile with clusters.
func drawCluster(r *prng.Rand, seed uint64, p Profile) sim.Plan {
	plan := sim.Plan{
		Seed: seed, Profile: p.Name,
		Safety: ms(p.SafetyMs.draw(r.Fork("safety"))), Settle: ms(p.SettleMs),
		Net: drawNet(r.Fork("net"), p), ExpectLoss: p.ExpectLoss,
	}
	drawNodes(r.Fork("nodes"), p, &plan)
	wiped := int32(-1)
	reconfigured := r.Fork("reconfigured").Chance(p.Cluster.VotersPerMille, 1000)
	if own := r.Fork("wiped"); !reconfigured && own.Chance(p.Cluster.WipePerMille, 1000) && wipeable(&plan) {
		wiped = int32(own.Below(int64(len(plan.Brokers))))
	}
	topics := drawTopics(r.Fork("topics"), p)
	shape := drawShape(r.Fork("shape"), p, &plan, topics)
	clusterShape(&plan, &shape, reconfigured, wiped >= 0)
	switch {
	case p.Groups != nil:
		drawGroups(r.Fork("groups"), p, &plan, &shape)
	case p.Txns != nil:
		drawTxns(r.Fork("txns"), p, &plan, &shape)
	default:
		plan.Clients = draws.Clients(r.Fork("clients"), shape)
	}
	plan.Faults = drawFaults(r.Fork("faults"), p, &plan)
	for i := range plan.Brokers {
		plan.Brokers[i].Disk.Plan = drawDiskFaults(r.Fork("disk").ForkN("node", int64(i)), p, &plan)
	}
	if wiped >= 0 {
		wipe(r.Fork("wipe"), &plan, wiped)
	}
	if own := r.Fork("calm"); own.Chance(p.Cluster.CalmPerMille, 1000) {
		inBouts(own, &plan)
	}
	if p.Txns != nil {
		drawStuck(r.Fork("stuck"), &plan)
	}
	plan.Buggify = drawBuggify(r.Fork("buggify"), p)
	drawScenes(r.Fork("scenes"), p, &plan, &shape, wiped >= 0)
	// A controller on another disk is no voter any more (KIP-853), so who is a majority would have to be counted anew.
	settled := !reconfigured && (wiped < 0 || !plan.Brokers[wiped].IsController())
	if own := r.Fork("core"); settled && own.Chance(p.Cluster.CorePerMille, 1000) {
		plan.Core = drawCore(own, &plan)
	}
	return plan
}

// drawNodes draws how many brokers and controllers there are, which nodes are both, and how each is configured.
func drawNodes(r *prng.Rand, p Profile, plan *sim.Plan) {
	t := p.Cluster
	brokers := t.Brokers.draw(r.Fork("brokers"))
	voters := t.Voters[r.Fork("voters").Below(int64(len(t.Voters)))]
	combined := min(voters, brokers)
	if r.Fork("separate").Chance(t.SeparatePerMille, 1000) {
		combined = 0
	}
	common := commonProperties(r.Fork("common"), p)
	racks := int64(0)
	if own := r.Fork("racks"); own.Chance(t.RacksPerMille, 1000) { // KIP-36, KIP-392
		racks = own.Between(2, 3)
		common = append(common, sim.Property{Name: "replica.selector.class", Value: "org.apache.kafka.common.replica.RackAwareReplicaSelector"})
	}
	for i := range brokers + voters - combined {
		own := r.ForkN("node", i)
		b := drawBroker(own, p)
		b.Tuning.SnapshotRecords = knob(own.Fork("snapshot"), p, 5, 80)
		if v := knob(own.Fork("metadata-fetch"), p, 1, 1000); v > 0 { // mostly one batch
			b.Tuning.MetadataFetchBytes = int32(max(v, snapshotPiece(plan)))
		}
		switch {
		case i >= brokers:
			b.Roles = "controller"
		case i >= combined:
			b.Roles = "broker"
		}
		if b.Roles == "broker" && own.Fork("late").Chance(t.LatePerMille, 1000) {
			b.StartAt = core.Mono(own.Fork("start").Below(int64(plan.Safety)))
		}
		b.Properties = append(b.Properties, common...)
		if racks > 0 && b.IsBroker() {
			b.Properties = append(b.Properties, sim.Property{Name: rackProperty, Value: fmt.Sprint("r", own.Fork("rack").Below(racks))})
		}
		plan.Brokers = append(plan.Brokers, b)
	}
}

const rackProperty = "broker.rack"

// snapshotPiece is the least that a FetchSnapshot may bring, which has no batch to go by. In seed 9907651 of groups it brought one byte in
// each round trip of 10 to 19 ms: a snapshot of 3,517 bytes was not there 70 s after the faults (L-META).
func snapshotPiece(plan *sim.Plan) int64 {
	const size, within = 8 << 10, 2 * core.Second
	return int64(size * 2 * (plan.Net.BaseLatency + plan.Net.Jitter) / within)
}

// commonProperties are the settings that all nodes of a cluster share: timeouts that run out within a run, and sizes that
// make replication take many steps.
func commonProperties(r *prng.Rand, p Profile) []sim.Property {
	var out []sim.Property
	set := func(name string, v int64) { out = append(out, sim.Property{Name: name, Value: fmt.Sprint(v)}) }
	span := func(name string) int64 { return p.Cluster.TimeoutsMs.draw(r.Fork(name)) }
	session := 3 * span("session")
	set("broker.session.timeout.ms", session)
	set("broker.heartbeat.interval.ms", max(10, session/r.Fork("heartbeat").Between(4, 8)))
	lag, socket := 2*span("lag"), 2*span("socket")
	set("replica.lag.time.max.ms", lag)
	set("replica.socket.timeout.ms", socket)
	set("replica.fetch.wait.max.ms", max(5, min(span("wait"), lag, socket)/2)) // longer ones would look like lag, or a dead leader
	set("replica.fetch.backoff.ms", max(5, span("backoff")/4))
	set("controller.quorum.election.timeout.ms", span("election"))
	set("controller.quorum.fetch.timeout.ms", 2*span("fetch"))
	set("controller.quorum.election.backoff.max.ms", span("election-backoff"))
	set("controller.quorum.request.timeout.ms", 2*span("request"))
	set("replica.high.watermark.checkpoint.interval.ms", 2*span("checkpoint"))
	if v := knob(r.Fork("batch"), p, 1, 2000); v > 0 { // one batch per fetch and partition
		set("replica.fetch.max.bytes", v)
	}
	if v := knob(r.Fork("response"), p, 1, 20_000); v > 0 {
		set("replica.fetch.response.max.bytes", v)
	}
	if r.Fork("balance").Chance(1, 2) {
		set("leader.imbalance.check.interval.seconds", r.Fork("imbalance").Between(1, 5))
	}
	return out
}

// clusterShape tells the workload of the cluster.
func clusterShape(plan *sim.Plan, s *draws.Shape, reconfigured, tough bool) {
	s.Plain, s.Tough = true, tough
	for i := range plan.Brokers {
		b := &plan.Brokers[i]
		if b.IsBroker() {
			s.Nodes = append(s.Nodes, int32(i)+1)
		}
		for _, x := range b.Properties {
			if x.Name == rackProperty && !slices.Contains(s.Racks, x.Value) {
				s.Racks = append(s.Racks, x.Value)
			}
		}
		if b.IsController() && reconfigured {
			s.Voters = append(s.Voters, draws.Controller{ID: int32(i) + 1, Host: fmt.Sprintf("10.0.0.%d", i+1)})
		}
	}
	s.Brokers = int32(len(s.Nodes))
	s.Replication = int16(min(5, len(s.Nodes)))
}

// interNode are the keys of what nodes say to each other.
func interNode() []int64 {
	return []int64{
		1,  // Fetch
		52, // Vote
		53, // BeginQuorumEpoch
		54, // EndQuorumEpoch
		56, // AlterPartition
		59, // FetchSnapshot
		62, // BrokerRegistration
		63, // BrokerHeartbeat
		67, // AllocateProducerIds
	}
}

// drawNodeFault finishes a fault of a cluster: whom it hits.
func drawNodeFault(r *prng.Rand, f sim.Fault, rule FaultRule, plan *sim.Plan) sim.Fault {
	nodes, clients := int64(len(plan.Brokers)), int64(len(plan.Clients))
	f.Node = int32(r.Below(nodes))
	f.Leader = r.Chance(rule.LeaderPerMille, 1000)
	switch {
	case rule.Nodes && nodes > 1:
		f.Peer = int32((int64(f.Node) + r.Between(1, nodes-1)) % nodes)
	case rule.Links && clients > 0:
		f.Peer = int32(nodes + r.Below(clients))
		if r.Chance(1, 2) {
			f.Node, f.Peer = f.Peer, f.Node
		}
	case rule.Clients && clients > 0 && !f.Leader && r.Chance(1, 4):
		f.Node = int32(nodes + r.Below(clients))
	}
	switch f.Kind {
	case sim.CutAPI:
		keys := []int64{0, 1, 2, 3} // what clients wait for most: Produce, Fetch, ListOffsets, Metadata
		if rule.Nodes {
			keys = interNode()
		} else if f.Node < int32(nodes) {
			f.Node, f.Peer = f.Peer, f.Node
		}
		f.Amount = keys[r.Below(int64(len(keys)))]
	case sim.Groups, sim.Bridge:
		f.Amount = r.Between(1, 1<<nodes-2) // some on either side
	case sim.OneWay:
		f.Amount = r.Below(2)
	default: // the other kinds have what they need
	}
	return f
}

// wipeable reports whether a cluster can bear the loss of a disk: three brokers for three replicas, and a majority of the
// voters besides.
func wipeable(plan *sim.Plan) bool {
	brokers, voters := 0, 0
	for i := range plan.Brokers {
		if plan.Brokers[i].IsBroker() && plan.Brokers[i].StartAt == 0 {
			brokers++
		}
		if plan.Brokers[i].IsController() {
			voters++
		}
	}
	return brokers >= 3 && voters >= 3
}

// wipe lets one node lose its disk, and takes out of the plan whatever else would end a process uncleanly.
func wipe(r *prng.Rand, plan *sim.Plan, node int32) {
	nodes := int32(len(plan.Brokers))
	plan.Faults = slices.DeleteFunc(plan.Faults, func(f sim.Fault) bool {
		switch f.Kind {
		case sim.Crash, sim.PowerLoss, sim.CrashDirty, sim.CrashLoop:
			return f.Node < nodes
		default:
			return false
		}
	})
	for i := range plan.Brokers {
		plan.Brokers[i].Disk.Plan = slices.DeleteFunc(plan.Brokers[i].Disk.Plan, func(f simdisk.Fault) bool { return f.Kind != simdisk.Slow })
	}
	at := plan.Safety/4 + core.Mono(r.Below(int64(plan.Safety/2)))
	plan.Faults = append(plan.Faults, sim.Fault{ID: wipeID, Kind: sim.Wipe, Node: node, At: at, Until: at + ms(r.Between(10, 3000))})
}

// wipeID is the id of the fault that takes a disk; the rules' faults have others.
const wipeID = 1 << 40

// inBouts moves the faults into the first parts of equal intervals, and ends those that last before the interval does, so
// that there is time to recover: what goes wrong in the recovery is not hidden by the next fault.
func inBouts(r *prng.Rand, plan *sim.Plan) {
	length := ms(r.Between(2500, 6000))
	for i := range plan.Faults {
		f := &plan.Faults[i]
		begin := f.At / length * length
		f.At = begin + (f.At-begin)/3
		if f.Until > 0 {
			f.Until = min(max(f.Until, f.At+1), begin+length/2)
		}
	}
}

// drawCore leaves out nodes so that a majority of the voters remains, and at least one broker.
func drawCore(r *prng.Rand, plan *sim.Plan) []int32 {
	voters, brokers := 0, 0
	for i := range plan.Brokers {
		if plan.Brokers[i].IsController() {
			voters++
		}
		if plan.Brokers[i].IsBroker() {
			brokers++
		}
	}
	order := make([]int32, len(plan.Brokers))
	for i := range order {
		order[i] = int32(i)
	}
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	lostVoters, lostBrokers := 0, 0
	out := r.Between(1, 2)
	var kept []int32
	for _, i := range order {
		v, b := plan.Brokers[i].IsController(), plan.Brokers[i].IsBroker()
		if out == 0 || v && 2*(lostVoters+1) >= voters || b && lostBrokers+1 >= brokers {
			kept = append(kept, i)
			continue
		}
		out--
		if v {
			lostVoters++
		}
		if b {
			lostBrokers++
		}
	}
	if len(kept) == len(order) {
		return nil
	}
	slices.Sort(kept)
	return kept
}
