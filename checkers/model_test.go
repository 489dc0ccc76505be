package checkers

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/checkers/internal/refmodel"
	"github.com/klamm-log/klamm/core"
)

// lcg draws from a seed.
func lcg(seed uint64) refmodel.Draw {
	x := seed*2862933555777941757 + 3037000493
	return func(n int) int {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		return int(x>>33) % n
	}
}

// configOf varies the model by seed.
func configOf(seed uint64, steps int) refmodel.Config {
	return refmodel.Config{
		Steps: steps, Clients: 1 + int(seed%5), Partitions: 1 + int(seed/5%2),
		Deletes: seed/10%2 == 0, Losses: seed/20%3 == 0, Lookups: true, FinalReads: seed/60%3 != 0,
	}
}

func TestCorrectModelPasses(t *testing.T) {
	for seed := uint64(0); seed < 3000; seed++ {
		log := refmodel.Run(configOf(seed, 150), lcg(seed))
		vs := Check(log, Options{})
		require.Empty(t, vs, "seed %d\n%s", seed, log)
	}
}

func TestCorrectModelPassesRapid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "draw") }
		log := refmodel.Run(configOf(uint64(draw(180)), 60), draw)
		if vs := Check(log, Options{}); len(vs) > 0 {
			t.Fatalf("%v\n%s", vs, log)
		}
	})
}

// TestModelIsNotTrivial guards the two tests above against a model that stops doing things.
func TestModelIsNotTrivial(t *testing.T) {
	kinds := map[string]int{}
	for seed := uint64(0); seed < 200; seed++ {
		log := refmodel.Run(configOf(seed, 150), lcg(seed))
		for i := range log.Len() {
			op, body := log.At(i)
			switch b := body.(type) {
			case *history.Send:
				kinds["send "+op.Outcome.String()]++
			case *history.Poll:
				if len(b.Records) > 0 {
					kinds["poll "+op.Outcome.String()]++
				}
			case *history.ListOffsets:
				kinds["list"]++
			case *history.DeleteRecords:
				kinds["delete "+op.Outcome.String()]++
			case *history.NodeChange:
				kinds["power loss"]++
			}
		}
	}
	for _, k := range []string{
		"send ok", "send fail", "send info", "poll ok", "poll info", "list", "delete ok", "delete fail", "delete info", "power loss",
	} {
		require.Greater(t, kinds[k], 20, k)
	}
}

// bigLog is a sound history of n operations on 64 partitions: half sends, half polls of two records.
func bigLog(n int) *history.Log {
	log := &history.Log{}
	topic := log.AddTopic(history.Topic{Name: "big"})
	var ends, reads [64]core.Offset
	records := make([]history.Record, 0, 2)
	for i := range n {
		p := int32(i / 4 % 64)
		at := history.Place{Topic: topic, Partition: p}
		op := history.Op{Process: history.Process(p), Start: core.Mono(10 * i), End: core.Mono(10*i + 5)}
		records = records[:0]
		if i%4 < 2 {
			records = append(records, history.Record{Offset: ends[p], Value: history.Value(ends[p]), Timestamp: core.NoTimestamp})
			ends[p]++
			log.Send(op, history.Send{Place: at, Acks: -1, Idempotent: true, LogAppendTime: core.NoTimestamp, Records: records})
			continue
		}
		from := reads[p]
		for reads[p] < min(ends[p], from+2) {
			records = append(records, history.Record{Offset: reads[p], Value: history.Value(reads[p]), Timestamp: core.NoTimestamp})
			reads[p]++
		}
		log.Poll(op, history.Poll{Place: at, From: from, Next: reads[p], HighWatermark: ends[p], LastStableOffset: ends[p], Records: records})
	}
	return log
}

func BenchmarkCheckMillionOps(b *testing.B) {
	log := bigLog(1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		if vs := Check(log, Options{}); len(vs) > 0 {
			b.Fatal(vs[0])
		}
	}
}

// TestPromisesBind turns histories in which power losses took what was promised until then into histories in which
// the same records were promised for ever: most must fail, or the expected-loss rule excuses too much.
func TestPromisesBind(t *testing.T) {
	lossy, failed := 0, 0
	for seed := uint64(0); seed < 300; seed++ {
		cfg := refmodel.Config{Steps: 150, Clients: 3, Partitions: 1, Losses: true, FinalReads: true}
		text := refmodel.Run(cfg, lcg(seed)).String()
		if !strings.Contains(text, "power-lost") {
			continue
		}
		lossy++
		log, err := history.Parse([]byte(strings.ReplaceAll(text, " promise=until-power-loss", "")))
		require.NoError(t, err)
		if len(Check(log, Options{})) > 0 {
			failed++
		}
	}
	require.Greater(t, lossy, 200)
	require.Greater(t, failed, lossy/2)
	t.Logf("%d of %d", failed, lossy)
}
