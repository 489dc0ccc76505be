package sim

import (
	"fmt"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
)

// PropertyClean is L-CLEAN: what is due to be compacted is compacted (KAFKA-8522, and the dead cleaner threads of KAFKA-5413).
const PropertyClean = "L-CLEAN"

// slowRound is how many times the plan's bound a round of compaction may take: cleaners go slowly where they are told to.
const slowRound = 10

// cleanerWatch is what was seen of one node's cleaner.
type cleanerWatch struct {
	worked core.Mono                           // when a round was last under way
	ended  core.Mono                           // when one ended last
	ends   core.Offset                         // where rounds have ended, over all logs
	until  map[core.TopicPartition]core.Offset // where the log ended at the first look
	clean  map[core.TopicPartition]bool
}

// awaitCleaners gives the nodes time to compact what is due after the faults. A log has been cleaned if it is seen once with nothing
// due, or, as clients go on to write, when a round has ended beyond where it ended at first. A node where no round is under way for the plan's bound, or none ends for ten times that, while a log is due has stopped.
func (r *run) awaitCleaners() {
	watches := make([]cleanerWatch, len(r.brokers))
	for i := range watches {
		watches[i] = cleanerWatch{worked: r.w.now, ended: r.w.now, until: make(map[core.TopicPartition]core.Offset), clean: make(map[core.TopicPartition]bool)}
	}
	for !r.hopeless() {
		waiting := false
		var owed []history.Owed
		for i, p := range r.brokers {
			if !p.up || !r.plan.Brokers[i].IsBroker() {
				continue
			}
			c := &watches[i]
			dirty := c.look(r.w.now, p.machine.(machine).Compacted(p.Now()))
			if r.w.now-c.worked < r.plan.Settle && r.w.now-c.ended < slowRound*r.plan.Settle {
				waiting = waiting || len(dirty) > 0
				continue
			}
			for _, tp := range dirty {
				owed = append(owed, history.Owed{Property: PropertyClean, Place: tp.String(), Message: fmt.Sprintf(
					"node %d has not compacted what is due, and no round has ended there for %d ns", nodeID(i), r.w.now-c.ended)})
			}
		}
		if !waiting {
			r.result.Owed = append(r.result.Owed, owed...)
			return
		}
		r.w.runUntil(r.w.now+liveEvery, r.hopeless)
	}
}

// look takes a look at a node's logs, and returns those that were due at every look.
func (c *cleanerWatch) look(now core.Mono, logs []broker.CleanerView) (dirty []core.TopicPartition) {
	ends := core.Offset(0)
	for _, l := range logs {
		ends += l.CleanPoint
		if l.Round {
			c.worked = now
		}
		if _, known := c.until[l.TP]; !known {
			c.until[l.TP] = l.End
		}
		if c.clean[l.TP] = c.clean[l.TP] || !l.Due && !l.Round || l.CleanPoint >= c.until[l.TP]; !c.clean[l.TP] {
			dirty = append(dirty, l.TP)
		}
	}
	if ends != c.ends {
		c.ended, c.ends = now, ends
	}
	return dirty
}
