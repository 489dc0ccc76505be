package workload

import (
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core/prng"
)

// compacted draws a compacted topic's configuration: cleaned eagerly, tombstones kept for about as long as a reader needs
// or much less.
func (t *drawnTopic) compacted(r *prng.Rand) {
	policy := one(r.Fork("policy"), "compact", "compact", "compact", "compact,delete")
	t.configs = append(t.configs, Config{Name: "cleanup.policy", Value: policy},
		Config{Name: "min.cleanable.dirty.ratio", Value: one(r.Fork("ratio"), "0.01", "0.01", "0.3", "0.5")})
	t.set("delete.retention.ms", one[int64](r.Fork("retention"), 0, 1, 200, 1000, 5000, 86_400_000))
	if own := r.Fork("lag"); own.Chance(1, 4) {
		t.set("min.compaction.lag.ms", own.Between(1, 2000))
	}
}

// compactedProduce gives an operation's records few keys, so that there is something to compact, and tombstones.
func (t *drawnTopic) compactedProduce(r *prng.Rand, op *Op) {
	op.Keys = one[int32](r.Fork("keys"), 1, 3, 10, 50, 50)
	op.Tombstones = one[int32](r.Fork("tombstones"), 0, 100, 300, 600)
	if op.Size > 5000 {
		op.Size = 200
	}
}

// IsCompacted reports whether some plan makes the topic a compacted one, so that records may vanish below newer ones.
func IsCompacted(plans []Plan, topic string) bool {
	return anyOp(plans, func(op *Op) bool {
		return op.Topic == topic && slices.ContainsFunc(op.Configs, func(c Config) bool {
			return c.Name == "cleanup.policy" && strings.Contains(c.Value, "compact")
		})
	})
}
