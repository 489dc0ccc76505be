package step

import "strings"

// LockName is the file in the data directory by which a process claims it; Kafka's name. No [DiskOp] may name it and
// [List] does not show it.
const LockName = ".lock"

// ValidPath reports whether a [DiskOp] may name p: elements separated by single slashes, none of them empty, "." or
// "..", without NUL or backslash, and not [LockName]. The data directory itself is ".", which only [List] and
// [SyncDir] can use. Disks answer [ErrIO] to anything else.
func ValidPath(p string) bool {
	if p == "." {
		return true
	}
	if p == "" || p == LockName || strings.ContainsAny(p, "\x00\\") {
		return false
	}
	for rest := p; rest != ""; {
		elem, tail, more := strings.Cut(rest, "/")
		if elem == "" || elem == "." || elem == ".." || more && tail == "" {
			return false
		}
		rest = tail
	}
	return true
}
