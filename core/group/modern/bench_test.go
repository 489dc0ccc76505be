package modern

import (
	"fmt"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/stretchr/testify/require"
)

// settled is a Stable group of so many members that share 10,000 partitions of 100 topics.
func settled(b *testing.B, members int) (*rig, []HeartbeatRequest) {
	r := newRig(b)
	var topics []string
	for i := range 100 {
		topics = append(topics, fmt.Sprintf("topic-%02d", i))
		r.topics.set(topics[i], 100)
	}
	beats := make([]HeartbeatRequest, members)
	for i := range beats {
		beats[i] = joinRequest(fmt.Sprintf("member-%04d", i), topics...)
	}
	for r.g.StateName() != "Stable" {
		r.pass(core.Second)
		for i := range beats {
			res := r.beat(beats[i])
			require.Equal(b, core.ErrNone, res.Code)
			if beats[i].MemberEpoch == JoinEpoch {
				beats[i] = owns(beats[i].MemberID, 0)
			}
			if beats[i].MemberEpoch = res.MemberEpoch; res.AssignmentSet {
				beats[i].Owned = res.Assignment
			}
		}
		r.log = nil
	}
	return r, beats
}

// BenchmarkHeartbeat is a heartbeat that changes nothing, in a group of 1,000 members with 10,000 partitions.
func BenchmarkHeartbeat(b *testing.B) {
	r, beats := settled(b, 1000)
	i := 0
	for b.Loop() {
		r.beat(beats[i%len(beats)])
		i++
	}
}

// BenchmarkJoin is the heartbeat by which one more member joins such a group: a new target for all, in records.
func BenchmarkJoin(b *testing.B) {
	r, beats := settled(b, 1000)
	join := joinRequest("newcomer", r.g.Members()[0].Topics...)
	bytes := 0
	for b.Loop() {
		r.pass(core.Second)
		require.Equal(b, core.ErrNone, r.beat(join).Code)
		bytes = size(r.log)
		r.pass(core.Second)
		r.beat(HeartbeatRequest{MemberID: "newcomer", MemberEpoch: LeaveEpoch, RebalanceTimeoutMs: -1})
		r.beat(beats[0])
		r.log = nil
	}
	b.ReportMetric(float64(bytes), "record-bytes")
}

func size(recs []coord.Record) (n int) {
	for _, rec := range recs {
		n += len(rec.Key) + len(rec.Value)
	}
	return n
}

// BenchmarkConverge is a group from nothing to Stable: all heartbeats of all rounds together, a second apart.
func BenchmarkConverge(b *testing.B) {
	for _, members := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			for b.Loop() {
				settled(b, members)
			}
		})
	}
}
