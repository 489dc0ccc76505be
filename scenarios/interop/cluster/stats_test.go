package cluster_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// times is a sample of durations.
type times []time.Duration

// String tells count, median, 90th percentile and maximum.
func (s times) String() string {
	if len(s) == 0 {
		return "none"
	}
	s = slices.Sorted(slices.Values(s))
	at := func(percent int) time.Duration { return round(s[min(len(s)*percent/100, len(s)-1)]) }
	return fmt.Sprintf("n=%d median %v p90 %v max %v", len(s), at(50), at(90), round(s[len(s)-1]))
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// load is what else the machine does, as far as it tells.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}
