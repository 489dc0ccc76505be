package groups

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/group"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetCommit (key 8).
//
// Behavior: the offsets of one request go into one batch of the offsets topic and are answered when that is committed. A
// member must be of the current generation; without one (-1) the group must be empty, and is made if it is not there.
// Partitions that do not exist are refused one by one, as is metadata longer than offset.metadata.max.bytes.
//
// Version notes: 2 to 4 have a retention time of the client's own (KIP-211); 6 the leader epoch (KIP-320); 7
// group.instance.id (KIP-345); 9 member epochs (KIP-848), without which members of the new protocol get UNSUPPORTED_VERSION, and
// GROUP_ID_NOT_FOUND where older ones get ILLEGAL_GENERATION; 10 topic ids.
func (p *Plane) offsetCommit(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.OffsetCommitRequest)
	w := begin(r, 1)
	if !shards.ValidKey(req.Group) {
		w.Refuse(0, core.ErrInvalidGroupID, out)
		return
	}
	s := p.Serving(w, 0, req.Group, out)
	if s == nil {
		return
	}
	resp := w.Resp.(*kmsg.OffsetCommitResponse)
	commits, rows := p.commits(r.Version, req, resp)
	retention := int64(-1)
	if r.Version >= 2 && r.Version <= 4 {
		retention = req.RetentionTimeMillis
	}
	who := group.Committer{MemberID: req.MemberID, InstanceID: req.InstanceID, Generation: req.Generation, Old: r.Version < 9}
	codes, code := s.Machine().CommitOffsets(now, req.Group, &who, commits, retention)
	if code == core.ErrGroupIDNotFound && r.Version < 9 {
		code = core.ErrIllegalGeneration // older clients do not know the other
	}
	if code != core.ErrNone {
		out.Sometimes(code != core.ErrGroupIDNotFound, "groups.commit-fenced", nil)
		refuseCommit(req, resp, code)
	}
	for i := range codes {
		rows[i].ErrorCode = int16(codes[i])
	}
	p.Wait(now, s, w, 0, out)
}

// commits are the offsets of a request whose partitions exist, each with the row of the response that it is answered in. The
// other rows say what is wrong.
func (p *Plane) commits(
	version int16, req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse,
) (list []group.Commit, rows []*kmsg.OffsetCommitResponseTopicPartition) {
	image := p.host.Image()
	commitRows(req, resp)
	for i := range req.Topics {
		t, missing := image.Topic(req.Topics[i].Topic), core.ErrUnknownTopicOrPartition
		if version >= 10 {
			if t = image.TopicByID(req.Topics[i].TopicID); t == nil {
				missing = core.ErrUnknownTopicID
			}
		}
		for j := range req.Topics[i].Partitions {
			o, row := &req.Topics[i].Partitions[j], &resp.Topics[i].Partitions[j]
			if t == nil || t.Partition(o.Partition) == nil {
				row.ErrorCode = int16(missing)
				continue
			}
			c := group.Commit{
				Topic: t.Name, TopicID: t.ID, Partition: o.Partition, Offset: core.Offset(o.Offset), LeaderEpoch: core.LeaderEpoch(o.LeaderEpoch),
			}
			if o.Metadata != nil {
				c.Metadata = *o.Metadata // null is stored as empty
			}
			list, rows = append(list, c), append(rows, row)
		}
	}
	return list, rows
}

// commitRows makes a row for each partition of the request, in its order.
func commitRows(req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse) {
	resp.Topics = make([]kmsg.OffsetCommitResponseTopic, len(req.Topics))
	for i := range req.Topics {
		t, rt := &req.Topics[i], &resp.Topics[i]
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		rt.Partitions = make([]kmsg.OffsetCommitResponseTopicPartition, len(t.Partitions))
		for j := range t.Partitions {
			rt.Partitions[j].Partition = t.Partitions[j].Partition
		}
	}
}

// refuseCommit answers every partition with one code.
func refuseCommit(req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, code core.ErrorCode) {
	commitRows(req, resp)
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			resp.Topics[i].Partitions[j].ErrorCode = int16(code)
		}
	}
}
