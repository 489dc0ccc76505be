package checkers_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
)

// What retention removed before anybody looked need not be read in the end; without retention it is still missed.
func TestUnseenBelowTheStoredLogStart(t *testing.T) {
	for flag, want := range map[string]int{" retained": 0, "": 1} {
		log, err := history.Parse([]byte("history v1\n" +
			"topic T0 t AAAAAAAAAAAAAAAAAAAAAQ" + flag + "\n" +
			"send p1 10..20 ok T0/0 acks=-1 promise=durable | 0=101\n" +
			"mark p-1 30..30 ok name=final-reads\n" +
			"scan p-1 40..40 ok T0/0 node=1 start=1 end=1\n" +
			"mark p-1 50..50 ok name=run-ended\n"))
		require.NoError(t, err)
		unseen := 0
		for _, v := range checkers.Check(log, checkers.Options{}) {
			if v.Property == checkers.Unseen {
				unseen++
			}
		}
		require.Equal(t, want, unseen, "flag %q", flag)
	}
}

// What retention removes must be as old as the topic keeps it: at 5 ms the clock shows 1005.
func TestRetentionRemovesWhatIsDue(t *testing.T) {
	for stamp, want := range map[string]int{"904": 0, "906": 1} {
		log, err := history.Parse([]byte("history v1\n" +
			"topic T0 t AAAAAAAAAAAAAAAAAAAAAQ retained retention=100 dawn=1000\n" +
			"send p1 10..20 ok T0/0 acks=-1 promise=durable | 0=101^" + stamp + " 1=102^1003\n" +
			"list-offsets p2 4000000..5000000 ok T0/0 spec=-2 offset=1\n"))
		require.NoError(t, err)
		found := 0
		for _, v := range checkers.Check(log, checkers.Options{}) {
			if v.Property == checkers.LogStartUnexplained {
				found++
			}
		}
		require.Equal(t, want, found, "timestamp %s", stamp)
	}
}
