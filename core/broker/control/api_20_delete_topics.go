package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DeleteTopics (key 20).
//
// Behavior: each topic succeeds or fails by itself. The answer is sent when the deletion is committed and applied
// here: the topics are gone from Metadata, and requests that name their ids get UNKNOWN_TOPIC_ID. A topic that comes
// twice, by name or id or both, is not deleted and answers INVALID_REQUEST, once. Rows come in the request's order (Kafka
// shuffles them, to hide which topics the caller may not see).
//
// Version notes: 1-5 name topics, 6 also takes ids. With delete.topic.enable=false 1-2 answer INVALID_REQUEST, 3 and
// above TOPIC_DELETION_DISABLED. 5 adds words.
func (p *Plane) deleteTopics(now core.Now, r *step.Request, req *kmsg.DeleteTopicsRequest) {
	resp := req.ResponseKind().(*kmsg.DeleteTopicsResponse)
	asked, twice := deletions(req, r.Version)
	found := make([]doomed, len(asked))
	times := make(map[core.TopicID]int, len(asked))
	refusals := make([]controller.Refusal, len(asked))
	for i := range asked {
		found[i], refusals[i] = p.topicToDelete(&asked[i], twice[i], r.Version)
		if refusals[i].OK() {
			times[found[i].id]++
		}
	}
	end, deleted := core.NoOffset, false
	for i := range asked {
		row := kmsg.NewDeleteTopicsResponseTopic()
		row.Topic, row.TopicID = asked[i].Topic, asked[i].TopicID
		refusal := refusals[i]
		if t := &found[i]; refusal.OK() {
			row.Topic, row.TopicID = &t.name, t.id
			switch times[t.id] {
			case 0: // refused already
				continue
			case 1:
				end, deleted = p.propose(now, p.ctl.DeleteTopic(t.id)), true
			default:
				times[t.id] = 0
				refusal = controller.Refusal{Code: core.ErrInvalidRequest, Why: "the topic comes by its name and by its id"}
			}
		}
		row.ErrorCode, row.ErrorMessage = int16(refusal.Code), Words(refusal)
		resp.Topics = append(resp.Topics, row)
	}
	if !deleted {
		p.settle(now, r, nil, resp) // what is refused may rest on what is proposed and not yet committed
		return
	}
	p.answerAfter(r, end, false, 0, answer(r, resp))
}

// deletions are the topics to delete as they are asked for, each once, and which of them come more than once.
func deletions(req *kmsg.DeleteTopicsRequest, version int16) (asked []kmsg.DeleteTopicsRequestTopic, twice []bool) {
	type reference struct {
		name  string
		named bool
		id    core.TopicID
	}
	all := req.Topics
	if version < 6 {
		all = nil
		for i := range req.TopicNames {
			all = append(all, kmsg.DeleteTopicsRequestTopic{Topic: &req.TopicNames[i]})
		}
	}
	at := make(map[reference]int, len(all))
	for i := range all {
		ref := reference{named: all[i].Topic != nil, id: all[i].TopicID}
		if ref.named {
			ref.name = *all[i].Topic
		}
		if first, again := at[ref]; again {
			twice[first] = true
			continue
		}
		at[ref] = len(asked)
		asked, twice = append(asked, all[i]), append(twice, false)
	}
	return asked, twice
}

// doomed is a topic to delete.
type doomed struct {
	name string
	id   core.TopicID
}

// topicToDelete finds the topic that is meant, in the controller's image: one that is being created can be deleted, one
// that is being deleted cannot be again.
func (p *Plane) topicToDelete(asked *kmsg.DeleteTopicsRequestTopic, twice bool, version int16) (doomed, controller.Refusal) {
	refuse := func(code core.ErrorCode, why string) (doomed, controller.Refusal) {
		return doomed{}, controller.Refusal{Code: code, Why: why}
	}
	id := core.TopicID(asked.TopicID)
	switch {
	case !p.cfg.DeleteTopicEnable && version < 3:
		return refuse(core.ErrInvalidRequest, "delete.topic.enable is false")
	case !p.cfg.DeleteTopicEnable:
		return refuse(core.ErrTopicDeletionDisabled, "delete.topic.enable is false")
	case asked.Topic == nil && id.IsZero():
		return refuse(core.ErrInvalidRequest, "neither a name nor an id is given")
	case asked.Topic != nil && !id.IsZero():
		return refuse(core.ErrInvalidRequest, "both a name and an id are given")
	case twice:
		return refuse(core.ErrInvalidRequest, "the topic comes more than once in the request")
	}
	var t *metadata.Topic
	if asked.Topic == nil {
		t = p.ctl.Image().TopicByID(id)
	} else {
		t = p.ctl.Image().Topic(*asked.Topic)
	}
	switch {
	case t != nil:
		return doomed{t.Name, t.ID}, controller.Refusal{}
	case asked.Topic == nil:
		return refuse(core.ErrUnknownTopicID, "there is no topic with that id")
	}
	return refuse(core.ErrUnknownTopicOrPartition, "there is no topic of that name")
}
