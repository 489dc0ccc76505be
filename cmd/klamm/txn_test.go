//go:build !js

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin/admintest"
)

func TestTxnUsage(t *testing.T) {
	for _, test := range []struct{ line, says string }{
		{"txn describe", "at least 1 arg(s)"},
		{"txn abort t", "--start-offset"},
		{"txn abort t --start-offset 3 --producer-id 1 --producer-epoch 2", "--start-offset"},
		{"txn abort t --producer-id 1", "--producer-epoch"},
		{"consume t --isolation dirty", "--isolation"},
		{"produce t --transactional-id x --per-transaction -1", "--per-transaction"},
		{"produce t --transactional-id x --acks 1", "acks=all"},
	} {
		code, out, talk := klamm(t.Context(), "", strings.Fields(test.line)...)
		if code != exit.Usage || !strings.Contains(talk, test.says) || out != "" {
			t.Errorf("klamm %s: exit %d, printed %q, said %q; want %q", test.line, int(code), out, talk, test.says)
		}
	}
}

// The transaction is of partition 0; in partition 1 it hangs.
func TestTxn(t *testing.T) {
	old := time.Now().Add(-time.Hour).UnixMilli()
	f := newFake(t, admintest.Broker{
		Topics: []admintest.Topic{{Name: "t", Partitions: []admintest.Partition{healthy(1), healthy(1)}}},
		Transaction: &admintest.Transaction{Partitions: []core.TopicPartition{tp("t", 0)}, Producers: []admintest.Producer{
			{ID: 7, Epoch: 3, LastTimestamp: old, Start: 4}, {ID: 5, Epoch: 1, LastTimestamp: old, Start: -1}}},
	})
	wantPrinted(t, f, exit.OK, "TRANSACTIONAL-ID  STATE    PRODUCER  COORDINATOR\nx                 Ongoing  7         1\n", "txn list")
	wantPrinted(t, f, exit.OK, "TRANSACTIONAL-ID  STATE    PRODUCER  EPOCH  COORDINATOR  TIMEOUT   BEGUN                 PARTITIONS\n"+
		"x                 Ongoing  7         3      1            60000 ms  1970-01-01T00:00:01Z  t-0\n", "txn describe x")
	hanging := must(t, exit.OK, "", "txn", "find-hanging", "-o", "json", "-b", f.addr)
	if !strings.Contains(hanging, `"partition": 1`) || strings.Contains(hanging, `"partition": 0`) || !strings.Contains(hanging, `"start_offset": 4`) {
		t.Errorf("find-hanging: %s", hanging)
	}
	if young := must(t, exit.OK, "", "txn", "find-hanging", "--max-transaction-timeout", "2h", "-o", "json", "-b", f.addr); strings.Contains(young, "producer_id") {
		t.Errorf("find-hanging of what is young: %s", young)
	}
	wantPrinted(t, f, exit.OK, "would abort the transaction of producer 7, epoch 3, in t-1\n", "txn abort t -p 1 --start-offset 4 --dry-run")
	wantPrinted(t, f, exit.OK, "aborted the transaction of producer 7, epoch 3, in t-1\n", "txn abort t -p 1 --start-offset 4")
	wantAsked(t, f, admintest.Marker{TopicPartition: tp("t", 1), ID: 7, Epoch: 3, CoordinatorEpoch: 2})
	wantPrinted(t, f, exit.NoInput, "", "txn abort t -p 1 --start-offset 5")
}
