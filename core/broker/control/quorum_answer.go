package control

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/raft"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// answerQuorum sends the quorum's answers to those who asked.
func (p *Plane) answerQuorum(out *step.Effects) {
	for _, a := range p.quorum.Answers() {
		who, ok := p.askers[a.To]
		if !ok {
			continue // the connection has closed
		}
		delete(p.askers, a.To)
		rep := answer(who.req, quorumResponse(who.req.Body, a.Resp))
		switch a.Resp.(type) {
		case *raft.FetchResponse, *raft.FetchSnapshotResponse:
			rep.Spans = []step.Span{a.Span}
		}
		p.send(rep, out)
	}
}

// quorumResponse translates an answer for whoever sent the request.
//
//nolint:cyclop // one case per api
func quorumResponse(body wire.Request, answer raft.Response) wire.Response {
	resp := body.ResponseKind()
	resp.SetVersion(body.GetVersion())
	switch a := answer.(type) {
	case *raft.VoteResponse:
		fillVote(resp.(*kmsg.VoteResponse), a)
	case *raft.BeginQuorumEpochResponse:
		fillBegin(resp.(*kmsg.BeginQuorumEpochResponse), a)
	case *raft.EndQuorumEpochResponse:
		fillEnd(resp.(*kmsg.EndQuorumEpochResponse), a)
	case *raft.FetchResponse:
		fillFetch(body.(*kmsg.FetchRequest), resp.(*kmsg.FetchResponse), a)
	case *raft.FetchSnapshotResponse:
		fillSnapshot(resp.(*kmsg.FetchSnapshotResponse), a)
	case *raft.AddRaftVoterResponse:
		r := resp.(*kmsg.AddRaftVoterResponse)
		r.ErrorCode, r.ErrorMessage = int16(voterCode(a.Code)), optional(a.Why)
	case *raft.RemoveRaftVoterResponse:
		r := resp.(*kmsg.RemoveRaftVoterResponse)
		r.ErrorCode, r.ErrorMessage = int16(voterCode(a.Code)), optional(a.Why)
	case *raft.UpdateRaftVoterResponse:
		r := resp.(*kmsg.UpdateRaftVoterResponse)
		r.ErrorCode = int16(a.Code)
		r.CurrentLeader.LeaderID, r.CurrentLeader.LeaderEpoch = int32(a.LeaderID), int32(a.LeaderEpoch)
		if host, port, ok := splitHostPort(a.LeaderAddr); ok {
			r.CurrentLeader.Host, r.CurrentLeader.Port = host, int32(port)
		}
	}
	return resp
}

// voterCode is what admin clients are told: that the node is not the quorum's leader is NOT_CONTROLLER to them, and makes a
// broker pass the request on again.
func voterCode(code core.ErrorCode) core.ErrorCode {
	if code == core.ErrNotLeaderOrFollower {
		return core.ErrNotController
	}
	return code
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func fillVote(r *kmsg.VoteResponse, a *raft.VoteResponse) {
	rp := kmsg.NewVoteResponseTopicPartition()
	rp.ErrorCode, rp.VoteGranted = int16(a.Code), a.VoteGranted
	rp.LeaderID, rp.LeaderEpoch = int32(a.LeaderID), int32(a.LeaderEpoch)
	r.Topics = []kmsg.VoteResponseTopic{{Topic: metadataTopic, Partitions: []kmsg.VoteResponseTopicPartition{rp}}}
	if host, port, ok := splitHostPort(a.LeaderAddr); ok {
		r.NodeEndpoints = []kmsg.VoteResponseNodeEndpoint{{NodeID: int32(a.LeaderID), Host: host, Port: port}}
	}
}

func fillBegin(r *kmsg.BeginQuorumEpochResponse, a *raft.BeginQuorumEpochResponse) {
	rp := kmsg.NewBeginQuorumEpochResponseTopicPartition()
	rp.ErrorCode, rp.LeaderID, rp.LeaderEpoch = int16(a.Code), int32(a.LeaderID), int32(a.LeaderEpoch)
	r.Topics = []kmsg.BeginQuorumEpochResponseTopic{{Topic: metadataTopic, Partitions: []kmsg.BeginQuorumEpochResponseTopicPartition{rp}}}
	if host, port, ok := splitHostPort(a.LeaderAddr); ok {
		r.NodeEndpoints = []kmsg.BeginQuorumEpochResponseNodeEndpoint{{NodeID: int32(a.LeaderID), Host: host, Port: port}}
	}
}

func fillEnd(r *kmsg.EndQuorumEpochResponse, a *raft.EndQuorumEpochResponse) {
	rp := kmsg.NewEndQuorumEpochResponseTopicPartition()
	rp.ErrorCode, rp.LeaderID, rp.LeaderEpoch = int16(a.Code), int32(a.LeaderID), int32(a.LeaderEpoch)
	r.Topics = []kmsg.EndQuorumEpochResponseTopic{{Topic: metadataTopic, Partitions: []kmsg.EndQuorumEpochResponseTopicPartition{rp}}}
	if host, port, ok := splitHostPort(a.LeaderAddr); ok {
		r.NodeEndpoints = []kmsg.EndQuorumEpochResponseNodeEndpoint{{NodeID: int32(a.LeaderID), Host: host, Port: port}}
	}
}

func fillFetch(req *kmsg.FetchRequest, r *kmsg.FetchResponse, a *raft.FetchResponse) {
	rp := kmsg.NewFetchResponseTopicPartition()
	rp.ErrorCode = int16(a.Code)
	rp.HighWatermark, rp.LastStableOffset, rp.LogStartOffset = int64(a.HighWatermark), int64(a.HighWatermark), int64(a.LogStartOffset)
	rp.RecordBatches = a.Records
	rp.CurrentLeader.LeaderID, rp.CurrentLeader.LeaderEpoch = int32(a.LeaderID), int32(a.LeaderEpoch)
	if a.DivergingEpoch.Present() {
		rp.DivergingEpoch.Epoch, rp.DivergingEpoch.EndOffset = int32(a.DivergingEpoch.Epoch), int64(a.DivergingEpoch.Offset)
	}
	if a.SnapshotID.Present() {
		rp.SnapshotID.EndOffset, rp.SnapshotID.Epoch = int64(a.SnapshotID.Offset), int32(a.SnapshotID.Epoch)
	}
	t := kmsg.NewFetchResponseTopic()
	t.Topic, t.TopicID = req.Topics[0].Topic, req.Topics[0].TopicID
	t.Partitions = []kmsg.FetchResponseTopicPartition{rp}
	r.Topics = []kmsg.FetchResponseTopic{t}
	if host, port, ok := splitHostPort(a.LeaderAddr); ok {
		r.Brokers = []kmsg.FetchResponseBroker{{NodeID: int32(a.LeaderID), Host: host, Port: int32(port)}}
	}
}

func fillSnapshot(r *kmsg.FetchSnapshotResponse, a *raft.FetchSnapshotResponse) {
	rp := kmsg.NewFetchSnapshotResponseTopicPartition()
	rp.ErrorCode, rp.Size, rp.Position, rp.Bytes = int16(a.Code), a.Size, a.Position, a.Bytes
	rp.SnapshotID.EndOffset, rp.SnapshotID.Epoch = int64(a.SnapshotID.Offset), int32(a.SnapshotID.Epoch)
	rp.CurrentLeader.LeaderID, rp.CurrentLeader.LeaderEpoch = int32(a.LeaderID), int32(a.LeaderEpoch)
	r.Topics = []kmsg.FetchSnapshotResponseTopic{{Topic: metadataTopic, Partitions: []kmsg.FetchSnapshotResponseTopicPartition{rp}}}
	if host, port, ok := splitHostPort(a.LeaderAddr); ok {
		r.NodeEndpoints = []kmsg.FetchSnapshotResponseNodeEndpoint{{NodeID: int32(a.LeaderID), Host: host, Port: port}}
	}
}

// splitHostPort takes "host:port" apart; false if it is no address.
func splitHostPort(addr string) (host string, port uint16, ok bool) {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(addr[i+1:], 10, 16)
	if err != nil {
		return "", 0, false
	}
	host = strings.TrimSuffix(strings.TrimPrefix(addr[:i], "["), "]")
	return host, uint16(n), true
}

// JoinHostPort is an address as diallers take it: IPv6 hosts in brackets.
func JoinHostPort(host string, port int32) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.FormatInt(int64(port), 10)
}
