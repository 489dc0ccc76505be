package step

import "github.com/klamm-log/klamm/core"

// OpID names a disk operation whose completion the machine awaits; ids are allocated by the machine and never
// reused. An operation with id 0 completes silently: no [DiskDone] follows unless it fails.
type OpID uint64

// FileID names an open file. The machine allocates ids and never reuses one within a process.
type FileID uint64

// DiskOpKind says what a [DiskOp] does.
type DiskOpKind uint8

// The disk operations. Paths are relative to the node's data directory, which is itself ".", and use '/'. Only [SyncDir] makes
// creations, renames and removals survive a power loss, only [Sync] makes contents and length survive it.
const (
	Open      DiskOpKind = iota + 1 // bind File to Path, read-write; with Create made empty if absent, else ErrNotExist; DiskDone.Size is its length
	Close                           // release File; spans still being sent keep the bytes readable
	Append                          // write Data at Pos, which must be the file's length (counting the operations queued before)
	Sync                            // make all that was appended to or truncated from File durable (fdatasync)
	Read                            // DiskDone.Data is up to Len bytes from Pos; fewer only at the end of the file
	Truncate                        // cut File to Pos bytes
	Rename                          // move Path to To, replacing To; ordered with File's operations when File is set
	Remove                          // delete Path; open files keep their bytes until closed
	Mkdir                           // create directory Path; no error if it exists
	RemoveDir                       // delete directory Path and all below it
	SyncDir                         // make Path's directory entries durable
	List                            // DiskDone.Entries are the entries of directory Path, sorted by name
)

// Name is the operation in reports.
func (k DiskOpKind) Name() string {
	names := [...]string{"?", "open", "close", "append", "sync", "read", "truncate", "rename", "remove", "mkdir",
		"removedir", "syncdir", "list"}
	if int(k) < len(names) {
		return names[k]
	}
	return names[0]
}

// DiskOp is one operation on the node's disk. Operations that name a File are performed in order; once one of
// them has failed with an I/O error every later one on that File fails too, until it is closed, because a failed
// sync may have dropped the dirty pages it was asked to save (fsyncgate).
//
// After an Append has failed with ErrNoSpace, appends and syncs of that File fail with ErrNoSpace until a Truncate has
// cut the torn end or the File is closed, so that no Sync vouches for an append that failed. An operation on contents
// whose File is not open fails with ErrNotExist; a Close of it does nothing. Only one File at a time appends to or
// truncates a given file. What breaks these rules, a Pos out of place or a path that is not [ValidPath], fails with
// ErrIO. A directory can be renamed but replaces nothing.
type DiskOp struct {
	Op     OpID
	Kind   DiskOpKind
	File   FileID
	Path   string
	To     string
	Create bool
	// Cold, with Open, makes what the file has in the page cache durable and then forgets the cache, so that reads see
	// what the medium holds. After a failed sync the cache may hold bytes that count as clean and are nowhere else; a
	// process that starts again must not take them for stored.
	Cold bool
	Pos  core.Pos
	Len  int64
	Data []byte
}

// DiskError classifies a failed disk operation.
type DiskError uint8

// The disk errors a machine tells apart.
const (
	DiskOK      DiskError = iota
	ErrNotExist           // no such file or directory
	ErrNoSpace            // the volume is full; nothing or a prefix was written
	ErrIO                 // anything else; the contents written since the last sync are in doubt
)

// String names the error for logs.
func (e DiskError) String() string {
	switch e {
	case DiskOK:
		return "ok"
	case ErrNotExist:
		return "no such file or directory"
	case ErrNoSpace:
		return "no space left on device"
	case ErrIO:
		return "input/output error"
	}
	return "unknown disk error"
}

// DirEntry is one entry of a listed directory.
type DirEntry struct {
	Name string
	Dir  bool
	Size int64 // of a regular file, in bytes
}

// DiskDone completes a [DiskOp].
type DiskDone struct {
	Op      OpID
	Kind    DiskOpKind
	File    FileID
	Path    string
	Err     DiskError
	Detail  string     // the operating system's words, for the operator
	Size    int64      // Open: the file's length
	Data    []byte     // Read
	Entries []DirEntry // List
}

// Span names bytes of a file that the core never touches: the edge sends them, by sendfile where it can. They have
// been written (not necessarily synced) when the span is handed out.
type Span struct {
	File FileID
	Pos  core.Pos
	Len  int64
}
