package shrink

import "slices"

// tryFunc runs alternatives, each a list of items that stay, and returns the first that will do, or -1.
type tryFunc func(kept [][]int) int

// minimize finds a small subset of the items 0 to n-1 that will do, given that all of them together do. It tries to go
// without runs of neighbours: all, halves, quarters, down to single items, and then singles until no single one can go any
// more (Zeller and Hildebrandt's ddmin with complements alone; its subsets rarely succeed where complements do not, and cost
// as much). So the result is 1-minimal, and where every superset of something that will do will do as well, it is the
// smallest there is. Runs shorter than finest are not tried; only with a finest of 1 all of this is true.
//
// Alternatives are tried wide at a time. Which one is taken depends on their order alone.
func minimize(n, wide, finest int, try tryFunc) []int {
	kept := make([]int, n)
	for i := range kept {
		kept[i] = i
	}
	for size := n; size > 0; {
		less, dropped := sweep(kept, size, wide, try)
		kept = less
		switch next := min((size+1)/2, max(1, len(kept))); {
		case size > 1 && next >= finest:
			size = next
		case size > 1 || !dropped:
			return kept
		}
	}
	return kept
}

// sweep tries once to go without each run of size neighbours.
func sweep(kept []int, size, wide int, try tryFunc) (less []int, dropped bool) {
	for at := 0; at < len(kept); {
		var alternatives [][]int
		for from := at; from < len(kept) && len(alternatives) < wide; from += size {
			alternatives = append(alternatives, slices.Concat(kept[:from], kept[min(from+size, len(kept)):]))
		}
		i := try(alternatives)
		if i < 0 {
			at += size * len(alternatives)
			continue
		}
		kept, dropped = alternatives[i], true
		at += size * i // what lay before it was just tried in vain
	}
	return kept, dropped
}
