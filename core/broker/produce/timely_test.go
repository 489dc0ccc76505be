package produce

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/record"
)

// message.timestamp.before.max.ms and after.max.ms bound whatever a record can say (KIP-937).
func TestTimely(t *testing.T) {
	const day = 24 * 60 * 60 * 1000
	now := core.Now{Wall: 20_000 * day}
	bounded := config.Topic{TimestampBeforeMaxMs: day, TimestampAfterMaxMs: day}
	unbounded := config.Topic{TimestampBeforeMaxMs: math.MaxInt64, TimestampAfterMaxMs: math.MaxInt64}
	for _, c := range []struct {
		timestamps []core.Wall
		want       bool
	}{
		{[]core.Wall{core.NoTimestamp}, true},
		{[]core.Wall{now.Wall, core.NoTimestamp}, true},
		{[]core.Wall{now.Wall - day, now.Wall + day}, true},
		{[]core.Wall{now.Wall - day - 1}, false},
		{[]core.Wall{now.Wall + day + 1}, false},
		{[]core.Wall{now.Wall, 0}, false},
		{[]core.Wall{-2}, false},
		{[]core.Wall{-2, core.NoTimestamp}, false},
		{[]core.Wall{math.MinInt64}, false},
		{[]core.Wall{math.MinInt64, core.NoTimestamp}, false},
		{[]core.Wall{math.MaxInt64}, false},
	} {
		var b record.Builder
		b.Begin(nil, record.Options{})
		for _, at := range c.timestamps {
			require.NoError(t, b.Append(at, nil, []byte("v"), nil))
		}
		batch, err := b.Finish(&record.Codecs{})
		require.NoError(t, err)
		sum, refusal := record.Check(batch, record.Limits{}, &record.Codecs{})
		require.True(t, refusal.OK(), "%v: %v", c.timestamps, refusal)
		require.Equal(t, c.want, timely(now, &bounded, &sum), "%v", c.timestamps)
		require.True(t, timely(now, &unbounded, &sum), "%v", c.timestamps)
	}
}
