//go:build unix

package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin/admintest"
	"github.com/klamm-log/klamm/core/client/consumer"
)

// Offsets are more than records where transactions were: who waits for as many waits for ever.
func TestBenchConsumeOfTransactions(t *testing.T) {
	_, addr := node(t, t.TempDir(), "127.0.0.1:0")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	must(t, exit.OK, "", "topic", "create", "t", "-p", "1", "-b", addr)
	must(t, exit.OK, "a\nb\nc\n", "produce", "t", "--transactional-id", "x", "--per-transaction", "1", "-b", addr)
	bench := []string{"bench", "consume", "--topic", "t", "--warmup", "0", "-b", addr, "--records"}
	must(t, exit.OK, "", append(bench, "3")...)
	code, _, talk := klamm(ctx, "", append(bench, "5")...)
	if code != exit.NoInput || !strings.Contains(talk, "2 records are missing") {
		t.Errorf("exit %d, said %q", int(code), talk)
	}
}

// A partition that stopped brings no records any more, and the benchmark no result.
func TestBenchOfAStoppedPartition(t *testing.T) {
	_, addr := node(t, t.TempDir(), "127.0.0.1:0")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	must(t, exit.OK, "", "topic", "create", "t", "-p", "1", "-b", addr)
	c, err := kclient.Open(kclient.Options{Bootstrap: []string{addr}, Consumer: consumer.Options{Reset: consumer.ResetNone}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Assign(ctx, "t", 0, consumer.Start{Kind: consumer.SeekOffset, Offset: 7}); err != nil {
		t.Fatal(err)
	}
	if _, err := drain(ctx, c, 1, nil); exit.Of(err) != exit.OfKafka(core.ErrOffsetOutOfRange) || ctx.Err() != nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
}

// The end of a partition that nobody leads is not waited for for ever.
func TestBenchWithoutALeader(t *testing.T) {
	f := newFake(t, admintest.Broker{Topics: []admintest.Topic{{Name: "t", Partitions: []admintest.Partition{{Leader: -1, Replicas: []int32{2}}}}}})
	c, err := kclient.Open(kclient.Options{Bootstrap: []string{f.addr}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := assignAll(t.Context(), c, "t", []int32{0}, consumer.SeekEnd); err != nil {
		t.Fatal(err)
	}
	if err := located(t.Context(), c, "t", []int32{0}, 50*time.Millisecond); exit.Of(err) != exit.TempFail || !strings.Contains(err.Error(), "the end of t-0") {
		t.Error(err)
	}
}
