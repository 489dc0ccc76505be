package step

// Owner is a share of a machine's id space. A machine composed of many parts (one log per partition, say) gives each
// part an owner number, and finds the part again from any completion by its id alone, without a table of
// operations.
type Owner uint32

// IDs hands out the operation and file ids of one owner. The zero owner is valid.
type IDs struct {
	owner Owner
	op    uint32
	file  uint32
}

// NewIDs is the id source of an owner.
func NewIDs(o Owner) IDs { return IDs{owner: o} }

// Owner is the part whose ids these are.
func (s *IDs) Owner() Owner { return s.owner }

// Op is a fresh, non-zero operation id.
func (s *IDs) Op() OpID {
	s.op++
	if s.op == 0 { // 2^32 operations later the low half wraps; zero means "silent" for owner 0
		s.op = 1
	}
	return OpID(uint64(s.owner)<<32 | uint64(s.op))
}

// File is a fresh, non-zero file id.
func (s *IDs) File() FileID {
	s.file++
	return FileID(uint64(s.owner)<<32 | uint64(s.file))
}

// Owner is the part that asked for the operation.
func (o OpID) Owner() Owner { return Owner(o >> 32) }

// Owner is the part that opened the file.
func (f FileID) Owner() Owner { return Owner(f >> 32) }

// Owner is the part to which a completion belongs: the operation's, or the file's when a silent operation failed.
func (d *DiskDone) Owner() Owner {
	if d.Op != 0 {
		return d.Op.Owner()
	}
	return d.File.Owner()
}
