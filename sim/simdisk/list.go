package simdisk

// Names are the entries of a directory as the process sees them, sorted; nil if there is no such directory.
func (d *Disk) Names(path string) []string {
	dir, t := d.directory(path)
	if t != (trouble{}) {
		return nil
	}
	return dir.entries.Keys()
}
