package shrink

import (
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/workload"
)

// A plan that a correct program could not bear either shows nothing, so edits keep what the profiles' draws keep:
// whoever is left can do what is asked of it, timeouts fit each other, and faults that take a copy leave the others alone.

// topic is what a plan's operations say about a topic together.
type topic struct {
	name       string
	partitions int32 // as many as it ever has
	replicas   int   // as few as it ever wants
}

func topics(p *sim.Plan) []topic {
	var out []topic
	for o := range operations(p) {
		t := at(out, o.Topic)
		switch {
		case o.Kind == workload.CreateTopic && t == nil:
			out = append(out, topic{o.Topic, max(1, o.Partitions), max(1, int(o.Replication))})
		case o.Kind == workload.CreateTopic:
			t.partitions = max(t.partitions, o.Partitions)
			t.replicas = min(t.replicas, max(1, int(o.Replication)))
		case o.Kind == workload.CreatePartitions && t != nil:
			t.partitions = max(t.partitions, o.Partitions)
		case o.Kind == workload.Reassign && t != nil && len(o.Replicas) > 0:
			t.replicas = min(t.replicas, len(o.Replicas))
		}
	}
	return out
}

// tidied takes out of an edited plan what has lost its object: operations on topics that nobody makes any more, and on
// partitions that do not come to be any more. Topics want no more replicas than there are brokers.
func (s *session) tidied(p sim.Plan) sim.Plan {
	left := brokers(&p)
	fewer := left < brokers(&s.first)
	if fewer {
		for o := range operations(&p) {
			o.Replication = min(o.Replication, int16(left))
		}
	}
	was, is := topics(&s.first), topics(&p)
	gone := func(name string) bool { return at(was, name) != nil && at(is, name) == nil }
	for i := range p.Clients {
		c := &p.Clients[i]
		if c.Group != nil {
			c.Group.Topics = slices.DeleteFunc(c.Group.Topics, gone)
		}
		for j := range c.Ops {
			c.Ops[j].Topics = slices.DeleteFunc(c.Ops[j].Topics, gone)
		}
		c.Ops = slices.DeleteFunc(c.Ops, func(o workload.Op) bool {
			before, now := at(was, o.Topic), at(is, o.Topic)
			return (o.Kind == workload.Join || o.Kind == workload.Transact) && len(o.Topics) == 0 || before != nil && (now == nil || o.Partition >= now.partitions && o.Partition < before.partitions)
		})
	}
	p.Clients = slices.DeleteFunc(p.Clients, func(c workload.Plan) bool { return c.Txn != nil && gone(c.Txn.Out) })
	for i := range p.Clients { // who has no twin any more is one itself no longer
		g := p.Clients[i].Group
		if g != nil && g.Twin {
			g.Twin = slices.ContainsFunc(p.Clients, func(c workload.Plan) bool {
				return c.Group != nil && c.Group.Instance == g.Instance && !c.Group.Twin
			})
		}
	}
	for o := range operations(&p) {
		if t := at(is, o.Topic); t != nil && fewer {
			clampMinISR(o, t.replicas)
		}
	}
	return p
}

func at(list []topic, name string) *topic {
	for i := range list {
		if list[i].name == name {
			return &list[i]
		}
	}
	return nil
}

func brokers(p *sim.Plan) int {
	n := 0
	for i := range p.Brokers {
		if b := &p.Brokers[i]; b.IsBroker() && !b.Absent {
			n++
		}
	}
	return n
}

// operations are those of all clients.
func operations(p *sim.Plan) iter.Seq[*workload.Op] {
	return func(yield func(*workload.Op) bool) {
		for i := range p.Clients {
			for j := range p.Clients[i].Ops {
				if !yield(&p.Clients[i].Ops[j]) {
					return
				}
			}
		}
	}
}

// clampMinISR lets a topic want no more replicas in sync than it has.
func clampMinISR(o *workload.Op, replicas int) {
	for i := range o.Configs {
		if c := &o.Configs[i]; c.Name == "min.insync.replicas" {
			if n, err := strconv.Atoi(c.Value); err == nil && n > replicas {
				c.Value = strconv.Itoa(replicas)
			}
		}
	}
}

// sound reports whether a correct program keeps every promise under a plan, given that it does under the first one.
func (s *session) sound(p *sim.Plan) bool {
	return p.Validate() == nil && fits(p) && majority(p) && s.spares(p) && (!s.live() || s.patient(p)) &&
		(s.configured(p) || p.ValidateConfigs() == nil)
}

// configured reports whether the nodes are configured as those of the best plan so far, which can start.
func (s *session) configured(p *sim.Plan) bool {
	return slices.EqualFunc(p.Brokers, s.best.Brokers, func(a, b sim.BrokerPlan) bool {
		return a.Roles == b.Roles && a.Late == b.Late && a.Absent == b.Absent && slices.Equal(a.Properties, b.Properties)
	})
}

// fits reports whether timeouts fit each other: a long poll that lasts longer than replica.lag.time.max.ms looks like lag, and
// one longer than the socket timeout like a dead leader; a session must outlast its heartbeats.
func fits(p *sim.Plan) bool {
	for i := range p.Brokers {
		b := &p.Brokers[i]
		if b.Absent || !p.IsCluster() {
			continue
		}
		wait := property(b, "replica.fetch.wait.max.ms", 500)
		if wait >= property(b, "replica.lag.time.max.ms", 30_000) || wait >= property(b, "replica.socket.timeout.ms", 30_000) ||
			2*property(b, "broker.heartbeat.interval.ms", 2000) >= property(b, "broker.session.timeout.ms", 9000) {
			return false
		}
	}
	return true
}

func property(b *sim.BrokerPlan, name string, otherwise int64) int64 {
	for _, x := range b.Properties {
		if x.Name == name {
			if n, err := strconv.ParseInt(x.Value, 10, 64); err == nil {
				return n
			}
		}
	}
	return otherwise
}

// majority reports whether the core that is healed first can elect a leader and serve.
func majority(p *sim.Plan) bool {
	if len(p.Core) == 0 {
		return true
	}
	voters, in, brokers := 0, 0, 0
	for i := range p.Brokers {
		b := &p.Brokers[i]
		member := slices.Contains(p.Core, int32(i))
		if b.IsController() && !b.Late && !b.Absent {
			voters++
			if member {
				in++
			}
		}
		if member && b.IsBroker() {
			brokers++
		}
	}
	return 2*in > voters && brokers > 0
}

// spares reports whether a plan with faults that take a copy has the nodes and the topics of the first one: how many copies
// there must be so that one can go was decided when it was drawn.
func (s *session) spares(p *sim.Plan) bool {
	if p.ExpectLoss || !takesCopies(p) {
		return true
	}
	for i := range p.Brokers {
		if p.Brokers[i].Absent != s.first.Brokers[i].Absent || p.Brokers[i].Roles != s.first.Brokers[i].Roles {
			return false
		}
	}
	for i := range p.Clients {
		for j := range p.Clients[i].Ops {
			o := &p.Clients[i].Ops[j]
			if was := find(&s.first, p.Clients[i].ID, o.ID); was == nil || o.Replication != was.Replication ||
				!reflect.DeepEqual(o.Replicas, was.Replicas) || !reflect.DeepEqual(o.Configs, was.Configs) {
				return false
			}
		}
	}
	return true
}

func takesCopies(p *sim.Plan) bool {
	for _, f := range p.Faults {
		if destroys(f.Kind) {
			return true
		}
	}
	for i := range p.Brokers {
		for _, f := range p.Brokers[i].Disk.Plan {
			if diskDestroys(f.Kind) {
				return true
			}
		}
	}
	return false
}

func find(p *sim.Plan, client, op int32) *workload.Op {
	for i := range p.Clients {
		if p.Clients[i].ID != client {
			continue
		}
		for j := range p.Clients[i].Ops {
			if p.Clients[i].Ops[j].ID == op {
				return &p.Clients[i].Ops[j]
			}
		}
	}
	return nil
}

// live reports whether the violation is that something did not happen in time.
func (s *session) live() bool { return strings.HasPrefix(s.target.Property, "L-") }

// patient reports whether a plan leaves enough time for what must happen: as much as the first one did, or as its own
// timeouts ask for.
func (s *session) patient(p *sim.Plan) bool { return p.Settle >= min(s.first.Settle, patience(p)) }

// patience is how long a healed cluster may take by its longest timeouts: to find out that someone is gone, and to get over
// it, each twice, and the quiet that follows.
func patience(p *sim.Plan) core.Mono {
	const quiet = 10 * core.Second // elections must cease for 3 s, and what a disk had under way may spoil it for 5 s
	longest := core.Mono(0)
	for i := range p.Brokers {
		b := &p.Brokers[i]
		if b.Absent || !p.IsCluster() {
			continue
		}
		for _, x := range timeouts() {
			longest = max(longest, core.Mono(property(b, x.name, x.otherwise))*core.Millisecond)
		}
	}
	for i := range p.Clients {
		n := &p.Clients[i].Network
		longest = max(longest, orDefault(n.RequestTimeout, 30*core.Second), orDefault(n.ConnectTimeout, 10*core.Second))
	}
	return quiet + 4*longest
}

// timeout is a property by which a node finds out that another one is gone, and Kafka's default in milliseconds.
type timeout struct {
	name      string
	otherwise int64
}

func timeouts() []timeout {
	return []timeout{
		{"replica.lag.time.max.ms", 30_000}, {"replica.socket.timeout.ms", 30_000}, {"broker.session.timeout.ms", 9000},
		{"controller.quorum.fetch.timeout.ms", 2000}, {"controller.quorum.election.timeout.ms", 1000},
		{"controller.quorum.request.timeout.ms", 2000},
	}
}

func orDefault(v, otherwise core.Mono) core.Mono {
	if v == 0 {
		return otherwise
	}
	return v
}
