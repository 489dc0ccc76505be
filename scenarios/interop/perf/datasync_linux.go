package perf

import (
	"os"
	"syscall"
)

// datasync makes a file's contents and length durable.
func datasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
