package groups

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetDelete (key 47, KIP-496).
//
// Behavior: deletes committed offsets of a group. Topics that members subscribe to are GROUP_SUBSCRIBED_TO_TOPIC; a group with
// members whose subscriptions nobody can read is NON_EMPTY_GROUP. A partition without an offset is no error, one that does
// not exist is UNKNOWN_TOPIC_OR_PARTITION.
func (p *Plane) offsetDelete(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.OffsetDeleteRequest)
	w := begin(r, 1)
	if !validMemberGroup(req.Group) {
		w.Refuse(0, core.ErrInvalidGroupID, out)
		return
	}
	s := p.Serving(w, 0, req.Group, out)
	if s == nil {
		return
	}
	resp := w.Resp.(*kmsg.OffsetDeleteResponse)
	var tps []core.TopicPartition
	var rows [][2]int
	for i := range req.Topics {
		t := kmsg.OffsetDeleteResponseTopic{Topic: req.Topics[i].Topic}
		known := p.host.Image().Topic(t.Topic)
		for j := range req.Topics[i].Partitions {
			row := kmsg.OffsetDeleteResponseTopicPartition{Partition: req.Topics[i].Partitions[j].Partition}
			if known == nil || known.Partition(row.Partition) == nil {
				row.ErrorCode = int16(core.ErrUnknownTopicOrPartition)
			} else {
				tps = append(tps, core.TopicPartition{Topic: t.Topic, Partition: row.Partition})
				rows = append(rows, [2]int{i, j})
			}
			t.Partitions = append(t.Partitions, row)
		}
		resp.Topics = append(resp.Topics, t)
	}
	codes, code := s.Machine().DeleteOffsets(now, req.Group, tps)
	if code != core.ErrNone {
		resp.ErrorCode, resp.Topics = int16(code), nil
	}
	out.Sometimes(slices.Contains(codes, core.ErrNone), "groups.offset-deleted", nil)
	for k := range codes {
		resp.Topics[rows[k][0]].Partitions[rows[k][1]].ErrorCode = int16(codes[k])
	}
	p.Wait(now, s, w, 0, out)
}
