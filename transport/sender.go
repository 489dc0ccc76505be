package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
)

// scratchSize is the size of the buffers through which spans are copied.
const scratchSize = 256 << 10

// scratches are those buffers.
var scratches = sync.Pool{New: func() any { return new([scratchSize]byte) }}

// sender writes outputs to one socket: neighbouring literals and small spans in one writev, large spans by sendfile
// where the socket is a plain one.
type sender struct {
	nc        net.Conn
	tcp       *net.TCPConn // nil where only copying will do
	file      fileSender
	encrypted bool
	copyBelow int64
	stall     time.Duration

	deadline time.Time
	pieces   net.Buffers // what the next writev takes
	writing  net.Buffers // scratch of flush
	scratch  *[scratchSize]byte
	used     int // bytes of scratch that pieces point to
}

func newSender(nc net.Conn, tcp *net.TCPConn, copyBelow int64, stall time.Duration) sender {
	s := sender{nc: nc, tcp: tcp, copyBelow: copyBelow, stall: stall}
	_, s.encrypted = nc.(*tls.Conn)
	if tcp == nil || copyBelow < 0 || !s.file.init(tcp) {
		s.copyBelow = 1<<63 - 1
	}
	return s
}

// output writes all chunks; files are those of its spans, in order.
func (s *sender) output(o *conn.Output, files []lease) error {
	defer s.giveBack()
	for i := range o.Chunks {
		chunk := &o.Chunks[i]
		if len(chunk.Data) > 0 {
			s.pieces = append(s.pieces, chunk.Data)
			continue
		}
		f := files[0].file
		files = files[1:]
		if err := s.span(f, chunk.Span); err != nil {
			return fmt.Errorf("sending %d bytes at %d of file %d: %w", chunk.Span.Len, chunk.Span.Pos, chunk.Span.File, err)
		}
	}
	return s.flush()
}

func (s *sender) span(f *os.File, span step.Span) error {
	if span.Len < s.copyBelow {
		return s.copy(f, int64(span.Pos), span.Len)
	}
	if err := s.flush(); err != nil {
		return err
	}
	s.touch()
	for pos, left := int64(span.Pos), span.Len; left > 0; {
		n, err := s.file.send(f, pos, left)
		pos, left = pos+n, left-n
		if err == nil || isTimeout(err) && n > 0 {
			s.touch()
			continue
		}
		if isTimeout(err) || n == 0 && errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if n == 0 { // the file or the socket cannot do it; the rest goes by copy, and fails there if it must
			return s.copy(f, pos, left)
		}
	}
	return nil
}

// copy reads the span into scratch memory, which flush sends.
func (s *sender) copy(f *os.File, pos, left int64) error {
	for left > 0 {
		if s.scratch == nil {
			s.scratch = scratches.Get().(*[scratchSize]byte)
		}
		if s.used == scratchSize {
			if err := s.flush(); err != nil {
				return err
			}
		}
		n := min(left, int64(scratchSize-s.used))
		piece := s.scratch[s.used : s.used+int(n)]
		if _, err := f.ReadAt(piece, pos); err != nil {
			return err // also io.EOF: the span promised the bytes
		}
		s.pieces = append(s.pieces, piece)
		s.used += int(n)
		pos, left = pos+n, left-n
	}
	return nil
}

// flush writes the collected pieces.
func (s *sender) flush() error {
	if len(s.pieces) == 0 {
		return nil
	}
	s.writing = s.pieces
	var err error
	for len(s.writing) > 0 {
		s.touch()
		var n int64
		if n, err = s.write(); err != nil && (!isTimeout(err) || n == 0) {
			break
		}
	}
	clear(s.pieces)
	s.pieces, s.used = s.pieces[:0], 0
	return err
}

// mostEncrypted bounds what one call encrypts, in bytes. Encryption does not survive a write that timed out (crypto/tls), be there progress or
// not, so none may be too large for a slow line.
const mostEncrypted = 64 << 10

// write writes s.writing, or a part of it, which then holds what is left.
func (s *sender) write() (int64, error) {
	if len(s.writing) > 1 && !s.encrypted {
		return s.writing.WriteTo(s.nc)
	}
	piece := s.writing[0] // the usual case: one response
	if s.encrypted {
		piece = piece[:min(len(piece), mostEncrypted)]
	}
	n, err := s.nc.Write(piece)
	if s.writing[0] = s.writing[0][n:]; len(s.writing[0]) == 0 {
		s.writing = s.writing[1:]
	}
	return int64(n), err
}

// touch moves the write deadline, if it has aged: setting it costs a timer.
func (s *sender) touch() {
	if now := time.Now(); s.deadline.Sub(now) < s.stall/2 {
		s.deadline = now.Add(s.stall)
		_ = s.nc.SetWriteDeadline(s.deadline)
	}
}

func (s *sender) giveBack() {
	if s.scratch != nil {
		scratches.Put(s.scratch)
		s.scratch = nil
	}
}
