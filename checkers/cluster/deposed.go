package cluster

import (
	"slices"

	"github.com/klamm-log/klamm/core"
)

// Span is the time [From, To) in which something held.
type Span struct{ From, To core.Mono }

const never core.Mono = 1<<63 - 1

// Deposed are the times in which some node led a partition of one of the topics by its own account, although a newer leader epoch had
// been committed. What such a leader acknowledges it must have committed, which it cannot; but it may refuse what its successor would take.
func (o *Oracle) Deposed(topics ...string) []Span {
	var out []Span
	for _, p := range o.order {
		if !slices.Contains(topics, p.name.Topic) {
			continue
		}
		out = append(out, p.deposed...)
		for _, r := range p.replicas {
			if r.stale {
				out = append(out, Span{r.since, never})
			}
		}
	}
	return out
}

// reign notes since when, and until when, replicas of a partition lead it although they are deposed.
func (p *partition) reign(at core.Mono) {
	for _, r := range p.replicas {
		stale := p.known && r.viewed && r.view.Leader && r.view.Epoch < p.state.LeaderEpoch
		if stale == r.stale {
			continue
		}
		if !stale {
			p.deposed = append(p.deposed, Span{r.since, at})
		}
		r.stale, r.since = stale, at
	}
}
