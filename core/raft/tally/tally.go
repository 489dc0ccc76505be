package tally

import (
	"slices"

	"github.com/klamm-log/klamm/core"
)

// MajorityEnd is the largest offset below which a majority of the voters has everything, given each voter's end; NoOffset
// stands for a voter of which nothing is known. With an even number of voters it takes one more than half: of the
// ends in descending order the one at n/2. It sorts ends in place.
func MajorityEnd(ends []core.Offset) core.Offset {
	if len(ends) == 0 {
		return core.NoOffset
	}
	slices.Sort(ends)
	return ends[len(ends)-1-len(ends)/2]
}

// Committed is the HighWatermark of an epoch: what a majority has, but only if that is strictly past the epoch's first
// record. With `>=` the majority could lack this epoch's LeaderChange record, and a leader of another epoch could still
// overwrite what was counted (raft's Figure 8, KAFKA-12619). It never goes back (a change of the voter set can lower what
// a majority has). It sorts ends in place.
func Committed(ends []core.Offset, epochStart, before core.Offset) core.Offset {
	if end := MajorityEnd(ends); end > epochStart {
		return max(end, before)
	}
	return before
}

// HeardSince is the latest instant since which a majority of the voters has been heard from, given when each was last. It
// sorts times in place.
func HeardSince(times []core.Mono) core.Mono {
	slices.Sort(times)
	return times[len(times)-1-len(times)/2]
}

// Verdict is how an election stands.
type Verdict uint8

// The verdicts.
const (
	Undecided Verdict = iota
	Won               // nothing can change that any more
	Lost              // no majority is possible any more
)

// Judge counts votes: won with a majority of the n voters, lost when so many refused that none is possible any more.
func Judge(n, granted, refused int) Verdict {
	switch {
	case granted >= n/2+1:
		return Won
	case refused > n-(n/2+1):
		return Lost
	}
	return Undecided
}

// SuccessorDelay is how long a voter waits with its campaign after the leader resigned: the first preferred candidate not
// at all, each later one twice as long as the one before, those not listed the longest (KIP-595).
func SuccessorDelay(position, total int, most core.Mono) core.Mono {
	switch {
	case position == 0 && total > 0:
		return 0
	case position < 0 || position >= total:
		return most
	}
	base := most >> min(total-1, 20)
	return min(most, base<<min(position-1, 20))
}
