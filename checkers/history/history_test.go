package history

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
)

// everyKind is a text with one line of each kind in canonical form.
const everyKind = `history v1
topic T0 orders -
topic T1 orders AAAAAAAAAAAAAAAAAAAAAQ compacted gaps retained
send p1 10..20 ok T0/0 promise=until-power-loss idempotent attempts=2 appended=99 | 0=101 1=102
send p1 15..25 info code=7 T0/0 acks=1 txn=7 | ?=18446744073709551615
poll p2 21..30 ok T0/0 from=0 next=3 hw=3 lso=3 start=0 isolation=committed follower txn=7 | 0=101@4^1000 1=102
list-offsets p3 31..32 ok T1/7 spec=-2 isolation=committed offset=5 ts=6 epoch=7
delete-records p3 32..33 fail T1/7 before=3 low=3
create-topic p4 30..34 ok T1 partitions=8
delete-topic p4 35..36 ok T0
seek p2 36..36 ok T1/7 to=0
txn p1 20..36 ok id=7 writer=2 commit asked=33 group=1 refused=48 | T0/1:3..9 T1/7:0..1
init p1 20..36 info writer=2 lost=3
transfer p1 36..36 ok txn=7 debit=101 credit=102 amount=5
tally p1 36..36 ok txn=7 group=1 value=18446744073709551615 word=3 n=2
replica p-1 37..37 ok T1/7 node=1 leader sole policy=os epoch=3 start=0 hw=5 end=6 durable=5
scan p-1 37..37 ok T1/7 node=1 start=0 end=6 | 0..4 5..5!bad-crc
node p-1 38..38 ok node=1 state=power-lost policy=os
loss p-1 39..39 ok T1/7 from=5
mark p-1 40..40 ok name=final-reads
`

func TestTextOfEveryKind(t *testing.T) {
	l, err := Parse([]byte(everyKind))
	require.NoError(t, err)
	require.Equal(t, everyKind, l.String())
	require.Equal(t, 17, l.Len())
	op, body := l.At(2)
	require.Equal(t, Op{Process: 2, Start: 21, End: 30}, op)
	p := body.(*Poll)
	require.Equal(t, core.Offset(3), p.End())
	require.Equal(t, Record{Offset: 0, Value: 101, Epoch: 4, Timestamp: 1000}, p.Records[0])
	require.Equal(t, "orders-7", l.Name(Place{Topic: 1, Partition: 7}).String())
}

func TestParseRefuses(t *testing.T) {
	head := "history v1\ntopic T0 a -\n"
	for name, text := range map[string]string{
		"nothing":            "",
		"no header":          "topic T0 a -",
		"wrong version":      "history v2",
		"topic number":       "history v1\ntopic T1 a -",
		"topic name":         "history v1\ntopic T0 a/b -",
		"topic id":           "history v1\ntopic T0 a AAAA",
		"same topic":         head + "topic T1 a -",
		"topic flag":         "history v1\ntopic T0 a - shiny",
		"unknown event":      head + "dance p1 1..2 ok T0/0",
		"short":              head + "seek p1 1..2",
		"only a bar":         head + "|",
		"process":            head + "seek 1 1..2 ok T0/0",
		"span":               head + "seek p1 12 ok T0/0",
		"ends before start":  head + "seek p1 2..1 ok T0/0",
		"ends before last":   head + "seek p1 1..2 ok T0/0\nseek p1 1..1 ok T0/0",
		"outcome":            head + "seek p1 1..2 maybe T0/0",
		"no place":           head + "seek p1 1..2 ok",
		"undeclared topic":   head + "seek p1 1..2 ok T1/0",
		"undeclared create":  head + "create-topic p1 1..2 ok T1",
		"no topic":           head + "create-topic p1 1..2 ok",
		"negative topic":     head + "create-topic p1 1..2 ok T-1",
		"negative partition": head + "seek p1 1..2 ok T0/-1",
		"huge partition":     head + "seek p1 1..2 ok T0/2147483648",
		"unknown field":      head + "seek p1 1..2 ok T0/0 at=1",
		"field twice":        head + "seek p1 1..2 ok T0/0 to=1 to=2",
		"not a number":       head + "seek p1 1..2 ok T0/0 to=x",
		"too big a number":   head + "send p1 1..2 ok T0/0 acks=300",
		"enum":               head + "send p1 1..2 ok T0/0 promise=maybe",
		"record":             head + "send p1 1..2 ok T0/0 | 5",
		"record offset":      head + "send p1 1..2 ok T0/0 | x=5",
		"record value":       head + "send p1 1..2 ok T0/0 | 5=-1",
		"record epoch":       head + "send p1 1..2 ok T0/0 | 5=1@x",
		"record stamp":       head + "send p1 1..2 ok T0/0 | 5=1^x",
		"list on a seek":     head + "seek p1 1..2 ok T0/0 | 5=1",
		"range":              head + "txn p1 1..2 ok | T0/0:1",
		"range's place":      head + "txn p1 1..2 ok | 0/0:1..2",
		"range's topic":      head + "txn p1 1..2 ok | T1/0:1..2",
		"batch":              head + "scan p-1 1..1 ok T0/0 | 5",
		"batch fault":        head + "scan p-1 1..1 ok T0/0 | 5..6!odd",
		"mark with a span":   head + "mark p-1 1..2 ok",
		"mark of a client":   head + "mark p1 1..1 ok",
		"mark that failed":   head + "mark p-1 1..1 fail",
	} {
		_, err := Parse([]byte(text))
		var syntax *SyntaxError
		require.True(t, errors.As(err, &syntax), "%s: %v", name, err)
		require.NotEmpty(t, syntax.Problem, name)
	}
}

func TestParseNamesTheLine(t *testing.T) {
	_, err := Parse([]byte("\n# a comment\nhistory v1\n\n  topic T0 a -\r\nseek p1 1..2 ok T0/9x\n"))
	require.EqualError(t, err, `history: line 6: partition "T0/9x"`)
}

func TestLogRefusesBrokenRecorders(t *testing.T) {
	l := &Log{}
	ref := l.AddTopic(Topic{Name: "a"})
	require.Equal(t, ref, l.AddTopic(Topic{Name: "a"}))
	l.Mark(5, FinalReads)
	require.Panics(t, func() { l.Mark(4, FinalReads) })
	require.Panics(t, func() { l.Seek(Op{Start: 9, End: 8}, Seek{}) })
	require.Panics(t, func() { l.Seek(Op{Start: 9, End: 9}, Seek{Place: Place{Topic: 1}}) })
	require.Panics(t, func() { l.AddTopic(Topic{Name: "a b"}) })
	require.Panics(t, func() { l.AddTopic(Topic{Name: ".."}) })
	require.Panics(t, func() { l.AddTopic(Topic{Name: strings.Repeat("a", 250)}) })
}

func TestLogCopiesRecords(t *testing.T) {
	l := &Log{}
	l.AddTopic(Topic{Name: "a"})
	rs := []Record{{Offset: 1, Value: 7}}
	l.Send(Op{}, Send{Records: rs})
	rs[0].Value = 8
	l.Send(Op{}, Send{Records: rs})
	_, first := l.At(0)
	_, second := l.At(1)
	require.Equal(t, Value(7), first.(*Send).Records[0].Value)
	require.Equal(t, Value(8), second.(*Send).Records[0].Value)
}

func drawRecord(t *rapid.T) Record {
	return Record{
		core.Offset(rapid.Int64Min(-1).Draw(t, "off")), Value(rapid.Uint64().Draw(t, "v")),
		core.Wall(rapid.Int64Min(-1).Draw(t, "ts")), core.LeaderEpoch(rapid.Int32Min(-1).Draw(t, "epoch")),
	}
}

// drawLog adds random events of every kind with extreme and ordinary numbers.
func drawLog(t *rapid.T) *Log {
	l := &Log{}
	id := core.TopicIDFromWords(rapid.Uint64().Draw(t, "high"), rapid.Uint64().Draw(t, "low"))
	l.AddTopic(Topic{Name: "a.b-c_D"})
	l.AddTopic(Topic{Name: "a", ID: id, Compacted: rapid.Bool().Draw(t, "compacted"), Gaps: true})
	now := core.Mono(rapid.Int64Range(-5, 5).Draw(t, "first"))
	off := rapid.Custom(func(t *rapid.T) core.Offset { return core.Offset(rapid.Int64Min(-1).Draw(t, "o")) })
	rec := rapid.Custom(drawRecord)
	for range rapid.IntRange(0, 12).Draw(t, "events") {
		now += core.Mono(rapid.Int64Range(0, 9).Draw(t, "step"))
		op := Op{
			Process: Process(rapid.Int32().Draw(t, "process")), Outcome: Outcome(rapid.IntRange(0, 2).Draw(t, "outcome")),
			Code: core.ErrorCode(rapid.Int16().Draw(t, "code")), Start: now - 3, End: now,
		}
		at := Place{Topic: TopicRef(rapid.IntRange(0, 1).Draw(t, "topic")), Partition: rapid.Int32Min(0).Draw(t, "partition")}
		o := func() core.Offset { return off.Draw(t, "offset") }
		node := core.NodeID(rapid.Int32().Draw(t, "node"))
		recs := rapid.SliceOfN(rec, 0, 3).Draw(t, "records")
		yes := rapid.Bool().Draw(t, "flag")
		two := rapid.IntRange(0, 1).Draw(t, "policy")
		switch Kind(rapid.IntRange(0, int(KindMark)).Draw(t, "kind")) {
		case KindSend:
			l.Send(op, Send{at, int8(rapid.IntRange(-1, 1).Draw(t, "acks")), yes, yes, Promise(two), 3, core.Wall(o()), TxnID(two), recs})
		case KindPoll:
			l.Poll(op, Poll{at, o(), o(), o(), o(), o(), Isolation(two), yes, TxnID(two), recs})
		case KindListOffsets:
			l.ListOffsets(op, ListOffsets{at, core.Wall(o()) - 4, Isolation(two), o(), core.Wall(o()), 4})
		case KindDeleteRecords:
			l.DeleteRecords(op, DeleteRecords{at, o(), o()})
		case KindCreateTopic:
			l.CreateTopic(op, CreateTopic{at.Topic, at.Partition})
		case KindDeleteTopic:
			l.DeleteTopic(op, DeleteTopic{at.Topic})
		case KindSeek:
			l.Seek(op, Seek{at, o(), yes})
		case KindReplica:
			l.Replica(now, Replica{at, node, yes, !yes, Policy(two), 5, o(), o(), o(), o()})
		case KindScan:
			l.Scan(now, Scan{at, node, o(), o(), []Batch{{o(), o(), ScanFault(two)}}})
		case KindNodeChange:
			l.NodeChange(now, NodeChange{node, NodeState(two + 3), Policy(two)})
		case KindLoss:
			l.Loss(now, Loss{at, o()})
		case KindMark:
			l.Mark(now, MarkName(two+1))
		case KindGroup:
			l.Group(op, Group{at, 3, GroupStep(two), 7, o(), o(), yes, 9, 6, now})
		case KindTxn:
			l.Txn(op, Txn{TxnID(now), at.Partition, yes, now - 1, int32(two), core.ErrorCode(two), []Range{{at, o(), o()}}})
		case KindInit:
			l.Init(op, Init{at.Partition, int64(two)})
		case KindTransfer:
			l.Transfer(op, Transfer{TxnID(now), Value(now), Value(two), int64(node)})
		case KindTally:
			l.Tally(op, Tally{TxnID(now), at.Partition, Value(now), int32(two), int64(node)})
		}
	}
	return l
}

func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLog(t)
		text := l.String()
		back, err := Parse([]byte(text))
		require.NoError(t, err)
		require.Equal(t, l.Len(), back.Len())
		for i := range l.Len() {
			wantOp, want := l.At(i)
			gotOp, got := back.At(i)
			require.Equal(t, wantOp, gotOp)
			require.Equal(t, want, got)
		}
		require.Equal(t, text, back.String())
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(everyKind))
	f.Add([]byte("history v1\ntopic T0 a -\nmark p-1 0..0 ok\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		l, err := Parse(src)
		if err != nil {
			return
		}
		text := l.String()
		back, err := Parse([]byte(text))
		if err != nil {
			t.Fatalf("own text refused: %v\n%s", err, text)
		}
		if again := back.String(); again != text {
			t.Fatalf("text changed:\n%s\n%s", text, again)
		}
	})
}

func BenchmarkLogSend(b *testing.B) {
	b.ReportAllocs()
	l := &Log{}
	ref := l.AddTopic(Topic{Name: "a"})
	rs := []Record{{}}
	for i := range b.N {
		rs[0] = Record{Offset: core.Offset(i), Value: Value(i)}
		l.Send(Op{Start: core.Mono(i), End: core.Mono(i)}, Send{Place: Place{Topic: ref}, Records: rs})
	}
}
