//go:build unix

package disk

import (
	"errors"
	"os"
	"syscall"
)

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// syncEntries makes a directory's entries durable.
func syncEntries(dir *os.File) error { return dir.Sync() }
