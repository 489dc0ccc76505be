package transport

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core/conn"
)

// TestSlowLine: a response that a slow line takes longer for than the stall timeout arrives, encrypted or not; one that stops moving does not.
func TestSlowLine(t *testing.T) {
	serverTLS, clientTLS := certificate(t)
	config := clientTLS.Clone()
	config.ServerName = "127.0.0.1"
	const stall, size, piece = 30 * time.Second, 2 << 20, 16 << 10
	for name, wrap := range map[string]func(near, far net.Conn) (net.Conn, net.Conn){
		"plain": func(near, far net.Conn) (net.Conn, net.Conn) { return near, far },
		"tls": func(near, far net.Conn) (net.Conn, net.Conn) {
			return tls.Server(near, serverTLS), tls.Client(far, config)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				near, far = wrap(near, far)
				sent := make(chan error, 2)
				go func() {
					s := newSender(near, nil, -1, stall)
					defer near.Close()
					chunk := conn.Chunk{Data: make([]byte, size)}
					err := s.output(&conn.Output{Chunks: []conn.Chunk{chunk, chunk}}, nil)
					if err == nil {
						sent <- nil
						err = s.output(&conn.Output{Chunks: []conn.Chunk{chunk}}, nil)
					}
					sent <- err
				}()
				for got := 0; got < 2*size; got += piece { // 16 KiB a second
					_, err := io.ReadFull(far, make([]byte, piece))
					require.NoError(t, err, "after %d bytes", got)
					<-time.After(time.Second)
				}
				require.NoError(t, <-sent)
				require.ErrorContains(t, <-sent, "timeout")
				_ = far.Close()
			})
		})
	}
}
