package txn

import (
	"regexp"
	"slices"

	"github.com/klamm-log/klamm/core"
)

// Filter chooses transactional ids for ListTransactions. Its zero value chooses all but for Longer.
type Filter struct {
	// States and Producers are ascending: a client may name millions, and every id is held against them.
	States    []State
	Producers []core.ProducerID
	// LongerMs lists what has been open for longer than so many milliseconds; negative for any (KIP-994).
	LongerMs int64
	// Pattern is what a whole transactional id must match; nil for any (KIP-1152).
	Pattern *regexp.Regexp
}

// List are the transactional ids that a filter chooses, in order.
func (c *Coordinator) List(now core.Now, f *Filter) []*Txn {
	var list []*Txn
	for id, t := range c.txns.All() {
		_, state := slices.BinarySearch(f.States, t.hard.State)
		_, producer := slices.BinarySearch(f.Producers, t.hard.ProducerID)
		switch {
		case len(f.States) > 0 && !state:
		case len(f.Producers) > 0 && !producer:
		case f.LongerMs >= 0 && int64(now.Wall-t.hard.Started) <= f.LongerMs:
		case f.Pattern != nil && !f.Pattern.MatchString(id):
		default:
			list = append(list, t)
		}
	}
	return list
}
