package simdisk

import "strings"

// Names are the entries of a directory as the process sees them, sorted; nil if there is no such directory.
func (d *Disk) Names(path string) []string {
	dir, t := d.directory(path)
	if t != (trouble{}) {
		return nil
	}
	return dir.entries.Keys()
}

// DurableContent is a file's content as a power loss at this instant would leave it at least, for checkers; false if the
// medium has no such name. The bytes are the disk's.
func (d *Disk) DurableContent(path string) ([]byte, bool) {
	at := d.names.root
	for rest, more := path, true; more; {
		var elem string
		elem, rest, more = strings.Cut(rest, "/")
		next, ok := at.durable.Get(elem)
		if !ok || more && !next.dir {
			return nil, false
		}
		at = next
	}
	return at.disk, !at.dir
}
