package history

import (
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
)

// header is the first line of the text form.
const header = "history v1"

// String is the whole history in its text form.
func (l *Log) String() string { return string(l.AppendTo(nil)) }

// AppendTo appends the text form: the header, a line per topic, a line per event, each ended by a newline.
func (l *Log) AppendTo(dst []byte) []byte {
	dst = append(dst, header+"\n"...)
	for i := range l.topics {
		dst = append(appendTopic(dst, TopicRef(i), &l.topics[i]), '\n')
	}
	for i := range l.heads {
		dst = append(l.AppendEvent(dst, i), '\n')
	}
	return dst
}

// AppendEvent appends the line of event i, without a newline.
func (l *Log) AppendEvent(dst []byte, i int) []byte {
	op, body := l.At(i)
	dst = append(dst, body.kind().String()...)
	dst = append(dst, " p"...)
	dst = strconv.AppendInt(dst, int64(op.Process), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, int64(op.Start), 10)
	dst = append(dst, ".."...)
	dst = strconv.AppendInt(dst, int64(op.End), 10)
	dst = append(dst, ' ')
	dst = append(dst, op.Outcome.String()...)
	w := walker{out: dst}
	num(&w, "code", &op.Code, core.ErrNone)
	body.walk(&w)
	return w.out
}

func appendTopic(dst []byte, ref TopicRef, t *Topic) []byte {
	dst = append(dst, "topic T"...)
	dst = strconv.AppendInt(dst, int64(ref), 10)
	dst = append(dst, ' ')
	dst = append(dst, t.Name...)
	dst = append(dst, ' ')
	if t.ID.IsZero() {
		dst = append(dst, '-')
	} else {
		dst = append(dst, t.ID.String()...)
	}
	w := walker{out: dst}
	t.walk(&w)
	return w.out
}

// walker goes over the fields of a line, once to write it and once to read it: a body names each field, its text
// key and its default in one place. It writes when in is nil.
type walker struct {
	out []byte
	in  *line
	err error
}

// line is an event line taken apart: words between the outcome and the bar, and the list behind the bar.
type line struct {
	words []string // "" once used
	list  string
}

func (t *Topic) walk(w *walker) {
	flag(w, "compacted", &t.Compacted)
	flag(w, "gaps", &t.Gaps)
	flag(w, "retained", &t.Retained)
	num(w, "retention", &t.RetentionMs, 0)
	num(w, "dawn", &t.Dawn, 0)
	flag(w, "replicated", &t.Replicated)
}

func (s *Send) walk(w *walker) {
	w.place(&s.Place)
	num(w, "acks", &s.Acks, -1)
	enum(w, "promise", &s.Promise, Durable, promiseWords)
	flag(w, "idempotent", &s.Idempotent)
	flag(w, "ordered", &s.Ordered)
	num(w, "attempts", &s.Attempts, 0)
	num(w, "appended", &s.LogAppendTime, core.NoTimestamp)
	num(w, "txn", &s.Txn, 0)
	w.records(&s.Records)
}

func (p *Poll) walk(w *walker) {
	w.place(&p.Place)
	num(w, "from", &p.From, core.NoOffset)
	num(w, "next", &p.Next, core.NoOffset)
	num(w, "hw", &p.HighWatermark, core.NoOffset)
	num(w, "lso", &p.LastStableOffset, core.NoOffset)
	num(w, "start", &p.LogStartOffset, core.NoOffset)
	enum(w, "isolation", &p.Isolation, ReadUncommitted, isolationWords)
	flag(w, "follower", &p.Follower)
	num(w, "txn", &p.Txn, 0)
	w.records(&p.Records)
}

func (b *ListOffsets) walk(w *walker) {
	w.place(&b.Place)
	num(w, "spec", &b.Spec, SpecLatest)
	enum(w, "isolation", &b.Isolation, ReadUncommitted, isolationWords)
	num(w, "offset", &b.Offset, core.NoOffset)
	num(w, "ts", &b.Timestamp, core.NoTimestamp)
	num(w, "epoch", &b.Epoch, core.NoLeaderEpoch)
}

func (b *DeleteRecords) walk(w *walker) {
	w.place(&b.Place)
	num(w, "before", &b.Before, core.NoOffset)
	num(w, "low", &b.LowWatermark, core.NoOffset)
}

func (b *CreateTopic) walk(w *walker) {
	w.topic(&b.Topic)
	num(w, "partitions", &b.Partitions, 0)
}

func (b *DeleteTopic) walk(w *walker) { w.topic(&b.Topic) }

func (b *Seek) walk(w *walker) {
	w.place(&b.Place)
	num(w, "to", &b.To, core.NoOffset)
	flag(w, "lost", &b.Lost)
}

func (b *Group) walk(w *walker) {
	w.place(&b.Place)
	num(w, "group", &b.Group, 0)
	enum(w, "step", &b.Step, Claimed, groupWords)
	num(w, "generation", &b.Generation, -1)
	num(w, "from", &b.From, core.NoOffset)
	num(w, "to", &b.To, core.NoOffset)
	flag(w, "ambiguous", &b.Ambiguous)
	num(w, "instance", &b.Instance, 0)
	num(w, "before", &b.Before, -1)
	num(w, "asked", &b.Asked, 0)
}

func (b *Txn) walk(w *walker) {
	num(w, "id", &b.ID, 0)
	num(w, "writer", &b.Writer, 0)
	flag(w, "commit", &b.Commit)
	num(w, "asked", &b.Asked, 0)
	num(w, "group", &b.Group, -1)
	num(w, "refused", &b.Refused, core.ErrNone)
	w.ranges(&b.Consumed)
}

func (b *Init) walk(w *walker) {
	num(w, "writer", &b.Writer, 0)
	num(w, "lost", &b.Lost, 0)
}

func (b *Transfer) walk(w *walker) {
	num(w, "txn", &b.Txn, 0)
	value(w, "debit", &b.Debit)
	value(w, "credit", &b.Credit)
	num(w, "amount", &b.Amount, 0)
}

func (b *Tally) walk(w *walker) {
	num(w, "txn", &b.Txn, 0)
	num(w, "group", &b.Group, 0)
	value(w, "value", &b.Value)
	num(w, "word", &b.Word, 0)
	num(w, "n", &b.N, 0)
}

func (b *Replica) walk(w *walker) {
	w.place(&b.Place)
	num(w, "node", &b.Node, core.NoNode)
	flag(w, "leader", &b.Leader)
	flag(w, "sole", &b.Sole)
	enum(w, "policy", &b.Policy, PolicyCommit, policyWords)
	num(w, "epoch", &b.Epoch, core.NoLeaderEpoch)
	num(w, "start", &b.LogStartOffset, core.NoOffset)
	num(w, "hw", &b.HighWatermark, core.NoOffset)
	num(w, "end", &b.LogEndOffset, core.NoOffset)
	num(w, "durable", &b.Durable, core.NoOffset)
}

func (b *Scan) walk(w *walker) {
	w.place(&b.Place)
	num(w, "node", &b.Node, core.NoNode)
	num(w, "start", &b.LogStartOffset, core.NoOffset)
	num(w, "end", &b.LogEndOffset, core.NoOffset)
	w.batches(&b.Batches)
}

func (b *NodeChange) walk(w *walker) {
	num(w, "node", &b.Node, core.NoNode)
	enum(w, "state", &b.State, Starting, stateWords)
	enum(w, "policy", &b.Policy, PolicyCommit, policyWords)
}

func (b *Loss) walk(w *walker) {
	w.place(&b.Place)
	num(w, "from", &b.From, core.NoOffset)
}

func (b *Mark) walk(w *walker) { enum(w, "name", &b.Name, FaultsStopped, markWords) }

// signed is every integer type a field may have.
type signed interface {
	~int8 | ~int16 | ~int32 | ~int64
}

// num is an integer field, left out when it has its default.
func num[T signed](w *walker, key string, p *T, def T) {
	if w.in == nil {
		if *p != def {
			w.out = append(append(append(w.out, ' '), key...), '=')
			w.out = strconv.AppendInt(w.out, int64(*p), 10)
		}
		return
	}
	*p = def
	if s, ok := w.in.take(key); ok {
		v, err := strconv.ParseInt(s, 10, 64)
		*p = T(v)
		if err != nil || int64(*p) != v {
			w.fail("%s=%q is not a number in range", key, s)
		}
	}
}

// value is a field that names a record.
func value(w *walker, key string, p *Value) {
	if w.in == nil {
		w.out = append(append(append(w.out, ' '), key...), '=')
		w.out = strconv.AppendUint(w.out, uint64(*p), 10)
		return
	}
	s, _ := w.in.take(key)
	v, err := strconv.ParseUint(s, 10, 64)
	*p = Value(v)
	if err != nil {
		w.fail("%s=%q is no value", key, s)
	}
}

// enum is a field whose values are words.
func enum[T ~uint8](w *walker, key string, p *T, def T, words string) {
	if w.in == nil {
		if *p != def {
			w.out = append(append(append(w.out, ' '), key...), '=')
			w.out = append(w.out, word(words, uint8(*p))...)
		}
		return
	}
	*p = def
	if s, ok := w.in.take(key); ok {
		i, known := wordIndex(words, s)
		*p = T(i)
		if !known {
			w.fail("%s=%q is none of: %s", key, s, words)
		}
	}
}

// flag is a field that is there or not.
func flag(w *walker, key string, p *bool) {
	if w.in == nil {
		if *p {
			w.out = append(append(w.out, ' '), key...)
		}
		return
	}
	*p = w.in.takeWord(key)
}

// cutSpace splits s at its first space; the rest is empty if there is none.
func cutSpace(s string) (first, rest string) {
	first, rest, _ = strings.Cut(s, " ")
	return first, rest
}
