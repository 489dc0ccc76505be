package produce

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
)

// The memory of a request goes back with its answer, unless a log may still need it.
func TestMemoryIsGivenBack(t *testing.T) {
	r := newRig(t)
	plain := func(acks int16) *byte {
		r.produce(9, "", acks, batch{plain: true, id: core.NoProducerID}, batch{plain: true, id: core.NoProducerID, partition: 1})
		return r.frame
	}
	require.True(t, r.spent[plain(-1)])
	require.True(t, r.spent[plain(1)])
	require.True(t, r.spent[plain(7)], "refused: the log has never seen it")
	require.False(t, r.spent[plain(0)], "it is answered before anything is written")

	r.leadWith(2, 1, 2) // of whom 2 never fetches
	require.True(t, r.spent[plain(1)])
	stuck := plain(-1)
	require.True(t, r.waits(r.seq))
	r.now.Mono += core.Minute
	r.turn()
	require.Equal(t, []core.ErrorCode{core.ErrRequestTimedOut, core.ErrRequestTimedOut}, r.codes(r.seq))
	require.True(t, r.spent[stuck], "it is on the disk here, whatever the others have")

	late := plain(-1)
	r.lead(3)
	r.turn()
	require.Equal(t, []core.ErrorCode{core.ErrNotLeaderOrFollower, core.ErrNotLeaderOrFollower}, r.codes(r.seq))
	require.False(t, r.spent[late], "what a log of another epoch does with it is not known")
}
