package linear

import (
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/checkers/internal/refmodel"
	"github.com/klamm-log/klamm/core"
)

// lcg draws from a seed.
func lcg(seed uint64) refmodel.Draw {
	x := seed*2862933555777941757 + 3037000493
	return func(n int) int {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		return int(x>>33) % n
	}
}

// onlyFast are the properties that speak of something the sequential log has no notion of: one client's view, one
// response's inner consistency, producers' settings, final reads, lookups, the log start.
func onlyFast() checkers.Options {
	return checkers.Options{Allow: []checkers.Property{
		checkers.NonmonotonicPoll, checkers.PollSkip, checkers.PastHighWatermark, checkers.EpochOrder, checkers.EpochUnique,
		checkers.IntNonmonotonicSend, checkers.Duplicate, checkers.Unseen, checkers.LookupMono, checkers.LookupTime,
		checkers.LogStartMono, checkers.LogStartUnexplained, checkers.LogStartBounded, checkers.DeleteRespected,
	}}
}

// event is one event of a history that is taken apart.
type event struct {
	op   history.Op
	send *history.Send
	poll *history.Poll
	list *history.ListOffsets
}

// takeApart copies the sends, polls and end queries of a history, each by a process of its own: then no property of
// one process applies.
func takeApart(log *history.Log) []event {
	var list []event
	for i := range log.Len() {
		op, body := log.At(i)
		op.Process = history.Process(i)
		switch b := body.(type) {
		case *history.Send:
			s := *b
			s.Records = append([]history.Record(nil), b.Records...)
			list = append(list, event{op: op, send: &s})
		case *history.Poll:
			p := *b
			p.LastStableOffset, p.LogStartOffset = core.NoOffset, core.NoOffset
			p.Records = append([]history.Record(nil), b.Records...)
			list = append(list, event{op: op, poll: &p})
		case *history.ListOffsets:
			if b.Spec == history.SpecLatest {
				l := *b
				list = append(list, event{op: op, list: &l})
			}
		}
	}
	return list
}

// rebuild makes a history of events, in order of End.
func rebuild(events []event) *history.Log {
	sort.SliceStable(events, func(i, j int) bool { return events[i].op.End < events[j].op.End })
	log := &history.Log{}
	log.AddTopic(history.Topic{Name: "model"})
	for _, e := range events {
		switch {
		case e.send != nil:
			log.Send(e.op, *e.send)
		case e.poll != nil:
			log.Poll(e.op, *e.poll)
		default:
			log.ListOffsets(e.op, *e.list)
		}
	}
	return log
}

// mutate changes one thing about one event; it may leave the history sound.
func mutate(events []event, draw refmodel.Draw) []event {
	n := draw(len(events))
	e := &events[n]
	step := core.Offset(1 - 2*draw(2))
	switch draw(7) {
	case 0: // another time
		e.op.Start += core.Mono(draw(30))
		e.op.End = max(e.op.End, e.op.Start) + core.Mono(draw(10))
	case 1:
		e.op.End = max(0, e.op.End-core.Mono(draw(30)))
		e.op.Start = min(e.op.Start, e.op.End) - core.Mono(draw(10))
	case 2: // another outcome
		if e.send != nil && e.op.Outcome != history.OK {
			e.op.Outcome = history.Fail
		}
	case 3: // another counter
		if e.poll != nil {
			e.poll.HighWatermark += step
		} else if e.list != nil {
			e.list.Offset += step
		}
	case 4: // another offset
		if rs := e.records(); len(rs) > 0 && rs[0].Offset != core.NoOffset {
			k := draw(len(rs))
			rs[k].Offset = max(0, rs[k].Offset+step)
		}
	case 5: // another value, or none
		if rs := e.records(); e.poll != nil && len(rs) > 0 {
			k := draw(len(rs))
			if draw(2) == 0 {
				rs[k].Value += history.Value(1 + draw(2))
			} else {
				e.poll.Next = e.poll.End()
				e.poll.Records = append(rs[:k], rs[k+1:]...)
			}
		}
	case 6: // an event that did not happen, or was not recorded
		events = append(events[:n], events[n+1:]...)
	}
	return events
}

func (e *event) records() []history.Record {
	if e.send != nil {
		return e.send.Records
	}
	if e.poll != nil {
		return e.poll.Records
	}
	return nil
}

// alike reports whether both checkers read every poll alike: offsets rise from the position on, and no
// producer's offsets are out of order, which only the fast checker minds.
func alike(log *history.Log) bool {
	for i := range log.Len() {
		_, body := log.At(i)
		if p, ok := body.(*history.Poll); ok {
			last := p.From - 1
			for _, r := range p.Records {
				if r.Offset <= last {
					return false
				}
				last = r.Offset
			}
			if p.HighWatermark < core.NoOffset || p.End() <= last {
				return false
			}
		}
		if l, ok := body.(*history.ListOffsets); ok && l.Offset < core.NoOffset {
			return false
		}
	}
	return true
}

func small(seed uint64) refmodel.Config {
	return refmodel.Config{
		Steps: 20 + int(seed%40), Clients: 1 + int(seed%4), Partitions: 1, FinalReads: seed%3 == 0,
	}
}

func TestModelIsLinearizable(t *testing.T) {
	windows := 0
	for seed := uint64(0); seed < 2000; seed++ {
		log := refmodel.Run(small(seed), lcg(seed))
		r := Check(log, Options{MaxOps: 200}) // a run with few clients and no fault is searched in no time
		require.Empty(t, r.Violations, "seed %d\n%s", seed, log)
		require.Zero(t, r.TooLarge+r.Skipped, "seed %d", seed)
		windows += r.Windows
	}
	require.Greater(t, windows, 5000)
}

// TestCheckersAgree compares the two on thousands of histories with up to three mutations: each rejects what the
// other rejects.
func TestCheckersAgree(t *testing.T) {
	rejected, compared := 0, 0
	for seed := uint64(0); seed < 8000; seed++ {
		draw := lcg(seed)
		events := takeApart(refmodel.Run(small(seed), draw))
		for range 1 + draw(3) {
			if len(events) > 0 {
				events = mutate(events, draw)
			}
		}
		log := rebuild(events)
		if !alike(log) {
			continue
		}
		compared++
		fast := checkers.Check(log, onlyFast())
		slow := Check(log, Options{MaxOps: 200})
		require.Zero(t, slow.TooLarge+len(slow.Inapplicable))
		if (len(fast) > 0) != (len(slow.Violations) > 0) {
			t.Fatalf("seed %d\nfast: %v\nlinear: %v\n%s", seed, fast, slow.Violations, log)
		}
		if len(fast) > 0 {
			rejected++
		}
	}
	require.Greater(t, compared, 4000)
	require.Greater(t, rejected, compared/5)
	require.Greater(t, compared-rejected, compared/5)
	t.Logf("%d histories compared, %d rejected by both", compared, rejected)
}

func parse(t *testing.T, lines ...string) *history.Log {
	log, err := history.Parse([]byte("history v1\ntopic T0 orders -\n" + strings.Join(lines, "\n")))
	require.NoError(t, err)
	return log
}

func TestWindowsAreCutWhereNothingIsUnderWay(t *testing.T) {
	log := parse(t,
		"send p1 1..5 ok T0/0 | 0=101",
		"send p2 2..6 ok T0/0 | 1=102",
		"list-offsets p3 7..8 ok T0/0 offset=2",
		"list-offsets p3 8..9 ok T0/0 offset=2",
		"poll p3 10..11 ok T0/0 from=0 | 0=101 1=102",
	)
	require.Equal(t, Report{Windows: 3}, Check(log, Options{}))
}

func TestTooLargeWindowsAreCounted(t *testing.T) {
	log := parse(t,
		"send p1 1..5 ok T0/0 idempotent | 0=101",
		"send p2 2..9 ok T0/0 idempotent | 1=102",
		"list-offsets p3 6..9 ok T0/0 offset=0",
		"poll p3 10..11 ok T0/0 from=0 | 0=101 1=102",
	)
	require.Equal(t, Report{Windows: 1, TooLarge: 1, Skipped: 3}, Check(log, Options{MaxOps: 2}))
	r := Check(log, Options{})
	require.Len(t, r.Violations, 1)
	require.Equal(t, []int{0, 1, 2}, r.Violations[0].Events)
	require.Equal(t, 1, r.Skipped)
}

func TestWhereTheModelDoesNotApply(t *testing.T) {
	for _, line := range []string{
		"send p1 1..5 ok T0/0 acks=1 | 0=101",
		"send p1 1..5 ok T0/0 promise=until-power-loss | 0=101",
		"loss p-1 5..5 ok T0/0 from=0",
		"poll p1 1..5 ok T0/0 from=0 | 99999999=101",
		"list-offsets p1 1..5 ok T0/0 offset=99999999",
	} {
		r := Check(parse(t, line), Options{})
		require.Equal(t, Report{Inapplicable: []history.Place{{}}}, r, line)
	}
	r := Check(parse(t, "send p1 1..5 ok T0/0 | 0=101", "node p-1 6..6 ok node=1 state=power-lost policy=os"), Options{})
	require.Equal(t, Report{Inapplicable: []history.Place{{}}}, r)
}

// FuzzCheck wants an end and no panic, whatever the history.
func FuzzCheck(f *testing.F) {
	f.Add([]byte("history v1\ntopic T0 a -\nsend p1 1..5 ok T0/0 | 0=101\npoll p1 1..5 ok T0/0 from=0 next=9 hw=9 | 0=101\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if log, err := history.Parse(src); err == nil {
			first := Check(log, Options{MaxOps: 12})
			require.Equal(t, first, Check(log, Options{MaxOps: 12}))
		}
	})
}
