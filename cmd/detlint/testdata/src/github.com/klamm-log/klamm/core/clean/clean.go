// Package clean looks dangerous and is not.
package clean

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

type clock interface{ Now() int64 }

type now struct{ at int64 }

// Now has a forbidden name and no forbidden package.
func (n now) Now() int64 { return n.at }

func turn(c clock, waiting map[string]int64, timeout time.Duration) (due []string) {
	at := c.Now() + timeout.Milliseconds()
	for _, name := range slices.Sorted(maps.Keys(waiting)) {
		if waiting[name] <= at {
			due = append(due, fmt.Sprintf("%s=%d", name, waiting[name]))
			delete(waiting, name)
		}
	}
	slices.SortFunc(due, cmp.Compare)
	return due
}
