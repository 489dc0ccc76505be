package sim

import (
	"hash/fnv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/broker/txns"
	"github.com/klamm-log/klamm/core/coord"
)

// PropertyReload: two coordinators of a partition, of groups or of transactions, differ although both have replayed the same committed records of it: one
// has kept or made up what the log does not say (BUGS.md 1.1). Most often the second one has just loaded.
const PropertyReload = "G-RELOAD-EQ"

// PropertyServing: a coordinator serves though not all that it has loaded is committed in its leadership. The next one may not have it, and
// what this one has told of it would never have been (BUGS.md B7).
const PropertyServing = "COORD-COMMITTED"

// coordinators are the coordinators' hard states as they were seen, as a function of how much of the log they rest on.
type coordinators struct {
	states map[stateAt]seenState
	last   map[coordinator]lastSeen
}

// stateAt is a partition of a coordinators' topic up to an offset.
type stateAt struct {
	topic     string
	partition int32
	end       core.Offset
}

type seenState struct {
	digest uint64
	node   core.NodeID
	epoch  core.LeaderEpoch
}

// coordinator is one node's of one partition, lastSeen what was looked at last.
type coordinator struct {
	node      core.NodeID
	topic     string
	partition int32
}

type lastSeen struct {
	epoch core.LeaderEpoch
	end   core.Offset
}

func newCoordinators() *coordinators {
	return &coordinators{states: make(map[stateAt]seenState), last: make(map[coordinator]lastSeen)}
}

// look compares what a node's coordinators know with what others knew after the same records. Only committed records count:
// others may be replaced.
func (c *coordinators) look(r *run, p *process, b machine) {
	if c == nil || r.ref == nil || !p.stepped {
		return
	}
	for _, v := range b.Coordinators() {
		if v.Phase == coord.Active {
			c.compare(r, p, b, coordinated{groups.Topic, v.Partition, v.Epoch, v.End, v.Machine.AppendState})
		}
	}
	for _, v := range b.TransactionCoordinators() {
		if v.Phase == coord.Active {
			c.compare(r, p, b, coordinated{txns.Topic, v.Partition, v.Epoch, v.End, v.Machine.AppendState})
		}
	}
}

// coordinated is one coordinator that serves, with its state in a canonical form.
type coordinated struct {
	topic     string
	partition int32
	epoch     core.LeaderEpoch
	end       core.Offset
	state     func(dst []byte) []byte
}

// compare looks at one coordinator if something has happened to it that is committed.
func (c *coordinators) compare(r *run, p *process, b machine, v coordinated) {
	who, now := coordinator{nodeID(p.id), v.topic, v.partition}, lastSeen{v.epoch, v.end}
	if c.last[who] == now {
		return
	}
	log, ok := b.View(core.TopicPartition{Topic: v.topic, Partition: v.partition})
	if ok && log.Leader && log.Epoch == v.epoch && log.HighWatermark < log.EpochStart {
		r.ref.find(PropertyServing, "the coordinator of %s-%d on node %d in epoch %d serves what was there before, below %d, of which only what is below %d is committed",
			v.topic, v.partition, who.node, v.epoch, log.EpochStart, log.HighWatermark)
	}
	if !ok || !log.HWKnown || log.HighWatermark < v.end {
		return
	}
	c.last[who] = now
	h := fnv.New64a()
	_, _ = h.Write(v.state(nil)) // never fails
	s := seenState{h.Sum64(), who.node, v.epoch}
	at := stateAt{v.topic, v.partition, v.end}
	was, known := c.states[at]
	switch {
	case !known:
		c.states[at] = s
	case was.digest != s.digest:
		r.ref.find(PropertyReload, "the coordinator of %s-%d on node %d in epoch %d differs at offset %d from the one on node %d in epoch %d",
			v.topic, v.partition, s.node, s.epoch, v.end, was.node, was.epoch)
	case was.epoch != s.epoch:
		r.points["sim.coordinator-compared"]++
	}
}
