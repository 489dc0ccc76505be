// Package refmodel produces histories that a correct broker could have produced, to test checkers with.
//
// The model is one log per partition, changed at one instant per operation: a client calls, the operation takes
// effect, the client learns the outcome, and any number of other clients' steps fall between. Calls may end without
// an outcome before, after or without the effect; plain producers may leave a copy per attempt; records may be
// deleted; with power losses, what was not synced disappears. Every choice is drawn from a function that the test
// supplies, so that a seed or a property-testing library decides.
package refmodel

import (
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Draw returns a number in [0, n).
type Draw func(n int) int

// Config is what a run may contain.
type Config struct {
	Steps      int // of clients; each operation takes three
	Clients    int
	Partitions int
	Deletes    bool // DeleteRecords happen
	Losses     bool // power losses under policy os happen, and nothing is promised beyond one
	Lookups    bool // ListOffsets by timestamp happen
	FinalReads bool // every client's last calls are ended, then all is read
}

// partition is the modelled log.
type partition struct {
	start   core.Offset
	records []history.Record // by offset, from 0, deleted ones included
	synced  int
}

func (p *partition) end() core.Offset { return core.Offset(len(p.records)) }

// client is one process: idle, or called, or answered and not yet returned.
type client struct {
	id    history.Process
	phase phase
	call  call
	next  []core.Offset // its position in each partition
}

type phase uint8

const (
	idle phase = iota
	called
	answered
)

// call is an operation under way.
type call struct {
	kind    history.Kind
	op      history.Op
	part    int32
	send    history.Send
	poll    history.Poll
	list    history.ListOffsets
	remove  history.DeleteRecords
	refused bool
}

// model is a run under way.
type model struct {
	cfg     Config
	draw    Draw
	log     *history.Log
	topic   history.TopicRef
	parts   []partition
	clients []client
	late    []call // sends whose client has given up, and which may yet be appended
	now     core.Mono
	value   history.Value
}

// Run produces one history.
func Run(cfg Config, draw Draw) *history.Log {
	m := &model{cfg: cfg, draw: draw, log: &history.Log{}, parts: make([]partition, cfg.Partitions), now: 1, value: 100}
	m.topic = m.log.AddTopic(history.Topic{Name: "model"})
	for i := range cfg.Clients {
		m.clients = append(m.clients, client{id: history.Process(i), next: make([]core.Offset, cfg.Partitions)})
	}
	for range cfg.Steps {
		m.now += core.Mono(draw(3))
		switch {
		case len(m.late) > 0 && draw(4) == 0:
			n := draw(len(m.late))
			m.append(&m.late[n])
			m.late = append(m.late[:n], m.late[n+1:]...)
		case cfg.Losses && draw(25) == 0:
			m.powerLoss()
		default:
			m.step(&m.clients[draw(len(m.clients))])
		}
	}
	if cfg.FinalReads {
		m.finish()
	}
	for i := range m.clients { // what has not ended when the run stops is recorded as unknown
		if c := &m.clients[i]; c.phase != idle {
			m.complete(c, history.Info)
		}
	}
	return m.log
}

// step moves one client on.
func (m *model) step(c *client) {
	switch c.phase {
	case idle:
		m.call(c)
		c.phase = called
	case called:
		if m.draw(12) == 0 { // gave up; the request is under way and may still take effect
			if c.call.kind == history.KindSend {
				k := c.call
				k.send.Records = append([]history.Record(nil), k.send.Records...)
				m.late = append(m.late, k)
			}
			m.complete(c, history.Info)
			return
		}
		m.effect(&c.call)
		c.phase = answered
	case answered:
		if m.draw(10) == 0 { // the answer was lost
			m.complete(c, history.Info)
			return
		}
		m.complete(c, history.OK)
	}
}

// call draws what an idle client does next.
func (m *model) call(c *client) {
	k := call{part: int32(m.draw(m.cfg.Partitions))}
	at := history.Place{Topic: m.topic, Partition: k.part}
	k.op = history.Op{Process: c.id, Start: m.now}
	switch n := m.draw(10); {
	case n < 4:
		k.kind = history.KindSend
		k.send = m.newSend(at)
	case n < 8 || n == 9 && !m.cfg.Deletes:
		k.kind = history.KindPoll
		if m.draw(5) == 0 || c.next[k.part] < m.parts[k.part].start {
			c.next[k.part] = m.parts[k.part].start
			m.log.Seek(history.Op{Process: c.id, Start: m.now, End: m.now}, history.Seek{Place: at, To: c.next[k.part]})
		}
		k.poll = history.Poll{Place: at, From: c.next[k.part]}
	case n == 8:
		k.kind = history.KindListOffsets
		k.list = history.ListOffsets{Place: at, Spec: history.SpecLatest - core.Wall(m.draw(2)), Timestamp: core.NoTimestamp, Epoch: core.NoLeaderEpoch}
		if m.cfg.Lookups && m.draw(2) == 0 {
			k.list.Spec = core.Wall(m.draw(30))
		}
	default:
		k.kind = history.KindDeleteRecords
		k.remove = history.DeleteRecords{Place: at, Before: core.Offset(m.draw(int(m.parts[k.part].end())+3)) - 1, LowWatermark: core.NoOffset}
	}
	c.call = k
}

// newSend draws a send of fresh values.
func (m *model) newSend(at history.Place) history.Send {
	s := history.Send{Place: at, Acks: -1, Idempotent: m.draw(2) == 0, Attempts: 1, LogAppendTime: core.NoTimestamp}
	if m.cfg.Losses {
		s.Promise = history.UntilPowerLoss
	}
	for range 1 + m.draw(3) {
		s.Records = append(s.Records, history.Record{
			Offset: core.NoOffset, Value: m.value, Timestamp: core.Wall(m.draw(30)), Epoch: core.NoLeaderEpoch,
		})
		m.value++
	}
	return s
}

// effect lets an operation take place.
func (m *model) effect(k *call) {
	p := &m.parts[k.part]
	switch k.kind {
	case history.KindSend:
		if k.refused = m.draw(10) == 0; k.refused {
			return
		}
		if !k.send.Idempotent && m.draw(6) == 0 { // the first attempt's answer was lost
			k.send.Attempts++
			m.append(k)
		}
		m.append(k)
	case history.KindPoll:
		m.read(p, &k.poll)
	case history.KindListOffsets:
		m.lookup(p, &k.list)
	case history.KindDeleteRecords:
		if k.refused = k.remove.Before > p.end(); k.refused {
			return
		}
		to := k.remove.Before
		if to == core.NoOffset {
			to = p.end()
		}
		p.start = max(p.start, to)
		k.remove.LowWatermark = p.start
	default: // clients of this model make no other calls
	}
}

// append puts a send's records at the end of the log and remembers where.
func (m *model) append(k *call) {
	p := &m.parts[k.part]
	for i := range k.send.Records {
		k.send.Records[i].Offset = p.end()
		p.records = append(p.records, k.send.Records[i])
	}
}

// read answers a poll with some of the records from its position.
func (m *model) read(p *partition, b *history.Poll) {
	b.HighWatermark, b.LastStableOffset, b.LogStartOffset = p.end(), p.end(), p.start
	b.Next = core.NoOffset
	b.Records = nil
	if b.From < p.start || b.From > p.end() {
		return // OFFSET_OUT_OF_RANGE
	}
	n := min(core.Offset(m.draw(5)), p.end()-b.From)
	b.Records = append(b.Records, p.records[b.From:b.From+n]...)
}

// lookup answers ListOffsets.
func (m *model) lookup(p *partition, b *history.ListOffsets) {
	switch b.Spec {
	case history.SpecLatest:
		b.Offset = p.end()
	case history.SpecEarliest:
		b.Offset = p.start
	default:
		b.Offset = core.NoOffset
		for o := p.start; o < p.end(); o++ {
			if p.records[o].Timestamp >= b.Spec {
				b.Offset, b.Timestamp = o, p.records[o].Timestamp
				return
			}
		}
	}
}

// complete records a call's end.
func (m *model) complete(c *client, o history.Outcome) {
	k := &c.call
	c.phase = idle
	k.op.End, k.op.Outcome = m.now, o
	if k.refused && o == history.OK {
		k.op.Outcome = history.Fail
	}
	switch k.kind {
	case history.KindSend:
		s := k.send
		s.Records = append([]history.Record(nil), s.Records...)
		if k.op.Outcome != history.OK {
			for i := range s.Records {
				s.Records[i].Offset = core.NoOffset
			}
		}
		m.log.Send(k.op, s)
	case history.KindPoll:
		if o == history.OK && (k.poll.From < k.poll.LogStartOffset || k.poll.From > k.poll.HighWatermark) {
			k.op.Outcome = history.Fail
		}
		m.log.Poll(k.op, k.poll)
		if k.op.Outcome == history.OK {
			c.next[k.part] = k.poll.End()
		}
	case history.KindListOffsets:
		m.log.ListOffsets(k.op, k.list)
	case history.KindDeleteRecords:
		if k.op.Outcome != history.OK {
			k.remove.LowWatermark = core.NoOffset
		}
		m.log.DeleteRecords(k.op, k.remove)
	default: // clients of this model make no other calls
	}
}

// powerLoss takes what was not synced, a random part.
func (m *model) powerLoss() {
	for i := range m.parts {
		p := &m.parts[i]
		p.synced = min(p.synced, len(p.records))
		keep := p.synced + m.draw(len(p.records)-p.synced+1)
		p.records, p.synced = p.records[:keep:keep], keep
		p.start = min(p.start, p.end())
	}
	m.late = nil
	m.log.NodeChange(m.now, history.NodeChange{State: history.PowerLost, Policy: history.PolicyOS})
	for i := range m.clients { // clients notice the reset and begin where the log now is
		for part := range m.clients[i].next {
			m.clients[i].next[part] = m.parts[part].start
			m.log.Seek(history.Op{Process: m.clients[i].id, Start: m.now, End: m.now},
				history.Seek{Place: history.Place{Topic: m.topic, Partition: int32(part)}, To: m.parts[part].start})
		}
	}
}

// finish ends every call and reads every partition from its start to its end.
func (m *model) finish() {
	for i := range m.clients {
		for c := &m.clients[i]; c.phase != idle; {
			m.step(c)
		}
	}
	m.late = nil // never to take effect
	m.now++
	m.log.Mark(m.now, history.FinalReads)
	for i := range m.parts {
		p := &m.parts[i]
		poll := history.Poll{
			Place: history.Place{Topic: m.topic, Partition: int32(i)}, From: p.start, Next: p.end(),
			HighWatermark: p.end(), LastStableOffset: p.end(), LogStartOffset: p.start,
			Records: p.records[p.start:],
		}
		m.log.Poll(history.Op{Process: -2, Start: m.now + 1, End: m.now + 2}, poll)
	}
}
