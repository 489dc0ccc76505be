package fetch

import "github.com/klamm-log/klamm/core"

// Session epochs with a meaning of their own (KIP-227).
const (
	InitialEpoch int32 = 0  // a full fetch that wants a new session
	FinalEpoch   int32 = -1 // a full fetch that wants none, and closes the named one
)

// Key names a partition as the request did: by topic id from Fetch v13 on, by name before. The other half is zero.
type Key struct {
	ID        core.TopicID
	Topic     string
	Partition int32
}

// Partition is one partition of a fetch: what is asked, and in a session what was last answered.
type Partition struct {
	Key
	FetchOffset        core.Offset
	LogStartOffset     core.Offset      // the follower's own; -1 from consumers
	CurrentLeaderEpoch core.LeaderEpoch // -1 if unchecked (KIP-320)
	LastFetchedEpoch   core.LeaderEpoch // -1 from consumers (KIP-595)
	MaxBytes           int32

	served   bool     // the answer being made has records of it
	answered struct { // meaningful once known
		known          bool
		highWatermark  core.Offset
		logStartOffset core.Offset
	}
}

// Session is the remembered state of one fetching client.
type Session struct {
	id        int32
	epoch     int32 // of the next request
	byID      bool  // topics are named by id
	follower  bool
	created   core.Mono
	lastUsed  core.Mono
	order     []*Partition // the order in which partitions are served
	partition map[Key]*Partition
}

func newSession(id int32, byID, follower bool, now core.Mono) *Session {
	return &Session{
		id: id, epoch: 1, byID: byID, follower: follower, created: now, lastUsed: now,
		partition: make(map[Key]*Partition),
	}
}

// nextEpoch counts from 1 to the largest int32 and starts again at 1 (FetchMetadata.nextEpoch).
func nextEpoch(epoch int32) int32 {
	if epoch == 1<<31-1 {
		return 1
	}
	return epoch + 1
}

// update takes over what an incremental request changes: partitions added or asked with new positions, and
// forgotten ones.
func (s *Session) update(asked []Partition, forgotten []Key) {
	for i := range asked {
		p := &asked[i]
		if old := s.partition[p.Key]; old != nil {
			answered := old.answered
			*old = *p
			old.answered = answered
			// A follower names a partition again only when its position has changed. Then it is told all of it again: the
			// answer before may have been lost to it, and the leader would go on believing that it knows the HighWatermark.
			old.answered.known = answered.known && !s.follower
			continue
		}
		added := *p
		s.partition[p.Key] = &added
		s.order = append(s.order, &added)
	}
	if len(forgotten) == 0 {
		return
	}
	for _, k := range forgotten {
		delete(s.partition, k)
	}
	kept := s.order[:0]
	for _, p := range s.order {
		if s.partition[p.Key] == p {
			kept = append(kept, p)
		}
	}
	clear(s.order[len(kept):])
	s.order = kept
}

// rotate moves the partitions that just returned records to the end, in their order, so that with small answers no
// partition starves behind a busy one.
func (s *Session) rotate() {
	var served []*Partition
	kept := s.order[:0]
	for _, p := range s.order {
		if p.served {
			p.served = false
			served = append(served, p)
		} else {
			kept = append(kept, p)
		}
	}
	s.order = append(kept, served...)
}
