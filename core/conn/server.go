package conn

import "github.com/klamm-log/klamm/core/step"

// Chunk is a piece of the outgoing stream: either Data or the bytes of Span.
type Chunk struct {
	Data []byte
	Span step.Span
}

// Output is what a connection has to do, in this order: write the chunks, then close or pause.
type Output struct {
	Chunks []Chunk
	// MuteFor is how long no request of the connection is to be read after the chunks were written, in ms (KIP-219).
	MuteFor int32
	// Close ends the connection after the chunks were written. Nothing follows.
	Close bool
}

// Bytes is the number of bytes that the chunks make on the wire.
func (o *Output) Bytes() int64 {
	n := int64(0)
	for i := range o.Chunks {
		n += int64(len(o.Chunks[i].Data)) + o.Chunks[i].Span.Len
	}
	return n
}

// Config is what every connection of a listener has in common.
type Config struct {
	Versions *Versions
	Limits   Limits
	// Heavy, if set, runs the check of one compressed batch, which may take as much memory as Limits.MaxDecompressed. An
	// edge with many readers bounds by it how many run at a time. check tells how many bytes it may have taken.
	Heavy func(check func() int64)
	// Memory, if set, is where large frames get their room.
	Memory Memory
}

// Server is one served connection, both directions. The owner moves bytes and values:
//
//	Feed(bytes); while Next() yields a request, step the machine with it
//	Reply(reply); write Take().Chunks; close if Take().Close
//
// and feeds no more while Paused. After replies were taken, Next may yield requests that had to wait.
type Server struct {
	In  Inbound
	Out Outbound
}

// NewServer is a connection that has just been accepted under the given id.
func NewServer(id step.ConnID, cfg Config) *Server {
	return &Server{In: NewInbound(id, cfg), Out: NewOutbound()}
}

// Feed takes bytes that arrived.
func (s *Server) Feed(b []byte) { s.In.Feed(b) }

// Next is the next request, or nil if there is none now: more bytes are needed, or the connection is
// [Server.Paused]. After an error the connection reads nothing any more, and Output.Close comes as soon as every
// request before is answered.
func (s *Server) Next() (*step.Request, error) {
	for {
		req, answer, err := s.In.Next()
		if err != nil {
			s.Out.Finish(s.In.Seq())
			return nil, err
		}
		if answer == nil {
			return req, nil
		}
		s.Out.Reply(*answer)
	}
}

// EndOfStream tells that the other side sends no more: once everything is answered the connection closes. Kafka
// does the same, because it does not look at a connection whose request is being processed.
func (s *Server) EndOfStream() { s.Out.Finish(s.In.Seq()) }

// Paused reports whether as many requests are unanswered as are allowed.
func (s *Server) Paused() bool { return s.In.Paused() }

// Reply takes the machine's answer to one request; answers may come in any order.
func (s *Server) Reply(r step.Reply) { s.Out.Reply(r) }

// Take returns what there is to write and to do, and forgets it. The result is valid until the next call of Take.
func (s *Server) Take() *Output {
	out := s.Out.Take()
	s.In.Answered(s.Out.Released())
	return out
}
