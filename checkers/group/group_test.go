package group_test

import (
	"strings"
	"testing"

	"github.com/klamm-log/klamm/checkers/group"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/stretchr/testify/require"
)

// Each history has the properties that it violates, in order; the sound ones have none.
func TestHistories(t *testing.T) {
	for name, c := range map[string]struct {
		events string
		want   []string
	}{
		"a sound life": {`
			group p1 10..10 ok T0/0 step=claimed generation=1
			group p1 11..12 ok T0/0 step=fetched generation=1
			group p1 13..13 ok T0/0 step=processed from=0 to=5
			group p1 14..15 ok T0/0 step=committed generation=1 to=5
			group p1 16..16 ok T0/0 step=released
			group p2 20..20 ok T0/0 step=claimed generation=2
			group p2 21..22 ok T0/0 step=fetched generation=2 to=5
			mark p-1 30..30 ok name=final-reads`, nil},
		"a commit that goes back": {`
			group p1 10..10 ok T0/0 step=claimed generation=1
			group p1 11..12 ok T0/0 step=fetched generation=1
			group p1 13..13 ok T0/0 step=processed from=0 to=5
			group p1 14..15 ok T0/0 step=committed generation=1 to=5
			group p1 16..17 ok T0/0 step=committed generation=1 to=3`, []string{"G-COMMIT-MONO"}},
		"a commit below what was fetched": {`
			group p2 1..1 ok T0/0 step=processed from=0 to=5
			group p2 2..3 ok T0/0 step=committed generation=1 to=5
			group p1 10..10 ok T0/0 step=claimed generation=2
			group p1 11..12 ok T0/0 step=fetched generation=2 to=5
			group p1 14..15 ok T0/0 step=committed generation=2 to=4`, []string{"G-COMMIT-MONO"}},
		"a later commit is answered first": {`
			group p1 10..10 ok T0/0 step=claimed generation=1
			group p1 11..12 ok T0/0 step=fetched generation=1
			group p1 13..13 ok T0/0 step=processed from=0 to=5
			group p1 15..16 ok T0/0 step=committed generation=1 to=5
			group p1 14..17 ok T0/0 step=committed generation=1 to=3`, nil},
		"given the partition anew": {`
			group p1 10..10 ok T0/0 step=claimed generation=1
			group p1 11..12 ok T0/0 step=fetched generation=1
			group p1 13..13 ok T0/0 step=processed from=0 to=5
			group p1 14..15 info T0/0 step=committed generation=1 to=5
			group p1 16..16 ok T0/0 step=released
			group p1 17..17 ok T0/0 step=claimed generation=2
			group p1 18..19 ok T0/0 step=fetched generation=2
			group p1 20..21 ok T0/0 step=committed generation=2 to=3`, nil},
		"two owners in one generation": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p2 11..11 ok T0/0 step=claimed generation=3`, []string{"G-ONE-OWNER"}},
		"an owner that is told anew": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p1 11..11 ok T0/0 step=claimed generation=4
			group p2 12..12 ok T0/0 step=claimed generation=3`, nil},
		"kept into a generation in which another has it": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p2 11..11 ok T0/0 step=claimed generation=4
			group p1 12..12 ok T0/0 step=claimed generation=4`, []string{"G-ONE-OWNER"}},
		"a zombie holds on to what it lost": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p2 11..11 ok T0/0 step=claimed generation=4`, nil},
		"given away before it was given up": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p2 11..11 ok T0/0 step=claimed generation=4
			group p1 12..12 ok T0/0 step=released
			group p2 12..13 ok T0/0 step=confirmed
			group p1 12..14 ok T0/0 step=confirmed`, []string{"G-ONE-OWNER"}},
		"a zombie that was confirmed before it was fenced": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p2 11..11 ok T0/0 step=claimed generation=4
			group p1 10..12 ok T0/0 step=confirmed
			group p2 12..13 ok T0/0 step=confirmed
			group p1 14..14 ok T0/0 step=released`, nil},
		"a zombie that comes back as another member": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p2 11..11 ok T0/0 step=claimed generation=4
			group p2 12..13 ok T0/0 step=confirmed
			group p1 14..14 ok T0/0 step=released
			group p2 15..15 ok T0/0 step=released
			group p1 16..16 ok T0/0 step=claimed generation=5
			group p1 17..17 ok T0/0 step=confirmed`, nil},
		"other partitions and other groups": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p2 11..11 ok T0/1 step=claimed generation=3
			group p3 12..12 ok T0/0 group=1 step=claimed generation=3`, nil},
		"a zombie's commit is accepted": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p1 11..11 ok T0/0 step=processed from=0 to=5
			group p2 12..12 ok T0/0 step=claimed generation=4
			group p1 13..14 ok T0/0 step=committed generation=3 to=5`, []string{"G-COMMIT-FENCED"}},
		"a zombie's commit is refused": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p1 11..11 ok T0/0 step=processed from=0 to=5
			group p2 12..12 ok T0/0 step=claimed generation=4
			group p1 13..14 fail T0/0 step=committed generation=3 to=5`, nil},
		"a commit under way when another claims": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p1 11..11 ok T0/0 step=processed from=0 to=5
			group p2 13..13 ok T0/0 step=claimed generation=4
			group p1 12..14 ok T0/0 step=committed generation=3 to=5`, nil},
		"a zombie's commit that nobody heard of comes late": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p1 11..11 ok T0/0 step=processed from=0 to=9
			group p1 12..13 info T0/0 step=committed generation=3 to=4
			group p2 14..14 ok T0/0 step=claimed generation=4
			group p2 15..16 ok T0/0 step=committed generation=4 to=9
			group p3 17..17 ok T0/0 step=claimed generation=5
			group p3 18..19 ok T0/0 step=fetched generation=5 to=4`, []string{"G-COMMIT-DURABLE"}},
		"a commit that nobody heard of comes late, in its generation": {`
			group p1 10..10 ok T0/0 step=claimed generation=3
			group p1 11..11 ok T0/0 step=processed from=0 to=9
			group p1 12..13 info T0/0 step=committed generation=3 to=4
			group p1 15..16 ok T0/0 step=committed generation=3 to=9
			group p3 17..17 ok T0/0 step=claimed generation=5
			group p3 18..19 ok T0/0 step=fetched generation=5 to=4`, nil},
		"an offset from nowhere": {`
			group p1 10..11 ok T0/0 step=fetched to=7`, []string{"G-COMMIT-DURABLE"}},
		"a lost commit": {`
			group p1 9..9 ok T0/0 step=processed from=0 to=5
			group p1 10..11 ok T0/0 step=committed generation=1 to=5
			group p2 12..13 ok T0/0 step=fetched`, []string{"G-COMMIT-DURABLE"}},
		"a commit that went back": {`
			group p1 9..9 ok T0/0 step=processed from=0 to=9
			group p1 10..11 ok T0/0 step=committed generation=1 to=5
			group p1 12..13 ok T0/0 step=committed generation=1 to=9
			group p2 14..15 ok T0/0 step=fetched to=5`, []string{"G-COMMIT-DURABLE"}},
		"a lost attempt that arrives late": {`
			group p1 9..9 ok T0/0 step=processed from=0 to=9
			group p1 10..11 ok T0/0 step=committed generation=1 to=5 ambiguous
			group p1 12..13 ok T0/0 step=committed generation=1 to=9
			group p2 14..15 ok T0/0 step=fetched to=5`, nil},
		"a commit of unknown outcome": {`
			group p1 9..9 ok T0/0 step=processed from=0 to=9
			group p2 12..13 ok T0/0 step=fetched to=9
			group p1 10..14 info T0/0 step=committed generation=1 to=9
			group p2 16..17 ok T0/0 step=fetched`, nil},
		"a commit ahead of processing": {`
			group p1 10..10 ok T0/0 step=processed from=0 to=5
			group p1 12..12 ok T0/0 step=processed from=6 to=9
			group p1 13..14 ok T0/0 step=committed generation=1 to=9`, []string{"AT-LEAST-ONCE"}},
		"a commit that began before the processing ended": {`
			group p1 12..12 ok T0/0 step=processed from=0 to=5
			group p1 11..14 info T0/0 step=committed generation=1 to=5`, []string{"AT-LEAST-ONCE"}},
		"processed by others, out of order": {`
			group p2 10..10 ok T0/0 step=processed from=3 to=9
			group p3 11..11 ok T0/0 step=processed from=0 to=4
			group p1 13..14 ok T0/0 step=committed generation=1 to=9`, nil},
		"a member that is told each generation": {`
			group p1 9..9 ok T0/0 step=claimed generation=3
			group p1 9..10 ok T0/0 step=claimed generation=4 before=3
			group p1 9..11 ok T0/0 step=claimed generation=3 before=4
			group p1 9..12 ok T0/0 step=claimed generation=8`, nil},
		"a laggard that stays": {`
			group p1 9..9 ok T0/0 step=claimed generation=3
			group p1 9..10 ok T0/0 step=released
			group p1 11..12 ok T0/0 step=claimed generation=5 before=3`, []string{"G-NO-LAGGARD"}},
		"a member that asks in time": {`
			group p1 9..9 ok T0/0 step=claimed generation=3
			group p1 9..11 ok T0/0 step=released
			group p2 11..12 ok T0/1 step=claimed generation=4
			group p1 9..14 ok T0/0 step=claimed generation=4 before=3 asked=10`, nil},
		"a laggard that comes when others have begun": {`
			group p1 9..9 ok T0/0 step=claimed generation=3
			group p1 9..11 ok T0/0 step=released
			group p2 11..12 ok T0/1 step=claimed generation=4
			group p1 9..14 ok T0/0 step=claimed generation=4 before=3 asked=13`, []string{"G-NO-LAGGARD"}},
		"a deleted offset": {`
			group p1 9..9 ok T0/0 step=processed from=0 to=9
			group p1 10..11 ok T0/0 step=committed generation=1 to=5
			group p9 12..13 ok T0/0 step=deleted
			group p2 14..15 ok T0/0 step=fetched
			group p2 16..17 ok T0/0 step=committed generation=1 to=9
			group p2 18..19 ok T0/0 step=fetched to=9`, nil},
		"a deleted offset comes back": {`
			group p1 9..9 ok T0/0 step=processed from=0 to=9
			group p1 10..11 ok T0/0 step=committed generation=1 to=5
			group p9 12..13 ok T0/0 step=deleted
			group p2 14..15 ok T0/0 step=fetched to=5`, []string{"G-COMMIT-DURABLE"}},
		"an offset is gone that was committed after a deletion": {`
			group p1 9..9 ok T0/0 step=processed from=0 to=9
			group p9 10..11 ok T0/0 step=deleted
			group p1 12..13 ok T0/0 step=committed generation=1 to=5
			group p2 14..15 ok T0/0 step=fetched`, []string{"G-COMMIT-DURABLE"}},
		"a deletion is refused": {`
			group p1 9..9 ok T0/0 step=processed from=0 to=9
			group p1 10..11 ok T0/0 step=committed generation=1 to=5
			group p9 12..13 fail T0/0 step=deleted
			group p2 14..15 ok T0/0 step=fetched`, []string{"G-COMMIT-DURABLE"}},
		"a deletion that nobody heard of": {`
			group p1 9..9 ok T0/0 step=processed from=0 to=9
			group p9 10..11 info T0/0 step=deleted
			group p1 12..13 ok T0/0 step=committed generation=1 to=5
			group p2 14..15 ok T0/0 step=fetched to=5
			group p3 16..17 ok T0/0 step=fetched
			mark p-1 30..30 ok name=final-reads`, nil},
		"twins that do not know of each other": {`
			group p1 2..10 ok T0/0 step=claimed generation=3 instance=1
			group p1 11..11 ok T0/0 step=processed from=0 to=5
			group p2 12..14 ok T0/0 step=claimed generation=3 instance=1
			group p1 13..15 ok T0/0 step=committed generation=3 to=5
			group p1 16..17 fail T0/0 step=committed generation=3 to=5
			group p1 17..17 ok T0/0 step=released`, nil},
		"twins, of which the coordinator goes on with the older one": {`
			group p1 2..10 ok T0/0 step=claimed generation=3 instance=1
			group p1 11..11 ok T0/0 step=processed from=0 to=5
			group p2 12..14 ok T0/1 step=claimed generation=3 instance=1
			group p1 15..16 ok T0/0 step=claimed generation=4 instance=1
			group p1 15..16 ok T0/0 step=committed generation=3 to=5`, []string{"G-COMMIT-FENCED"}},
		"the older twin's assignment comes late": {`
			group p2 12..14 ok T0/0 step=claimed generation=3 instance=1
			group p2 15..15 ok T0/0 step=processed from=0 to=5
			group p1 2..16 ok T0/0 step=claimed generation=3 instance=1
			group p2 17..18 ok T0/0 step=committed generation=3 to=5`, nil},
		"twins that fence each other in turn": {`
			group p1 2..10 ok T0/0 step=claimed generation=3 instance=1
			group p1 11..11 ok T0/0 step=processed from=0 to=5
			group p2 12..14 ok T0/0 step=claimed generation=3 instance=1
			group p1 16..16 ok T0/0 step=released
			group p1 18..20 ok T0/0 step=claimed generation=3 instance=1
			group p1 21..22 ok T0/0 step=committed generation=3 to=5
			group p2 24..24 ok T0/0 step=released
			mark p-1 30..30 ok name=final-reads`, nil},
		"two instances in one generation": {`
			group p1 2..10 ok T0/0 step=claimed generation=3 instance=1
			group p2 3..11 ok T0/0 step=claimed generation=3 instance=2`, []string{"G-ONE-OWNER"}},
		"nobody owns it in the end": {`
			group p1 10..10 ok T0/0 step=claimed generation=1
			group p1 11..11 ok T0/0 step=released
			mark p-1 30..30 ok name=final-reads`, []string{"L-GROUP-STABLE"}},
		"two own it in the end": {`
			group p1 10..10 ok T0/0 step=claimed generation=1
			group p2 11..11 ok T0/0 step=claimed generation=2
			mark p-1 30..30 ok name=final-reads`, []string{"L-GROUP-STABLE"}},
	} {
		t.Run(name, func(t *testing.T) {
			log, err := history.Parse([]byte("history v1\ntopic T0 t -\n" + strings.ReplaceAll(c.events, "\t", "")))
			require.NoError(t, err)
			var got []string
			for _, v := range group.Check(log) {
				got = append(got, string(v.Property))
			}
			require.Equal(t, c.want, got)
		})
	}
}
