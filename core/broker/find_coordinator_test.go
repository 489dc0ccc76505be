package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
)

// Every key of every version is answered, with the error that clients retry.
func TestFindCoordinatorSaysNotYet(t *testing.T) {
	r := newRig(t)
	for version := int16(0); version <= 6; version++ {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKey, req.CoordinatorKeys = "g", []string{"g", "h"}
		resp := r.via(1, version, req).(*kmsg.FindCoordinatorResponse)
		if version < 4 {
			require.Equal(t, int16(core.ErrCoordinatorNotAvailable), resp.ErrorCode, "version %d", version)
			continue
		}
		require.Len(t, resp.Coordinators, 2)
		for i, c := range resp.Coordinators {
			require.Equal(t, []string{"g", "h"}[i], c.Key)
			require.Equal(t, int16(core.ErrCoordinatorNotAvailable), c.ErrorCode, "version %d", version)
		}
	}
}
