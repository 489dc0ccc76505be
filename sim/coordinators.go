package sim

import (
	"hash/fnv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/coord"
)

// PropertyReload: two group coordinators of a partition differ although both have replayed the same committed records of it: one
// has kept or made up what the log does not say (BUGS.md 1.1). Most often the second one has just loaded.
const PropertyReload = "G-RELOAD-EQ"

// coordinators are the group coordinators' hard states as they were seen, as a function of how much of the log they rest on.
type coordinators struct {
	states map[stateAt]seenState
	last   map[coordinator]lastSeen
}

// stateAt is a partition of the coordinators' topic up to an offset.
type stateAt struct {
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
		if v.Phase != coord.Active {
			continue
		}
		who, now := coordinator{nodeID(p.id), v.Partition}, lastSeen{v.Epoch, v.End}
		if c.last[who] == now {
			continue
		}
		log, ok := b.View(core.TopicPartition{Topic: groups.Topic, Partition: v.Partition})
		if !ok || !log.HWKnown || log.HighWatermark < v.End {
			continue
		}
		c.last[who] = now
		h := fnv.New64a()
		_, _ = h.Write(v.Groups.AppendState(nil)) // never fails
		s := seenState{h.Sum64(), who.node, v.Epoch}
		at := stateAt{v.Partition, v.End}
		was, known := c.states[at]
		switch {
		case !known:
			c.states[at] = s
		case was.digest != s.digest:
			r.ref.find(PropertyReload, "the coordinator of partition %d on node %d in epoch %d differs at offset %d from the one on node %d in epoch %d",
				v.Partition, s.node, s.epoch, v.End, was.node, was.epoch)
		case was.epoch != s.epoch:
			r.points["sim.coordinator-compared"]++
		}
	}
}
