package perf

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// warm writes a file of n bytes, removes it, and returns at how many MB/s it was written.
//
// A virtual machine that reports its free pages to its host (free page reporting) gets them back one fault at a time: the
// first who writes into the page cache pays 2 to 3 s of processor time per GB for that, whoever comes next does not.
// Whether memory was warm shows in the speed: several times lower where it was not.
func warm(dir string, n int64) (speed float64, err error) {
	name := filepath.Join(dir, "warm")
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(name) }() // dir goes at the end of the test
	begin := time.Now()
	block := make([]byte, 1<<20)
	for at := int64(0); at < n; at += int64(len(block)) {
		if _, err := f.Write(block); err != nil {
			_ = f.Close() // the first error counts
			return 0, err
		}
	}
	speed = megabytes(n) / time.Since(begin).Seconds()
	return speed, f.Close()
}

// megabytes and gigabytes convert bytes to MB and GB: powers of ten.
func megabytes(n int64) float64 { return float64(n) / 1e6 }
func gigabytes(n int64) float64 { return float64(n) / 1e9 }

// ticks is the unit of /proc/PID/stat: USER_HZ, 100 in a second on every Linux.
const ticks = 100

// processorTime is what processes have used in user and kernel mode since they began, seconds.
func processorTime(pids []int) (float64, error) {
	total := 0.0
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		used, err := parseStat(string(stat))
		if err != nil {
			return 0, fmt.Errorf("process %d: %w", pid, err)
		}
		total += used
	}
	return total, nil
}

// parseStat finds utime and stime, fields 14 and 15 of proc(5). The second field is the name in parentheses, in which
// there may be spaces and parentheses.
func parseStat(stat string) (seconds float64, err error) {
	const utime, stime, afterName = 14, 15, 3
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= stime-afterName {
		return 0, fmt.Errorf("stat has %d fields behind the name", len(fields))
	}
	for _, field := range []int{utime, stime} {
		n, err := strconv.ParseInt(fields[field-afterName], 10, 64)
		if err != nil {
			return 0, err
		}
		seconds += float64(n) / ticks
	}
	return seconds, nil
}
