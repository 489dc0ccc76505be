package control

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
)

// What the metadata log has refused to take must not be answered as if it were committed: the turn that ends the node may still
// send what it has released.
func TestWhatWasNotAppendedIsNotGranted(t *testing.T) {
	p := &Plane{image: metadata.NewImage()}
	ask := func(conn step.ConnID, end core.Offset) {
		req := kmsg.NewPtrCreateTopicsRequest()
		req.Topics = []kmsg.CreateTopicsRequestTopic{{Topic: "a"}}
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		resp.Topics = []kmsg.CreateTopicsResponseTopic{{Topic: "a"}}
		r := &step.Request{Conn: conn, Body: req}
		p.answerAfter(r, end, false, 0, answer(r, resp))
	}
	var out step.Effects
	ask(1, core.NoOffset)
	ask(2, 0) // nothing was proposed, and all that is before it is applied
	p.commits.release(p, core.Now{}, &out)
	require.Len(t, out.Replies, 1)
	require.Equal(t, step.ConnID(2), out.Replies[0].Conn)
	p.commits.abandon(p, &out)
	require.Len(t, out.Replies, 2)
	require.Equal(t, int16(core.ErrNotController), out.Replies[1].Body.(*kmsg.CreateTopicsResponse).Topics[0].ErrorCode)
}
