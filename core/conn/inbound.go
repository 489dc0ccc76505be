package conn

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Inbound is the receiving half of a served connection: bytes to requests, decoded and with their batches checked.
type Inbound struct {
	id       step.ConnID
	versions *Versions
	limits   Limits
	framer   Framer
	codecs   record.Codecs
	heavy    func(func() int64)
	seq      uint64 // of the next request
	answered uint64 // requests answered, in order
	err      error  // why nothing more is read
}

// NewInbound is the receiving half of a connection that has just been accepted.
func NewInbound(id step.ConnID, cfg Config) Inbound {
	limits := cfg.Limits.withDefaults()
	return Inbound{id: id, versions: cfg.Versions, limits: limits, framer: NewFramer(limits.MaxFrame, cfg.Memory), heavy: cfg.Heavy}
}

// Feed takes bytes that arrived.
func (in *Inbound) Feed(b []byte) {
	if in.err == nil {
		in.framer.Feed(b)
	}
}

// Space is memory to receive into; see [Framer.Space].
func (in *Inbound) Space() []byte { return in.framer.Space() }

// Advance takes n bytes of Space as received.
func (in *Inbound) Advance(n int) { in.framer.Advance(n) }

// Buffered is the number of bytes received that are not yet part of a request.
func (in *Inbound) Buffered() int { return in.framer.Buffered() }

// Held is the memory that unfinished frames hold, in bytes.
func (in *Inbound) Held() int { return in.framer.Held() }

// Seq is the number of requests received so far.
func (in *Inbound) Seq() uint64 { return in.seq }

// Answered tells how many requests have been answered, from the first without a gap; it never goes down.
func (in *Inbound) Answered(n uint64) { in.answered = n }

// Paused reports whether as many requests are unanswered as are allowed: Next yields nothing until Answered tells
// of more. An owner that goes on feeding a paused connection only fills memory.
func (in *Inbound) Paused() bool { return in.seq-in.answered >= uint64(in.limits.InFlight) }

// Next is the next request for the machine, or instead an answer that the connection itself has for a request.
// Both are nil if more bytes are needed or the connection is paused. An error stays: it matches
// [ErrFrameLength], [ErrUnknownRequest] or [ErrMalformed], and the connection is to be closed once the earlier
// requests are answered.
func (in *Inbound) Next() (*step.Request, *step.Reply, error) {
	if in.err != nil {
		return nil, nil, in.err
	}
	if in.Paused() {
		return nil, nil, nil
	}
	frame, err := in.framer.Next()
	if err != nil {
		in.err = err
		return nil, nil, err
	}
	if frame == nil {
		return nil, nil, nil
	}
	req, answer, err := in.open(frame)
	if err != nil {
		in.err = err
		return nil, nil, err
	}
	in.seq++
	return req, answer, nil
}

// open reads one frame.
func (in *Inbound) open(frame []byte) (*step.Request, *step.Reply, error) {
	head, err := wire.PeekRequest(frame)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if answer, err := in.admit(head); answer != nil || err != nil {
		return nil, answer, err
	}
	head, body, err := wire.ParseRequestHeader(frame)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: header of key %d: %w", ErrMalformed, head.Key, err)
	}
	decoded, err := wire.DecodeRequest(head.Key, head.Version, body)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	req := &step.Request{
		Conn: in.id, Seq: in.seq, Corr: head.Corr, Version: head.Version,
		Body: decoded, ClientID: head.ClientID, Size: lengthSize + int64(len(frame)),
	}
	if produce, ok := decoded.(*kmsg.ProduceRequest); ok {
		req.Batches, req.Frame = in.checkBatches(produce), frame
	}
	return req, nil, nil
}

// admit decides by the header alone whether the request may go on to be decoded. Authentication belongs here: a
// connection that has not authenticated is let through with ApiVersions, SaslHandshake and SaslAuthenticate only.
func (in *Inbound) admit(head wire.RequestHeader) (*step.Reply, error) {
	if in.versions.Accepts(head.Key, head.Version) {
		return nil, nil
	}
	// KIP-511: a client that is newer than the broker learns the broker's range from an answer that every client
	// can read, version 0 with one entry, and asks again on the same connection.
	if r, ok := in.versions.Range(head.Key); ok && head.Key == wire.KeyApiVersions {
		body := kmsg.NewPtrApiVersionsResponse()
		body.ErrorCode = int16(core.ErrUnsupportedVersion)
		entry := kmsg.NewApiVersionsResponseApiKey()
		entry.ApiKey, entry.MinVersion, entry.MaxVersion = r.Key, r.Min, r.Max
		body.ApiKeys = append(body.ApiKeys, entry)
		return &step.Reply{Conn: in.id, Seq: in.seq, Corr: head.Corr, Version: 0, Body: body}, nil
	}
	return nil, fmt.Errorf("%w: key %d version %d", ErrUnknownRequest, head.Key, head.Version)
}

// checkBatches runs the admission check of every partition's records, in the order of the request.
func (in *Inbound) checkBatches(p *kmsg.ProduceRequest) []step.Batch {
	n := 0
	for i := range p.Topics {
		n += len(p.Topics[i].Partitions)
	}
	// KIP-110: zstd is for clients that negotiated it.
	limits := record.Limits{MaxDecompressed: in.limits.MaxDecompressed, NoZstd: p.Version < 7}
	batches := make([]step.Batch, 0, n)
	for i := range p.Topics {
		for j := range p.Topics[i].Partitions {
			batches = append(batches, in.checkBatch(p.Topics[i].Partitions[j].Records, limits))
		}
	}
	return batches
}

// checkBatch judges one partition's records. A compressed batch that is refused leaves no decoder behind: what it made
// the decoder take is not kept for the connection's life.
func (in *Inbound) checkBatch(src []byte, limits record.Limits) (b step.Batch) {
	if len(src) < record.HeaderSize || record.Batch(src).Attributes().Codec() == record.None {
		b.Summary, b.Refusal = record.Check(src, limits, &in.codecs)
		return b
	}
	check := func() int64 {
		b.Summary, b.Refusal = record.Check(src, limits, &in.codecs)
		if !b.Refusal.OK() {
			in.codecs = record.Codecs{}
			return limits.MaxDecompressed
		}
		return b.Summary.DecompressedSize
	}
	if in.heavy != nil {
		in.heavy(check)
	} else {
		check()
	}
	return b
}
