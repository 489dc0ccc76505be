package workload

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// survey finds out which partitions there are and where their logs end, in two steps: Metadata, then ListOffsets of
// each partition that its owner wants. What fails is asked again.
type survey struct {
	c        *Client
	names    []string // topics to find; those found or known to be gone are taken out
	found    []core.TopicPartition
	asks     []admin.OffsetAsk // whose ends are not known
	started  core.Mono         // of the call under way
	flying   bool
	running  bool
	complete bool
	retryAt  core.Mono
	token    uint64
	replies  []admin.Reply
}

// surveyor is who wants to know.
type surveyor interface {
	surveyed(now core.Now, at core.Mono, found []core.TopicPartition) (wanted []core.TopicPartition)
	located(tp core.TopicPartition, end core.Offset)
}

// surveyEvery is how long a survey waits after a failure.
const surveyEvery = 100 * core.Millisecond

// begin starts a survey of topics; an earlier one is forgotten.
func (s *survey) begin(now core.Now, at core.Mono, names []string) {
	*s = survey{c: s.c, names: names, running: true, token: s.token, replies: s.replies}
	s.next(now, at, nil)
}

// act takes replies and asks on.
func (s *survey) act(now core.Now, at core.Mono, who surveyor) {
	s.replies = s.c.machine.Admin().Replies(s.replies[:0])
	for i := range s.replies {
		if rep := &s.replies[i]; rep.Token == s.token && s.flying {
			s.flying, s.retryAt = false, at.Add(surveyEvery)
			s.take(at, rep, who)
			s.next(now, at, who)
		}
	}
	if s.running && !s.flying && at >= s.retryAt {
		s.next(now, at, who)
	}
}

// next asks for what is missing, if the time has come.
func (s *survey) next(now core.Now, at core.Mono, who surveyor) {
	switch {
	case len(s.names) > 0:
		if at < s.retryAt {
			return
		}
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{}
		for _, name := range s.names {
			t := kmsg.NewMetadataRequestTopic()
			t.Topic = kmsg.StringPtr(name)
			req.Topics = append(req.Topics, t)
		}
		s.call(at)
		s.c.machine.Admin().Call(now, req, admin.Route{Kind: admin.AnyBroker}, s.token)
	case len(s.found) > 0 && who != nil:
		for _, tp := range who.surveyed(now, at, s.found) {
			s.asks = append(s.asks, admin.OffsetAsk{TopicPartition: tp, Timestamp: admin.LatestOffset})
		}
		s.found, s.retryAt = nil, at
		s.next(now, at, who)
	case len(s.asks) > 0:
		if at >= s.retryAt {
			s.call(at)
			s.c.machine.Admin().ListOffsets(now, s.asks, s.committed(), s.token)
		}
	default:
		s.running, s.complete = false, true
	}
}

func (s *survey) call(at core.Mono) {
	s.token++
	s.flying, s.started = true, at
}

// committed reports whether logs end where transactions may still be open. In Final they end at the HighWatermark: the markers of
// what was committed last may be on their way, and what a reader of committed records finds behind them is owed, too.
func (s *survey) committed() bool {
	return s.c.phase != Final && s.c.plan.Consumer != nil && s.c.plan.Consumer.Committed
}

// take uses one reply.
func (s *survey) take(at core.Mono, rep *admin.Reply, who surveyor) {
	if resp, ok := rep.Body.(*kmsg.MetadataResponse); ok {
		s.topics(resp)
	}
	if rep.Offsets == nil {
		return
	}
	asks := s.asks
	s.asks = nil
	for i := range rep.Offsets {
		o := &rep.Offsets[i]
		if o.Err != core.ErrNone || o.Offset == core.NoOffset {
			if s.c.env.Topics.Settings(o.Topic).Churned { // it may have gone meanwhile
				s.names = appendNew(s.names, o.Topic)
			} else {
				s.asks = append(s.asks, asks[i])
			}
			continue
		}
		s.record(at, o)
		who.located(o.TopicPartition, o.Offset)
	}
}

// topics takes a Metadata response. A topic that is not there, of a name that may be deleted, is gone.
func (s *survey) topics(resp *kmsg.MetadataResponse) {
	missing := s.names[:0:0]
	for _, name := range s.names {
		t := topicOf(resp, name)
		switch {
		case t != nil && t.ErrorCode == 0:
			for i := range t.Partitions {
				s.found = append(s.found, core.TopicPartition{Topic: name, Partition: t.Partitions[i].Partition})
			}
		case t != nil && core.ErrorCode(t.ErrorCode) == core.ErrUnknownTopicOrPartition && s.c.env.Topics.Settings(name).Churned:
		default:
			missing = append(missing, name)
		}
	}
	s.names = missing
}

func topicOf(resp *kmsg.MetadataResponse, name string) *kmsg.MetadataResponseTopic {
	for i := range resp.Topics {
		if t := &resp.Topics[i]; t.Topic != nil && *t.Topic == name {
			return t
		}
	}
	return nil
}

// record adds the lookup to the history, unless it may be about any incarnation of the name.
func (s *survey) record(at core.Mono, o *admin.PartitionOffset) {
	if s.c.env.Topics.Settings(o.Topic).Churned {
		return
	}
	b := history.ListOffsets{
		Place: history.Place{Topic: s.c.env.Topics.Ref(o.Topic, s.c.topicID(o.Topic)), Partition: o.Partition},
		Spec:  history.SpecLatest, Offset: o.Offset, Timestamp: core.NoTimestamp, Epoch: o.LeaderEpoch,
	}
	if s.committed() {
		b.Isolation = history.ReadCommitted
	}
	s.c.env.Log.ListOffsets(s.c.op(s.started, at, history.OK, core.ErrNone), b)
}

func (s *survey) due() core.Mono {
	if s.running && !s.flying {
		return s.retryAt
	}
	return cluster.Never
}
