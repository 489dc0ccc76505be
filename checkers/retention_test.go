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
