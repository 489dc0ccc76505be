package consumer

import "github.com/klamm-log/klamm/core"

// Answer is one partition of one answered fetch, for those who record what a client was told. The records that came
// with it are handed out by [Consumer.Poll] once the position gets there, unless the partition is moved before.
type Answer struct {
	Topic     string
	TopicID   core.TopicID // as asked for; zero if the fetch named the topic
	Partition int32
	// Tag is what [Consumer.Tag] had set when the request left.
	Tag int64
	// The answer covers the offsets from From to Next; they are equal if nothing was there.
	From, Next core.Offset
	Watermarks
	Follower bool // KIP-392: not the leader answered, so its HighWatermark may be old news
}

// Tag sets what the answers to requests sent from now on carry.
func (c *Consumer) Tag(tag int64) { c.tag = tag }

// Answers appends the answers since the last call to dst, in order of arrival. There are none without
// Options.KeepAnswers.
func (c *Consumer) Answers(dst []Answer) []Answer {
	dst = append(dst, c.answers...)
	clear(c.answers)
	c.answers = c.answers[:0]
	return dst
}

// keep notes an answer whose records have been buffered; from is where the partition's fetches stood before.
func (c *Consumer) keep(s *session, p *partition, e *entry, from core.Offset) {
	if !c.opts.KeepAnswers {
		return
	}
	leader, _ := p.meta.Leader(p.index)
	a := Answer{Topic: p.meta.Name, Partition: p.index, Tag: s.tag, From: from, Next: p.fetch.offset, Watermarks: p.marks,
		Follower: s.node != leader}
	if s.byID {
		a.TopicID = e.topicID
	}
	c.answers = append(c.answers, a)
}
