package client_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// chaos draws faults for each request, moves leaders, and takes brokers down for a while. Logs survive everything, so
// whatever goes wrong with the records is the client's fault.
type chaos struct {
	w     *world
	r     *prng.Rand
	until core.Mono
}

func (c *chaos) intercept(in *inbound) (v verdict) {
	if c.w.now.Mono > c.until || !c.r.Chance(1, 4) {
		return v
	}
	switch c.r.Below(6) {
	case 0:
		v.loseRequest = true
	case 1:
		v.loseResponse = true
	case 2:
		v.silent = true
	case 3:
		v.late = core.Millis(c.r.Between(1, 8000))
	case 4:
		v.delay = core.Millis(c.r.Between(1, 1500))
	case 5:
		if in.body.Key() == int16(kmsg.Produce) {
			codes := []core.ErrorCode{core.ErrNotEnoughReplicas, core.ErrNotLeaderOrFollower, core.ErrRequestTimedOut,
				core.ErrInvalidTimestamp, core.ErrUnknownServerError}
			v.answer = produceError(in, codes[c.r.Below(int64(len(codes)))])
		}
	}
	return v
}

func (c *chaos) disturb(t *fakeTopic) {
	if c.w.now.Mono > c.until {
		return
	}
	k := c.w.kafka
	p := t.parts[c.r.Below(int64(len(t.parts)))]
	switch c.r.Below(3) {
	case 0, 1:
		p.leader = int32(c.r.Below(int64(len(k.brokers))))
		p.epoch++
	case 2:
		b := k.brokers[c.r.Below(int64(len(k.brokers)))]
		if b.up {
			b.fail()
			c.w.after(core.Millis(c.r.Between(10, 3000)), func() { b.up = true })
		}
	}
	c.w.after(core.Millis(c.r.Between(50, 2000)), func() { c.disturb(t) })
}

func TestChaos(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		runChaos(t, seed)
	}
}

func runChaos(t *testing.T, seed uint64) (digest string) {
	r := prng.New(seed)
	idempotent := r.Chance(3, 4)
	o := client.Options{Seed: seed, Cluster: fastCluster(), Producer: producer.Options{BatchSize: r.Between(80, 300),
		Linger: core.Millis(r.Below(20)), DeliveryTimeout: core.Millis(r.Between(2500, 20000)),
		Compression: record.Codec(r.Below(5))},
		Consumer: consumer.Options{Reset: consumer.ResetNone, PartitionMaxBytes: int32(r.Between(100, 2000)),
			BufferBytes: r.Between(100, 3000), MaxWait: 200 * core.Millisecond}}
	if !idempotent {
		o.Producer.Idempotence = producer.IdempotenceOff
	}
	k := newKafka(3)
	ft := k.topic("t", 2)
	w := newWorld(t, k, o)
	c := &chaos{w: w, r: r.Fork("chaos"), until: 40 * core.Second}
	w.intercept = c.intercept
	w.after(0, func() { c.disturb(ft) })
	var got []consumer.Record
	for i := range ft.parts {
		w.client.Consumer().Assign(w.now, "t", int32(i), consumer.Start{Kind: consumer.SeekOffset})
	}
	const n = 150
	for i := range n {
		w.produce("t", int32(i%2), uint64(i), fmt.Sprintf("%d-%s", i, strings.Repeat("x", int(r.Below(40)))))
		w.idle(core.Millis(r.Below(300)))
		got = w.client.Consumer().Poll(w.now, 1000, got)
	}
	w.settled(120 * core.Second)
	w.idle(20 * core.Second) // late requests arrive
	total := len(ft.parts[0].values()) + len(ft.parts[1].values())
	w.run(120*core.Second, func() bool {
		got = w.client.Consumer().Poll(w.now, 1000, got)
		return len(got) >= total
	})
	checkChaos(t, seed, w, ft, got, n, idempotent)
	return fmt.Sprint(w.log, w.results, w.now)
}

func checkChaos(t *testing.T, seed uint64, w *world, ft *fakeTopic, got []consumer.Record, n int, idempotent bool) {
	t.Helper()
	require.Len(t, w.results, n, "seed %d", seed)
	logs := [2][]string{ft.parts[0].values(), ft.parts[1].values()}
	written := map[uint64]int{}
	doubtful := map[uint64]bool{} // without idempotence, what was given up on may arrive at any time
	for _, r := range w.results {
		doubtful[r.Token] = !idempotent && r.Ambiguous
	}
	for part, log := range logs {
		last := -1
		for at, v := range log {
			token, err := strconv.Atoi(v[:strings.Index(v, "-")])
			require.NoError(t, err)
			require.Equal(t, part, token%2)
			if written[uint64(token)]++; written[uint64(token)] == 1 && !doubtful[uint64(token)] {
				require.Greater(t, token, last, "seed %d: reordered at offset %d of partition %d: %v", seed, at, part, log)
				last = token
			}
		}
	}
	for _, r := range w.results {
		switch {
		case r.Err == core.ErrNone:
			require.Equal(t, r.Token, uint64(tokenOf(logs[r.Partition][r.Offset])), "seed %d", seed)
		case !r.Ambiguous:
			require.Zero(t, written[r.Token], "seed %d: %+v", seed, r)
		}
		if idempotent {
			require.LessOrEqual(t, written[r.Token], 1, "seed %d: %+v", seed, r)
		}
	}
	next := [2]core.Offset{}
	for _, r := range got {
		require.Equal(t, next[r.Partition], r.Offset, "seed %d", seed)
		require.Equal(t, logs[r.Partition][r.Offset], string(r.Value))
		next[r.Partition]++
	}
}

func tokenOf(v string) int {
	token, _ := strconv.Atoi(v[:strings.Index(v, "-")])
	return token
}

// The same seed gives the same requests, results and times.
func TestChaosIsDeterministic(t *testing.T) {
	for seed := range uint64(3) {
		require.Equal(t, runChaos(t, seed), runChaos(t, seed))
	}
}
