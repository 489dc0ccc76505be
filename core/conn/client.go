package conn

import (
	"fmt"

	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// Client is the dialling half of a connection: calls to bytes, bytes to responses.
type Client struct {
	peer    step.PeerID
	framer  Framer
	waiting []call // in the order sent
	err     error
}

// call is a request that a response is due for.
type call struct {
	corr         int32
	key, version int16
}

// NewClient is the client half of a connection that has just been opened.
// Memory, from which large frames get their room, may be nil.
func NewClient(peer step.PeerID, limits Limits, memory Memory) *Client {
	return &Client{peer: peer, framer: NewFramer(limits.withDefaults().MaxFrame, memory)}
}

// Call appends the frame of a [step.Send] of kind Call to dst, at the version that its body is set to.
func (c *Client) Call(dst []byte, s *step.Send) []byte {
	if !s.NoResponse {
		c.waiting = append(c.waiting, call{corr: s.Corr, key: s.Body.Key(), version: s.Body.GetVersion()})
	}
	return wire.AppendRequest(dst, s.Corr, s.ClientID, s.Body)
}

// Waiting is the number of calls whose response is due.
func (c *Client) Waiting() int { return len(c.waiting) }

// Feed takes bytes that arrived.
func (c *Client) Feed(b []byte) {
	if c.err == nil {
		c.framer.Feed(b)
	}
}

// Space is memory to receive into; see [Framer.Space].
func (c *Client) Space() []byte { return c.framer.Space() }

// Advance takes n bytes of Space as received.
func (c *Client) Advance(n int) { c.framer.Advance(n) }

// Buffered is the number of bytes received that are not yet part of a response.
func (c *Client) Buffered() int { return c.framer.Buffered() }

// Next is the next response, or nil if more bytes are needed. An error stays: it matches [ErrFrameLength],
// [ErrCorrelation] or [ErrMalformed], and the connection is to be closed.
func (c *Client) Next() (*step.PeerResponse, error) {
	if c.err != nil {
		return nil, c.err
	}
	frame, err := c.framer.Next()
	if err != nil {
		c.err = err
		return nil, err
	}
	if frame == nil {
		return nil, nil
	}
	resp, err := c.open(frame)
	if err != nil {
		c.err = err
		return nil, err
	}
	return resp, nil
}

// open reads one frame as the response to the oldest call.
func (c *Client) open(frame []byte) (*step.PeerResponse, error) {
	if len(c.waiting) == 0 {
		return nil, fmt.Errorf("%w: nothing was asked", ErrCorrelation)
	}
	due := c.waiting[0]
	corr, body, err := wire.ParseResponseHeader(frame, due.key, due.version)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if corr != due.corr {
		return nil, fmt.Errorf("%w: got %d, due %d", ErrCorrelation, corr, due.corr)
	}
	decoded, err := wire.DecodeResponse(due.key, due.version, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	c.waiting = append(c.waiting[:0], c.waiting[1:]...)
	resp := &step.PeerResponse{Peer: c.peer, Corr: corr, Body: decoded, Size: lengthSize + int64(len(frame))}
	if due.key == wire.KeyFetch {
		resp.Frame = frame
	}
	return resp, nil
}
