package broker_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
)

func TestDescribeCluster(t *testing.T) {
	r := newRig(t)
	for v := int16(0); v <= 2; v++ {
		for conn, host := range map[step.ConnID]string{connInner: "inner", connOuter: "outer"} {
			resp := r.via(conn, v, kmsg.NewPtrDescribeClusterRequest()).(*kmsg.DescribeClusterResponse)
			require.Zero(t, resp.ErrorCode)
			require.Equal(t, []any{"testcluster", int32(1), int32(math.MinInt32)}, []any{resp.ClusterID, resp.ControllerID, resp.ClusterAuthorizedOperations})
			require.Len(t, resp.Brokers, 1)
			require.Equal(t, []any{int32(1), host, "rack-a", false}, []any{resp.Brokers[0].NodeID, resp.Brokers[0].Host, *resp.Brokers[0].Rack, resp.Brokers[0].IsFenced})
		}
	}
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeClusterAuthorizedOperations, req.IncludeFencedBrokers = true, true
	require.Equal(t, int32(8096), ask[*kmsg.DescribeClusterResponse](r, 2, req).ClusterAuthorizedOperations)
	for kind, wants := range map[int8]core.ErrorCode{2: core.ErrMismatchedEndpointType, 0: core.ErrUnsupportedEndpointType, 3: core.ErrUnsupportedEndpointType} {
		req.EndpointType = kind
		resp := ask[*kmsg.DescribeClusterResponse](r, 1, req)
		require.Equal(t, wants, code(resp.ErrorCode))
		require.Empty(t, resp.Brokers)
	}
}
