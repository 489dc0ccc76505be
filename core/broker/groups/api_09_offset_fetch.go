package groups

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetFetch (key 9).
//
// Behavior: answers committed offsets; -1, without an error, where there is none, and for groups that are not there. It waits
// until what it read is committed (Kafka answers from what was committed at that moment, unless require_stable is set). An
// offset of an earlier incarnation of a topic is none. With require_stable it waits for a record of its own besides: a coordinator
// that has been replaced and does not know it cannot commit that, and so shows nobody an offset from before what a transaction
// has committed elsewhere. In Kafka it can: a pipeline that goes back to such an offset makes its output twice.
//
// Version notes: 2 has a code for the whole and null for all topics; 5 the leader epoch (KIP-320); 7 require_stable: an
// offset that an open transaction may replace is UNSTABLE_OFFSET_COMMIT (KIP-447); 8 takes several groups (KIP-709); 9 member
// epochs (KIP-848); 10 topic ids.
func (p *Plane) offsetFetch(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.OffsetFetchRequest)
	if r.Version < 8 {
		single(req)
	}
	w := begin(r, len(req.Groups))
	resp := w.Resp.(*kmsg.OffsetFetchResponse)
	resp.Groups = make([]kmsg.OffsetFetchResponseGroup, len(req.Groups))
	if len(req.Groups) == 0 {
		w.Left = 1
		w.Done(out)
		return
	}
	again := repeated(len(req.Groups))
	for i := range req.Groups {
		g := &req.Groups[i]
		resp.Groups[i].Group = g.Group
		if code := checkBatched(g.Group, again(g.Group)); code != core.ErrNone {
			w.Refuse(i, code, out)
			continue
		}
		s := p.Serving(w, i, g.Group, out)
		if s == nil {
			continue
		}
		f := fetcher{image: p.host.Image(), c: s.Machine(), version: r.Version, stable: req.RequireStable, req: g}
		if r.Version >= 9 {
			member := ""
			if g.MemberID != nil {
				member = *g.MemberID
			}
			if code := s.Machine().CheckFetch(g.Group, member, g.MemberEpoch); code != core.ErrNone {
				w.Refuse(i, code, out)
				continue
			}
		}
		if req.RequireStable {
			if code := s.Machine().Confirm(now); code != core.ErrNone {
				w.Refuse(i, code, out)
				continue
			}
		}
		if resp.Groups[i].Topics = f.named(); g.Topics == nil {
			resp.Groups[i].Topics = f.all()
		}
		if r.Version < 8 {
			lower(resp)
		}
		p.Wait(now, s, w, i, out)
	}
}

// single makes a request of the versions before 8 one of the later form.
func single(req *kmsg.OffsetFetchRequest) {
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = req.Group
	if req.Topics != nil {
		g.Topics = []kmsg.OffsetFetchRequestGroupTopic{}
	}
	for i := range req.Topics {
		g.Topics = append(g.Topics, kmsg.OffsetFetchRequestGroupTopic{Topic: req.Topics[i].Topic, Partitions: req.Topics[i].Partitions})
	}
	req.Groups = []kmsg.OffsetFetchRequestGroup{g}
}

// lower writes the only group of a response where versions before 8 have it.
func lower(resp *kmsg.OffsetFetchResponse) {
	g := &resp.Groups[0]
	resp.ErrorCode, resp.Topics = g.ErrorCode, nil
	for i := range g.Topics {
		t := kmsg.NewOffsetFetchResponseTopic()
		t.Topic = g.Topics[i].Topic
		for _, row := range g.Topics[i].Partitions {
			t.Partitions = append(t.Partitions, kmsg.OffsetFetchResponseTopicPartition{
				Partition: row.Partition, Offset: row.Offset, LeaderEpoch: row.LeaderEpoch, Metadata: row.Metadata, ErrorCode: row.ErrorCode,
			})
		}
		resp.Topics = append(resp.Topics, t)
	}
}

// fetcher reads the offsets of one group.
type fetcher struct {
	image   *metadata.Image
	c       *group.Coordinator
	version int16
	stable  bool
	req     *kmsg.OffsetFetchRequestGroup
}

// named are the partitions that the request names. One that comes again is refused then: the metadata of four kilobytes that it may have
// would answer each four bytes of the request.
func (f *fetcher) named() []kmsg.OffsetFetchResponseGroupTopic {
	seen := make(map[core.TopicPartition]bool)
	topics := make([]kmsg.OffsetFetchResponseGroupTopic, 0, len(f.req.Topics))
	for i := range f.req.Topics {
		t := &f.req.Topics[i]
		row := kmsg.OffsetFetchResponseGroupTopic{Topic: t.Topic, TopicID: t.TopicID}
		name, code := t.Topic, core.ErrNone
		var id core.TopicID
		if f.version >= 10 {
			if known := f.image.TopicByID(t.TopicID); known != nil {
				name, id = known.Name, known.ID
			} else {
				code = core.ErrUnknownTopicID
			}
		} else if known := f.image.Topic(name); known != nil {
			id = known.ID
		}
		for _, partition := range t.Partitions {
			tp, code := core.TopicPartition{Topic: name, Partition: partition}, code
			if code == core.ErrNone && seen[tp] {
				code = core.ErrInvalidRequest
			}
			if code != core.ErrNone {
				row.Partitions = append(row.Partitions, offsetRow(partition, group.Fetched{}, code))
				continue
			}
			seen[tp] = true
			row.Partitions = append(row.Partitions, offsetRow(partition, f.c.FetchOffset(f.req.Group, tp, id, f.stable), core.ErrNone))
		}
		topics = append(topics, row)
	}
	return topics
}

// all are the partitions for which the group has committed something. Topics without an id cannot be named in version 10;
// they do not exist any more.
func (f *fetcher) all() []kmsg.OffsetFetchResponseGroupTopic {
	topics := []kmsg.OffsetFetchResponseGroupTopic{}
	for tp := range f.c.Offsets().Group(f.req.Group) {
		var id core.TopicID
		if known := f.image.Topic(tp.Topic); known != nil {
			id = known.ID
		} else if f.version >= 10 {
			continue
		}
		o := f.c.FetchOffset(f.req.Group, tp, id, f.stable)
		if !o.Found && !o.Unstable {
			continue
		}
		if n := len(topics); n == 0 || topics[n-1].Topic != tp.Topic {
			topics = append(topics, kmsg.OffsetFetchResponseGroupTopic{Topic: tp.Topic, TopicID: id})
		}
		last := &topics[len(topics)-1]
		last.Partitions = append(last.Partitions, offsetRow(tp.Partition, o, core.ErrNone))
	}
	return topics
}

func offsetRow(partition int32, f group.Fetched, code core.ErrorCode) kmsg.OffsetFetchResponseGroupTopicPartition {
	row := kmsg.OffsetFetchResponseGroupTopicPartition{
		Partition: partition, Offset: int64(core.NoOffset), LeaderEpoch: int32(core.NoLeaderEpoch), Metadata: kmsg.StringPtr(""),
		ErrorCode: int16(code),
	}
	switch {
	case f.Unstable:
		row.ErrorCode = int16(core.ErrUnstableOffsetCommit)
	case f.Found:
		row.Offset, row.LeaderEpoch, row.Metadata = int64(f.Offset), int32(f.LeaderEpoch), kmsg.StringPtr(f.Metadata)
	}
	return row
}

// refuseFetch answers one group with a code; version 1 has no place for it but the partitions.
func refuseFetch(w *pending, resp *kmsg.OffsetFetchResponse, index int, code core.ErrorCode) {
	g := &w.Req.Body.(*kmsg.OffsetFetchRequest).Groups[index]
	row := &resp.Groups[index]
	row.Group, row.ErrorCode, row.Topics = g.Group, int16(code), nil
	if w.Req.Version < 2 {
		for i := range g.Topics {
			t := kmsg.OffsetFetchResponseGroupTopic{Topic: g.Topics[i].Topic}
			for _, partition := range g.Topics[i].Partitions {
				t.Partitions = append(t.Partitions, offsetRow(partition, group.Fetched{}, code))
			}
			row.Topics = append(row.Topics, t)
		}
	}
	if w.Req.Version < 8 {
		lower(resp)
	}
}
