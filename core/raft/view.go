package raft

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// View is what DescribeQuorum tells (KIP-836, 853). Only the leader knows more than leader, epoch and voters.
type View struct {
	LeaderID      core.NodeID
	LeaderEpoch   core.LeaderEpoch
	HighWatermark core.Offset // NoOffset while the leader has not committed in its epoch
	KRaftVersion  metadata.FeatureLevel
	Voters        []ReplicaView
	Observers     []ReplicaView
	Endpoints     []metadata.VoterRegistration // the voter set as it stands in the log
}

// ReplicaView is one replica of the metadata log.
type ReplicaView struct {
	ID           core.NodeID
	DirectoryID  metadata.DirectoryID
	LogEndOffset core.Offset // NoOffset: unknown
	// LastFetchTime and LastCaughtUpTime are NoTimestamp if there was none; the leader's own are always now.
	LastFetchTime    core.Wall
	LastCaughtUpTime core.Wall
}

// View describes the quorum.
func (q *Quorum) View(now core.Now) View {
	cfg := q.voters.last()
	c := q.current()
	v := View{LeaderID: c.LeaderID, LeaderEpoch: c.LeaderEpoch, HighWatermark: q.hw, KRaftVersion: cfg.kraft, Endpoints: cfg.voters}
	leading := q.role == roleLeader
	if leading {
		v.HighWatermark = q.lead.hw
	}
	for _, r := range cfg.voters {
		p := q.lead.of(r)
		switch {
		case isVoter(r, q.self) && leading:
			v.Voters = append(v.Voters, ReplicaView{r.ID, q.self.DirectoryID, q.log.LogEndOffset(), now.Wall, now.Wall})
		case p != nil:
			v.Voters = append(v.Voters, p.view())
		default:
			v.Voters = append(v.Voters, ReplicaView{r.ID, r.DirectoryID, core.NoOffset, core.NoTimestamp, core.NoTimestamp})
		}
	}
	for _, p := range q.lead.replicas {
		if !cfg.voters.has(p.key) && now.Mono-p.fetched.Mono < observerTimeout {
			v.Observers = append(v.Observers, p.view())
		}
	}
	return v
}

func (p *progress) view() ReplicaView {
	v := ReplicaView{p.key.ID, p.key.DirectoryID, p.end, core.NoTimestamp, core.NoTimestamp}
	if p.fetched != (core.Now{}) {
		v.LastFetchTime = p.fetched.Wall
	}
	if p.caughtUp != (core.Now{}) {
		v.LastCaughtUpTime = p.caughtUp.Wall
	}
	return v
}
