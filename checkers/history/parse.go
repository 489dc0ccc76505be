package history

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
)

// SyntaxError is why [Parse] refused a text.
type SyntaxError struct {
	Line    int // counted from 1
	Problem string
}

func (e *SyntaxError) Error() string {
	return "history: line " + strconv.Itoa(e.Line) + ": " + e.Problem
}

// Parse reads the text form. It takes memory in proportion to src. Its errors are [*SyntaxError].
func Parse(src []byte) (*Log, error) {
	l := &Log{}
	seen := false
	for n, rest := 1, string(src); rest != ""; n++ {
		var text string
		text, rest, _ = strings.Cut(rest, "\n")
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		var err error
		switch {
		case !seen && text != header:
			err = errNoHeader()
		case !seen:
			seen = true
		default:
			err = l.parseLine(text)
		}
		if err != nil {
			return nil, &SyntaxError{Line: n, Problem: err.Error()}
		}
	}
	if !seen {
		return nil, &SyntaxError{Line: 1, Problem: errNoHeader().Error()}
	}
	return l, nil
}

func errNoHeader() error { return fmt.Errorf("want %q first", header) }

// parseLine reads one topic or event.
func (l *Log) parseLine(text string) error {
	text, list, _ := strings.Cut(text, "|")
	in := &line{words: strings.Fields(text), list: strings.TrimSpace(list)}
	if len(in.words) == 0 {
		return fmt.Errorf("no event")
	}
	first := in.words[0]
	in.words[0] = ""
	if first == "topic" {
		return l.parseTopic(in)
	}
	k, ok := wordIndex(kindWords, first)
	if !ok {
		return fmt.Errorf("unknown event %q", first)
	}
	return l.parseEvent(Kind(k), in)
}

// parseTopic reads "topic T0 name id flags"; topics are numbered in order.
func (l *Log) parseTopic(in *line) error {
	if len(in.words) < 4 {
		return fmt.Errorf("want topic T0 name id")
	}
	if want := "T" + strconv.Itoa(len(l.topics)); in.words[1] != want {
		return fmt.Errorf("topic %q, want %s next", in.words[1], want)
	}
	t := Topic{Name: in.words[2]}
	if !legalName(t.Name) {
		return fmt.Errorf("illegal topic name %q", t.Name)
	}
	if s := in.words[3]; s != "-" {
		id, err := base64.RawURLEncoding.Strict().DecodeString(s)
		if err != nil || len(id) != len(t.ID) {
			return fmt.Errorf("topic id %q", s)
		}
		copy(t.ID[:], id)
	}
	in.words = in.words[4:]
	w := walker{in: in}
	t.walk(&w)
	if err := w.finish(); err != nil {
		return err
	}
	if n := len(l.topics); int(l.AddTopic(t)) != n {
		return fmt.Errorf("topic T%d stands twice", n)
	}
	return nil
}

// parseEvent reads what follows the event's first word.
func (l *Log) parseEvent(k Kind, in *line) error {
	if len(in.words) < 4 {
		return fmt.Errorf("want process, span and outcome")
	}
	op, err := parseOp(in.words[1], in.words[2], in.words[3])
	if err != nil {
		return err
	}
	if err := l.inOrder(op); err != nil {
		return err
	}
	in.words = in.words[4:]
	w := &walker{in: in}
	num(w, "code", &op.Code, core.ErrNone)
	if k >= KindReplica && op != instant(op.End) {
		return fmt.Errorf("a %s is an instant of p-1 with outcome ok", k)
	}
	return l.parseBody(w, op, k)
}

// parseOp reads "p1", "10..20" and "ok".
func parseOp(process, span, outcome string) (Op, error) {
	p, ok := strings.CutPrefix(process, "p")
	id, err := strconv.ParseInt(p, 10, 32)
	if !ok || err != nil {
		return Op{}, fmt.Errorf("process %q", process)
	}
	from, to, ok := strings.Cut(span, "..")
	start, err1 := strconv.ParseInt(from, 10, 64)
	end, err2 := strconv.ParseInt(to, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return Op{}, fmt.Errorf("span %q", span)
	}
	o, ok := wordIndex(outcomeWords, outcome)
	if !ok {
		return Op{}, fmt.Errorf("outcome %q", outcome)
	}
	return Op{Process: Process(id), Start: core.Mono(start), End: core.Mono(end), Outcome: Outcome(o)}, nil
}

// parseBody reads the fields of a body of kind k and adds the event.
func (l *Log) parseBody(w *walker, op Op, k Kind) error {
	switch k {
	case KindSend:
		return into(l, w, op, &Send{}, l.Send)
	case KindPoll:
		return into(l, w, op, &Poll{}, l.Poll)
	case KindListOffsets:
		return into(l, w, op, &ListOffsets{}, l.ListOffsets)
	case KindDeleteRecords:
		return into(l, w, op, &DeleteRecords{}, l.DeleteRecords)
	case KindCreateTopic:
		return into(l, w, op, &CreateTopic{}, l.CreateTopic)
	case KindDeleteTopic:
		return into(l, w, op, &DeleteTopic{}, l.DeleteTopic)
	case KindSeek:
		return into(l, w, op, &Seek{}, l.Seek)
	case KindGroup:
		return into(l, w, op, &Group{}, l.Group)
	case KindTxn:
		return into(l, w, op, &Txn{}, l.Txn)
	case KindInit:
		return into(l, w, op, &Init{}, l.Init)
	case KindTransfer:
		return into(l, w, op, &Transfer{}, l.Transfer)
	case KindTally:
		return into(l, w, op, &Tally{}, l.Tally)
	case KindReplica:
		return into(l, w, op, &Replica{}, at(l.Replica))
	case KindScan:
		return into(l, w, op, &Scan{}, at(l.Scan))
	case KindNodeChange:
		return into(l, w, op, &NodeChange{}, at(l.NodeChange))
	case KindLoss:
		return into(l, w, op, &Loss{}, at(l.Loss))
	default:
		return into(l, w, op, &Mark{}, func(op Op, m Mark) int { return l.Mark(op.End, m.Name) })
	}
}

// into reads a body and hands it to add, unless a field is wrong.
func into[T any, P interface {
	*T
	Body
}](l *Log, w *walker, op Op, body P, add func(Op, T) int) error {
	body.walk(w)
	if err := w.finish(); err != nil {
		return err
	}
	if ref, ok := topicOf(body); ok && int(ref) >= len(l.topics) {
		return fmt.Errorf("topic T%d is not declared", ref)
	}
	if t, ok := Body(body).(*Txn); ok {
		for _, r := range t.Consumed {
			if int(r.Topic) >= len(l.topics) {
				return fmt.Errorf("topic T%d is not declared", r.Topic)
			}
		}
	}
	add(op, *body)
	return nil
}

// at turns an adder that takes an instant into one that takes an Op.
func at[T any](add func(core.Mono, T) int) func(Op, T) int {
	return func(op Op, body T) int { return add(op.End, body) }
}

// topicOf is the topic a body speaks of, if it speaks of one.
func topicOf(body Body) (TopicRef, bool) {
	switch b := body.(type) {
	case *CreateTopic:
		return b.Topic, true
	case *DeleteTopic:
		return b.Topic, true
	}
	p, ok := PlaceOf(body)
	return p.Topic, ok
}

// PlaceOf is the partition a body speaks of; ok is false for bodies that speak of none.
func PlaceOf(body Body) (p Place, ok bool) {
	switch b := body.(type) {
	case *Send:
		return b.Place, true
	case *Poll:
		return b.Place, true
	case *ListOffsets:
		return b.Place, true
	case *DeleteRecords:
		return b.Place, true
	case *Seek:
		return b.Place, true
	case *Group:
		return b.Place, true
	case *Replica:
		return b.Place, true
	case *Scan:
		return b.Place, true
	case *Loss:
		return b.Place, true
	}
	return Place{}, false
}

// take is the value of key=value, used up.
func (in *line) take(key string) (string, bool) {
	for i, s := range in.words {
		if k, v, ok := strings.Cut(s, "="); ok && k == key {
			in.words[i] = ""
			return v, true
		}
	}
	return "", false
}

// takeWord reports whether the bare word stands on the line, and uses it up.
func (in *line) takeWord(word string) bool {
	for i, s := range in.words {
		if s == word {
			in.words[i] = ""
			return true
		}
	}
	return false
}

// fail keeps the first error of a line.
func (w *walker) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// finish reports the line's first error, or a word or a list that no field used.
func (w *walker) finish() error {
	for _, s := range w.in.words {
		if s != "" {
			w.fail("unknown or repeated %q", s)
		}
	}
	if w.in.list != "" {
		w.fail("unexpected list %q", w.in.list)
	}
	return w.err
}

// topic is the word T0 that names a topic.
func (w *walker) topic(ref *TopicRef) {
	if w.in == nil {
		w.out = strconv.AppendInt(append(w.out, " T"...), int64(*ref), 10)
		return
	}
	for i, s := range w.in.words {
		if t, ok := strings.CutPrefix(s, "T"); ok {
			v, err := strconv.ParseInt(t, 10, 32)
			if err != nil || v < 0 {
				w.fail("topic %q", s)
			}
			*ref, w.in.words[i] = TopicRef(v), ""
			return
		}
	}
	w.fail("no topic")
}

// place is the word T0/3 that names a partition.
func (w *walker) place(p *Place) {
	if w.in == nil {
		w.out = p.appendTo(append(w.out, ' '))
		return
	}
	for i, s := range w.in.words {
		if !strings.Contains(s, "/") {
			continue
		}
		var ok bool
		if *p, ok = parsePlace(s); !ok {
			w.fail("partition %q", s)
		}
		w.in.words[i] = ""
		return
	}
	w.fail("no partition")
}

// parsePlace reads "T0/3".
func parsePlace(s string) (Place, bool) {
	t, part, ok := strings.Cut(s, "/")
	name, isTopic := strings.CutPrefix(t, "T")
	ref, err1 := strconv.ParseInt(name, 10, 32)
	n, err2 := strconv.ParseInt(part, 10, 64)
	if !ok || !isTopic || err1 != nil || err2 != nil || ref < 0 || n < 0 || n != int64(int32(n)) {
		return Place{}, false
	}
	return Place{Topic: TopicRef(ref), Partition: int32(n)}, true
}

// ranges is the list behind the bar of a transaction: T0/3:from..to.
func (w *walker) ranges(rs *[]Range) {
	if w.in == nil {
		if len(*rs) > 0 {
			w.out = append(w.out, " |"...)
		}
		for _, r := range *rs {
			w.out = append(r.appendTo(append(w.out, ' ')), ':')
			w.out = strconv.AppendInt(w.out, int64(r.From), 10)
			w.out = strconv.AppendInt(append(w.out, ".."...), int64(r.To), 10)
		}
		return
	}
	for _, s := range strings.Fields(w.in.list) {
		at, span, _ := strings.Cut(s, ":")
		from, to, ok := strings.Cut(span, "..")
		place, legal := parsePlace(at)
		lo, err1 := strconv.ParseInt(from, 10, 64)
		hi, err2 := strconv.ParseInt(to, 10, 64)
		if !ok || !legal || err1 != nil || err2 != nil {
			w.fail("range %q", s)
			break
		}
		*rs = append(*rs, Range{Place: place, From: core.Offset(lo), To: core.Offset(hi)})
	}
	w.in.list = ""
}

// records is the list behind the bar of sends and polls.
func (w *walker) records(rs *[]Record) {
	if w.in == nil {
		if len(*rs) > 0 {
			w.out = append(w.out, " |"...)
		}
		for _, r := range *rs {
			w.out = appendRecord(append(w.out, ' '), r)
		}
		return
	}
	for _, s := range strings.Fields(w.in.list) {
		r, ok := parseRecord(s)
		if !ok {
			w.fail("record %q", s)
			break
		}
		*rs = append(*rs, r)
	}
	w.in.list = ""
}

func appendRecord(dst []byte, r Record) []byte {
	if r.Offset == core.NoOffset {
		dst = append(dst, '?')
	} else {
		dst = strconv.AppendInt(dst, int64(r.Offset), 10)
	}
	dst = strconv.AppendUint(append(dst, '='), uint64(r.Value), 10)
	if r.Epoch != core.NoLeaderEpoch {
		dst = strconv.AppendInt(append(dst, '@'), int64(r.Epoch), 10)
	}
	if r.Timestamp != core.NoTimestamp {
		dst = strconv.AppendInt(append(dst, '^'), int64(r.Timestamp), 10)
	}
	return dst
}

// parseRecord reads offset=value[@epoch][^timestamp].
func parseRecord(s string) (r Record, ok bool) {
	s, stamp, hasStamp := strings.Cut(s, "^")
	s, epoch, hasEpoch := strings.Cut(s, "@")
	offset, value, hasValue := strings.Cut(s, "=")
	r = Record{Offset: core.NoOffset, Timestamp: core.NoTimestamp, Epoch: core.NoLeaderEpoch}
	if offset != "?" {
		v, err := strconv.ParseInt(offset, 10, 64)
		if err != nil {
			return r, false
		}
		r.Offset = core.Offset(v)
	}
	v, err := strconv.ParseUint(value, 10, 64)
	if err != nil || !hasValue {
		return r, false
	}
	r.Value = Value(v)
	if hasEpoch {
		v, err := strconv.ParseInt(epoch, 10, 32)
		if err != nil {
			return r, false
		}
		r.Epoch = core.LeaderEpoch(v)
	}
	if hasStamp {
		v, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return r, false
		}
		r.Timestamp = core.Wall(v)
	}
	return r, true
}

// batches is the list behind the bar of a scan: base-last, then ! and the fault if it has one.
func (w *walker) batches(bs *[]Batch) {
	if w.in == nil {
		if len(*bs) > 0 {
			w.out = append(w.out, " |"...)
		}
		for _, b := range *bs {
			w.out = strconv.AppendInt(append(w.out, ' '), int64(b.Base), 10)
			w.out = strconv.AppendInt(append(w.out, ".."...), int64(b.Last), 10)
			if b.Fault != Sound {
				w.out = append(append(w.out, '!'), b.Fault.String()...)
			}
		}
		return
	}
	for _, s := range strings.Fields(w.in.list) {
		span, fault, faulty := strings.Cut(s, "!")
		base, last, ok := strings.Cut(span, "..")
		from, err1 := strconv.ParseInt(base, 10, 64)
		to, err2 := strconv.ParseInt(last, 10, 64)
		b := Batch{Base: core.Offset(from), Last: core.Offset(to)}
		if faulty {
			i, known := wordIndex(faultWords, fault)
			b.Fault, ok = ScanFault(i), ok && known
		}
		if !ok || err1 != nil || err2 != nil {
			w.fail("batch %q", s)
			break
		}
		*bs = append(*bs, b)
	}
	w.in.list = ""
}
