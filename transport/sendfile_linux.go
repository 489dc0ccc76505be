package transport

import (
	"io"
	"net"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileSender moves bytes from a file to a socket inside the kernel.
type fileSender struct{ raw syscall.RawConn }

// maxSendfile bounds one system call, so that a thread is not away for long.
const maxSendfile = 4 << 20

func (s *fileSender) init(tcp *net.TCPConn) bool {
	raw, err := tcp.SyscallConn()
	s.raw = raw
	return err == nil
}

// send moves up to n bytes from pos on and returns how many it did. The position is explicit: several connections
// send from one open file at the same time, so the file's own offset must not be used, as io.Copy would. No progress
// and io.ErrUnexpectedEOF mean that the file ends before.
func (s *fileSender) send(f *os.File, pos, n int64) (sent int64, err error) {
	from := int(f.Fd())
	var failed error
	err = s.raw.Write(func(to uintptr) bool {
		for sent < n {
			at := pos + sent
			m, err := unix.Sendfile(int(to), from, &at, int(min(n-sent, maxSendfile)))
			if m > 0 {
				sent += int64(m)
			}
			switch {
			case err == unix.EAGAIN:
				return false // wait until the socket takes more
			case err == unix.EINTR:
			case err != nil:
				failed = err
				return true
			case m == 0:
				failed = io.ErrUnexpectedEOF
				return true
			}
		}
		return true
	})
	runtime.KeepAlive(f)
	if err == nil {
		err = failed
	}
	return sent, err
}
