package history

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
)

// Log is an append-only history. The zero value is empty and ready. Bodies are kept in one slice per kind and
// records in shared chunks, about 100 bytes for a send and 150 for a poll of one record.
type Log struct {
	topics []Topic
	refs   map[Topic]TopicRef
	heads  []head
	chunk  []Record // its free capacity takes the next records

	sends   []Send
	polls   []Poll
	lists   []ListOffsets
	deletes []DeleteRecords
	creates []CreateTopic
	drops   []DeleteTopic
	seeks   []Seek
	groups  []Group
	txns    []Txn
	inits   []Init
	moves   []Transfer
	tallies []Tally
	looks   []Replica
	scans   []Scan
	nodes   []NodeChange
	losses  []Loss
	marks   []Mark
}

// head is an event's Op and where its body lies.
type head struct {
	start, end core.Mono
	process    Process
	body       int32
	code       core.ErrorCode
	outcome    Outcome
	kind       Kind
}

// recordChunk is how many records are allocated at a time.
const recordChunk = 1024

// Len is the number of events.
func (l *Log) Len() int { return len(l.heads) }

// Topics is the number of topics.
func (l *Log) Topics() int { return len(l.topics) }

// AddTopic gives a topic its number; an equal topic keeps the one it has. It panics on a name that Kafka would
// not allow, since the text form depends on it.
func (l *Log) AddTopic(t Topic) TopicRef {
	if ref, ok := l.refs[t]; ok {
		return ref
	}
	if !legalName(t.Name) {
		panic(fmt.Sprintf("history: illegal topic name %q", t.Name))
	}
	if l.refs == nil {
		l.refs = make(map[Topic]TopicRef)
	}
	ref := TopicRef(len(l.topics))
	l.topics = append(l.topics, t)
	l.refs[t] = ref
	return ref
}

// Topic is the topic numbered ref.
func (l *Log) Topic(ref TopicRef) Topic { return l.topics[ref] }

// Name is the partition under its topic's name.
func (l *Log) Name(p Place) core.TopicPartition {
	return core.TopicPartition{Topic: l.topics[p.Topic].Name, Partition: p.Partition}
}

// At is event i, 0 <= i < Len. The body is the log's own: read it only.
func (l *Log) At(i int) (Op, Body) {
	h := &l.heads[i]
	op := Op{Process: h.process, Outcome: h.outcome, Code: h.code, Start: h.start, End: h.end}
	switch h.kind {
	case KindSend:
		return op, &l.sends[h.body]
	case KindPoll:
		return op, &l.polls[h.body]
	case KindListOffsets:
		return op, &l.lists[h.body]
	case KindDeleteRecords:
		return op, &l.deletes[h.body]
	case KindCreateTopic:
		return op, &l.creates[h.body]
	case KindDeleteTopic:
		return op, &l.drops[h.body]
	case KindSeek:
		return op, &l.seeks[h.body]
	case KindGroup:
		return op, &l.groups[h.body]
	case KindTxn:
		return op, &l.txns[h.body]
	case KindInit:
		return op, &l.inits[h.body]
	case KindTransfer:
		return op, &l.moves[h.body]
	case KindTally:
		return op, &l.tallies[h.body]
	case KindReplica:
		return op, &l.looks[h.body]
	case KindScan:
		return op, &l.scans[h.body]
	case KindNodeChange:
		return op, &l.nodes[h.body]
	case KindLoss:
		return op, &l.losses[h.body]
	default:
		return op, &l.marks[h.body]
	}
}

// Send adds a send and returns the event's index, as the methods below do. Records are copied.
// All of them panic if End lies before Start or before the last event's End, or if the topic is not the log's.
func (l *Log) Send(op Op, s Send) int {
	l.own(s.Topic)
	s.Records = l.keep(s.Records)
	l.sends = append(l.sends, s)
	return l.add(op, KindSend, len(l.sends))
}

// Poll adds a poll.
func (l *Log) Poll(op Op, p Poll) int {
	l.own(p.Topic)
	p.Records = l.keep(p.Records)
	l.polls = append(l.polls, p)
	return l.add(op, KindPoll, len(l.polls))
}

// ListOffsets adds a lookup.
func (l *Log) ListOffsets(op Op, b ListOffsets) int {
	l.own(b.Topic)
	l.lists = append(l.lists, b)
	return l.add(op, KindListOffsets, len(l.lists))
}

// DeleteRecords adds a deletion of records.
func (l *Log) DeleteRecords(op Op, b DeleteRecords) int {
	l.own(b.Topic)
	l.deletes = append(l.deletes, b)
	return l.add(op, KindDeleteRecords, len(l.deletes))
}

// CreateTopic adds the creation of a topic.
func (l *Log) CreateTopic(op Op, b CreateTopic) int {
	l.own(b.Topic)
	l.creates = append(l.creates, b)
	return l.add(op, KindCreateTopic, len(l.creates))
}

// DeleteTopic adds the deletion of a topic.
func (l *Log) DeleteTopic(op Op, b DeleteTopic) int {
	l.own(b.Topic)
	l.drops = append(l.drops, b)
	return l.add(op, KindDeleteTopic, len(l.drops))
}

// Seek adds a change of position.
func (l *Log) Seek(op Op, b Seek) int {
	l.own(b.Topic)
	l.seeks = append(l.seeks, b)
	return l.add(op, KindSeek, len(l.seeks))
}

// Group adds a step of a group's member.
func (l *Log) Group(op Op, b Group) int {
	l.own(b.Topic)
	l.groups = append(l.groups, b)
	return l.add(op, KindGroup, len(l.groups))
}

// Txn adds a transaction. Its ranges are copied.
func (l *Log) Txn(op Op, b Txn) int {
	for _, r := range b.Consumed {
		l.own(r.Topic)
	}
	b.Consumed = append([]Range(nil), b.Consumed...)
	l.txns = append(l.txns, b)
	return l.add(op, KindTxn, len(l.txns))
}

// Init adds an InitProducerId.
func (l *Log) Init(op Op, b Init) int {
	l.inits = append(l.inits, b)
	return l.add(op, KindInit, len(l.inits))
}

// Transfer adds what a transaction of a bank is about.
func (l *Log) Transfer(op Op, b Transfer) int {
	l.moves = append(l.moves, b)
	return l.add(op, KindTransfer, len(l.moves))
}

// Tally adds what an output record of a word count is about.
func (l *Log) Tally(op Op, b Tally) int {
	l.tallies = append(l.tallies, b)
	return l.add(op, KindTally, len(l.tallies))
}

// Replica adds a look at a replica at the instant at.
func (l *Log) Replica(at core.Mono, b Replica) int {
	l.own(b.Topic)
	l.looks = append(l.looks, b)
	return l.add(instant(at), KindReplica, len(l.looks))
}

// Scan adds a reading of stored batches at the instant at. Batches are copied.
func (l *Log) Scan(at core.Mono, b Scan) int {
	l.own(b.Topic)
	b.Batches = append([]Batch(nil), b.Batches...)
	l.scans = append(l.scans, b)
	return l.add(instant(at), KindScan, len(l.scans))
}

// NodeChange adds a change of a broker at the instant at.
func (l *Log) NodeChange(at core.Mono, b NodeChange) int {
	l.nodes = append(l.nodes, b)
	return l.add(instant(at), KindNodeChange, len(l.nodes))
}

// Loss adds a permitted loss at the instant at.
func (l *Log) Loss(at core.Mono, b Loss) int {
	l.own(b.Topic)
	l.losses = append(l.losses, b)
	return l.add(instant(at), KindLoss, len(l.losses))
}

// Mark adds a mark at the instant at.
func (l *Log) Mark(at core.Mono, name MarkName) int {
	l.marks = append(l.marks, Mark{Name: name})
	return l.add(instant(at), KindMark, len(l.marks))
}

// instant is the Op of an event that the world saw.
func instant(at core.Mono) Op { return Op{Process: World, Start: at, End: at} }

// add appends the head of the body that is the n-th of its kind.
func (l *Log) add(op Op, kind Kind, n int) int {
	if err := l.inOrder(op); err != nil {
		panic(err)
	}
	l.heads = append(l.heads, head{
		start: op.Start, end: op.End, process: op.Process, code: op.Code, outcome: op.Outcome,
		kind: kind, body: int32(n - 1),
	})
	return len(l.heads) - 1
}

// inOrder reports what is wrong with an event's instants, nil if it may follow the last one.
func (l *Log) inOrder(op Op) error {
	if op.End < op.Start {
		return fmt.Errorf("history: event %d ends at %d before it starts at %d", len(l.heads), op.End, op.Start)
	}
	if n := len(l.heads); n > 0 && op.End < l.heads[n-1].end {
		return fmt.Errorf("history: event %d ends at %d, before event %d at %d", n, op.End, n-1, l.heads[n-1].end)
	}
	return nil
}

// own panics on a topic number that this log did not give out.
func (l *Log) own(ref TopicRef) {
	if ref < 0 || int(ref) >= len(l.topics) {
		panic(fmt.Sprintf("history: topic %d of %d", ref, len(l.topics)))
	}
}

// keep copies records into the current chunk.
func (l *Log) keep(rs []Record) []Record {
	if len(rs) == 0 {
		return nil
	}
	if cap(l.chunk)-len(l.chunk) < len(rs) {
		l.chunk = make([]Record, 0, max(recordChunk, len(rs)))
	}
	at := len(l.chunk)
	l.chunk = append(l.chunk, rs...)
	return l.chunk[at:len(l.chunk):len(l.chunk)]
}

// legalName reports whether Kafka allows the topic name: 1 to 249 of [a-zA-Z0-9._-], not "." or "..".
func legalName(s string) bool {
	if len(s) == 0 || len(s) > 249 || s == "." || s == ".." {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
