package draws

import (
	"strconv"

	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim/workload"
)

// replicate draws how many replicas a topic has and how many must be in sync: mostly three and two, as people have them.
func (d *drawer) replicate(r *prng.Rand, t *drawnTopic) {
	most := int64(d.shape.Replication)
	t.replication = int16(r.Fork("factor").Between(1, most))
	if r.Fork("usual").Chance(2, 3) {
		t.replication = int16(min(3, most))
	}
	least := r.Fork("least").Between(1, int64(t.replication))
	if t.replication > 2 && r.Fork("usual-least").Chance(1, 2) {
		least = 2
	}
	if d.shape.Tough {
		t.replication, least = max(3, t.replication), max(2, least)
	}
	t.set("min.insync.replicas", least)
}

// govern draws an operation on the cluster itself: who leads, who has replicas, who votes.
func (d *drawer) govern(r *prng.Rand, t *drawnTopic) workload.Op {
	op := workload.Op{Topic: t.Name, Partition: int32(r.Fork("partition").Below(int64(t.Partitions)))}
	own := r.Fork("kind")
	switch k := own.Below(16); {
	case k < 6:
		op.Kind = workload.ElectLeaders
		if own.Chance(1, 2) {
			op.Partition = -1
		}
	case k < 11:
		op.Kind = workload.Reassign
		if !own.Chance(1, 5) { // without replicas it cancels
			op.Replicas = d.placement(r.Fork("placement"), int64(t.replication))
		}
	case k == 11:
		op.Kind, op.Partition = workload.AlterConfig, -1
		least := own.Between(1, int64(t.replication))
		if d.shape.Tough {
			least = max(2, least)
		}
		op.Configs = []workload.Config{{Name: "min.insync.replicas", Value: strconv.FormatInt(least, 10)}}
	case k == 12 || len(d.shape.Voters) == 0:
		op = workload.Op{Kind: workload.DescribeQuorum, Partition: -1}
	default:
		c := one(own, d.shape.Voters...)
		op = workload.Op{Kind: one(own, workload.AddVoter, workload.AddVoter, workload.RemoveVoter), Partition: -1, Node: c.ID, Host: c.Host}
	}
	return op
}

// placement is so many brokers, or at times one more or one less.
func (d *drawer) placement(r *prng.Rand, n int64) []int32 {
	if r.Fork("size").Chance(1, 4) {
		n += r.Fork("by").Between(-1, 1)
	}
	if d.shape.Tough {
		n = max(3, n)
	}
	nodes := append([]int32(nil), d.shape.Nodes...)
	r.Fork("order").Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	return nodes[:max(1, min(n, int64(len(nodes))))]
}
