package harness

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Conn is a connection on which a test writes and reads frames itself.
type Conn struct {
	net.Conn
	corr  int32
	limit time.Duration // for each frame; 0 is answerTimeout
}

// answerTimeout is longer than any broker takes to answer or close; who takes longer hangs.
const answerTimeout = 10 * time.Second

// Dial connects. The connection is closed with the test.
func Dial(t testing.TB, addr string) *Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, answerTimeout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // may be closed already
	return &Conn{Conn: c}
}

// Request encodes a request with its header and length, at the version set in it.
func Request(r kmsg.Request, corr int32) []byte {
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("interop")).AppendRequest(nil, r, corr)
}

// Frame puts a length before a body.
func Frame(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// Ask sends a request and decodes its answer. The error is io.EOF if the broker closed the connection instead.
func (c *Conn) Ask(r kmsg.Request) (kmsg.Response, error) {
	c.corr++
	if err := c.Send(Request(r, c.corr)); err != nil {
		return nil, err
	}
	body, err := c.Receive()
	if err != nil {
		return nil, err
	}
	return Decode(r, c.corr, body)
}

// Decode takes an answer apart, header included. ApiVersions has the oldest header in every version (KIP-511).
func Decode(r kmsg.Request, corr int32, body []byte) (kmsg.Response, error) {
	b := kbin.Reader{Src: body}
	if got := b.Int32(); got != corr {
		return nil, fmt.Errorf("correlation id %d, not %d", got, corr)
	}
	response := r.ResponseKind()
	response.SetVersion(r.GetVersion())
	if response.IsFlexible() && r.Key() != kmsg.ApiVersions.Int16() {
		kmsg.SkipTags(&b)
	}
	if err := b.Complete(); err != nil {
		return nil, err
	}
	return response, response.ReadFrom(b.Src)
}

// Send writes bytes as they are. A broker that closed the connection meanwhile is reported as io.EOF.
func (c *Conn) Send(b []byte) error {
	limit := c.limit
	if limit == 0 {
		limit = answerTimeout
	}
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	_, err := c.Write(b)
	return closedAsEOF(err)
}

// Receive reads one frame. The error is io.EOF if the broker closed the connection, and a timeout if it hangs.
func (c *Conn) Receive() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, closedAsEOF(err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > 100<<20 {
		return nil, fmt.Errorf("the answer has a length of %d", n)
	}
	body := make([]byte, n)
	_, err := io.ReadFull(c, body)
	return body, closedAsEOF(err)
}

// closedAsEOF makes one error of the ways in which a closed connection shows: the end of the stream, or a reset when
// the broker had not read all.
func closedAsEOF(err error) error {
	var timeout net.Error
	if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		return err
	}
	return io.EOF
}
