//go:build !linux

package disk

import (
	"os"
	"time"
)

// writeAll writes the buffers one after the other at a position. It returns the bytes written in any case.
func writeAll(f *os.File, data [][]byte, at int64) (int64, error) {
	var total int64
	for _, b := range data {
		n, err := f.WriteAt(b, at+total)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// reload makes the cached contents durable. Without fadvise the cache cannot be dropped: after a failed sync the
// volume should be remounted before the next start.
func reload(f *os.File) error { return f.Sync() }

// syncData makes contents and length durable.
func syncData(f *os.File) error { return f.Sync() }

// stall waits as long as a slow sync would.
func stall(d time.Duration) { time.Sleep(d) }
