//go:build !linux

package perf

import "os"

// datasync makes a file durable, its times included: other systems have no fdatasync, or none that Go knows.
func datasync(f *os.File) error { return f.Sync() }
