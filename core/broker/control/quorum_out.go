package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/raft"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Versions of the quorum's requests as this node sends them: Kafka 4.4's.
const (
	voteVersion     = 2
	epochVersion    = 1
	fetchVersion    = 17
	snapshotVersion = 1
)

// Lanes of the quorum's connections.
const (
	laneElections peer.Lane = iota
	laneMetadata            // long polls
)

// exchange sends the quorum's calls and answers.
func (p *Plane) exchange(now core.Now, out *step.Effects) {
	for _, c := range p.quorum.Calls() {
		id, timeout := c.ID, core.Millis(p.cfg.QuorumRequestTimeoutMs)
		lane := laneElections
		if c.Lane == raft.LaneFetch {
			lane = laneMetadata
			timeout = core.Millis(p.cfg.QuorumFetchTimeoutMs)
		}
		p.opts.Peers.Call(now, peer.Call{
			Addr: c.To.Addr, Lane: lane, Body: p.quorumCall(&c), Timeout: timeout,
			Then: func(now core.Now, r *peer.Result, out *step.Effects) {
				if r.Broken {
					p.quorum.Unreachable(now, id, out)
					return
				}
				if r.Body != nil && Code(r.Body) == core.ErrInconsistentClusterID {
					p.stranger(c.To.Addr)
				}
				p.quorum.Response(now, id, p.quorumAnswer(r.Body), out)
			},
		}, out)
	}
	p.answerQuorum(out)
}

// quorumCall translates a call of the quorum.
func (p *Plane) quorumCall(c *raft.Call) wire.Request {
	cluster := &p.cfg.ClusterID
	switch req := c.Req.(type) {
	case *raft.VoteRequest:
		return sendVote(cluster, req)
	case *raft.BeginQuorumEpochRequest:
		return sendBegin(cluster, req)
	case *raft.EndQuorumEpochRequest:
		return sendEnd(cluster, req)
	case *raft.FetchRequest:
		return p.sendFetch(cluster, req)
	case *raft.FetchSnapshotRequest:
		return sendSnapshot(cluster, req)
	case *raft.AddRaftVoterRequest:
		r := kmsg.NewPtrAddRaftVoterRequest()
		r.SetVersion(1)
		r.ClusterID, r.TimeoutMillis = cluster, int32(req.Timeout/core.Millisecond)
		r.VoterID, r.VoterDirectoryID, r.AckWhenCommitted = int32(req.VoterID), req.VoterDirectoryID, !req.AckNow
		for _, e := range req.Listeners {
			r.Listeners = append(r.Listeners, kmsg.AddRaftVoterRequestListener{Name: e.Name, Host: e.Host, Port: e.Port})
		}
		return r
	case *raft.RemoveRaftVoterRequest:
		r := kmsg.NewPtrRemoveRaftVoterRequest()
		r.ClusterID, r.VoterID, r.VoterDirectoryID = cluster, int32(req.VoterID), req.VoterDirectoryID
		return r
	case *raft.UpdateRaftVoterRequest:
		return sendUpdate(cluster, req)
	}
	panic("control: a call that has no request")
}

func sendVote(cluster *string, req *raft.VoteRequest) *kmsg.VoteRequest {
	r := kmsg.NewPtrVoteRequest()
	r.SetVersion(voteVersion)
	r.ClusterID, r.VoterID = cluster, int32(req.VoterID)
	rp := kmsg.NewVoteRequestTopicPartition()
	rp.CandidateEpoch, rp.CandidateID, rp.CandidateDirectoryID = int32(req.ReplicaEpoch), int32(req.ReplicaID), req.ReplicaDirectoryID
	rp.VoterDirectoryID, rp.LastOffsetEpoch, rp.LastOffset = req.VoterDirectoryID, int32(req.LastOffsetEpoch), int64(req.LastOffset)
	rp.PreVote = req.PreVote
	r.Topics = []kmsg.VoteRequestTopic{{Topic: metadataTopic, Partitions: []kmsg.VoteRequestTopicPartition{rp}}}
	return r
}

func sendBegin(cluster *string, req *raft.BeginQuorumEpochRequest) *kmsg.BeginQuorumEpochRequest {
	r := kmsg.NewPtrBeginQuorumEpochRequest()
	r.SetVersion(epochVersion)
	r.ClusterID, r.VoterID = cluster, int32(req.VoterID)
	rp := kmsg.NewBeginQuorumEpochRequestTopicPartition()
	rp.VoterDirectoryID, rp.LeaderID, rp.LeaderEpoch = req.VoterDirectoryID, int32(req.LeaderID), int32(req.LeaderEpoch)
	r.Topics = []kmsg.BeginQuorumEpochRequestTopic{{Topic: metadataTopic, Partitions: []kmsg.BeginQuorumEpochRequestTopicPartition{rp}}}
	for _, e := range req.LeaderEndpoints {
		r.LeaderEndpoints = append(r.LeaderEndpoints, kmsg.BeginQuorumEpochRequestLeaderEndpoint{Name: e.Name, Host: e.Host, Port: e.Port})
	}
	return r
}

func sendEnd(cluster *string, req *raft.EndQuorumEpochRequest) *kmsg.EndQuorumEpochRequest {
	r := kmsg.NewPtrEndQuorumEpochRequest()
	r.SetVersion(epochVersion)
	r.ClusterID = cluster
	rp := kmsg.NewEndQuorumEpochRequestTopicPartition()
	rp.LeaderID, rp.LeaderEpoch = int32(req.LeaderID), int32(req.LeaderEpoch)
	for _, k := range req.PreferredCandidates {
		rp.PreferredCandidates = append(rp.PreferredCandidates, kmsg.EndQuorumEpochRequestTopicPartitionPreferredCandidate{
			CandidateID: int32(k.ID), CandidateDirectoryID: k.DirectoryID,
		})
	}
	r.Topics = []kmsg.EndQuorumEpochRequestTopic{{Topic: metadataTopic, Partitions: []kmsg.EndQuorumEpochRequestTopicPartition{rp}}}
	for _, e := range req.LeaderEndpoints {
		r.LeaderEndpoints = append(r.LeaderEndpoints, kmsg.EndQuorumEpochRequestLeaderEndpoint{Name: e.Name, Host: e.Host, Port: e.Port})
	}
	return r
}

func (p *Plane) sendFetch(cluster *string, req *raft.FetchRequest) *kmsg.FetchRequest {
	r := kmsg.NewPtrFetchRequest()
	r.SetVersion(fetchVersion)
	if req.HighWatermark != raft.KnowsAnyHighWatermark {
		r.SetVersion(fetchVersion + 1) // KIP-1166
	}
	r.ClusterID, r.ReplicaID, r.ReplicaState.ID = cluster, -1, int32(req.ReplicaID)
	r.MaxWaitMillis, r.MinBytes, r.MaxBytes = int32(req.MaxWait/core.Millisecond), 0, req.MaxBytes
	r.SessionID, r.SessionEpoch = 0, -1
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.CurrentLeaderEpoch, rp.FetchOffset, rp.LastFetchedEpoch = int32(req.CurrentLeaderEpoch), int64(req.FetchOffset), int32(req.LastFetchedEpoch)
	rp.PartitionMaxBytes, rp.ReplicaDirectoryID, rp.HighWatermark = req.MaxBytes, req.ReplicaDirectoryID, int64(req.HighWatermark)
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = metadataTopic, core.MetadataTopicID
	t.Partitions = []kmsg.FetchRequestTopicPartition{rp}
	r.Topics = []kmsg.FetchRequestTopic{t}
	return r
}

func sendSnapshot(cluster *string, req *raft.FetchSnapshotRequest) *kmsg.FetchSnapshotRequest {
	r := kmsg.NewPtrFetchSnapshotRequest()
	r.SetVersion(snapshotVersion)
	r.ClusterID, r.ReplicaID, r.MaxBytes = cluster, int32(req.ReplicaID), req.MaxBytes
	rp := kmsg.NewFetchSnapshotRequestTopicPartition()
	rp.CurrentLeaderEpoch, rp.Position, rp.ReplicaDirectoryID = int32(req.CurrentLeaderEpoch), req.Position, req.ReplicaDirectoryID
	rp.SnapshotID.EndOffset, rp.SnapshotID.Epoch = int64(req.SnapshotID.Offset), int32(req.SnapshotID.Epoch)
	r.Topics = []kmsg.FetchSnapshotRequestTopic{{Topic: metadataTopic, Partitions: []kmsg.FetchSnapshotRequestTopicPartition{rp}}}
	return r
}

func sendUpdate(cluster *string, req *raft.UpdateRaftVoterRequest) *kmsg.UpdateRaftVoterRequest {
	r := kmsg.NewPtrUpdateRaftVoterRequest()
	r.ClusterID, r.CurrentLeaderEpoch = cluster, int32(req.CurrentLeaderEpoch)
	r.VoterID, r.VoterDirectoryID = int32(req.VoterID), req.VoterDirectoryID
	r.KRaftVersionFeature.MinSupportedVersion, r.KRaftVersionFeature.MaxSupportedVersion = int16(req.KRaftMin), int16(req.KRaftMax)
	for _, e := range req.Listeners {
		r.Listeners = append(r.Listeners, kmsg.UpdateRaftVoterRequestListener{Name: e.Name, Host: e.Host, Port: e.Port})
	}
	return r
}

// quorumAnswer translates a peer's response; nil if there is none, or none that the quorum can use.
//
//nolint:cyclop // one case per api
func (p *Plane) quorumAnswer(body wire.Response) raft.Response {
	switch r := body.(type) {
	case *kmsg.VoteResponse:
		if r.ErrorCode == 0 && len(r.Topics) == 1 && len(r.Topics[0].Partitions) == 1 {
			rp := &r.Topics[0].Partitions[0]
			addr := ""
			if len(r.NodeEndpoints) > 0 {
				addr = JoinHostPort(r.NodeEndpoints[0].Host, int32(r.NodeEndpoints[0].Port))
			}
			return &raft.VoteResponse{Code: core.ErrorCode(rp.ErrorCode), Current: current(rp.LeaderID, rp.LeaderEpoch, addr), VoteGranted: rp.VoteGranted}
		}
	case *kmsg.BeginQuorumEpochResponse:
		if r.ErrorCode == 0 && len(r.Topics) == 1 && len(r.Topics[0].Partitions) == 1 {
			rp := &r.Topics[0].Partitions[0]
			return &raft.BeginQuorumEpochResponse{Code: core.ErrorCode(rp.ErrorCode), Current: current(rp.LeaderID, rp.LeaderEpoch, "")}
		}
	case *kmsg.EndQuorumEpochResponse:
		if r.ErrorCode == 0 && len(r.Topics) == 1 && len(r.Topics[0].Partitions) == 1 {
			rp := &r.Topics[0].Partitions[0]
			return &raft.EndQuorumEpochResponse{Code: core.ErrorCode(rp.ErrorCode), Current: current(rp.LeaderID, rp.LeaderEpoch, "")}
		}
	case *kmsg.FetchResponse:
		if r.ErrorCode == 0 && len(r.Topics) == 1 && len(r.Topics[0].Partitions) == 1 {
			return fetchAnswer(r, &r.Topics[0].Partitions[0])
		}
	case *kmsg.FetchSnapshotResponse:
		if r.ErrorCode == 0 && len(r.Topics) == 1 && len(r.Topics[0].Partitions) == 1 {
			return snapshotAnswer(r, &r.Topics[0].Partitions[0])
		}
	case *kmsg.AddRaftVoterResponse:
		return &raft.AddRaftVoterResponse{Code: core.ErrorCode(r.ErrorCode), Current: current(-1, -1, "")}
	case *kmsg.RemoveRaftVoterResponse:
		return &raft.RemoveRaftVoterResponse{Code: core.ErrorCode(r.ErrorCode), Current: current(-1, -1, "")}
	case *kmsg.UpdateRaftVoterResponse:
		addr := ""
		if r.CurrentLeader.Host != "" {
			addr = JoinHostPort(r.CurrentLeader.Host, r.CurrentLeader.Port)
		}
		return &raft.UpdateRaftVoterResponse{Code: core.ErrorCode(r.ErrorCode), Current: current(r.CurrentLeader.LeaderID, r.CurrentLeader.LeaderEpoch, addr)}
	}
	return nil
}

func current(leader, epoch int32, addr string) raft.Current {
	return raft.Current{LeaderID: core.NodeID(leader), LeaderEpoch: core.LeaderEpoch(epoch), LeaderAddr: addr}
}

func fetchAnswer(r *kmsg.FetchResponse, rp *kmsg.FetchResponseTopicPartition) *raft.FetchResponse {
	addr := ""
	if len(r.Brokers) > 0 {
		addr = JoinHostPort(r.Brokers[0].Host, r.Brokers[0].Port)
	}
	return &raft.FetchResponse{
		Code: core.ErrorCode(rp.ErrorCode), Current: current(rp.CurrentLeader.LeaderID, rp.CurrentLeader.LeaderEpoch, addr),
		HighWatermark: core.Offset(rp.HighWatermark), LogStartOffset: core.Offset(rp.LogStartOffset),
		DivergingEpoch: raft.OffsetAndEpoch{Offset: core.Offset(rp.DivergingEpoch.EndOffset), Epoch: core.LeaderEpoch(rp.DivergingEpoch.Epoch)},
		SnapshotID:     raft.OffsetAndEpoch{Offset: core.Offset(rp.SnapshotID.EndOffset), Epoch: core.LeaderEpoch(rp.SnapshotID.Epoch)},
		Records:        rp.RecordBatches,
	}
}

func snapshotAnswer(r *kmsg.FetchSnapshotResponse, rp *kmsg.FetchSnapshotResponseTopicPartition) *raft.FetchSnapshotResponse {
	addr := ""
	if len(r.NodeEndpoints) > 0 {
		addr = JoinHostPort(r.NodeEndpoints[0].Host, int32(r.NodeEndpoints[0].Port))
	}
	return &raft.FetchSnapshotResponse{
		Code: core.ErrorCode(rp.ErrorCode), Current: current(rp.CurrentLeader.LeaderID, rp.CurrentLeader.LeaderEpoch, addr),
		SnapshotID: raft.OffsetAndEpoch{Offset: core.Offset(rp.SnapshotID.EndOffset), Epoch: core.LeaderEpoch(rp.SnapshotID.Epoch)},
		Size:       rp.Size, Position: rp.Position, Bytes: rp.Bytes,
	}
}

// endpoints are this node's controller listeners as the quorum announces them.
func (p *Plane) endpoints() []metadata.VoterEndpoint {
	var out []metadata.VoterEndpoint
	for _, l := range p.cfg.ControllerListeners {
		out = append(out, metadata.VoterEndpoint{Name: l.Name, Host: l.AdvertisedHost, Port: uint16(l.AdvertisedPort)})
	}
	return out
}
