package replica

import (
	"slices"

	"github.com/klamm-log/klamm/core"
)

// never is an instant before any that a process can see; Mono starts at 0, so 0 would be recent after a start.
const never core.Mono = -1 << 62

// follower is what a leader knows of one other replica.
type follower struct {
	id core.NodeID
	// end is the fetch offset of its newest fetch in this epoch, NoOffset before the first one. All below it is durable
	// there and equals the leader's log.
	end         core.Offset
	start       core.Offset      // its log start offset, as of that fetch
	brokerEpoch core.BrokerEpoch // of that fetch, -1 before it or if unknown
	eligible    bool             // may join the ISR, as of the last look into the registry

	// caughtUp is the last instant t at which end was the leader's log end as of t, or never. Becoming a member counts.
	caughtUp  core.Mono
	fetchedAt core.Mono   // of that fetch
	leaderEnd core.Offset // the leader's log end at that fetch

	told core.Offset // the HighWatermark that it was last told, NoOffset if none
}

// reset forgets what fetches of earlier epochs have shown. Members of the ISR get the whole lag time to show up.
func (f *follower) reset(now core.Mono, inSync bool) {
	*f = follower{id: f.id, end: core.NoOffset, start: core.NoOffset, brokerEpoch: -1, caughtUp: never,
		leaderEnd: core.NoOffset, told: core.NoOffset}
	if inSync {
		f.caughtUp = now
	}
}

// inSync reports whether the follower is at the leader's end or was there less than lag ago (Replica.isCaughtUp). It
// is the rule for leaving the ISR; the one for joining is stricter, see joinable.
func (f *follower) inSync(leaderEnd core.Offset, now, lag core.Mono) bool {
	return f.end >= leaderEnd || now-f.caughtUp < lag
}

// joinable reports whether the follower may be proposed for the ISR. It must hold all that is committed: everything
// below the HighWatermark, and everything below the start of the leader's epoch.
//
// KIP-320, rule 4 (KAFKA-7128): a new leader's own HighWatermark lags. Say r@5 is committed, the leader of epoch 2
// starts at 6 and still has HighWatermark 5. A replica that ends at 5 passes the first test, joins, is elected next,
// and r is gone.
func (f *follower) joinable(hw, epochStart core.Offset) bool {
	return f.eligible && f.end >= hw && f.end >= epochStart
}

// committedEnd is the offset below which every replica that counts holds everything: the leader's durable end, the
// ends of the maximal ISR, and those of followers that are about to join. It is NoOffset while a member of the maximal
// ISR has not fetched in this epoch.
//
// Waiting for eligible followers that keep up although they are not members lets them join at all: with an ISR of the
// leader alone the HighWatermark would else run ahead of any fetch (Partition.maybeIncrementLeaderHW). It must not wait
// for one that may not join (KAFKA-15021): nobody would ever take it off again.
func committedEnd(own core.Offset, self core.NodeID, maximal []core.NodeID, fs []follower, now, lag core.Mono) core.Offset {
	end := own
	for _, id := range maximal {
		if id == self {
			continue
		}
		f := find(fs, id)
		if f == nil {
			return core.NoOffset
		}
		end = min(end, f.end)
	}
	for i := range fs {
		f := &fs[i]
		if f.end != core.NoOffset && f.end < end && f.eligible && now-f.caughtUp < lag {
			end = f.end
		}
	}
	return end
}

// bounds is what decides about membership.
type bounds struct {
	highWatermark, epochStart, leaderEnd core.Offset
	now, lag                             core.Mono
}

// desiredISR is the ISR that the leader would like: without the members that lag, with the others that may join; ok is
// false if that is the one it has. Both in one proposal: the union of old and new counts until it is resolved, so nothing
// is lost by asking at once.
func desiredISR(isr []core.NodeID, self core.NodeID, fs []follower, b bounds) (want []core.NodeID, ok bool) {
	stays := func(id core.NodeID) bool {
		f := find(fs, id)
		return id == self || f != nil && f.inSync(b.leaderEnd, b.now, b.lag)
	}
	joins := func(f *follower) bool {
		return !slices.Contains(isr, f.id) && f.joinable(b.highWatermark, b.epochStart)
	}
	for _, id := range isr {
		ok = ok || !stays(id)
	}
	for i := range fs {
		ok = ok || joins(&fs[i])
	}
	if !ok {
		return isr, false // nearly always: it is asked after every fetch
	}
	for _, id := range isr {
		if stays(id) {
			want = append(want, id)
		}
	}
	for i := range fs {
		if joins(&fs[i]) {
			want = append(want, fs[i].id)
		}
	}
	slices.Sort(want)
	return want, true
}

// effectiveMin is min.insync.replicas, at most the number of replicas: more could never be reached
// (Partition.effectiveMinIsr, KAFKA-15583).
func effectiveMin(configured, replicas int) int { return min(max(1, configured), max(1, replicas)) }

// union is the members of a or b, sorted.
func union(a, b []core.NodeID) []core.NodeID {
	u := append(slices.Clone(a), b...)
	slices.Sort(u)
	return slices.Compact(u)
}

// sorted is a sorted copy.
func sorted(ids []core.NodeID) []core.NodeID {
	s := slices.Clone(ids)
	slices.Sort(s)
	return s
}

func find(fs []follower, id core.NodeID) *follower {
	for i := range fs {
		if fs[i].id == id {
			return &fs[i]
		}
	}
	return nil
}
