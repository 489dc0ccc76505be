package sums_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/checkers/sums"
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

// Each history begins with a transfer of 40 from T0/0 to T0/1.
func TestBank(t *testing.T) {
	const transfer = `
		transfer p1 9..9 ok txn=1 debit=101 credit=102 amount=40
		send p1 10..12 ok T0/0 txn=1 | 0=101
		`
	const acked = transfer + `
		send p1 10..12 ok T0/1 txn=1 | 5=102
		`
	wrong := []string{"BANK-TOTAL"}
	for name, c := range map[string]struct {
		events string
		want   []string
	}{
		"both records": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed | 5=102`, nil},
		"neither": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed`, nil},
		"the debit alone": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed`, wrong},
		"the credit alone": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed | 5=102`, wrong},
		"the credit is still to come": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=4 next=5 isolation=committed`, nil},
		"the reader began behind the credit": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=6 next=7 isolation=committed`, nil},
		"another reader has seen the credit": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p3 19..21 ok T0/1 from=5 next=7 isolation=committed | 5=102`, nil},
		"a dirty reader sees one half": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 | 0=101
			poll p2 19..21 ok T0/1 from=5 next=7`, nil},
		"the credit twice": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed | 5=102 6=102`, wrong},
		"both twice": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101 1=101
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed | 5=102 6=102`, wrong},
		"both, read again": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			seek p2 21..21 ok T0/0 to=0
			poll p2 21..22 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 21..22 ok T0/1 from=5 next=7 isolation=committed | 5=102`, nil},
		"the credit was never written": {transfer + `
			send p1 10..12 fail T0/1 txn=1 | ?=102
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101`, wrong},
		"nobody knows where the credit is": {transfer + `
			send p1 10..12 info T0/1 txn=1 | ?=102
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101`, nil},
		"a dirty reader knows where the credit is": {transfer + `
			send p1 10..12 info T0/1 txn=1 | ?=102
			poll p3 19..20 ok T0/1 from=5 next=6 | 5=102
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed`, wrong},
		"the credit is below the log start": {acked + `
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=5 next=7 start=6 isolation=committed`, nil},
		"the credit may vanish": {transfer + `
			send p1 10..12 ok T0/1 txn=1 promise=none | 5=102
			poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101
			poll p2 19..21 ok T0/1 from=5 next=7 isolation=committed`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, names(sums.Check(parse(t, c.events))))
		})
	}
}

// Wrong transfers that cancel each other out are wrong none the less.
func TestBankThatCancelsOut(t *testing.T) {
	got := sums.Check(parse(t, `
		transfer p1 9..9 ok txn=1 debit=101 credit=102 amount=40
		transfer p1 9..9 ok txn=2 debit=201 credit=202 amount=40
		send p1 10..12 ok T0/0 | 0=101 1=202
		send p1 10..12 ok T0/1 | 0=102 1=201
		poll p2 19..21 ok T0/0 from=0 next=2 isolation=committed | 0=101 1=202
		poll p2 19..21 ok T0/1 from=0 next=2 isolation=committed`))
	require.Equal(t, []string{"BANK-TOTAL"}, names(got))
	require.Contains(t, got[0].Message, "hold +0 of")
	require.Contains(t, got[0].Message, "2 transfers")
}

// The input is the words 1, 2 and 1 (12 is 1 again, 11 words after), and a pipeline has consumed all of it in one transaction.
func TestWords(t *testing.T) {
	const input = `
		send p9 1..2 ok T0/0 | 0=1 1=2 2=12
		`
	const count = `
		tally p1 5..5 ok txn=1 value=101 word=1 n=2
		tally p1 5..5 ok txn=1 value=102 word=2 n=1
		send p1 5..7 ok T1/0 txn=1 | 0=101 1=102
		txn p1 4..9 ok id=1 commit asked=8 group=0 | T0/0:0..3
		`
	const final = `
		mark p-1 30..30 ok name=final-reads
		poll p2 31..32 ok T0/0 from=0 next=3 isolation=committed | 0=1 1=2 2=12
		`
	const whole = final + `
		poll p2 31..32 ok T1/0 from=0 next=3 isolation=committed | 0=101 1=102
		`
	wrong := []string{"WORDS-EXACT"}
	for name, c := range map[string]struct {
		events string
		want   []string
	}{
		"all words":    {input + count + whole, nil},
		"one too few":  {input + strings.ReplaceAll(count, "word=1 n=2", "word=1 n=1") + whole, wrong},
		"one too many": {input + strings.ReplaceAll(count, "word=1 n=2", "word=1 n=3") + whole, wrong},
		"another word": {input + strings.ReplaceAll(count, "word=2 n=1", "word=3 n=1") + whole, []string{"WORDS-EXACT", "WORDS-EXACT"}},
		"a count is missing in the output": {input + count + final + `
			poll p2 31..32 ok T1/0 from=0 next=3 isolation=committed | 0=101`, wrong},
		"a count is there twice": {input + count + final + `
			poll p2 31..32 ok T1/0 from=0 next=4 isolation=committed | 0=101 1=102 2=102`, wrong},
		"the transaction was aborted, and nothing is counted": {input + count + final + `
			poll p2 31..32 ok T1/0 from=0 next=3 isolation=committed`, nil},
		"counted again after an abort": {input + count + `
			tally p1 15..15 ok txn=2 value=201 word=1 n=2
			tally p1 15..15 ok txn=2 value=202 word=2 n=1
			send p1 15..17 ok T1/0 txn=2 | 3=201 4=202
			txn p1 14..19 ok id=2 commit asked=18 group=0 | T0/0:0..3` + final + `
			poll p2 31..32 ok T1/0 from=0 next=6 isolation=committed | 3=201 4=202`, nil},
		"counted by two transactions": {input + count + `
			tally p1 15..15 ok txn=2 value=201 word=1 n=1
			send p1 15..17 ok T1/0 txn=2 | 3=201
			txn p1 14..19 ok id=2 commit asked=18 group=0 | T0/0:2..3` + final + `
			poll p2 31..32 ok T1/0 from=0 next=5 isolation=committed | 0=101 1=102 3=201`, wrong},
		"skipped: what came before was aborted": {input + `
			tally p1 15..15 ok txn=2 value=201 word=1 n=1
			send p1 15..17 ok T1/0 txn=2 | 3=201
			txn p1 14..19 ok id=2 commit asked=18 group=0 | T0/0:2..3` + final + `
			poll p2 31..32 ok T1/0 from=0 next=5 isolation=committed | 3=201`, []string{"WORDS-EXACT", "WORDS-EXACT"}},
		"by two groups": {input + count + `
			tally p5 15..15 ok txn=2 group=1 value=201 word=1 n=1
			send p5 15..17 ok T1/0 txn=2 | 3=201
			txn p5 14..19 ok id=2 commit asked=18 group=1 | T0/0:0..1` + final + `
			poll p2 31..32 ok T1/0 from=0 next=5 isolation=committed | 0=101 1=102 3=201`, nil},
		"final reads have not shown all of the output": {input + count + final + `
			poll p2 31..32 ok T1/0 from=0 next=1 isolation=committed | 0=101`, nil},
		"no final reads": {input + count + `
			poll p2 31..32 ok T0/0 from=0 next=3 isolation=committed | 0=1 1=2 2=12
			poll p2 31..32 ok T1/0 from=0 next=3 isolation=committed | 0=101`, nil},
		"input was deleted": {input + count + final + `
			poll p2 31..32 ok T1/0 from=0 next=3 isolation=committed | 0=101
			poll p2 31..32 ok T0/0 from=0 next=3 start=1 isolation=committed | 1=2 2=12`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, names(sums.Check(parse(t, c.events))))
		})
	}
}
