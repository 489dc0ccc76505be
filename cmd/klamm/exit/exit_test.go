package exit_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/core"
)

// TestCodes is the contract with scripts: a number here never changes.
func TestCodes(t *testing.T) {
	for _, test := range []struct {
		code   exit.Code
		number int
		name   string
	}{
		{exit.OK, 0, "ok"},
		{exit.Violated, 1, "violated"},
		{exit.Inconclusive, 2, "inconclusive"},
		{exit.Nondeterminism, 3, "nondeterminism"},
		{exit.Unhealthy, 10, "unhealthy"},
		{exit.Usage, 64, "usage"},
		{exit.Data, 65, "data"},
		{exit.NoInput, 66, "no input"},
		{exit.Unavailable, 69, "unavailable"},
		{exit.Software, 70, "software"},
		{exit.CantCreate, 73, "cannot create"},
		{exit.IO, 74, "input/output"},
		{exit.TempFail, 75, "temporary failure"},
		{exit.NoPerm, 77, "no permission"},
		{exit.Config, 78, "configuration"},
		{exit.Interrupted, 130, "interrupted"},
		{exit.Code(42), 42, "exit code 42"},
	} {
		if int(test.code) != test.number || test.code.String() != test.name {
			t.Errorf("%q is %d, want %q, %d", test.code, int(test.code), test.name, test.number)
		}
	}
}

func TestOf(t *testing.T) {
	for _, test := range []struct {
		err  error
		want exit.Code
	}{
		{nil, exit.OK},
		{errors.New("surprise"), exit.Software},
		{exit.Errorf(exit.Config, "listeners: %w", fs.ErrNotExist), exit.Config},
		{fmt.Errorf("around: %w", exit.With(exit.Data, errors.New("inside"))), exit.Data},
		{exit.With(exit.Data, nil), exit.OK},
		{exit.Silently(exit.OK), exit.OK},
		{exit.Silently(exit.Inconclusive), exit.Inconclusive},
		{fmt.Errorf("reading: %w", fs.ErrNotExist), exit.NoInput},
		{fs.ErrPermission, exit.CantCreate},
		{context.Canceled, exit.Interrupted},
		{context.DeadlineExceeded, exit.TempFail},
		{fmt.Errorf("topic t: %w", core.ErrTopicAlreadyExists), exit.CantCreate},
		{core.ErrUnknownTopicOrPartition, exit.NoInput},
		{core.ErrInvalidConfig, exit.Data},
		{core.ErrNetworkException, exit.Unavailable},
		{core.ErrRequestTimedOut, exit.TempFail},
		{core.ErrKafkaStorageError, exit.IO},
		{core.ErrUnknownServerError, exit.Software},
		{core.ErrGroupIDNotFound, exit.NoInput},
		{core.ErrTransactionalIDNotFound, exit.NoInput},
		{core.ErrNoReassignmentInProgress, exit.NoInput},
		{core.ErrVoterNotFound, exit.NoInput},
		{core.ErrDuplicateVoter, exit.CantCreate},
		{core.ErrNonEmptyGroup, exit.TempFail},
		{core.ErrGroupAuthorizationFailed, exit.NoPerm},
		{core.ErrProducerFenced, exit.Unavailable},
		{core.ErrInvalidGroupID, exit.Data},
	} {
		if got := exit.Of(test.err); got != test.want {
			t.Errorf("%v: exit %d (%v), want %d (%v)", test.err, int(got), got, int(test.want), test.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	if got := exit.Errorf(exit.Config, "listeners: %d", 7).Error(); got != "listeners: 7" {
		t.Errorf("text %q", got)
	}
	if got := exit.Silently(exit.Violated).Error(); got != "violated" {
		t.Errorf("text of a silent one %q", got)
	}
}
