package scenarios

import (
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
	"github.com/klamm-log/klamm/sim/workload/draws"
)

// A scene is a few operations and faults that belong together: leaderships that come and go within one round of fetches, a
// voter change into an election, a topic that is born again while a broker is down. Drawn one by one such things meet in one
// run of thousands. What a scene does is in the plan like all else, and can be taken out piece by piece.

// Kinds of scenes.
const (
	sceneCarousel   = "carousel"    // one partition's leadership goes around while its records are written and links are bad
	sceneRevote     = "revote"      // many changes of the voters at once, into elections
	sceneRebirth    = "rebirth"     // a topic is deleted and created again while a broker is down, by two admins at a time
	sceneDeadLetter = "dead-letter" // what a broker has asked for arrives after its death
	sceneOldRules   = "old-rules"   // no eligible leader replicas from early on: the ISR alone counts, as before KIP-966
	sceneSwitches   = "switches"    // min.insync.replicas and features go up and down, brokers are unregistered
)

// stage is where scenes are drawn: the plan so far.
type stage struct {
	plan  *sim.Plan
	shape *draws.Shape
	// tough: a node loses its disk, and no other process may end uncleanly.
	tough  bool
	client int32 // id of the next client
	fault  int64 // id of the next fault
}

// Ids of what scenes add, above those of all that is drawn by itself.
const (
	sceneClients int32 = 1000
	sceneFaults  int64 = 1 << 41
)

// drawScenes adds the scenes of a seed. Each has its own stream, so taking a kind out of a profile leaves the others.
func drawScenes(r *prng.Rand, p Profile, plan *sim.Plan, shape *draws.Shape, tough bool) {
	for i, rule := range p.Scenes {
		own := r.Fork(rule.Kind)
		if !own.Chance(rule.PerMille, 1000) {
			continue
		}
		for j := range rule.Count.draw(own) {
			n := int64(i)*20 + j
			s := &stage{plan: plan, shape: shape, tough: tough, client: sceneClients + int32(n)*4, fault: sceneFaults + n*100}
			s.play(rule.Kind, own.ForkN("scene", j))
		}
	}
}

func (s *stage) play(kind string, r *prng.Rand) {
	switch kind {
	case sceneCarousel:
		s.carousel(r)
	case sceneRevote:
		s.revote(r)
	case sceneRebirth:
		s.rebirth(r)
	case sceneDeadLetter:
		s.deadLetter(r)
	case sceneOldRules:
		s.oldRules(r)
	case sceneSwitches:
		s.switches(r)
	default:
		panic("scenarios: no scene " + kind) // profiles are checked by a test
	}
}

// between is an instant or a length.
func between(r *prng.Rand, lo, hi core.Mono) core.Mono {
	return core.Mono(r.Between(int64(lo), int64(max(lo, hi))))
}

// begin is when a scene starts: late enough for a cluster to be up, early enough to be felt.
func (s *stage) begin(r *prng.Rand) core.Mono {
	return between(r.Fork("begin"), s.plan.Safety/6, s.plan.Safety*2/3)
}

// act adds a client with operations.
func (s *stage) act(kind workload.Kind, o *workload.ProducerOptions, ops []workload.Op) {
	p := workload.Plan{ID: s.client, Kind: kind, Producer: o, Network: s.plan.Clients[0].Network}
	s.client++
	for i := range ops {
		ops[i].ID, ops[i].At = int32(i), max(0, min(ops[i].At, s.plan.Safety))
	}
	p.Ops = ops
	s.plan.Clients = append(s.plan.Clients, workload.Sorted(p))
}

// strike adds a fault.
func (s *stage) strike(f sim.Fault) {
	f.ID = s.fault
	s.fault++
	f.At = max(0, min(f.At, s.plan.Safety-1))
	if f.Until > 0 {
		f.Until = max(f.Until, f.At+1)
	}
	s.plan.Faults = append(s.plan.Faults, f)
}

// topic picks a topic with several replicas: the operation that creates it.
func (s *stage) topic(r *prng.Rand) *workload.Op {
	var list []*workload.Op
	for i := range s.plan.Clients[0].Ops {
		if op := &s.plan.Clients[0].Ops[i]; op.Kind == workload.CreateTopic && op.Replication > 1 {
			list = append(list, op)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[r.Below(int64(len(list)))]
}

// carousel moves one partition's leadership around by reordering its replicas and electing the preferred one, faster than
// followers fetch, while some of them cannot, and while records are written to whoever leads. Each leadership leaves records
// that only some have, so the logs diverge over several epochs (KIP-101, KIP-279), and answers come late (KAFKA-7786).
func (s *stage) carousel(r *prng.Rand) {
	t := s.topic(r.Fork("topic"))
	if t == nil {
		return
	}
	nodes := append([]int32(nil), s.shape.Nodes...)
	r.Fork("set").Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	set := nodes[:min(len(nodes), int(t.Replication))]
	partition := int32(r.Fork("partition").Below(int64(max(1, t.Partitions))))
	begin, gap := s.begin(r), between(r.Fork("gap"), core.Millisecond, []core.Mono{5, 30, 250}[r.Fork("pace").Below(3)]*core.Millisecond)
	rounds := r.Fork("rounds").Between(2, 9)
	var ops []workload.Op
	move := func(at core.Mono, to []int32) {
		ops = append(ops,
			workload.Op{At: at, Kind: workload.Reassign, Topic: t.Topic, Partition: partition, Replicas: append([]int32(nil), to...)},
			workload.Op{At: at, Kind: workload.ElectLeaders, Topic: t.Topic, Partition: partition})
	}
	if len(set) < len(nodes) {
		move(begin-700*core.Millisecond, set)
	}
	there := r.Fork("there-and-back").Chance(1, 2)
	at := begin
	for i := range rounds {
		if there {
			set[0], set[1] = set[1], set[0]
		} else {
			r.ForkN("order", i).Shuffle(len(set), func(a, b int) { set[a], set[b] = set[b], set[a] })
		}
		move(at, set)
		at += gap + core.Mono(r.ForkN("late", i).Skewed(int64(gap)))
	}
	s.act(workload.Admin, nil, ops)
	s.writeInto(r.Fork("write"), t.Topic, partition, begin-gap, at+2*gap)
	s.badLinks(r.Fork("links"), set, begin, at, gap)
}

// writeInto has a producer write one record per batch to a partition.
func (s *stage) writeInto(r *prng.Rand, topic string, partition int32, from, to core.Mono) {
	o := &workload.ProducerOptions{Acks: -1, Codec: "none", BatchSize: 1, MaxInFlight: int32(r.Fork("window").Between(1, 5)),
		DeliveryTimeout: between(r.Fork("delivery"), core.Second, 6*core.Second)}
	if r.Fork("leader").Chance(1, 4) {
		o.Acks = 1
	}
	o.Idempotent = o.Acks == -1 && r.Fork("idempotent").Chance(1, 2)
	count := r.Fork("count").Between(10, 120)
	s.act(workload.Producer, o, []workload.Op{{At: from, Kind: workload.Produce, Topic: topic, Partition: partition,
		Count: int32(count), Size: 20, Every: max(1, (to-from)/core.Mono(count))}})
}

// badLinks spoils what followers among some nodes see, for a part of the time.
func (s *stage) badLinks(r *prng.Rand, set []int32, from, to, gap core.Mono) {
	pick := func(own *prng.Rand) int32 { return set[own.Below(int64(len(set)))] - 1 }
	for i := range int64(3) {
		own := r.ForkN("fault", i)
		at := between(own.Fork("at"), from-gap, to)
		f := sim.Fault{Node: pick(own.Fork("node")), At: at, Until: at + between(own.Fork("length"), gap/2, 5*gap)}
		switch own.Fork("kind").Below(8) {
		case 0, 1, 2:
			f.Kind = sim.NoReplication
		case 3, 4:
			f.Kind, f.Peer = sim.SlowLink, pick(own.Fork("peer"))
			f.Amount = int64(between(own.Fork("amount"), gap/2, min(4*gap, 600*core.Millisecond)))
			if f.Peer == f.Node {
				continue
			}
		case 5:
			f.Kind = sim.NoController
		case 6:
			f.Kind = sim.Pause
		default:
			continue
		}
		s.strike(f)
	}
}

// revote asks for changes of the voters as fast as one can, from two clients, while the quorum changes its leader and its links
// are slow: so that a new leader is asked before a record of its epoch is committed, and again before a change is.
func (s *stage) revote(r *prng.Rand) {
	if len(s.shape.Voters) == 0 {
		return
	}
	begin, gap := s.begin(r), between(r.Fork("gap"), core.Millisecond, 60*core.Millisecond)
	end := begin
	for i := range int64(2) {
		own := r.ForkN("admin", i)
		var ops []workload.Op
		for j := range own.Fork("count").Between(8, 40) {
			c := s.shape.Voters[own.ForkN("voter", j).Below(int64(len(s.shape.Voters)))]
			kind := workload.AddVoter
			if own.ForkN("kind", j).Chance(1, 2) {
				kind = workload.RemoveVoter
			}
			end = max(end, begin+core.Mono(j)*gap)
			ops = append(ops, workload.Op{At: begin + core.Mono(j)*gap, Kind: kind, Partition: -1, Node: c.ID, Host: c.Host})
		}
		s.act(workload.Admin, nil, ops)
	}
	for i := range int64(4) {
		own := r.ForkN("fault", i)
		at := between(own.Fork("at"), begin, end)
		f := sim.Fault{At: at, Until: at + between(own.Fork("length"), 50*core.Millisecond, core.Second), Leader: true}
		switch own.Fork("kind").Below(5) {
		case 0:
			f.Kind = sim.Pause
		case 1:
			f.Kind = sim.NoController
		case 2:
			f.Kind = sim.CleanReboot
		default: // slow links between controllers
			a, b := own.Below(int64(len(s.shape.Voters))), own.Below(int64(len(s.shape.Voters)))
			f = sim.Fault{Kind: sim.SlowLink, Node: s.shape.Voters[a].ID - 1, Peer: s.shape.Voters[b].ID - 1, At: begin, Until: end + core.Second,
				Amount: int64(between(own.Fork("amount"), 5*core.Millisecond, 300*core.Millisecond))}
			if a == b {
				continue
			}
		}
		s.strike(f)
	}
}

// rebirth deletes a topic and creates it again under its name while a broker that has replicas of it is down (KIP-516), two
// clients asking for the same at the same time.
func (s *stage) rebirth(r *prng.Rand) {
	name := "reborn" + strconv.Itoa(int(s.client))
	begin, n := s.begin(r), int16(min(3, len(s.shape.Nodes)))
	least := int64(1)
	if s.tough {
		least = 2
	}
	configs := []workload.Config{{Name: "retention.ms", Value: "-1"}, {Name: "min.insync.replicas", Value: strconv.FormatInt(least, 10)}}
	partitions := int32(r.Fork("partitions").Between(1, 3))
	down := between(r.Fork("down"), 300*core.Millisecond, 2*core.Second)
	node := s.shape.Nodes[r.Fork("node").Below(int64(len(s.shape.Nodes)))] - 1
	first := begin - between(r.Fork("first"), 200*core.Millisecond, 800*core.Millisecond)
	for i := range int64(2) {
		own := r.ForkN("admin", i)
		create := func(at core.Mono) workload.Op {
			return workload.Op{At: at, Kind: workload.CreateTopic, Topic: name, Partition: -1, Partitions: partitions, Replication: n, Configs: configs}
		}
		off := func(label string) core.Mono { return core.Mono(own.Fork(label).Skewed(int64(5 * core.Millisecond))) }
		s.act(workload.Admin, nil, []workload.Op{
			create(first + off("first")),
			{At: begin + down/4 + off("delete"), Kind: workload.DeleteTopic, Topic: name, Partition: -1},
			create(begin + down/2 + off("create")),
			create(begin + down*3/4 + off("again")),
		})
	}
	s.writeInto(r.Fork("write"), name, 0, first, begin+2*down)
	kind := sim.CleanReboot
	if !s.tough && r.Fork("kind").Chance(1, 2) {
		kind = sim.Crash
	}
	s.strike(sim.Fault{Kind: kind, Node: node, At: begin, Until: begin + down})
}

// deadLetter holds back what a broker asks of the others, ends it, and lets it go on when the next incarnation is registered.
func (s *stage) deadLetter(r *prng.Rand) {
	node := s.shape.Nodes[r.Fork("node").Below(int64(len(s.shape.Nodes)))] - 1
	keys := []int64{63, 63, 56, 1, 62}
	key := keys[r.Fork("key").Below(int64(len(keys)))]
	begin, length := s.begin(r), between(r.Fork("length"), 300*core.Millisecond, 4*core.Second)
	for i := range s.plan.Brokers {
		if int32(i) != node {
			s.strike(sim.Fault{Kind: sim.CutAPI, Node: node, Peer: int32(i), Amount: key, At: begin, Until: begin + length})
		}
	}
	kind := sim.PowerLoss // its connections are half open: the others do not know that it is gone
	if s.tough {
		kind = sim.CleanReboot
	}
	s.strike(sim.Fault{Kind: kind, Node: node, At: begin + length/8, Until: begin + length/8 + between(r.Fork("down"), core.Millisecond, length/2)})
}

// oldRules turns eligible leader replicas off early on. Where a node loses its disk they are what saves the last copy.
func (s *stage) oldRules(r *prng.Rand) {
	if s.tough {
		return
	}
	var ops []workload.Op
	for i := range core.Mono(4) { // one attempt may meet a controller that is not up yet
		ops = append(ops, workload.Op{At: s.plan.Safety/20 + i*s.plan.Safety/20 + core.Mono(r.ForkN("at", int64(i)).Below(int64(10*core.Millisecond))),
			Kind: workload.UpdateFeature, Topic: elrFeature, Partition: -1})
	}
	s.act(workload.Admin, nil, ops)
}

// elrFeature switches eligible leader replicas on and off.
const elrFeature = "eligible.leader.replicas.version"

// switches turns what the cluster's rules depend on up and down, and has it forget a broker that is down.
func (s *stage) switches(r *prng.Rand) {
	begin, gap := s.begin(r), between(r.Fork("gap"), 2*core.Millisecond, 300*core.Millisecond)
	t := s.topic(r.Fork("topic"))
	var ops []workload.Op
	for i := range r.Fork("count").Between(2, 12) {
		own := r.ForkN("op", i)
		at := begin + core.Mono(i)*gap
		switch {
		case t != nil && own.Fork("kind").Chance(3, 4):
			least := own.Fork("least").Between(1, int64(t.Replication))
			if s.tough {
				least = max(2, least)
			}
			ops = append(ops, workload.Op{At: at, Kind: workload.AlterConfig, Topic: t.Topic, Partition: -1,
				Configs: []workload.Config{{Name: "min.insync.replicas", Value: strconv.FormatInt(least, 10)}}})
		case !s.tough: // without ELR an unclean end of the last member loses what it had not fsynced: nothing here, but a lost disk
			ops = append(ops, workload.Op{At: at, Kind: workload.UpdateFeature, Topic: elrFeature, Partition: -1,
				Max: int32(own.Fork("level").Below(2))})
		}
	}
	if down := between(r.Fork("down"), 200*core.Millisecond, 2*core.Second); r.Fork("forget").Chance(1, 2) {
		node := s.shape.Nodes[r.Fork("node").Below(int64(len(s.shape.Nodes)))]
		s.strike(sim.Fault{Kind: sim.CleanReboot, Node: node - 1, At: begin, Until: begin + down})
		ops = append(ops, workload.Op{At: begin + down/2, Kind: workload.UnregisterBroker, Partition: -1, Node: node})
	}
	s.act(workload.Admin, nil, ops)
}
