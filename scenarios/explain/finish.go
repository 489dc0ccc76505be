package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/wire/facts"
	"github.com/klamm-log/klamm/sim/simnet"
	"github.com/klamm-log/klamm/sim/workload"
)

// finish puts clients' operations among the events, states of a turn before what the turn sent, and finds the event at
// which the violation could be seen.
func (r *recorder) finish() {
	t := r.t
	log := t.Verdict.Result.History
	for i := range log.Topics() {
		topic := log.Topic(history.TopicRef(i))
		r.name(topic.ID, topic.Name)
	}
	t.End = t.Verdict.Result.SimTime
	if n := len(t.Events); r.done && n > 0 {
		t.End = t.Events[n-1].At
	}
	ops, at := r.ops(log)
	order := r.merged(ops)
	r.renumber(ops, order, at)
	t.Present = t.Verdict.Details
	if len(t.Present) > 0 {
		t.Found = t.Present[0]
		r.place(at)
	}
	r.spell()
}

// ops are the events that the history tells, in its order, and for each event of the history the number of the first that
// tells of it or of a later one.
func (r *recorder) ops(log *history.Log) (events []Event, at []int) {
	for i := range log.Len() {
		op, body := log.At(i)
		at = append(at, len(events))
		if op.End > r.t.End {
			continue
		}
		if e, ok := r.op(log, op, body); ok {
			events = append(events, e)
		}
	}
	return events, at
}

// op tells of one event of the history; what the trace and the witness have told is left out.
func (r *recorder) op(log *history.Log, op history.Op, body history.Body) (Event, bool) {
	e := plain(op.End, Op, r.client(op.Process), "")
	e.Begin = op.Start
	if place, ok := history.PlaceOf(body); ok {
		e = e.about(r.key(log, place), core.NoOffset, core.NoOffset)
	}
	switch b := body.(type) {
	case *history.Send:
		sendText(&e, op, b)
	case *history.Poll:
		if len(b.Records) == 0 {
			return e, false
		}
		e.From, e.To = b.Records[0].Offset, b.Records[len(b.Records)-1].Offset+1
		e.Text = fmt.Sprintf("reads %s of %s (told HighWatermark %d)", offsets(e.From, e.To), r.t.Name(e.Key), b.HighWatermark)
	case *history.ListOffsets:
		e.Text = fmt.Sprintf("asks %s for its offset at %d: %d", r.t.Name(e.Key), b.Spec, b.Offset)
	case *history.DeleteRecords:
		e.From, e.To = 0, b.Before
		e.Text = fmt.Sprintf("deletes the records of %s below %d", r.t.Name(e.Key), b.Before)
	case *history.CreateTopic:
		e.Text = fmt.Sprintf("creates topic %s", log.Topic(b.Topic).Name)
	case *history.DeleteTopic:
		e.Text = fmt.Sprintf("deletes topic %s", log.Topic(b.Topic).Name)
	case *history.Group:
		r.memberText(&e, b)
	case *history.Txn:
		r.txnText(&e, op, log, b)
	case *history.Replica:
		if r.t.Plan.IsCluster() {
			return e, false
		}
		return r.alone(e, op, b), true
	case *history.Loss:
		e.Kind, e.Proc, e.From, e.To = Phase, None, b.From, core.NoOffset
		e.Text = fmt.Sprintf("from here on %s may be lost from %d on: the faults permit it", r.t.Name(e.Key), b.From)
	case *history.NodeChange:
		if b.State != history.Serving {
			return e, false
		}
		e.Kind, e.Proc, e.Text = Role, procOf(b.Node), "serves: recovery is over"
	default:
		return e, false
	}
	if e.Text != "" && e.Kind == Op {
		e.Text += outcome(op)
		e.Bad = op.Outcome != history.OK
	}
	return e, true
}

func sendText(e *Event, op history.Op, b *history.Send) {
	acks := "all"
	if b.Acks >= 0 {
		acks = fmt.Sprint(b.Acks)
	}
	e.Text = fmt.Sprintf("sends %s, acks=%s", Count(len(b.Records), "record"), acks)
	if n := len(b.Records); op.Outcome == history.OK && n > 0 && b.Records[0].Offset != core.NoOffset {
		e.From, e.To = b.Records[0].Offset, b.Records[n-1].Offset+1
		e.Text += ", is told: stored at " + offsets(e.From, e.To)
	}
}

// outcome is how an operation ended, where it did not end well.
func outcome(op history.Op) string {
	code := ""
	if op.Code != core.ErrNone {
		code = " (" + op.Code.String() + ")"
	}
	switch op.Outcome {
	case history.Fail:
		return ": it failed" + code
	case history.Info:
		return ": nobody knows how it ended" + code
	default:
		return ""
	}
}

// alone is a look at the only replica of a partition: what the witness tells of clusters.
func (r *recorder) alone(e Event, op history.Op, b *history.Replica) Event {
	proc := procOf(b.Node)
	s := r.state(proc, e.Key)
	was := *s
	s.Role, s.Epoch, s.Leader, s.Start, s.End, s.Durable, s.HW = "leader", b.Epoch, b.Node, b.LogStartOffset, b.LogEndOffset, b.Durable, b.HighWatermark
	kept := *s
	out := plain(op.End, Mark, proc, fmt.Sprintf("%s: log from %d to %d, durable up to %d as it believes, HighWatermark %d",
		r.t.Name(e.Key), s.Start, s.End, s.Durable, s.HW)).about(e.Key, max(was.HW, 0), s.HW)
	if s.HW < was.HW {
		out.Bad, out.From, out.To = true, s.HW, was.HW
		out.Text += fmt.Sprintf(", back from %d", was.HW)
	}
	out.State = int32(len(r.t.States))
	r.t.States = append(r.t.States, kept)
	return out
}

// client is the process of a client by its number in the history.
func (r *recorder) client(p history.Process) int32 {
	if p == history.World {
		return None
	}
	id := workload.ClientOf(p)
	return int32(slices.IndexFunc(r.t.Procs, func(x Proc) bool { return x.Node == core.NoNode && x.Client == id }))
}

// merged is the order of all events: raw ones as they are, with what a turn sent behind what it changed, and the
// history's, numbered from the number of raw ones on, behind the raw ones of their instant.
func (r *recorder) merged(ops []Event) []int32 {
	raw := r.settled()
	order := make([]int32, 0, len(raw)+len(ops))
	next := 0
	for _, i := range raw {
		for next < len(ops) && ops[next].At < r.t.Events[i].At {
			order = append(order, int32(len(raw)+next))
			next++
		}
		order = append(order, i)
	}
	for ; next < len(ops); next++ {
		order = append(order, int32(len(raw)+next))
	}
	return order
}

// settled is the order of raw events with each turn's sendings behind its changes, which are told after them.
func (r *recorder) settled() []int32 {
	events := r.t.Events
	order := make([]int32, len(events))
	for i := range order {
		order[i] = int32(i)
	}
	for _, end := range r.marks {
		if end == 0 || end > len(events)-1 || events[end-1].Proc != events[end].Proc || events[end-1].At != events[end].At {
			continue
		}
		from, to := end, end
		same := func(i int) bool {
			k := events[i].Kind
			return events[i].At == events[end].At && events[i].Proc == events[end].Proc && k != Arrived && k != Opened && k != Closed && k != Disk
		}
		for from > 0 && same(from-1) && (events[from-1].Kind == Sent || events[from-1].Kind == Point) {
			from--
		}
		for to < len(events) && same(to) {
			to++
		}
		slices.SortStableFunc(order[from:to], func(a, b int32) int { return cmp.Compare(last(events[a].Kind), last(events[b].Kind)) })
	}
	return order
}

// last puts what was sent behind everything else of a turn, and a violation behind that.
func last(k Kind) int {
	switch k {
	case Sent:
		return 1
	case Broke:
		return 2
	default:
		return 0
	}
}

// renumber brings the events into their order, and what points to them along. at is turned into indexes of events.
func (r *recorder) renumber(ops []Event, order []int32, at []int) {
	t := r.t
	raw := len(t.Events)
	all := append(slices.Clone(t.Events), ops...)
	to := make([]int32, len(all)+1)
	t.Events = make([]Event, len(all))
	for i, from := range order {
		t.Events[i] = all[from]
		to[from] = int32(i)
	}
	to[len(all)] = int32(len(all))
	for i := range t.Messages {
		m := &t.Messages[i]
		m.Sent = to[m.Sent]
		if m.Arrived != None {
			m.Arrived = to[m.Arrived]
		}
	}
	for i := range t.Packets {
		if p := &t.Packets[i]; p.Event != None {
			p.Event = to[p.Event]
		}
	}
	if t.Broke != None {
		t.Broke = int(to[t.Broke])
	}
	for i := range at {
		at[i] = int(to[raw+at[i]])
	}
}

// place finds the event of a violation that was not seen while it happened: behind the decisive event of the history, or
// at the end.
func (r *recorder) place(at []int) {
	t := r.t
	for _, i := range t.Found.Events {
		if i < len(at) && at[i] < len(t.Events) && t.Events[at[i]].Kind != Broke {
			t.Evidence = append(t.Evidence, at[i])
		}
	}
	if t.Broke != None {
		return
	}
	where, proc := len(t.Events)-1, int32(None)
	if n := len(t.Found.Events); n > 0 && t.Found.Events[n-1] < len(at) {
		i := at[t.Found.Events[n-1]]
		if i < len(t.Events) {
			where, proc = i, t.Events[i].Proc
		}
	}
	now := t.End
	if where >= 0 && where < len(t.Events)-1 {
		now = t.Events[where].At
	}
	t.Broke = where + 1
	t.Events = slices.Insert(t.Events, t.Broke, plain(now, Broke, proc, ""))
	moved := func(i *int32) {
		if *i != None && int(*i) >= t.Broke {
			*i++
		}
	}
	for i, at := range t.Evidence {
		if at >= t.Broke {
			t.Evidence[i]++
		}
	}
	for i := range t.Messages {
		moved(&t.Messages[i].Sent)
		moved(&t.Messages[i].Arrived)
	}
	for i := range t.Packets {
		moved(&t.Packets[i].Event)
	}
}

// spell writes topics' names where a message had only their ids, and gives the messages' facts to their events.
func (r *recorder) spell() {
	var pairs []string
	for _, n := range r.t.Names {
		pairs = append(pairs, "{"+n.ID.String()+"}", n.Name)
	}
	names := strings.NewReplacer(pairs...)
	t := r.t
	for i := range t.Messages {
		m := &t.Messages[i]
		m.Text = names.Replace(m.Text)
		for j := range m.Parts {
			if p := &m.Parts[j]; p.Topic == "" {
				p.Topic = r.names[p.TopicID]
			}
		}
	}
	for i := range t.Events {
		e := &t.Events[i]
		e.Text = names.Replace(e.Text)
		if e.Msg != None {
			e.Text = t.messageText(e) + e.Text
		}
	}
	if t.Broke != None {
		t.Events[t.Broke].Text = string(t.Found.Property) + ": " + names.Replace(t.Found.Message)
	}
}

// messageText is a message from the point of view of one of its ends.
func (t *Tape) messageText(e *Event) string {
	m := &t.Messages[e.Msg]
	what := m.Name()
	if m.IsResponse {
		what += " answer"
	}
	text := fmt.Sprintf("-> %s: %s", t.ProcName(m.To), what)
	if e.Kind == Arrived {
		text = fmt.Sprintf("<- %s: %s", t.ProcName(m.From), what)
	}
	if m.Text != "" {
		text += ", " + m.Text
	}
	if e.Kind == Sent && m.Arrived == None {
		text += pick(t.lost(m), " [it never arrives]", " [still under way]")
	}
	return text
}

// lost reports whether a message that has not arrived cannot arrive any more: its connection is over, or an end of it died.
func (t *Tape) lost(m *Message) bool {
	for i := int(m.Sent); i < len(t.Events); i++ {
		if e := &t.Events[i]; e.Kind == Crashed && (e.Proc == m.From || e.Proc == m.To) {
			return true
		}
	}
	for i := len(t.Packets) - 1; i >= 0 && t.Packets[i].At >= t.Events[m.Sent].At; i-- {
		if p := &t.Packets[i]; p.Net.Conn == m.Conn && p.Net.Kind == simnet.Closed {
			return true
		}
	}
	return false
}

// PartOf reports whether a message is about a partition, and which offsets it names.
func (t *Tape) PartOf(m *Message, k history.Key) (facts.Part, bool) {
	for _, p := range m.Parts {
		if p.Partition == k.Partition && (p.TopicID == k.TopicID || p.TopicID.IsZero() && p.Topic == t.topic(k.TopicID)) {
			return p, true
		}
	}
	return facts.Part{}, false
}

func (t *Tape) topic(id core.TopicID) string {
	for _, n := range t.Names {
		if n.ID == id {
			return n.Name
		}
	}
	return "?"
}
