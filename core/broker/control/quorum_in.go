package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/raft"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// metadataTopic is the name under which the quorum's requests mean the metadata log.
const metadataTopic = "__cluster_metadata"

// asked is a request of another node to the quorum, not answered yet.
type asked struct {
	req *step.Request
	at  core.Mono
}

// handleQuorum passes the quorum's own requests to it; false means that the request is none.
func (p *Plane) handleQuorum(now core.Now, r *step.Request, out *step.Effects) bool {
	if req, ok := r.Body.(*kmsg.DescribeQuorumRequest); ok {
		p.describeQuorum(now, r, req, out)
		return true
	}
	body, cluster, one := p.quorumRequest(r.Body)
	switch {
	case body == nil && !one:
		return false
	case body == nil:
		p.reply(r, Refusal(r.Body, core.ErrInvalidRequest, ""), out)
		return true
	case cluster != nil && *cluster != p.cfg.ClusterID: // KIP-595: a node of another cluster must not be heard
		p.reply(r, Refusal(r.Body, core.ErrInconsistentClusterID, ""), out)
		return true
	}
	p.nextAsker++
	p.askers[p.nextAsker] = asked{req: r, at: now.Mono}
	p.quorum.Receive(now, p.nextAsker, body, out)
	return true
}

// Disconnected forgets what a connection has asked the quorum, and tells the controller whose heartbeats it carried.
func (p *Plane) Disconnected(now core.Now, conn step.ConnID) {
	if b, ok := p.beating[conn]; ok {
		delete(p.beating, conn)
		if p.ctl != nil {
			p.ctl.Disconnected(now, b.id, b.epoch)
		}
	}
	for id, a := range p.askers { //det:unordered every entry of the connection is forgotten, whatever the order
		if a.req.Conn == conn {
			p.quorum.Forget(id)
			delete(p.askers, id)
		}
	}
}

// quorumRequest translates a request; mine is false if it is not the quorum's, body nil if it does not speak of the metadata log alone.
//
//nolint:cyclop // one case per api
func (p *Plane) quorumRequest(req wire.Request) (body raft.Request, cluster *string, mine bool) {
	switch req := req.(type) {
	case *kmsg.VoteRequest:
		if len(req.Topics) == 1 && len(req.Topics[0].Partitions) == 1 && req.Topics[0].Topic == metadataTopic {
			return voteRequest(req, &req.Topics[0].Partitions[0]), req.ClusterID, true
		}
	case *kmsg.BeginQuorumEpochRequest:
		if len(req.Topics) == 1 && len(req.Topics[0].Partitions) == 1 && req.Topics[0].Topic == metadataTopic {
			return beginRequest(req, &req.Topics[0].Partitions[0]), req.ClusterID, true
		}
	case *kmsg.EndQuorumEpochRequest:
		if len(req.Topics) == 1 && len(req.Topics[0].Partitions) == 1 && req.Topics[0].Topic == metadataTopic {
			return endRequest(req, &req.Topics[0].Partitions[0]), req.ClusterID, true
		}
	case *kmsg.FetchRequest:
		if len(req.Topics) == 1 && len(req.Topics[0].Partitions) == 1 && metadataLog(&req.Topics[0]) {
			return fetchRequest(req, &req.Topics[0].Partitions[0]), req.ClusterID, true
		}
	case *kmsg.FetchSnapshotRequest:
		if len(req.Topics) == 1 && len(req.Topics[0].Partitions) == 1 && req.Topics[0].Topic == metadataTopic {
			return snapshotRequest(req, &req.Topics[0].Partitions[0]), req.ClusterID, true
		}
	case *kmsg.AddRaftVoterRequest:
		add := &raft.AddRaftVoterRequest{
			Timeout: core.Millis(int64(req.TimeoutMillis)), VoterID: core.NodeID(req.VoterID),
			VoterDirectoryID: req.VoterDirectoryID, AckNow: req.Version >= 1 && !req.AckWhenCommitted,
		}
		for _, l := range req.Listeners {
			add.Listeners = append(add.Listeners, metadata.VoterEndpoint{Name: l.Name, Host: l.Host, Port: l.Port})
		}
		return add, req.ClusterID, true
	case *kmsg.RemoveRaftVoterRequest:
		return &raft.RemoveRaftVoterRequest{VoterID: core.NodeID(req.VoterID), VoterDirectoryID: req.VoterDirectoryID}, req.ClusterID, true
	case *kmsg.UpdateRaftVoterRequest:
		up := &raft.UpdateRaftVoterRequest{
			CurrentLeaderEpoch: core.LeaderEpoch(req.CurrentLeaderEpoch), VoterID: core.NodeID(req.VoterID),
			VoterDirectoryID: req.VoterDirectoryID,
			KRaftMin:         metadata.FeatureLevel(req.KRaftVersionFeature.MinSupportedVersion),
			KRaftMax:         metadata.FeatureLevel(req.KRaftVersionFeature.MaxSupportedVersion),
		}
		for _, l := range req.Listeners {
			up.Listeners = append(up.Listeners, metadata.VoterEndpoint{Name: l.Name, Host: l.Host, Port: l.Port})
		}
		return up, req.ClusterID, true
	default:
		return nil, nil, false
	}
	return nil, nil, true
}

func metadataLog(t *kmsg.FetchRequestTopic) bool {
	return t.Topic == metadataTopic || core.TopicID(t.TopicID) == core.MetadataTopicID
}

func voteRequest(req *kmsg.VoteRequest, rp *kmsg.VoteRequestTopicPartition) *raft.VoteRequest {
	return &raft.VoteRequest{
		VoterID: core.NodeID(req.VoterID), VoterDirectoryID: rp.VoterDirectoryID,
		ReplicaEpoch: core.LeaderEpoch(rp.CandidateEpoch), ReplicaID: core.NodeID(rp.CandidateID),
		ReplicaDirectoryID: rp.CandidateDirectoryID,
		LastOffsetEpoch:    core.LeaderEpoch(rp.LastOffsetEpoch), LastOffset: core.Offset(rp.LastOffset), PreVote: rp.PreVote,
	}
}

func beginRequest(req *kmsg.BeginQuorumEpochRequest, rp *kmsg.BeginQuorumEpochRequestTopicPartition) *raft.BeginQuorumEpochRequest {
	b := &raft.BeginQuorumEpochRequest{
		VoterID: core.NodeID(req.VoterID), VoterDirectoryID: rp.VoterDirectoryID,
		LeaderID: core.NodeID(rp.LeaderID), LeaderEpoch: core.LeaderEpoch(rp.LeaderEpoch),
	}
	for _, e := range req.LeaderEndpoints {
		b.LeaderEndpoints = append(b.LeaderEndpoints, metadata.VoterEndpoint{Name: e.Name, Host: e.Host, Port: e.Port})
	}
	return b
}

func endRequest(req *kmsg.EndQuorumEpochRequest, rp *kmsg.EndQuorumEpochRequestTopicPartition) *raft.EndQuorumEpochRequest {
	e := &raft.EndQuorumEpochRequest{LeaderID: core.NodeID(rp.LeaderID), LeaderEpoch: core.LeaderEpoch(rp.LeaderEpoch)}
	for _, c := range rp.PreferredCandidates {
		e.PreferredCandidates = append(e.PreferredCandidates, raft.VoterKey{ID: core.NodeID(c.CandidateID), DirectoryID: c.CandidateDirectoryID})
	}
	for _, l := range req.LeaderEndpoints {
		e.LeaderEndpoints = append(e.LeaderEndpoints, metadata.VoterEndpoint{Name: l.Name, Host: l.Host, Port: l.Port})
	}
	return e
}

func fetchRequest(req *kmsg.FetchRequest, rp *kmsg.FetchRequestTopicPartition) *raft.FetchRequest {
	f := &raft.FetchRequest{
		ReplicaID: core.NodeID(req.ReplicaID), ReplicaDirectoryID: rp.ReplicaDirectoryID,
		MaxWait: core.Millis(int64(req.MaxWaitMillis)), MaxBytes: rp.PartitionMaxBytes,
		CurrentLeaderEpoch: core.LeaderEpoch(rp.CurrentLeaderEpoch), FetchOffset: core.Offset(rp.FetchOffset),
		LastFetchedEpoch: core.LeaderEpoch(rp.LastFetchedEpoch), HighWatermark: core.Offset(rp.HighWatermark),
	}
	if req.Version >= 15 { // KIP-903
		f.ReplicaID = core.NodeID(req.ReplicaState.ID)
	}
	return f
}

func snapshotRequest(req *kmsg.FetchSnapshotRequest, rp *kmsg.FetchSnapshotRequestTopicPartition) *raft.FetchSnapshotRequest {
	return &raft.FetchSnapshotRequest{
		ReplicaID: core.NodeID(req.ReplicaID), ReplicaDirectoryID: rp.ReplicaDirectoryID, MaxBytes: req.MaxBytes,
		CurrentLeaderEpoch: core.LeaderEpoch(rp.CurrentLeaderEpoch),
		SnapshotID:         raft.OffsetAndEpoch{Offset: core.Offset(rp.SnapshotID.EndOffset), Epoch: core.LeaderEpoch(rp.SnapshotID.Epoch)},
		Position:           rp.Position,
	}
}
