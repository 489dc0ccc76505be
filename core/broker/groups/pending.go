package groups

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group/classic"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// pending is a request whose answer is not out yet. Its response has as many parts as shards (or groups) it rests on.
type pending struct {
	req  *step.Request
	resp wire.Response
	left int // parts that are not decided yet
}

// part is one part of an answer as it waits in a shard.
type part struct {
	of    *pending
	index int // which part, as refuse understands it
}

// done decides one part as it is; the last one lets the reply go.
func (w *pending) done(out *step.Effects) {
	if w.left--; w.left == 0 {
		out.Replies = append(out.Replies, answer(w.req, w.resp))
	}
	if w.left < 0 {
		invariant.Fail("request %d of connection %d is answered twice", w.req.Seq, w.req.Conn)
	}
}

// refuse decides one part by an error.
func (w *pending) refuse(index int, code core.ErrorCode, out *step.Effects) {
	refuse(w, index, code)
	w.done(out)
}

// fill takes what a group has to say to a request that waited for it.
func (w *pending) fill(a classic.Answer) {
	switch {
	case a.Join != nil:
		fillJoin(w, a.Join)
	case a.Sync != nil:
		fillSync(w, a.Sync)
	}
}
