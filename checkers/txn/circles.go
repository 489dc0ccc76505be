package txn

import (
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
)

// graph is edges between transactions by their place in checker.txns. Edges of a node are in the order of the history, so that
// the components come out alike on every host.
type graph struct {
	edges [][]int
	why   [][]int // for each edge an event that shows it
}

func newGraph(n int) *graph { return &graph{edges: make([][]int, n), why: make([][]int, n)} }

func (g *graph) add(from, to, event int) {
	if from != to && !slices.Contains(g.edges[from], to) {
		g.edges[from] = append(g.edges[from], to)
		g.why[from] = append(g.why[from], event)
	}
}

// circles looks for circles among transactions: of wr edges, which no isolation above read_uncommitted may show, and of ww edges.
func (c *checker) circles() {
	at := make(map[*txn]int, len(c.txns))
	for i, t := range c.txns {
		at[t] = i
	}
	wr := newGraph(len(c.txns))
	for i := range c.log.Len() {
		_, body := c.log.At(i)
		p, ok := body.(*history.Poll)
		if !ok || p.Txn == 0 || p.Isolation != history.ReadCommitted {
			continue
		}
		tp := c.log.Name(p.Place)
		for _, r := range p.Records {
			if w := c.values[value{tp, r.Value}]; w != nil && w.txn != nil {
				wr.add(at[w.txn], at[c.txn(p.Txn)], i)
			}
		}
	}
	for _, circle := range wr.components() {
		ids, events := c.tell(wr, circle)
		c.report(Circular, history.Place{Topic: -1}, -1, events, "transactions %v have read each other's records", ids)
	}
	ww := newGraph(len(c.txns))
	for _, pl := range c.places {
		var last *txn
		for _, w := range pl.order {
			if last != nil && w.txn != nil {
				ww.add(at[last], at[w.txn], w.send)
			}
			last = w.txn
		}
	}
	c.out.DirtyWrites = len(ww.components())
}

// tell names the transactions of a circle and the events that tie them.
func (c *checker) tell(g *graph, circle []int) (ids []history.TxnID, events []int) {
	for _, n := range circle {
		ids = append(ids, c.txns[n].id)
		for k, to := range g.edges[n] {
			if slices.Contains(circle, to) {
				events = append(events, g.why[n][k])
			}
		}
	}
	slices.Sort(events)
	return ids, slices.Compact(events)
}

// components are the strongly connected components of more than one node (Tarjan, without recursion: a long run has more
// transactions than a small stack has frames), each ascending, in the order in which they are completed.
func (g *graph) components() [][]int {
	n := len(g.edges)
	s := &tarjan{graph: g, index: make([]int, n), low: make([]int, n), on: make([]bool, n)}
	for v := range n {
		if s.index[v] == 0 {
			s.from(v)
		}
	}
	return s.out
}

// tarjan is the state of the search: index is the order of discovery from 1, low the earliest node that a node reaches.
type tarjan struct {
	*graph
	index, low []int
	on         []bool
	stack      []int
	next       int
	out        [][]int
}

// frame is a node on the way and the next of its edges.
type frame struct{ v, edge int }

func (s *tarjan) from(root int) {
	frames := []frame{s.enter(root)}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		v := f.v
		if f.edge < len(s.edges[v]) {
			to := s.edges[v][f.edge]
			f.edge++
			switch {
			case s.index[to] == 0:
				frames = append(frames, s.enter(to))
			case s.on[to]:
				s.low[v] = min(s.low[v], s.index[to])
			}
			continue
		}
		frames = frames[:len(frames)-1]
		if len(frames) > 0 {
			up := frames[len(frames)-1].v
			s.low[up] = min(s.low[up], s.low[v])
		}
		if s.low[v] == s.index[v] {
			s.leave(v)
		}
	}
}

func (s *tarjan) enter(v int) frame {
	s.next++
	s.index[v], s.low[v], s.on[v] = s.next, s.next, true
	s.stack = append(s.stack, v)
	return frame{v: v}
}

// leave takes the component of v off the stack.
func (s *tarjan) leave(v int) {
	at := len(s.stack) - 1
	for s.stack[at] != v {
		at--
	}
	component := slices.Clone(s.stack[at:])
	s.stack = s.stack[:at]
	for _, w := range component {
		s.on[w] = false
	}
	if len(component) > 1 {
		slices.Sort(component)
		s.out = append(s.out, component)
	}
}
