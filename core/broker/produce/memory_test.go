package produce

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
)

// The memory of a request goes back when no log needs it any more, at the latest with its answer, unless nobody can say.
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
	waiting := plain(-1)
	require.True(t, r.waits(r.seq))
	require.True(t, r.spent[waiting], "it is on the disk here, whatever the others have")
	r.now.Mono += core.Minute
	r.turn()
	require.Equal(t, []core.ErrorCode{core.ErrRequestTimedOut, core.ErrRequestTimedOut}, r.codes(r.seq))
	for range 2 { // the second is an exact repeat
		seq := r.produce(9, "", -1, batch{plain: true, id: 5})
		require.True(t, r.waits(seq))
		require.True(t, r.spent[r.frame])
	}

	r.stuck = true
	late := plain(-1)
	r.lead(3)
	r.turn()
	require.Equal(t, []core.ErrorCode{core.ErrNotLeaderOrFollower, core.ErrNotLeaderOrFollower}, r.codes(r.seq))
	require.False(t, r.spent[late], "what a log of another epoch does with it is not known")
}
