package sim

import (
	"fmt"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// PropertyClean is L-CLEAN: what is due to be compacted is compacted (KAFKA-8522, and the dead cleaner threads of KAFKA-5413).
const PropertyClean = "L-CLEAN"

// awaitCleaners gives the nodes time to compact what is due after the faults. A log has been cleaned if it is seen once with nothing
// due. Cleaners that go slowly by configuration may take long; one of which no round ends for the plan's bound while a log is due
// has stopped.
func (r *run) awaitCleaners() {
	w := r.w
	type place struct {
		node int
		tp   core.TopicPartition
	}
	cleaned := make(map[place]bool)
	ended, ends := make([]core.Mono, len(r.brokers)), make([]core.Offset, len(r.brokers))
	for i := range ended {
		ended[i] = w.now
	}
	for !r.hopeless() {
		waiting, owed := false, []history.Owed(nil)
		for i, p := range r.brokers {
			if !p.up || r.plan.Brokers[i].Absent || !r.plan.Brokers[i].IsBroker() {
				continue
			}
			logs, sum := p.machine.(machine).Compacted(p.Now()), core.Offset(0)
			for _, l := range logs {
				sum += l.CleanPoint
			}
			if sum != ends[i] {
				ended[i], ends[i] = w.now, sum
			}
			for _, l := range logs {
				at := place{i, l.TP}
				switch cleaned[at] = cleaned[at] || !l.Due; {
				case cleaned[at]:
				case w.now-ended[i] < r.plan.Settle:
					waiting = true
				default:
					owed = append(owed, history.Owed{Property: PropertyClean, Place: l.TP.String(), Message: fmt.Sprintf(
						"node %d has not compacted what is due, and no round has ended there for %d ns", nodeID(i), r.plan.Settle)})
				}
			}
		}
		if !waiting {
			r.result.Owed = append(r.result.Owed, owed...)
			return
		}
		w.runUntil(w.now+liveEvery, r.hopeless)
	}
}
