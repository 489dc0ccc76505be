package draws

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim/workload"
)

// GroupShape is what [Groups] must know besides; ranges are inclusive.
type GroupShape struct {
	Groups, Members, Producers [2]int64
	Session                    [2]int64 // session.timeout.ms
}

// Groups makes the clients of a seed whose subject is consumer groups: a creator and a reader of the topics, producers, an
// admin that adds partitions, and the members.
func Groups(r *prng.Rand, shape Shape, g GroupShape) []workload.Plan {
	s := shape.withDefaults()
	d := &drawer{shape: &s}
	d.drawTopics(r.Fork("topics"))
	plans := []workload.Plan{d.patient(d.creator(r.Fork("creator"))), d.reader(r.Fork("reader"))}
	id := FirstID
	for i := range r.Fork("producers").Between(g.Producers[0], g.Producers[1]) {
		own := r.ForkN("producer", i)
		p := workload.Plan{ID: id, Kind: workload.Producer, Network: d.network(own.Fork("network"), true)}
		p.Producer = d.producer(own.Fork("options"), &p.Network)
		p.Ops = d.produces(own)
		plans = append(plans, finished(p))
		id++
	}
	if own := r.Fork("admin"); own.Chance(1, 3) {
		p := workload.Plan{ID: id, Kind: workload.Admin, Network: d.network(own.Fork("network"), true)}
		for range own.Between(1, 3) {
			t := d.topic(own)
			p.Ops = append(p.Ops, workload.Op{Kind: workload.CreatePartitions, Topic: t.Name, Partition: -1, Partitions: t.Partitions + int32(own.Between(1, 3)), At: d.instant(own)})
		}
		plans = append(plans, finished(p))
		id++
	}
	var narrow []narrowing
	groups := r.Fork("groups").Between(g.Groups[0], g.Groups[1])
	for i := range groups {
		own := r.ForkN("group", i)
		base := d.group(own.Fork("options"), int32(i), g)
		members := d.members(own, id, &base, g)
		id += int32(len(members))
		if once := own.Fork("narrow"); once.Chance(2, 3) {
			narrow = append(narrow, d.narrow(once, members, base))
		}
		plans = append(plans, members...)
	}
	if own := r.Fork("forget"); own.Chance(7, 8) {
		plans = append(plans, d.forgetful(own, id, groups, narrow))
	}
	return plans
}

// members draws the members of a group, under ids from the first on.
func (d *drawer) members(r *prng.Rand, id int32, base *workload.GroupOptions, g GroupShape) []workload.Plan {
	n := g.Members[0] + r.Fork("members").Skewed(g.Members[1]-g.Members[0]+1)
	stalls := n > 1 && r.Fork("stalls").Chance(2, 5)
	if stalls {
		eager(r.Fork("eager"), base)
	}
	mixed := n > 1 && r.Fork("mixed").Chance(1, 4)
	var plans []workload.Plan
	for i := range n {
		own, options := r.ForkN("member", i), *base
		if mixed { // on its way from one protocol to the other, and perhaps back (KIP-848, online migration)
			options.Modern, options.Mixed = own.Fork("protocol").Chance(1, 2), true
		}
		if options.Modern {
			options.Server = one(own.Fork("server"), "", "", "uniform", "range")
		}
		plans = append(plans, d.member(own, id, options))
		id++
		if mixed { // a process can come back with the other protocol
			options.Modern = own.Fork("protocol of the twin").Chance(1, 2)
		}
		if twin, ok := d.twin(own.Fork("twin"), id, &plans[len(plans)-1], options); ok {
			plans = append(plans, twin)
			id++
		}
	}
	if stalls {
		d.stall(r.Fork("stall"), plans, base)
	}
	return plans
}

// patient lets a creator try again and again: at first there are not as many brokers as topics want replicas, and later faults may
// be in the way. A group without topics shows nothing.
func (d *drawer) patient(p workload.Plan) workload.Plan {
	once := p.Ops
	p.Ops = nil
	for _, at := range []core.Mono{200 * core.Millisecond, 600 * core.Millisecond, 2 * core.Second, 4 * core.Second} {
		for _, op := range once {
			op.Needed = true
			op.At = min(d.shape.Start.Add(at), d.shape.End-1)
			p.Ops = append(p.Ops, op)
		}
	}
	return finished(p)
}

// group draws what the members of one group have in common.
func (d *drawer) group(r *prng.Rand, number int32, g GroupShape) workload.GroupOptions {
	o := workload.GroupOptions{Group: number}
	for i := range d.topics {
		if i == 0 || r.Fork(d.topics[i].Name).Chance(2, 3) {
			o.Topics = append(o.Topics, d.topics[i].Name)
		}
	}
	slices.Sort(o.Topics)
	// Incremental rebalances move little, each: there must be many for one to go wrong.
	coop := []string{"cooperative-sticky"}
	o.Assignors = one(r.Fork("assignors"), coop, coop, coop, coop, []string{"range"},
		[]string{"range", "cooperative-sticky"}, []string{"sticky"}, []string{"roundrobin", "range"})
	o.Modern = r.Fork("modern").Chance(2, 5)
	ms := func(label string, lo, hi int64) core.Mono {
		return core.Mono(r.Fork(label).Between(lo, hi)) * core.Millisecond
	}
	o.Session = ms("session", g.Session[0], g.Session[1])
	o.Heartbeat = max(o.Session/core.Mono(r.Fork("heartbeat").Between(3, 8)), core.Millisecond)
	o.Rebalance = ms("rebalance", g.Session[1], 4*g.Session[1])
	return o
}

// member draws one member: when it comes and goes, how it works and commits.
func (d *drawer) member(r *prng.Rand, id int32, base workload.GroupOptions) workload.Plan {
	o := base
	p := workload.Plan{ID: id, Kind: workload.Member, Network: d.network(r.Fork("network"), true), Group: &o}
	if r.Fork("static").Chance(1, 4) {
		o.Instance = fmt.Sprintf("i%d", id)
	}
	switch own := r.Fork("commit"); own.Below(3) {
	case 0:
		o.AutoEvery = between(own, 10*core.Millisecond, core.Second)
	case 1:
		o.Async = true
	}
	o.Patterns = r.Fork("patterns").Chance(1, 5)
	o.MaxWait = one(r.Fork("wait"), 5*core.Millisecond, 50*core.Millisecond, 200*core.Millisecond)
	begin := d.shape.Start
	if own := r.Fork("late"); own.Chance(1, 2) {
		begin = d.instant(own)
	}
	p.Ops = append(p.Ops, workload.Op{Kind: workload.Join, At: begin, Partition: -1, Topics: d.subscription(r.Fork("topics"), &o)})
	if own := r.Fork("pace"); own.Chance(2, 3) { // slow processing, sometimes slower than a rebalance waits for
		p.Ops = append(p.Ops, workload.Op{Kind: workload.Work, At: begin, Partition: -1, Max: int32(own.Between(1, 50)),
			Every: between(own, core.Millisecond, one(own, 50*core.Millisecond, 500*core.Millisecond, 2*o.Rebalance))})
	}
	for i := range d.shape.scaled(r.Fork("count").Between(0, 8)) {
		own := r.ForkN("op", i)
		at := d.instant(own)
		switch own.Below(5) {
		case 0:
			later := min(d.shape.End, at.Add(between(own, core.Millisecond, 3*core.Second)))
			p.Ops = append(p.Ops, workload.Op{Kind: workload.Leave, At: at, Partition: -1},
				workload.Op{Kind: workload.Join, At: later, Partition: -1, Topics: d.subscription(own, &o)})
		case 1:
			p.Ops = append(p.Ops, workload.Op{Kind: workload.Join, At: at, Partition: -1, Topics: d.subscription(own, &o)})
		case 2:
			p.Ops = append(p.Ops, workload.Op{Kind: workload.Crash, At: at, Partition: -1})
		case 3: // an application that hangs
			later := min(d.shape.End, at.Add(between(own, core.Millisecond, 2*o.Rebalance)))
			p.Ops = append(p.Ops, workload.Op{Kind: workload.Work, At: at, Partition: -1}, workload.Op{Kind: workload.Work, At: later, Partition: -1, Max: int32(own.Between(1, 500))})
		case 4:
			p.Ops = append(p.Ops, workload.Op{Kind: workload.Work, At: at, Partition: -1, Max: int32(own.Between(1, 100)), Every: between(own, 0, 100*core.Millisecond)})
		}
	}
	return finished(p)
}

// twin draws another process with the group.instance.id of a static member, which begins while that may live: it was taken for dead.
func (d *drawer) twin(r *prng.Rand, id int32, of *workload.Plan, base workload.GroupOptions) (workload.Plan, bool) {
	if of.Group.Instance == "" || !r.Chance(1, 2) {
		return workload.Plan{}, false
	}
	p := d.member(r.Fork("member"), id, base)
	p.Group.Instance, p.Group.Twin = of.Group.Instance, true
	begin := d.instant(r.Fork("begin"))
	for i := range p.Ops {
		p.Ops[i].At = max(p.Ops[i].At, begin)
	}
	return finished(p), true
}

// subscription is mostly everything that the group reads.
func (d *drawer) subscription(r *prng.Rand, o *workload.GroupOptions) []string {
	if own := r.Fork("subset"); len(o.Topics) > 1 && own.Chance(1, 3) {
		at := int(own.Below(int64(len(o.Topics))))
		return o.Topics[at : at+1]
	}
	return o.Topics
}
