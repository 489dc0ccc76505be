package workload

import (
	"slices"
	"strings"
)

// IsCompacted reports whether some plan makes the topic a compacted one, so that records may vanish below newer ones.
func IsCompacted(plans []Plan, topic string) bool {
	return anyOp(plans, func(op *Op) bool {
		return op.Topic == topic && slices.ContainsFunc(op.Configs, func(c Config) bool {
			return c.Name == "cleanup.policy" && strings.Contains(c.Value, "compact")
		})
	})
}
