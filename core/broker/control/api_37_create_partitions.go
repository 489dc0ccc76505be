package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CreatePartitions (key 37, KIP-195).
//
// Behavior: raises topics to a number of partitions; one row per topic, in the request's order. Shrinking, and the
// number that there is already, are INVALID_PARTITIONS; more than 10,000 at once POLICY_VIOLATION. A topic that comes twice is INVALID_REQUEST, once. The answer
// is sent when the partitions are committed and those here can be written to, or after the timeout when they are
// committed.
//
// Version notes: 2 is flexible; 0-3 mean the same.
func (p *Plane) createPartitions(now core.Now, r *step.Request, req *kmsg.CreatePartitionsRequest) {
	resp := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
	count := make(map[string]int, len(req.Topics))
	for i := range req.Topics {
		count[req.Topics[i].Topic]++
	}
	end, created := core.NoOffset, false
	spent := 0
	for i := range req.Topics {
		t := &req.Topics[i]
		n := count[t.Topic]
		if n == 0 { // refused already
			continue
		}
		row := kmsg.NewCreatePartitionsResponseTopic()
		row.Topic = t.Topic
		var refusal controller.Refusal
		if n > 1 {
			count[t.Topic] = 0
			refusal = controller.Refusal{Code: core.ErrInvalidRequest, Why: "the topic comes more than once in the request"}
		} else {
			var recs []metadata.Record
			refusal, recs = p.ctl.CreatePartitions(t.Topic, t.Count, newAssignments(t.Assignment), spent)
			spent += len(recs)
			if refusal.OK() && !req.ValidateOnly {
				end, created = p.propose(now, recs), true
			}
		}
		row.ErrorCode, row.ErrorMessage = int16(refusal.Code), Words(refusal)
		resp.Topics = append(resp.Topics, row)
	}
	if !created {
		p.settle(now, r, nil, resp) // what is refused may rest on what is proposed and not yet committed
		return
	}
	p.answerAfter(r, end, true, requestDeadline(now, req.TimeoutMillis), answer(r, resp))
}

// newAssignments keeps the difference between null (the controller places) and empty (wrong, since something is added).
func newAssignments(asked []kmsg.CreatePartitionsRequestTopicAssignment) [][]core.NodeID {
	if asked == nil {
		return nil
	}
	out := make([][]core.NodeID, len(asked))
	for i := range asked {
		out[i] = BrokerIDs(asked[i].Replicas)
	}
	return out
}
