package scenarios

import (
	"fmt"

	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim"
)

// drawCleaner draws a log cleaner that looks often, and sometimes has memory for few keys, or must go slowly.
func drawCleaner(r *prng.Rand, b *sim.BrokerPlan) {
	set := func(name string, v int64) {
		b.Properties = append(b.Properties, sim.Property{Name: name, Value: fmt.Sprint(v)})
	}
	set("log.cleaner.backoff.ms", r.Fork("backoff").Between(20, 500))
	if own := r.Fork("memory"); own.Chance(1, 3) {
		set("log.cleaner.dedupe.buffer.size", own.Between(1, 1500))
	}
	if own := r.Fork("chunk"); own.Chance(1, 2) {
		set("log.cleaner.io.buffer.size", own.Between(1, 4000))
	}
	if own := r.Fork("rate"); own.Chance(1, 3) {
		set("log.cleaner.io.max.bytes.per.second", own.Between(5_000, 500_000))
	}
	set("log.cleaner.threads", r.Fork("threads").Between(1, 3))
	if b.Tuning.SegmentBytes == 0 {
		b.Tuning.SegmentBytes = int32(r.Fork("segment").Between(1024, 16<<10)) // only sealed segments are compacted
	}
}
