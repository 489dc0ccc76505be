package broker

import (
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/route"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/replica"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// following is this broker as a follower of one other broker: all partitions that it leads and that have a replica here
// are fetched together.
type following struct {
	leader  core.NodeID
	fetcher *replica.Fetcher
	asking  bool
	addr    string    // asked
	since   core.Mono // when it was asked
}

// patience is how long partitions that are new to a leader wait for a fetch that does not name them. The leader may hold
// that one back for replica.fetch.wait.max.ms, half a second, in which nothing is committed on the new ones: most of the
// time that a failover took.
const patience = 10 * core.Millisecond

// fetchVersion is the version of followers' fetches: topic ids, the broker epoch, no records of the newest tags.
const fetchVersion = 17

// follow makes the fetcher of a partition's leader responsible for it, or none if this broker leads or nobody does.
func (b *Broker) follow(p *partition) {
	leader := p.Leader()
	if leader == b.cfg.NodeID || p.deleting {
		leader = core.NoNode
	}
	if p.followed != nil && p.followed.leader != leader {
		p.followed.fetcher.Remove(p.Replica)
		p.followed = nil
	}
	if leader == core.NoNode || p.followed != nil {
		return
	}
	p.followed = b.followingOf(leader)
	p.followed.fetcher.Add(p.Replica)
}

// followingOf is the fetcher of one leader.
func (b *Broker) followingOf(leader core.NodeID) *following {
	i, found := slices.BinarySearchFunc(b.leaders, leader, func(f *following, id core.NodeID) int { return cmp.Compare(f.leader, id) })
	if !found {
		b.leaders = slices.Insert(b.leaders, i, &following{leader: leader, fetcher: replica.NewFetcher(leader, replica.FetcherOptions{
			MaxBytes: b.cfg.ReplicaFetchMaxBytes, MaxBackoff: core.Millis(b.cfg.ReplicaFetchBackoffMs),
		})})
	}
	return b.leaders[i]
}

// fetchFromLeaders sends the fetches that are due: one at a time to each leader.
func (b *Broker) fetchFromLeaders(now core.Now, out *step.Effects) {
	if b.life.epoch < 0 || b.phase > phaseLeaving {
		return
	}
	for _, f := range b.leaders {
		for _, r := range f.fetcher.AppendHeld(now) {
			b.touch(b.byName[r.TP])
		}
		if f.asking {
			if now.Mono >= f.since+patience && f.fetcher.Starved() {
				out.Reachable("broker.fetch-given-up-for-new-partitions", nil)
				b.peers.Hangup(f.addr, route.LaneReplica, "new partitions are to be fetched", out)
			}
			continue
		}
		addr := b.route.BrokerAddr(f.leader)
		if addr == "" {
			continue // fenced for good or not registered; the metadata will say more
		}
		req, ok := f.fetcher.Next(now, out)
		if !ok {
			continue
		}
		f.asking, f.addr, f.since = true, addr, now.Mono
		b.peers.Call(now, peer.Call{
			Addr: addr, Lane: route.LaneReplica, Body: b.followerFetch(&req), Timeout: core.Millis(b.cfg.ReplicaSocketTimeoutMs),
			Then: func(now core.Now, r *peer.Result, out *step.Effects) { b.followerFetched(now, f, req.ID, r, out) },
		}, out)
	}
}

// followerFetch is a fetcher's request on the wire.
func (b *Broker) followerFetch(f *replica.FetchRequest) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(fetchVersion)
	req.ReplicaID = -1
	req.ReplicaState.ID, req.ReplicaState.Epoch = int32(b.cfg.NodeID), int64(b.life.epoch)
	req.MaxWaitMillis, req.MinBytes = int32(b.cfg.ReplicaFetchWaitMs), b.cfg.ReplicaFetchMinBytes
	req.MaxBytes = b.cfg.ReplicaFetchResponseMaxBytes
	req.SessionID, req.SessionEpoch = f.SessionID, f.SessionEpoch
	req.IsolationLevel = 0
	for i := range f.Partitions {
		asked := &f.Partitions[i]
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.CurrentLeaderEpoch = asked.Index, int32(asked.CurrentLeaderEpoch)
		rp.FetchOffset, rp.LastFetchedEpoch = int64(asked.FetchOffset), int32(asked.LastFetchedEpoch)
		rp.LogStartOffset, rp.PartitionMaxBytes = int64(asked.LogStartOffset), asked.MaxBytes
		t := lastAsked(req, asked.TopicID)
		t.Partitions = append(t.Partitions, rp)
	}
	for _, gone := range f.Forgotten {
		t := kmsg.NewFetchRequestForgottenTopic()
		t.TopicID, t.Partitions = gone.TopicID, []int32{gone.Index}
		req.ForgottenTopics = append(req.ForgottenTopics, t)
	}
	return req
}

func lastAsked(req *kmsg.FetchRequest, id core.TopicID) *kmsg.FetchRequestTopic {
	if n := len(req.Topics); n == 0 || core.TopicID(req.Topics[n-1].TopicID) != id {
		t := kmsg.NewFetchRequestTopic()
		t.TopicID = id
		req.Topics = append(req.Topics, t)
	}
	return &req.Topics[len(req.Topics)-1]
}

// followerFetched hands a leader's answer to the fetcher, which appends and truncates.
func (b *Broker) followerFetched(now core.Now, f *following, id uint64, r *peer.Result, out *step.Effects) {
	f.asking = false
	resp, ok := r.Body.(*kmsg.FetchResponse)
	if !ok {
		f.fetcher.Failed(now)
		return
	}
	got := replica.FetchResponse{ID: id, Code: core.ErrorCode(resp.ErrorCode), SessionID: resp.SessionID, Frame: r.Frame}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			rp := &t.Partitions[j]
			got.Partitions = append(got.Partitions, replica.FetchedPartition{
				TopicID: t.TopicID, Index: rp.Partition, Code: core.ErrorCode(rp.ErrorCode),
				HighWatermark: core.Offset(rp.HighWatermark), LogStartOffset: core.Offset(rp.LogStartOffset),
				Everywhere:     core.Offset(wire.Everywhere(rp)),
				Diverging:      rp.DivergingEpoch.EndOffset >= 0,
				DivergingEpoch: core.LeaderEpoch(rp.DivergingEpoch.Epoch), DivergingEnd: core.Offset(rp.DivergingEpoch.EndOffset),
				Records: rp.RecordBatches,
			})
		}
	}
	f.fetcher.Response(now, got, out)
	for i := range got.Partitions {
		if p := b.byKey[partitionKey{got.Partitions[i].TopicID, got.Partitions[i].Index}]; p != nil {
			b.touch(p)
		}
	}
}
