package sums

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// words judges what each group of pipelines has counted.
func (c *checker) words() {
	var groups []int32
	for _, t := range c.tallies {
		if !slices.Contains(groups, t.Group) {
			groups = append(groups, t.Group)
		}
	}
	slices.Sort(groups)
	for _, g := range groups {
		c.count(g)
	}
}

// count compares a group's input with its output, if final reads have shown both.
func (c *checker) count(group int32) {
	counted, committed, ok := c.counted(group)
	if !ok {
		return
	}
	spoken, ok := c.spoken(c.extent(group, committed))
	if !ok {
		return
	}
	for word := range counted {
		if counted[word] != spoken[word] {
			c.report(WordsExact, "group %d has counted word %d %d times, and in what it has consumed it stands %d times", group, word, counted[word], spoken[word])
		}
	}
}

// counted are a group's committed counts and the transactions that they are of; ok is false if an output record may not have been read.
func (c *checker) counted(group int32) (sum [history.Words]int64, committed map[history.TxnID]bool, ok bool) {
	shown := make(map[history.Value][]entry)
	for _, r := range c.readings {
		for _, e := range r.shown {
			if c.known[e.value] != nil && !slices.Contains(shown[e.value], e) {
				shown[e.value] = append(shown[e.value], e)
			}
		}
	}
	committed = make(map[history.TxnID]bool)
	for _, t := range c.tallies {
		e := c.known[t.Value]
		switch {
		case t.Group != group:
			continue
		case e.weak, e.offset != core.NoOffset && !c.finally(e.place, span{e.offset, e.offset + 1}):
			return sum, nil, false
		}
		if n := len(shown[t.Value]); n > 0 {
			sum[t.Word] += t.N * int64(n)
			committed[t.Txn] = true
		}
	}
	return sum, committed, true
}

// finally reports whether final reads of one process went over a run of offsets, which then was there.
func (c *checker) finally(at history.Place, s span) bool {
	return c.start[at] <= 0 && slices.ContainsFunc(c.readings, func(r *reading) bool { return r.place == at && covers(merged(r.final), s) })
}

// extent is up to where a group has come, by committed transactions.
func (c *checker) extent(group int32, committed map[history.TxnID]bool) []history.Range {
	var out []history.Range
	for _, t := range c.txns {
		if t.Group != group || !committed[t.ID] {
			continue
		}
		for _, r := range t.Consumed {
			k := slices.IndexFunc(out, func(o history.Range) bool { return o.Place == r.Place })
			if k < 0 {
				k = len(out)
				out = append(out, history.Range{Place: r.Place})
			}
			out[k].To = max(out[k].To, r.To)
		}
	}
	return out
}

// spoken counts the words of an input; ok is false if final reads have not shown all of it.
func (c *checker) spoken(input []history.Range) (sum [history.Words]int64, ok bool) {
	for _, in := range input {
		if !c.finally(in.Place, span{0, in.To}) {
			return sum, false
		}
		var all []entry
		for _, r := range c.readings {
			if r.place != in.Place {
				continue
			}
			for _, e := range r.shown {
				if e.offset < in.To {
					all = append(all, e)
				}
			}
		}
		slices.SortFunc(all, func(a, b entry) int { return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.value, b.value)) })
		for _, e := range slices.Compact(all) {
			sum[e.value.Word()]++
		}
	}
	return sum, true
}
