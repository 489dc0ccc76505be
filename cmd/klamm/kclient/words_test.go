package kclient

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/txn"
)

// Why a transaction is not committed is said, whichever event told it.
func TestEndingInWords(t *testing.T) {
	for _, test := range []struct {
		commit bool
		e      txn.Event
		why    core.ErrorCode
		want   error // nil: none
	}{
		{true, txn.Event{Commit: true}, core.ErrNone, nil},
		{false, txn.Event{}, core.ErrNone, nil},
		{true, txn.Event{}, core.ErrMessageTooLarge, core.ErrMessageTooLarge},
		{true, txn.Event{Commit: true, Err: core.ErrProducerFenced}, core.ErrNone, core.ErrProducerFenced},
		{true, txn.Event{Err: core.ErrProducerFenced}, core.ErrNone, core.ErrProducerFenced},
		{false, txn.Event{Err: core.ErrProducerFenced}, core.ErrNone, core.ErrProducerFenced},
		{true, txn.Event{Commit: true, Err: core.ErrNetworkException, Ambiguous: true}, core.ErrNone, ErrUncertain},
	} {
		if got := ending(test.commit, test.e, test.why); !errors.Is(got, test.want) {
			t.Errorf("commit %v, %+v, %v: %v, want %v", test.commit, test.e, test.why, got, test.want)
		}
	}
	if ending(true, txn.Event{}, core.ErrNone) == nil {
		t.Error("a commit that became an abort is a success")
	}
}

func TestTimeoutOfAMonth(t *testing.T) {
	c := &Client{opts: Options{Timeout: 31 * 24 * time.Hour}}
	if got := c.timeoutMillis(); got != math.MaxInt32 {
		t.Errorf("the broker has %d ms", got)
	}
}
