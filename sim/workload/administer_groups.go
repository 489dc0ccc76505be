package workload

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// deleteOffsets asks for the deletion of what a group has committed for partitions of one topic.
func deleteOffsets(op *Op, list []core.TopicPartition) kmsg.Request {
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Group = groupID(op.Group)
	t := kmsg.NewOffsetDeleteRequestTopic()
	t.Topic = op.Topic
	for _, tp := range list {
		t.Partitions = append(t.Partitions, kmsg.OffsetDeleteRequestTopicPartition{Partition: tp.Partition})
	}
	req.Topics = append(req.Topics, t)
	return req
}

// forgotten records what became of a deletion of offsets.
func (r *administering) forgotten(at core.Mono, t *task, rep *admin.Reply) {
	resp, ok := rep.Body.(*kmsg.OffsetDeleteResponse)
	for _, tp := range t.forget {
		code := rep.Err
		if ok && code == core.ErrNone {
			code = rowOf(resp, tp)
		}
		outcome := history.OK
		switch {
		case code == core.ErrNone && ok:
		case !rep.Ambiguous && (rep.Attempts == 0 || rep.Attempts == 1 && refusesToForget(code)):
			outcome = history.Fail
		default: // an attempt before the one that was refused may have been in the log already
			outcome = history.Info
		}
		r.forget(at, t, tp, outcome, code, rep.Ambiguous)
	}
}

// rowOf is the answer for one partition.
func rowOf(resp *kmsg.OffsetDeleteResponse, tp core.TopicPartition) core.ErrorCode {
	for i := range resp.Topics {
		for _, p := range resp.Topics[i].Partitions {
			if resp.Topics[i].Topic == tp.Topic && p.Partition == tp.Partition {
				return core.ErrorCode(p.ErrorCode)
			}
		}
	}
	return core.ErrorCode(resp.ErrorCode)
}

// refusesToForget reports whether a coordinator that answers so has certainly done nothing.
func refusesToForget(code core.ErrorCode) bool {
	switch code {
	case core.ErrGroupSubscribedToTopic, core.ErrNonEmptyGroup, core.ErrGroupIDNotFound, core.ErrUnknownTopicOrPartition:
		return true
	default:
		return false
	}
}

func (r *administering) forget(at core.Mono, t *task, tp core.TopicPartition, outcome history.Outcome, code core.ErrorCode, ambiguous bool) {
	r.c.env.Log.Group(r.c.op(t.start, at, outcome, code), history.Group{
		Place: history.Place{Topic: r.c.env.Topics.Ref(tp.Topic, core.TopicID{}), Partition: tp.Partition}, Group: t.op.Group,
		Step: history.Deleted, Generation: -1, From: core.NoOffset, To: core.NoOffset, Ambiguous: ambiguous, Before: -1,
	})
}
