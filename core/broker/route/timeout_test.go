package route

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/wire"
)

// What a client says about its patience is bounded from both sides: without a controller its request waits here, and is executed
// when there is one.
func TestForwardTimeout(t *testing.T) {
	for ms, want := range map[int32]core.Mono{
		math.MinInt32: core.Second, -1: core.Second, 0: core.Second, 5_000: 5 * core.Second, 60_000: 60 * core.Second,
		60_001: 60 * core.Second, math.MaxInt32: 60 * core.Second,
	} {
		for _, body := range []wire.Request{
			&kmsg.CreateTopicsRequest{TimeoutMillis: ms}, &kmsg.DeleteTopicsRequest{TimeoutMillis: ms},
			&kmsg.CreatePartitionsRequest{TimeoutMillis: ms}, &kmsg.ElectLeadersRequest{TimeoutMillis: ms},
			&kmsg.AlterPartitionAssignmentsRequest{TimeoutMillis: ms}, &kmsg.ListPartitionReassignmentsRequest{TimeoutMillis: ms},
			&kmsg.UpdateFeaturesRequest{TimeoutMillis: ms},
		} {
			require.Equal(t, want, forwardTimeout(body), "%T %d", body, ms)
		}
	}
	require.Equal(t, 30*core.Second, forwardTimeout(&kmsg.AlterConfigsRequest{}))
}
