package producer

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// drain is what one broker gets in a turn.
type drain struct {
	node  core.NodeID
	parts []*partition
}

// request is one Produce request and the batches in it.
type request struct {
	call    cluster.Call
	body    kmsg.ProduceRequest
	batches []*batch
}

// drain sends what can be sent now: for each broker, requests with one batch per partition.
func (p *Producer) drain(now core.Now, out *step.Effects) {
	for i := range p.drains {
		clear(p.drains[i].parts)
		p.drains[i].parts = p.drains[i].parts[:0]
	}
	p.drains = p.drains[:0]
	p.turn = (p.turn + 1) % len(p.active)
	for i := range p.active {
		part := p.active[(p.turn+i)%len(p.active)]
		if p.next(now, part) == nil {
			continue
		}
		leader, _ := part.topic.meta.Leader(part.index)
		if leader == core.NoNode {
			p.cl.Refresh()
			continue
		}
		p.drainTo(leader, part)
	}
	for i := range p.drains {
		d := &p.drains[i]
		if l := p.cl.Link(now, d.node, cluster.Main, out); l != nil {
			for l.InFlight() < p.opts.MaxInFlight && p.sendOne(now, l, d.parts, out) {
			}
		}
	}
}

func (p *Producer) drainTo(node core.NodeID, part *partition) {
	for i := range p.drains {
		if p.drains[i].node == node {
			p.drains[i].parts = append(p.drains[i].parts, part)
			return
		}
	}
	if n := len(p.drains); n < cap(p.drains) { // keep the memory of its parts
		p.drains = p.drains[:n+1]
	} else {
		p.drains = append(p.drains, drain{})
	}
	d := &p.drains[len(p.drains)-1]
	d.node, d.parts = node, append(d.parts[:0], part)
}

// next is the batch of a partition that may be sent now, or nil.
func (p *Producer) next(now core.Now, part *partition) *batch {
	switch {
	case p.txn.On():
		if p.stuck(part) {
			return nil
		}
	case part.numbers.gap:
		if part.inflight > 0 {
			return nil
		}
		p.renumber(part)
	}
	if part.inflight >= len(part.queue) || now.Mono < part.retryAt {
		return nil
	}
	i := 0
	for i < len(part.queue) && part.queue[i].state == inFlight {
		i++
	}
	if i == len(part.queue) {
		return nil
	}
	b := part.queue[i]
	if i > 0 {
		leader, _ := part.topic.meta.Leader(part.index)
		switch {
		case p.ids.state == idsOff: // one in flight, or a retry would be overtaken (KAFKA-3197)
			return nil
		case !part.numbers.proven:
			return nil
		case b.attempts > 0: // a repeated batch waits until all before it are settled
			return nil
		case part.sentTo != leader: // those in flight must fail first, and come before it
			return nil
		}
	}
	if b.state == filling && !b.flush && now.Mono < b.since.Add(p.opts.Linger) {
		return nil
	}
	if p.txn.On() && !p.txn.Admit(core.TopicPartition{Topic: part.topic.meta.Name, Partition: part.index}) {
		return nil
	}
	return b
}

// sendOne sends one request on a link; it is false if there is nothing to send.
func (p *Producer) sendOne(now core.Now, l *cluster.Link, parts []*partition, out *step.Effects) bool {
	r := p.newRequest()
	size := int64(requestOverhead)
	for _, part := range parts {
		b := p.next(now, part)
		if b == nil {
			continue
		}
		if b.state == filling {
			p.seal(b)
		}
		if len(r.batches) > 0 && size+int64(len(b.bytes)) > p.opts.MaxRequestSize {
			continue
		}
		p.number(b)
		size += int64(len(b.bytes)) + 32
		p.add(r, b)
	}
	if len(r.batches) == 0 {
		p.requests = append(p.requests, r)
		return false
	}
	for _, b := range r.batches {
		b.first = b.part.queue[0] == b
		b.state = inFlight
		b.attempts++
		b.part.inflight++
		if b.part.sentTo != l.Node() {
			b.part.sentTo, b.part.numbers.proven = l.Node(), false
		}
	}
	p.txn.Wrote()
	if !p.cl.Call(now, l, &r.call, out) {
		for _, b := range r.batches {
			b.part.inflight--
			b.attempts-- // it went nowhere
			p.fail(b, core.ErrUnsupportedVersion, b.unknown)
		}
		return true
	}
	if p.opts.Acks == AcksNone {
		p.forget(r)
	}
	return true
}

// forget finishes batches that nobody will answer. Their memory and the request are not ours again.
func (p *Producer) forget(r *request) {
	for _, b := range r.batches {
		b.part.inflight--
		b.lent = true
		b.topicID = core.TopicID{} // nobody said so
		p.succeed(b, core.NoOffset, core.NoTimestamp)
	}
}

func (p *Producer) newRequest() *request {
	var r *request
	if n := len(p.requests); n > 0 {
		r, p.requests = p.requests[n-1], p.requests[:n-1]
	} else {
		r = &request{body: kmsg.NewProduceRequest()}
	}
	clear(r.batches)
	r.batches = r.batches[:0]
	r.body.Topics = r.body.Topics[:0]
	r.body.Acks = p.opts.Acks.Wire()
	r.body.TimeoutMillis = int32(min(p.opts.RequestTimeout/core.Millisecond, 1<<31-1))
	r.call = cluster.Call{Owner: cluster.Producer, Ref: r, Body: &r.body, MinVersion: 3,
		Timeout: p.opts.RequestTimeout, NoResponse: p.opts.Acks == AcksNone}
	if p.opts.Compression == record.Zstd {
		r.call.MinVersion = 7 // KIP-110
	}
	r.body.TransactionID = nil
	if p.txn.On() {
		id := p.txn.ID()
		r.body.TransactionID = &id
		least, most := p.txn.ProduceVersions()
		r.call.MinVersion, r.call.MaxVersion = max(r.call.MinVersion, least), most
	}
	return r
}

// add puts a batch into a request. Batches of one topic follow each other only by chance, and need not.
func (p *Producer) add(r *request, b *batch) {
	r.batches = append(r.batches, b)
	meta := b.part.topic.meta
	b.topicID = meta.ID
	if meta.ID.IsZero() && r.call.MaxVersion == 0 {
		r.call.MaxVersion = 12 // version 13 names topics by id only (KIP-516)
	}
	topics := r.body.Topics
	var t *kmsg.ProduceRequestTopic
	for i := range topics {
		if topics[i].Topic == meta.Name {
			t = &topics[i]
		}
	}
	if t == nil {
		if n := len(topics); n < cap(topics) { // keep the memory of its partitions
			topics = topics[:n+1]
		} else {
			topics = append(topics, kmsg.ProduceRequestTopic{})
		}
		r.body.Topics = topics
		t = &topics[len(topics)-1]
		t.Topic, t.TopicID, t.Partitions = meta.Name, meta.ID, t.Partitions[:0]
	}
	t.Partitions = append(t.Partitions, kmsg.ProduceRequestTopicPartition{Partition: b.part.index, Records: b.bytes})
}
