package groups

import "github.com/klamm-log/klamm/core/group/classic"

// fill takes what a group has to say to a request that waited for it.
func fill(w *pending, a classic.Answer) {
	switch {
	case a.Join != nil:
		fillJoin(w, a.Join)
	case a.Sync != nil:
		fillSync(w, a.Sync)
	}
}
