package results

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/klamm-log/klamm/cmd/klamm/sweep"
)

// names gives the names of counters numbers. A sweep has some hundred names and perhaps a million runs.
type names struct {
	list  []string
	index map[string]int
}

func (n *names) number(name string) int {
	i, ok := n.index[name]
	if !ok {
		if n.index == nil {
			n.index = make(map[string]int)
		}
		i = len(n.list)
		n.index[name] = i
		n.list = append(n.list, name)
	}
	return i
}

// counts are counters of one run, packed: pairs of a name's number and a value as varints, by number, no value 0. Equal
// counters of one set are equal strings.
type counts string

// pair is one counter by its name's number.
type pair struct {
	name int
	n    int64
}

func pack(pairs []pair) counts {
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.name, b.name) })
	b := make([]byte, 0, 3*len(pairs))
	for _, p := range pairs {
		if p.n != 0 {
			b = binary.AppendUvarint(b, uint64(p.name))
			b = binary.AppendVarint(b, p.n)
		}
	}
	return counts(b)
}

// each calls f for each counter.
func (c counts) each(f func(name int, n int64)) {
	b := []byte(c)
	for len(b) > 0 {
		name, k := binary.Uvarint(b)
		n, m := binary.Varint(b[k:])
		f(int(name), n)
		b = b[k+m:]
	}
}

// packNamed packs counters that have names.
func (n *names) packNamed(list []sweep.Count) counts {
	sums := make(map[int]int64, len(list))
	for _, c := range list {
		sums[n.number(c.Name)] += c.N
	}
	pairs := make([]pair, 0, len(sums))
	for name, sum := range sums {
		pairs = append(pairs, pair{name, sum})
	}
	return pack(pairs)
}

// translate packs counters of another set's names.
func (n *names) translate(c counts, from *names) counts {
	if n == from {
		return c
	}
	var pairs []pair
	c.each(func(name int, v int64) { pairs = append(pairs, pair{n.number(from.list[name]), v}) })
	return pack(pairs)
}

// addTo adds the counters to sums by name.
func (n *names) addTo(sums map[string]int64, c counts) {
	c.each(func(name int, v int64) { sums[n.list[name]] += v })
}

// table is the names that are used, in order, and each number's place among them.
func (n *names) table(used func(yield func(counts))) (sorted []string, place []int) {
	seen := make([]bool, len(n.list))
	used(func(c counts) { c.each(func(name int, _ int64) { seen[name] = true }) })
	sorted = []string{}
	for i, name := range n.list {
		if seen[i] {
			sorted = append(sorted, name)
		}
	}
	slices.Sort(sorted)
	place = make([]int, len(n.list))
	for i, name := range n.list {
		place[i], _ = slices.BinarySearch(sorted, name)
	}
	return sorted, place
}
