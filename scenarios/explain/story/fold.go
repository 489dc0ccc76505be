package story

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/scenarios/explain"
)

// group is how often something of one class happened.
type group struct {
	name string
	n    int
}

func counted(groups []group, name string) []group {
	for i := range groups {
		if groups[i].name == name {
			groups[i].n++
			return groups
		}
	}
	return append(groups, group{name, 1})
}

// mostGroups is how many classes a fold names.
const mostGroups = 4

// listed writes the largest groups.
func listed(groups []group) string {
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(b.n, a.n) })
	rest := 0
	var words []string
	for i, g := range groups {
		if i >= mostGroups {
			rest += g.n
			continue
		}
		words = append(words, fmt.Sprintf(g.name, g.n))
	}
	if rest > 0 {
		words = append(words, fmt.Sprintf("%d other things", rest))
	}
	return strings.Join(words, ", ")
}

// class is what an event is counted as where it is left out: a format for the number. "" is counted with nothing, because
// another event of the same step is.
func (b *teller) class(i int) string {
	e := &b.t.Events[i]
	switch e.Kind {
	case explain.Sent:
		return "" // where it arrives
	case explain.Arrived:
		return b.messageClass(&b.t.Messages[e.Msg])
	case explain.Disk:
		if strings.HasPrefix(e.Text, "sync") {
			return "%d fsyncs"
		}
		return ""
	case explain.Appended:
		if b.t.Of(b.s, e) {
			return "%d appends to " + b.t.Name(e.Key)
		}
		return "%d appends elsewhere"
	case explain.Mark:
		return ""
	case explain.Opened, explain.Closed:
		return "%d connections opened or closed"
	case explain.Op:
		return "%d operations of clients"
	case explain.Crashed, explain.Halted, explain.Started:
		return "%d starts and ends of processes"
	case explain.Role, explain.ISR, explain.Committed, explain.Broker, explain.Recovered, explain.Truncated:
		return "%d changes of other partitions and nodes"
	default:
		return ""
	}
}

// Keys of the requests that repeat by the thousand.
const (
	keyProduce   = 0
	keyFetch     = 1
	keyHeartbeat = 63
)

func (b *teller) messageClass(m *explain.Message) string {
	switch {
	case m.Key == keyFetch && !m.IsResponse:
		return "" // its answer
	case m.Key == keyFetch && m.Idle:
		return "%d fetches that brought nothing"
	case m.Key == keyFetch:
		return "%d fetches that brought records"
	case m.Key == keyHeartbeat && m.IsResponse:
		return "%d heartbeats"
	case m.Key == keyProduce && m.IsResponse:
		return "%d produces"
	case m.IsResponse:
		return "%d other requests"
	}
	return ""
}
