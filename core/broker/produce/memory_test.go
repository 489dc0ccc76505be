package produce

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
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
	require.True(t, r.spent[plain(0)])

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

// Nobody waits for requests with acks=0, and a disk that is slower than the network would have memory fill with them: their connections wait.
func TestQuietRequestsAreBounded(t *testing.T) {
	r := newRig(t)
	r.size, r.stuck = mostQuiet/2, true
	send := func() uint64 { return r.produce(9, "", 0, batch{plain: true, id: core.NoProducerID}) }
	require.False(t, r.waits(send()))
	require.False(t, r.waits(send()))
	last := send()
	require.True(t, r.waits(last))
	r.now.Mono += core.Minute
	r.turn()
	require.True(t, r.waits(last), "whatever its timeout")
	r.stuck = false
	r.turn()
	require.Equal(t, step.Reply{Conn: 1, Seq: last, Version: 9}, r.reply[last])
	require.Zero(t, r.plane.quiet)

	r.stuck = true
	send()
	send()
	last = send()
	r.lead(2)
	r.turn()
	require.True(t, r.reply[last].Close, "who leads now may not have it")
	require.Zero(t, r.plane.quiet)
}
