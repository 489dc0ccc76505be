package txn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/checkers/txn"
	"github.com/stretchr/testify/require"
)

func parse(t *testing.T, events string) *history.Log {
	t.Helper()
	log, err := history.Parse([]byte("history v1\ntopic T0 in - gaps\ntopic T1 out - gaps\n" + strings.ReplaceAll(events, "\t", "")))
	require.NoError(t, err)
	return log
}

func names(list []checkers.Violation) []string {
	var out []string
	for _, v := range list {
		out = append(out, string(v.Property))
	}
	return out
}

// A transaction over two partitions, which the histories below begin with.
const both = `
	send p1 10..12 ok T0/0 txn=1 | 0=101
	send p1 10..12 ok T0/1 txn=1 | 5=102
	`

// Each history has the properties that it violates, in order; the sound ones have none.
func TestHistories(t *testing.T) {
	for name, c := range map[string]struct {
		events string
		want   []string
	}{
		"committed, and read as a whole": {both + `
			txn p1 9..20 ok id=1 commit asked=15
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed | 5=102`, nil},
		"torn: one partition is read past a committed record": {both + `
			txn p1 9..20 ok id=1 commit asked=15
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed`, []string{"TXN-ATOMIC"}},
		"torn: nobody knows the end, and one half is shown": {both + `
			txn p1 9..20 info id=1 commit asked=15
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed`, []string{"TXN-ATOMIC"}},
		"nobody knows the end, and nothing is shown": {both + `
			txn p1 9..20 info id=1 commit asked=15
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed`, nil},
		"committed, and not decided in the second partition yet": {both + `
			txn p1 9..20 ok id=1 commit asked=15
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=5 next=5 isolation=committed`, nil},
		"committed, and the second record's offset is known by a dirty read alone": {`
			send p1 10..12 ok T0/0 txn=1 | 0=101
			send p1 10..12 ok T0/1 txn=1 | ?=102
			txn p1 9..20 ok id=1 commit asked=15
			poll p3 19..21 ok T0/1 from=5 | 5=102
			poll p2 19..22 ok T0/1 from=5 next=7 isolation=committed`, []string{"TXN-ATOMIC"}},
		"below the log start nothing is owed": {both + `
			txn p1 9..20 ok id=1 commit asked=15
			delete-records p4 20..20 ok T0/1 before=6 low=6
			poll p2 20..21 ok T0/1 from=5 next=7 isolation=committed`, nil},
		"what is promised until power loss alone is not owed": {`
			send p1 10..12 ok T0/0 txn=1 promise=until-power-loss | 0=101
			txn p1 9..20 ok id=1 commit asked=15
			poll p2 20..21 ok T0/0 from=0 next=2 isolation=committed`, nil},
		"committed although a send had failed": {`
			send p1 10..12 ok T0/0 txn=1 | 0=101
			send p1 10..12 fail T0/1 txn=1 | ?=102
			txn p1 9..20 ok id=1 commit asked=15`, []string{"TXN-ATOMIC"}},
		"aborted, and hidden": {both + `
			txn p1 9..20 ok id=1 asked=15
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed
			poll p3 19..21 ok T0/0 from=0 next=2 | 0=101`, nil},
		"aborted, and read": {both + `
			txn p1 9..20 ok id=1 asked=15
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101`, []string{"TXN-NO-ABORTED"}},
		"its owner died before it asked for anything": {both + `
			txn p1 9..20 info id=1 asked=9
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101`, []string{"TXN-NO-ABORTED"}},
		"a commit that certainly failed": {both + `
			txn p1 9..20 fail id=1 commit asked=15
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101`, []string{"TXN-NO-ABORTED"}},
		"read before its commit was asked for": {both + `
			poll p2 13..14 ok T0/0 from=0 next=2 isolation=committed | 0=101
			txn p1 9..20 ok id=1 commit asked=15`, []string{"TXN-NO-OPEN"}},
		"read while its commit is under way": {both + `
			poll p2 13..16 ok T0/0 from=0 next=2 isolation=committed | 0=101
			txn p1 9..20 ok id=1 commit asked=15`, nil},
		"its own record": {both + `
			poll p1 13..14 ok T0/0 from=0 next=2 isolation=committed txn=1 | 0=101
			txn p1 9..20 ok id=1 commit asked=15`, []string{"precommitted-read"}},
		"not in the final reads": {both + `
			txn p1 9..20 ok id=1 commit asked=15
			mark p-1 30..30 ok name=final-reads
			poll p2 30..31 ok T0/0 from=0 next=1 isolation=committed | 0=101
			poll p2 30..31 ok T0/1 from=0 next=5 isolation=committed`, []string{"unseen"}},
		"nobody made final reads of it": {both + `
			txn p1 9..20 ok id=1 commit asked=15
			poll p2 30..31 ok T0/1 from=0 next=5 isolation=committed
			mark p-1 32..32 ok name=final-reads`, nil},
		"ended twice": {both + `
			txn p1 9..20 ok id=1 commit asked=15
			txn p1 9..20 ok id=1 commit asked=15`, []string{"HISTORY"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, names(txn.Check(parse(t, c.events)).Violations))
		})
	}
}

// Consume, transform, produce: each input offset is consumed by exactly one visible transaction.
func TestExactlyOnce(t *testing.T) {
	const input = `
		send p9 1..2 ok T0/0 | 0=1 1=2 2=3 3=4
		poll p8 2..3 ok T0/0 from=0 next=4 isolation=committed | 0=1 1=2 2=3 3=4
		send p1 10..11 ok T1/0 txn=1 | 0=11
		`
	for name, c := range map[string]struct {
		events string
		want   []string
	}{
		"one after the other": {`
			txn p1 9..20 ok id=1 commit asked=15 group=0 | T0/0:0..2
			txn p1 21..30 ok id=2 commit asked=25 group=0 | T0/0:2..4`, nil},
		"twice": {`
			txn p1 9..20 ok id=1 commit asked=15 group=0 | T0/0:0..2
			txn p2 21..30 ok id=2 commit asked=25 group=0 | T0/0:1..4`, []string{"EOS"}},
		"again after an abort": {`
			txn p1 9..20 ok id=1 asked=15 group=0 | T0/0:0..2
			txn p2 21..30 ok id=2 commit asked=25 group=0 | T0/0:0..4`, nil},
		"again after a commit of which nobody knows": {`
			txn p1 9..20 info id=1 commit asked=15 group=0 | T0/0:0..2
			txn p2 21..30 ok id=2 commit asked=25 group=0 | T0/0:0..4`, nil},
		"again after a commit of which the output is seen": {`
			txn p1 9..20 info id=1 commit asked=15 group=0 | T0/0:0..2
			txn p2 21..30 ok id=2 commit asked=25 group=0 | T0/0:0..4
			poll p8 31..32 ok T1/0 from=0 isolation=committed | 0=11`, []string{"EOS"}},
		"by two groups": {`
			txn p1 9..20 ok id=1 commit asked=15 group=0 | T0/0:0..2
			txn p2 21..30 ok id=2 commit asked=25 group=1 | T0/0:0..4`, nil},
		"skipped": {`
			txn p1 9..20 ok id=1 commit asked=15 group=0 | T0/0:0..1
			txn p1 21..30 ok id=2 commit asked=25 group=0 | T0/0:2..4`, []string{"EOS"}},
		"skipped, as what had consumed it was aborted": {`
			txn p1 9..20 ok id=1 asked=15 group=0 | T0/0:0..2
			txn p1 21..30 ok id=2 commit asked=25 group=0 | T0/0:2..4`, []string{"EOS", "EOS"}},
		"perhaps skipped": {`
			txn p1 9..20 info id=1 commit asked=15 group=0 | T0/0:0..2
			txn p1 21..30 ok id=2 commit asked=25 group=0 | T0/0:2..4`, nil},
		"not reached yet": {`
			txn p1 9..20 ok id=1 commit asked=15 group=0 | T0/0:0..2`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, names(txn.Check(parse(t, input+c.events)).Violations))
		})
	}
}

// Circles: G1c by wr edges alone is impossible, G0 is legal.
func TestCircles(t *testing.T) {
	const writes = `
		send p1 10..12 ok T0/0 txn=1 | 0=101
		send p2 10..12 ok T1/0 txn=2 | 0=201
		`
	for name, c := range map[string]struct {
		events string
		want   []string
		dirty  int
	}{
		"two that read each other": {`
			poll p1 13..30 ok T1/0 from=0 isolation=committed txn=1 | 0=201
			poll p2 13..30 ok T0/0 from=0 isolation=committed txn=2 | 0=101
			txn p1 9..31 ok id=1 commit asked=20
			txn p2 9..31 ok id=2 commit asked=20`, []string{"G1c"}, 0},
		"two that read each other's dirt": {`
			poll p1 13..14 ok T1/0 from=0 txn=1 | 0=201
			poll p2 13..14 ok T0/0 from=0 txn=2 | 0=101
			txn p1 9..20 ok id=1 commit asked=15
			txn p2 9..20 ok id=2 commit asked=15`, nil, 0},
		"a chain": {`
			txn p1 9..20 ok id=1 commit asked=15
			poll p2 20..21 ok T0/0 from=0 isolation=committed txn=2 | 0=101
			txn p2 9..30 ok id=2 commit asked=25`, nil, 0},
		"three in a circle": {`
			send p3 10..12 ok T1/1 txn=3 | 0=301
			poll p1 13..30 ok T1/1 from=0 isolation=committed txn=1 | 0=301
			poll p2 13..30 ok T0/0 from=0 isolation=committed txn=2 | 0=101
			poll p3 13..30 ok T1/0 from=0 isolation=committed txn=3 | 0=201
			txn p1 9..31 ok id=1 commit asked=20
			txn p2 9..31 ok id=2 commit asked=20
			txn p3 9..31 ok id=3 commit asked=20`, []string{"G1c"}, 0},
		"writers that meet": {`
			send p2 12..13 ok T0/0 txn=2 | 1=202
			send p1 13..14 ok T0/0 txn=1 | 2=102
			txn p1 9..20 ok id=1 commit asked=15
			txn p2 9..20 ok id=2 commit asked=15`, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := txn.Check(parse(t, writes+c.events))
			require.Equal(t, c.want, names(got.Violations))
			require.Equal(t, c.dirty, got.DirtyWrites)
		})
	}
}

// A ring of many transactions is one circle, found alike each time and without a deep stack.
func TestLongCircle(t *testing.T) {
	const n = 5000
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "send p%d 10..12 ok T0/%d txn=%d | 0=%d\n", i, i, i, i)
	}
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "poll p%d 13..30 ok T0/%d from=0 isolation=committed txn=%d | 0=%d\n", i, i%n+1, i, i%n+1)
	}
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "txn p%d 9..31 ok id=%d commit asked=20\n", i, i)
	}
	got := txn.Check(parse(t, b.String()))
	require.Equal(t, []string{"G1c"}, names(got.Violations))
	require.Len(t, got.Violations[0].Events, n)
	require.Equal(t, n, got.Committed)
}

// The end of a transaction decides how it counts.
func TestTally(t *testing.T) {
	got := txn.Check(parse(t, `
		send p1 1..2 ok T0/0 txn=1 | 0=1
		send p1 1..2 ok T0/0 txn=2 | 1=2
		send p1 1..2 ok T0/0 txn=3 | 2=3
		send p1 1..2 ok T0/0 txn=4 | 3=4
		txn p1 1..3 ok id=1 commit asked=2
		txn p1 1..3 info id=2 commit asked=2
		txn p1 1..3 info id=3 asked=2
		poll p2 4..5 ok T0/0 from=0 isolation=committed | 0=1`))
	require.Empty(t, got.Violations)
	require.Equal(t, txn.Report{Transactions: 3, Committed: 1, Aborted: 1, Unknown: 2}, got)
}

func TestLiveness(t *testing.T) {
	l := txn.Liveness{Stop: 100, Begin: 100, Commit: 50, Stable: 50, Writers: []int32{3}}
	for name, c := range map[string]struct {
		events string
		want   []string
	}{
		"in time": {`
			txn p1 110..140 ok id=1 writer=3 commit asked=120
			mark p-1 200..200 ok name=run-ended`, nil},
		"too late": {`
			txn p1 110..160 ok id=1 writer=3 commit asked=120
			mark p-1 200..200 ok name=run-ended`, []string{"L-TXN-COMPLETES"}},
		"aborts alone": {`
			txn p1 110..120 ok id=1 writer=3 asked=120
			mark p-1 200..200 ok name=run-ended`, []string{"L-TXN-COMPLETES"}},
		"another writer": {`
			txn p1 110..120 ok id=1 writer=4 commit asked=120
			mark p-1 200..200 ok name=run-ended`, []string{"L-TXN-COMPLETES"}},
		"begun before the faults ended": {`
			txn p1 90..120 ok id=1 writer=3 commit asked=120
			mark p-1 200..200 ok name=run-ended`, []string{"L-TXN-COMPLETES"}},
		"the history is too short": {`
			mark p-1 140..140 ok name=run-ended`, nil},
		"a transaction hangs": {`
			send p1 90..110 ok T0/0 txn=1 | 0=1
			txn p1 110..140 ok id=2 writer=3 commit asked=120
			poll p2 161..170 ok T0/0 from=0 hw=2 lso=0`, []string{"L-LSO"}},
		"a transaction may be open yet": {`
			send p1 90..120 ok T0/0 txn=1 | 0=1
			txn p1 110..140 ok id=2 writer=3 commit asked=120
			poll p2 161..170 ok T0/0 from=0 hw=2 lso=0`, nil},
		"it was ended": {`
			send p1 90..110 ok T0/0 txn=1 | 0=1
			txn p1 110..140 ok id=2 writer=3 commit asked=120
			poll p2 161..170 ok T0/0 from=0 hw=2 lso=0
			poll p2 171..175 ok T0/0 from=0 hw=2 lso=2`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, names(txn.CheckLiveness(parse(t, c.events), l)))
		})
	}
}

// The anomalies of package checkers, seen with transactions in the history: a reader of committed records is excused where it
// does not see what was aborted, and only there.
func TestPlainCheckerKnowsIsolation(t *testing.T) {
	for name, c := range map[string]struct {
		events string
		want   []string
	}{
		"what was aborted is left out": {both + `
			txn p1 9..20 ok id=1 asked=15
			poll p3 19..21 ok T0/0 from=0 next=2 | 0=101
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed
			mark p-1 30..30 ok name=final-reads`, nil},
		"a dirty reader leaves it out": {both + `
			txn p1 9..20 ok id=1 asked=15
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed
			poll p3 19..21 ok T0/0 from=0 next=2`, []string{"lost-write"}},
		"a plain record is left out": {`
			send p1 10..12 ok T0/0 | 0=101
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed`, []string{"lost-write"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, names(checkers.Check(parse(t, c.events), checkers.Options{})))
		})
	}
}

// What the only producer of a transactional id is told, and when it may be told so.
func TestRefusals(t *testing.T) {
	const own = `
		init p1 1..5 ok writer=3
		`
	const refused = `
		txn p1 10..60 ok id=1 writer=3 asked=10 refused=90`
	wrong := []string{"TXN-NOT-REFUSED"}
	for name, c := range map[string]struct {
		events string
		want   []string
	}{
		"fenced by nobody":                  {own + refused, wrong},
		"an epoch that was not its own":     {own + strings.Replace(refused, "=90", "=47", 1), wrong},
		"no transaction is open":            {own + strings.Replace(refused, "=90", "=48", 1), wrong},
		"out of order":                      {own + strings.Replace(refused, "=90", "=45", 1), wrong},
		"out of order, after a restart":     {own + "node p-1 30..30 ok node=1 state=starting policy=commit\n" + strings.Replace(refused, "=90", "=45", 1), nil},
		"out of order, a restart before":    {own + "node p-1 9..9 ok node=1 state=starting policy=commit\n" + strings.Replace(refused, "=90", "=45", 1), wrong},
		"fenced by nobody, after a restart": {own + "node p-1 30..30 ok node=1 state=starting policy=commit\n" + refused, wrong},
		"no such producer id":               {own + strings.Replace(refused, "=90", "=49", 1), wrong},
		"a commit that was refused":         {own + "txn p1 10..60 fail code=48 id=1 writer=3 commit asked=10 refused=48", wrong},
		"refused for another reason":        {own + strings.Replace(refused, "=90", "=7", 1), nil},
		"not refused":                       {own + "txn p1 10..60 ok id=1 writer=3 asked=10", nil},
		"timed out":                         {own + "txn p1 10..110 ok id=1 writer=3 asked=10 refused=90", nil},
		"nobody knows its timeout":          {own + strings.Replace(refused, "writer=3", "writer=4", 1), nil},
		"it was never told its producer id": {refused, nil},
		"another one began in between": {own + `
			init p2 20..30 ok writer=3` + refused, nil},
		"another one was refused in between": {own + `
			init p2 20..30 fail code=51 writer=3` + refused, nil},
		"another one asked at the same time": {`
			init p2 0..2 ok writer=3` + own + refused, nil},
		"another one was before it": {`
			init p2 -3..0 ok writer=3` + own + refused, wrong},
		"a late attempt of one before it": {`
			init p2 -3..0 ok writer=3 lost=1` + own + refused, nil},
		"one before it died while it asked": {`
			init p2 -3..0 info writer=3 lost=1` + own + refused, nil},
		"a late attempt of its own": {`
			init p1 1..5 ok writer=3 lost=1` + refused, nil},
		"the producer of another id": {own + `
			init p2 20..30 ok writer=4` + refused, wrong},
		"itself, afterwards": {own + refused + `
			init p1 60..70 ok writer=3`, wrong},
		"another one afterwards": {own + refused + `
			init p2 60..70 ok writer=3`, wrong},
		"another one that has not been answered yet": {own + refused + `
			init p2 50..70 ok writer=3`, nil},
		"a replaced coordinator may have answered": {own + strings.Replace(refused, "10..60", "310..360", 1), nil},
		"out of order, while a replaced coordinator may have answered": {
			own + strings.NewReplacer("10..60", "310..360", "=90", "=45").Replace(refused), wrong},
		"its next epoch": {own + `
			init p1 6..8 ok writer=3` + refused, wrong},
	} {
		t.Run(name, func(t *testing.T) {
			got := txn.CheckRefusals(parse(t, c.events), txn.Refusals{Timeouts: []txn.Timeout{{Writer: 3, After: 100}},
				Deposed: []txn.Span{{From: 300, To: 311}}})
			require.Equal(t, c.want, names(got))
		})
	}
}
