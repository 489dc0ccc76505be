package facts

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// meta notes that a message is about the metadata log; every quorum RPC carries that one partition.
func (w *writer) meta(from core.Offset, err int16) {
	w.part("", core.MetadataTopicID, 0, from, core.NoOffset, err)
}

// quorumRequest writes the requests of the metadata quorum (KIP-595, KIP-630, KIP-853, KIP-996).
func (w *writer) quorumRequest(r kmsg.Request) bool {
	switch r := r.(type) {
	case *kmsg.VoteRequest:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.meta(core.NoOffset, 0)
				kind := "vote for"
				if p.PreVote {
					kind = "would you vote for"
				}
				w.say("%s %d in epoch %d? its log ends at %d with epoch %d", kind, p.CandidateID, p.CandidateEpoch, p.LastOffset, p.LastOffsetEpoch)
			}
		}
	case *kmsg.BeginQuorumEpochRequest:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.meta(core.NoOffset, 0)
				w.say("%d leads epoch %d", p.LeaderID, p.LeaderEpoch)
			}
		}
	case *kmsg.EndQuorumEpochRequest:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.meta(core.NoOffset, 0)
				w.say("%d gives up epoch %d", p.LeaderID, p.LeaderEpoch)
			}
		}
	case *kmsg.FetchSnapshotRequest:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.meta(core.NoOffset, 0)
				w.say("snapshot at %d of epoch %d, from byte %d", p.SnapshotID.EndOffset, p.SnapshotID.Epoch, p.Position)
			}
		}
	case *kmsg.AddRaftVoterRequest:
		w.meta(core.NoOffset, 0)
		w.say("make %d a voter", r.VoterID)
	case *kmsg.RemoveRaftVoterRequest:
		w.meta(core.NoOffset, 0)
		w.say("%d is to be no voter", r.VoterID)
	case *kmsg.UpdateRaftVoterRequest:
		w.meta(core.NoOffset, 0)
		w.say("voter %d, kraft.version %d..%d", r.VoterID, r.KRaftVersionFeature.MinSupportedVersion, r.KRaftVersionFeature.MaxSupportedVersion)
	default:
		return false
	}
	return true
}

// quorumResponse writes the responses to the same.
func (w *writer) quorumResponse(r kmsg.Response) bool {
	switch r := r.(type) {
	case *kmsg.VoteResponse:
		w.top(r.ErrorCode)
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.meta(core.NoOffset, p.ErrorCode)
				answer := "no"
				if p.VoteGranted {
					answer = "yes"
				}
				w.say("%s, epoch %d%s%s", answer, p.LeaderEpoch, leads(p.LeaderID), failed(p.ErrorCode))
			}
		}
	case *kmsg.BeginQuorumEpochResponse:
		w.top(r.ErrorCode)
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.meta(core.NoOffset, p.ErrorCode)
				w.say("epoch %d%s%s", p.LeaderEpoch, leads(p.LeaderID), failed(p.ErrorCode))
			}
		}
	case *kmsg.EndQuorumEpochResponse:
		w.top(r.ErrorCode)
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.meta(core.NoOffset, p.ErrorCode)
				w.say("epoch %d%s%s", p.LeaderEpoch, leads(p.LeaderID), failed(p.ErrorCode))
			}
		}
	case *kmsg.FetchSnapshotResponse:
		w.top(r.ErrorCode)
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.meta(core.NoOffset, p.ErrorCode)
				w.say("%d of %d bytes from %d on%s", len(p.Bytes), p.Size, p.Position, failed(p.ErrorCode))
			}
		}
	default:
		return false
	}
	return true
}

// top notes an error that concerns the whole message.
func (w *writer) top(code int16) {
	if w.err(code); code != 0 {
		w.say("%v", core.ErrorCode(code))
	}
}

// leads names a leader where there is one.
func leads(id int32) string {
	if id < 0 {
		return ""
	}
	return fmt.Sprintf(", led by %d", id)
}
