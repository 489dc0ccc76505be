package explain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core"
)

// Filter says which events are wanted.
type Filter struct {
	// Most is how many events are picked at most; 0 is no limit.
	Most int
	// All takes whatever lies in the past, not only what matters.
	All bool
	// Around, if set, takes only what happened so long before the violation.
	Around core.Mono
	// Node, if set, takes only this process' events.
	Node string
	// Topic, if set, takes only events about its partitions, and those about none.
	Topic string
}

// Pick chooses the events to be told, in their order: those of the violation's causal past that weigh most. What repeats
// weighs less each time, going back from the violation, so that a thousand equal steps do not hide the one that differs.
func (t *Tape) Pick(s *Subject, f Filter) []int {
	end := t.Broke
	if end == None {
		end = len(t.Events) - 1
	}
	past := t.Past(end, s.Procs)
	type candidate struct{ event, score int }
	var list []candidate
	seen := make(map[string]int)
	for i := end; i >= 0; i-- {
		e := &t.Events[i]
		if !past[i] && e.Kind != Broke || !t.wanted(e, &f) {
			continue
		}
		score := t.Weight(s, e)
		if !f.All && score < Background {
			continue
		}
		if score < 100 {
			shape := t.shape(e)
			score -= min(50, 3*seen[shape])
			seen[shape]++
		}
		list = append(list, candidate{i, score})
	}
	if f.Most > 0 && len(list) > f.Most {
		slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(b.score, a.score) }) // the latest first among equals
		list = list[:f.Most]
	}
	out := make([]int, 0, len(list))
	for _, c := range list {
		out = append(out, c.event)
	}
	slices.Sort(out)
	return out
}

// wanted reports whether an event passes the filters.
func (t *Tape) wanted(e *Event, f *Filter) bool {
	switch {
	case e.Kind == Broke:
		return true
	case f.Around > 0 && t.Broke != None && e.At < t.Events[t.Broke].At-f.Around:
		return false
	case f.Node != "" && t.ProcName(e.Proc) != f.Node:
		return false
	case f.Topic == "":
		return true
	case e.Msg != None:
		for _, p := range t.Messages[e.Msg].Parts {
			if p.Topic == f.Topic {
				return true
			}
		}
		return len(t.Messages[e.Msg].Parts) == 0 && !t.Messages[e.Msg].Idle
	}
	return !e.About || t.topic(e.Key.TopicID) == f.Topic
}

// shape is what an event has in common with its repetitions: its process and its text without numbers.
func (t *Tape) shape(e *Event) string {
	return t.ProcName(e.Proc) + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, e.Text)
}
