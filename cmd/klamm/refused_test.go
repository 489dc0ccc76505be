//go:build !js

package main

import (
	"strings"
	"testing"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/admin/admintest"
)

// A coordinator that does not answer a question about a group has not said that there is none.
func TestGroupRefused(t *testing.T) {
	gone := core.ErrGroupIDNotFound
	for _, test := range []struct {
		is   admintest.Group
		line string
		code exit.Code
		says string
	}{
		{admintest.Group{Modern: gone}, "group describe g", exit.NoInput, "there is no group g"},
		{admintest.Group{}, "group describe g", exit.OK, ""},
		{admintest.Group{Modern: core.ErrGroupAuthorizationFailed}, "group describe g", exit.NoPerm, "GROUP_AUTHORIZATION_FAILED"},
		{admintest.Group{Modern: core.ErrGroupAuthorizationFailed}, "group delete g --dry-run", exit.NoPerm, "GROUP_AUTHORIZATION_FAILED"},
		{admintest.Group{Modern: gone, Fetch: core.ErrUnknownServerError}, "group describe g", exit.Software, "UNKNOWN_SERVER_ERROR"},
		{admintest.Group{Modern: gone, Fetch: gone}, "group describe g", exit.NoInput, "there is no group g"},
		{admintest.Group{Modern: gone}, "group delete g --dry-run", exit.NoInput, "there is no group g"},
		{admintest.Group{}, "group delete g --dry-run", exit.OK, ""},
		{admintest.Group{Delete: gone}, "group delete g", exit.NoInput, "GROUP_ID_NOT_FOUND"},
		{admintest.Group{Delete: core.ErrNonEmptyGroup}, "group delete g", exit.TempFail, "NON_EMPTY_GROUP"},
	} {
		f := newFake(t, admintest.Broker{Group: &test.is})
		code, _, talk := klamm(t.Context(), "", append(strings.Fields(test.line), "-b", f.addr)...)
		if code != test.code || !strings.Contains(talk, test.says) {
			t.Errorf("klamm %s of %+v: exit %d, said %q; want %d and %q", test.line, test.is, int(code), talk, int(test.code), test.says)
		}
	}
}

// Nothing hangs in a topic that is not there, but nobody has looked.
func TestFindHangingInNoTopic(t *testing.T) {
	f := newFake(t, admintest.Broker{Transaction: &admintest.Transaction{}})
	code, out, talk := klamm(t.Context(), "", "txn", "find-hanging", "--topic", "typo", "-b", f.addr)
	if code != exit.NoInput || out != "" || !strings.Contains(talk, "topic typo: UNKNOWN_TOPIC_OR_PARTITION") {
		t.Errorf("exit %d, printed %q, said %q", int(code), out, talk)
	}
}

// What identifies a transaction is all compared, or refused.
func TestTxnAbortTakesOneName(t *testing.T) {
	for _, line := range []string{
		"txn abort t --start-offset 3 --producer-id 1",
		"txn abort t --start-offset 3 --producer-epoch 1",
		"txn abort t --start-offset 3 --coordinator-epoch 1",
		"txn abort t --producer-epoch 1",
		"txn abort t --start-offset -3",
	} {
		if code, out, talk := klamm(t.Context(), "", strings.Fields(line)...); code != exit.Usage || !strings.Contains(talk, "--start-offset") || out != "" {
			t.Errorf("klamm %s: exit %d, printed %q, said %q", line, int(code), out, talk)
		}
	}
}

// A broker has done what was asked for, and its answer was lost. The repetition finds it done.
func TestOwnWorkIsNoError(t *testing.T) {
	f := newFake(t, admintest.Broker{
		Topics: []admintest.Topic{{Name: "t", Partitions: []admintest.Partition{healthy(1)}}},
		Refuse: map[core.TopicPartition]core.ErrorCode{tp("t", 0): core.ErrNoReassignmentInProgress},
	})
	late := func() { f.set(func(b *admintest.Broker) { b.Late = true }) }
	late()
	wantPrinted(t, f, exit.OK, "topic t changed\n", "topic alter t -p 3")
	wantPrinted(t, f, exit.Data, "", "topic alter t -p 3")
	wantPrinted(t, f, exit.Data, "", "topic alter t -p 2")
	late()
	wantPrinted(t, f, exit.OK, "t-0  cancelled\n", "reassign cancel t:0")
	wantPrinted(t, f, exit.NoInput, "t-0  failed  t-0: NO_REASSIGNMENT_IN_PROGRESS\n", "reassign cancel t:0")
}

// Who names a partition twice asks for one thing.
func TestCancelNamesPartitionsOnce(t *testing.T) {
	f := newFake(t, admintest.Broker{Moving: []admintest.Move{{TopicPartition: tp("t", 1), Replicas: []int32{3, 1}, Adding: []int32{3}, Removing: []int32{1}}}})
	wantPrinted(t, f, exit.OK, "t-1  cancelled\n", "reassign cancel t:1 t t:1,1")
	wantAsked(t, f, []admin.Assignment{{TopicPartition: tp("t", 1)}})
}
