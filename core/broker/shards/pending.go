package shards

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// Pending is a request whose answer is not out yet. Its response has as many parts as shards (or keys) it rests on.
type Pending struct {
	Req  *step.Request
	Resp wire.Response
	Left int // parts that are not decided yet
	// Refusal fills one part of the answer with an error.
	Refusal func(w *Pending, index int, code core.ErrorCode)
}

// Part is one part of an answer as it waits in a shard.
type Part struct {
	Of    *Pending
	Index int // which part, as Refusal understands it
}

// Begin is the answer to a request, with a response of its kind and so many parts. Without any it is answered by one Done.
func Begin(r *step.Request, parts int, refusal func(*Pending, int, core.ErrorCode)) *Pending {
	return &Pending{Req: r, Resp: r.Body.ResponseKind(), Left: parts, Refusal: refusal}
}

// Done decides one part as it is; the last one lets the reply go.
func (w *Pending) Done(out *step.Effects) {
	if w.Left--; w.Left == 0 {
		out.Replies = append(out.Replies, Answer(w.Req, w.Resp))
	}
	if w.Left < 0 {
		invariant.Fail("request %d of connection %d is answered twice", w.Req.Seq, w.Req.Conn)
	}
}

// Refuse decides one part by an error.
func (w *Pending) Refuse(index int, code core.ErrorCode, out *step.Effects) {
	w.Refusal(w, index, code)
	w.Done(out)
}

// Answer is the reply to a request with a response body.
func Answer(r *step.Request, body wire.Response) step.Reply {
	return step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Body: body}
}
