package said

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Vote is a request for a vote in a metadata quorum (KIP-595); a pre-vote (KIP-996) binds nobody.
type Vote struct {
	Epoch     core.LeaderEpoch
	Candidate core.NodeID
	Pre       bool
}

// VoteAsked is what a Vote request asks for; false for anything else.
func VoteAsked(body wire.Request) (Vote, bool) {
	req, ok := body.(*kmsg.VoteRequest)
	if !ok || len(req.Topics) == 0 || len(req.Topics[0].Partitions) == 0 {
		return Vote{}, false
	}
	p := &req.Topics[0].Partitions[0]
	return Vote{Epoch: core.LeaderEpoch(p.CandidateEpoch), Candidate: core.NodeID(p.CandidateID), Pre: p.PreVote}, true
}

// VoteAnswer is the epoch that a Vote response speaks of, and whether it grants; false for anything else.
func VoteAnswer(body wire.Response) (epoch core.LeaderEpoch, granted, ok bool) {
	resp, is := body.(*kmsg.VoteResponse)
	if !is || resp.ErrorCode != 0 || len(resp.Topics) == 0 || len(resp.Topics[0].Partitions) == 0 {
		return 0, false, false
	}
	p := &resp.Topics[0].Partitions[0]
	return core.LeaderEpoch(p.LeaderEpoch), p.VoteGranted, p.ErrorCode == 0
}

// AcksAll reports whether a request is a Produce that wants every in-sync replica to have its records.
func AcksAll(body wire.Request) bool {
	req, ok := body.(*kmsg.ProduceRequest)
	return ok && req.Acks == -1
}

// Acknowledged is one partition of a Produce response without error. Which of Topic and TopicID is set, depends on the version.
type Acknowledged struct {
	Topic     string
	TopicID   core.TopicID
	Partition int32
	Base      core.Offset // of the acknowledged batch
}

// ProduceAnswer is the batch that a Produce response acknowledges, if it is about one partition alone: of several each was decided
// in a turn of its own, and the answer waited for the last.
func ProduceAnswer(body wire.Response) (Acknowledged, bool) {
	resp, ok := body.(*kmsg.ProduceResponse)
	if !ok || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return Acknowledged{}, false
	}
	t := &resp.Topics[0]
	p := &t.Partitions[0]
	return Acknowledged{Topic: t.Topic, TopicID: t.TopicID, Partition: p.Partition, Base: core.Offset(p.BaseOffset)}, p.ErrorCode == 0
}

// Beat is a broker's heartbeat by its registration (KIP-631).
type Beat struct {
	Broker core.NodeID
	Epoch  core.BrokerEpoch
}

// BeatOf is what a BrokerHeartbeat request says; false for anything else.
func BeatOf(body wire.Request) (Beat, bool) {
	req, ok := body.(*kmsg.BrokerHeartbeatRequest)
	if !ok {
		return Beat{}, false
	}
	return Beat{core.NodeID(req.BrokerID), core.BrokerEpoch(req.BrokerEpoch)}, true
}

// BeatTaken reports whether a response takes a heartbeat.
func BeatTaken(body wire.Response) bool {
	resp, ok := body.(*kmsg.BrokerHeartbeatResponse)
	return ok && resp.ErrorCode == 0
}

// TopicsExist calls yield for each name that a CreateTopics response reports to exist already.
func TopicsExist(body wire.Response, yield func(name string)) {
	resp, ok := body.(*kmsg.CreateTopicsResponse)
	if !ok {
		return
	}
	for i := range resp.Topics {
		if core.ErrorCode(resp.Topics[i].ErrorCode) == core.ErrTopicAlreadyExists {
			yield(resp.Topics[i].Topic)
		}
	}
}
