package pipeline

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/member"
	"github.com/klamm-log/klamm/core/client/txn"
	"github.com/klamm-log/klamm/core/ordmap"
)

// State is where the pipeline is.
type State uint8

// The states.
const (
	Idle    State = iota // the next poll may begin a transaction
	Working              // records were handed out
	Ending               // the transaction is being committed or aborted
)

// Range is what a transaction has worked on of one partition: the offsets [From, To).
type Range struct {
	core.TopicPartition
	From, To core.Offset
}

// Outcome tells what has become of one transaction.
type Outcome struct {
	Ranges []Range
	// Finished: a commit was asked for. Then no Err means that it is done. Err without Ambiguous, or no commit: certainly not.
	Finished  bool
	Err       core.ErrorCode
	Ambiguous bool
}

// base is up to where a partition is committed, as far as this claim knows.
type base struct {
	claim  uint64
	offset core.Offset
}

// Pipeline is the loop. Make one with [New].
type Pipeline struct {
	cl *cluster.Cluster
	k  *consumer.Consumer
	m  *member.Member
	x  *txn.Manager

	state    State
	bases    *ordmap.Map[core.TopicPartition, base]
	open     Outcome // of the present transaction
	offsets  []txn.Offset
	why      core.ErrorCode // of the abort
	used     bool
	failures int
	again    core.Mono // a fenced producer begins anew then
	outcomes []Outcome
	events   []txn.Event     // scratch
	places   []member.Offset // scratch
	deadline core.Mono
}

// New makes a pipeline over the parts of one client.
func New(cl *cluster.Cluster, k *consumer.Consumer, m *member.Member, x *txn.Manager) *Pipeline {
	return &Pipeline{cl: cl, k: k, m: m, x: x, bases: ordmap.New[core.TopicPartition, base](core.TopicPartition.Compare), deadline: cluster.Never}
}

// State is where the pipeline is.
func (p *Pipeline) State() State { return p.state }

// Use makes the pipeline the one who takes the events of the transactions. The first poll does so, too.
func (p *Pipeline) Use() { p.used = true }

// Poll appends up to so many records to dst and opens a transaction if there are any. While one is open or ending it returns none, and
// the member is not polled: what it is to give up waits for the end.
func (p *Pipeline) Poll(now core.Now, most int, dst []consumer.Record) []consumer.Record {
	p.used = true
	if p.state != Idle {
		return dst
	}
	had := len(dst)
	if p.x.State() != txn.Ready {
		most = 0 // only to say that the application lives
	}
	p.begin()
	if dst = p.m.Poll(now, most, dst); len(dst) == had {
		return dst
	}
	if !p.x.Begin(now) {
		panic("pipeline: the transactions are ready and cannot begin")
	}
	p.state = Working
	p.open, p.offsets, p.why = Outcome{}, nil, core.ErrNone
	p.places = p.m.Delivered(p.places[:0])
	for i := range p.places {
		o := &p.places[i]
		b, ok := p.bases.Get(o.TopicPartition)
		if !ok || b.claim != p.m.Claim(o.TopicPartition) || o.Offset <= b.offset {
			continue
		}
		p.open.Ranges = append(p.open.Ranges, Range{o.TopicPartition, b.offset, o.Offset})
		p.offsets = append(p.offsets, txn.Offset{TopicPartition: o.TopicPartition, Offset: o.Offset, EpochPlusOne: o.EpochPlusOne})
	}
	return dst
}

// begin notes where newly held partitions are read from, before anything of them is handed out.
func (p *Pipeline) begin() {
	for _, tp := range p.m.Owned(nil) {
		claim := p.m.Claim(tp)
		if b, ok := p.bases.Get(tp); ok && b.claim == claim {
			continue
		}
		if at, _, ok := p.k.Position(tp.Topic, tp.Partition); ok {
			p.bases.Set(tp, base{claim, at})
		}
	}
}

// Working on the open transaction: its ranges, while the state is Working.
func (p *Pipeline) Ranges() []Range { return p.open.Ranges }

// Finish commits what was written since Poll, with how far the group has come. It is false, and nothing happens, unless the state is
// Working.
func (p *Pipeline) Finish(now core.Now) bool {
	if p.state != Working {
		return false
	}
	if !p.holds() {
		p.why = core.ErrIllegalGeneration
		return p.Discard(now)
	}
	who := p.m.Metadata()
	as := txn.Group{ID: who.Group, MemberID: who.MemberID, InstanceID: who.InstanceID, Generation: who.Generation}
	p.state = Ending
	if !p.x.SendOffsets(now, as, p.offsets) || !p.x.Commit(now) {
		p.x.Abort(now) // doomed since; the event that says so comes with the next turn
		return true
	}
	p.open.Finished = true
	return true
}

// holds reports whether everything that was polled is still this member's, without a break.
func (p *Pipeline) holds() bool {
	for i := range p.open.Ranges {
		tp := p.open.Ranges[i].TopicPartition
		if b, ok := p.bases.Get(tp); !ok || b.claim != p.m.Claim(tp) {
			return false
		}
	}
	return true
}

// Discard aborts what was written since Poll; the records come again. It is false, and nothing happens, unless the state is Working.
func (p *Pipeline) Discard(now core.Now) bool {
	if p.state != Working {
		return false
	}
	p.state = Ending
	p.x.Abort(now)
	return true
}

// Outcomes appends what has become of transactions since the last call to dst.
func (p *Pipeline) Outcomes(dst []Outcome) []Outcome {
	dst = append(dst, p.outcomes...)
	clear(p.outcomes)
	p.outcomes = p.outcomes[:0]
	return dst
}

// EndTurn takes what happened to the transaction.
func (p *Pipeline) EndTurn(now core.Now) {
	p.deadline = cluster.Never
	if !p.used {
		return
	}
	p.events = p.x.Events(p.events[:0])
	for i := range p.events {
		p.take(now, &p.events[i])
	}
	if p.x.State() != txn.Fatal {
		return
	}
	if now.Mono >= p.again {
		p.x.Restart(now)
		return
	}
	p.deadline = p.again
}

func (p *Pipeline) take(now core.Now, e *txn.Event) {
	switch e.Kind {
	case txn.EventAbortable:
		p.why = e.Err
		if p.state != Idle && p.x.Abort(now) {
			p.state = Ending
		}
	case txn.EventEnded:
		p.ended(now, e)
	case txn.EventFatal:
		p.failures++
		p.again = p.cl.RetryAfter(now.Mono, p.failures)
	case txn.EventReady:
	}
}

// ended takes the end of the transaction. Only a certain commit lets the group go on from where it is; and only in what it has held all
// the time: a claim that was lost and won again while the commit was on its way began at an offset from before it.
func (p *Pipeline) ended(now core.Now, e *txn.Event) {
	if p.state == Idle {
		return // the application's own
	}
	p.state = Idle
	o := p.open
	o.Err, o.Ambiguous = e.Err, e.Ambiguous
	done := e.Commit && e.Err == core.ErrNone
	if done {
		p.failures = 0
	}
	switch {
	case done && p.holds():
		for _, r := range o.Ranges {
			if b, ok := p.bases.Get(r.TopicPartition); ok && b.offset == r.From {
				b.offset = r.To
				p.bases.Set(r.TopicPartition, b)
			}
		}
	default:
		if o.Err == core.ErrNone && !done {
			o.Err = p.why
		}
		for _, tp := range p.bases.Keys() {
			p.bases.Delete(tp)
		}
		p.m.Rewind(now)
	}
	if !e.Commit && o.Err == core.ErrNone {
		o.Finished = false
	}
	p.outcomes = append(p.outcomes, o)
}

// NextDeadline is when the pipeline must be looked at again; [cluster.Never] if it waits for events only.
func (p *Pipeline) NextDeadline() core.Mono { return p.deadline }
