package disk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// iovMax is the kernel's limit of buffers per call.
const iovMax = 1024

// writeAll writes the buffers one after the other at a position. It returns the bytes written in any case. The
// slices of data may be cut; the bytes are not touched.
func writeAll(f *os.File, data [][]byte, at int64) (int64, error) {
	fd := int(f.Fd())
	defer runtime.KeepAlive(f)
	var total int64
	for len(data) > 0 {
		var n int
		var err error
		if len(data) == 1 {
			n, err = unix.Pwrite(fd, data[0], at+total)
		} else {
			n, err = unix.Pwritev(fd, data[:min(len(data), iovMax)], at+total)
		}
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return total, fmt.Errorf("write: %w", err)
		}
		if n <= 0 {
			return total, io.ErrShortWrite
		}
		total += int64(n)
		data = skip(data, n)
	}
	return total, nil
}

// skip drops the first n bytes.
func skip(data [][]byte, n int) [][]byte {
	for len(data) > 0 && n >= len(data[0]) {
		n -= len(data[0])
		data = data[1:]
	}
	if len(data) > 0 {
		data[0] = data[0][n:]
	}
	return data
}

// syncData makes contents and length durable; fdatasync leaves out only what reading does not need, such as times.
func syncData(f *os.File) error {
	fd := int(f.Fd())
	defer runtime.KeepAlive(f)
	for {
		err := unix.Fdatasync(fd)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("fdatasync: %w", err)
		}
	}
}

// reload makes the cached contents durable and drops the cache. Pages that a failed sync left clean go with it: what is
// read afterwards is what the medium holds.
func reload(f *os.File) error {
	if err := syncData(f); err != nil {
		return err
	}
	defer runtime.KeepAlive(f)
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("fadvise: %w", err)
	}
	return nil
}

// lockFile claims the file for this open file description. Java's FileLock takes a POSIX record lock, which
// conflicts with this one, so Kafka and Klamm keep each other out.
func lockFile(f *os.File) error {
	whole := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &whole)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return ErrLocked
	}
	return err
}

// stall blocks the thread, as a slow sync would. The runtime's own sleep ends up to a millisecond late.
func stall(d time.Duration) {
	left := unix.NsecToTimespec(d.Nanoseconds())
	for unix.Nanosleep(&left, &left) != nil { // a signal came before the end
	}
}
