package metadata

import (
	"encoding/binary"
	"fmt"

	"github.com/klamm-log/klamm/core"
)

// ControlType is the type in the key of a control record: Kafka's ControlRecordType.
type ControlType int16

// The control records that the quorum writes into the metadata log and its snapshots. 0 and 1 are transaction
// markers of ordinary partitions.
const (
	ControlLeaderChange   ControlType = 2
	ControlSnapshotHeader ControlType = 3
	ControlSnapshotFooter ControlType = 4
	ControlKRaftVersion   ControlType = 5
	ControlVoters         ControlType = 6
)

// ControlRecord is the value of one of the quorum's control records. The set is closed. Unlike metadata records
// the values have no frame: the type is in the record's key, and the first field is the version.
type ControlRecord interface {
	// ControlType is what the record's key says.
	ControlType() ControlType
	walk(*coder)
}

// LeaderChangeMessage opens every epoch's log (KIP-595): committing it commits whatever earlier epochs left behind
// (raft's section 5.4.2). Kafka 4.4 writes version 0, which has no directory ids.
type LeaderChangeMessage struct {
	Version        int16 // 0 or 1
	LeaderID       core.NodeID
	Voters         []Voter // the voter set at the time
	GrantingVoters []Voter // those whose votes made the leader
}

// Voter is one voter in a [LeaderChangeMessage].
type Voter struct {
	ID          core.NodeID
	DirectoryID DirectoryID // version 1+ (KIP-853)
}

func (v *Voter) walk(c *coder) {
	num32(c, &v.ID)
	if c.since(1, v.DirectoryID != DirMigrating, "VoterDirectoryId") {
		uuid(c, &v.DirectoryID)
	}
	c.noTags()
}

// ControlType implements [ControlRecord].
func (*LeaderChangeMessage) ControlType() ControlType { return ControlLeaderChange }

func (r *LeaderChangeMessage) walk(c *coder) {
	num16(c, &r.Version)
	num32(c, &r.LeaderID)
	array(c, &r.Voters, 4+1, func(c *coder, v *Voter) { v.walk(c) })
	array(c, &r.GrantingVoters, 4+1, func(c *coder, v *Voter) { v.walk(c) })
	c.noTags()
}

// SnapshotHeaderRecord opens a snapshot (KIP-630). A KRaftVersionRecord and a VotersRecord may follow it before the
// first metadata record (KIP-853).
type SnapshotHeaderRecord struct {
	Version                   int16     // 0
	LastContainedLogTimestamp core.Wall // append time of the last record that the snapshot contains
}

// ControlType implements [ControlRecord].
func (*SnapshotHeaderRecord) ControlType() ControlType { return ControlSnapshotHeader }

func (r *SnapshotHeaderRecord) walk(c *coder) {
	num16(c, &r.Version)
	num64(c, &r.LastContainedLogTimestamp)
	c.noTags()
}

// SnapshotFooterRecord closes a snapshot (KIP-630); a file without one was not written to its end.
type SnapshotFooterRecord struct {
	Version int16 // 0
}

// ControlType implements [ControlRecord].
func (*SnapshotFooterRecord) ControlType() ControlType { return ControlSnapshotFooter }

func (r *SnapshotFooterRecord) walk(c *coder) {
	num16(c, &r.Version)
	c.noTags()
}

// KRaftVersionRecord finalizes kraft.version (KIP-853). It takes effect when it is appended, not when it is committed.
type KRaftVersionRecord struct {
	Version      int16 // 0
	KRaftVersion FeatureLevel
}

// ControlType implements [ControlRecord].
func (*KRaftVersionRecord) ControlType() ControlType { return ControlKRaftVersion }

func (r *KRaftVersionRecord) walk(c *coder) {
	num16(c, &r.Version)
	num16(c, &r.KRaftVersion)
	c.noTags()
}

// VotersRecord is the whole voter set from its offset on (KIP-853). Like every configuration of raft it takes effect
// when it is appended; two successive ones differ by one voter.
type VotersRecord struct {
	Version int16 // 0
	Voters  []VoterRegistration
}

// VoterRegistration is one voter in a [VotersRecord].
type VoterRegistration struct {
	ID          core.NodeID
	DirectoryID DirectoryID // a voter whose disk was replaced is another voter
	Endpoints   []VoterEndpoint
	KRaftMin    FeatureLevel // levels of kraft.version that it can run with
	KRaftMax    FeatureLevel
}

// VoterEndpoint is one listener of a voter.
type VoterEndpoint struct {
	Name string
	Host string
	Port uint16
}

func (e *VoterEndpoint) walk(c *coder) {
	c.str(&e.Name)
	c.str(&e.Host)
	num16(c, &e.Port)
	c.noTags()
}

// walk puts the range of levels into its own struct, as the schema has it, hence the two sections of tags.
func (v *VoterRegistration) walk(c *coder) {
	num32(c, &v.ID)
	uuid(c, &v.DirectoryID)
	array(c, &v.Endpoints, 1+1+2+1, func(c *coder, e *VoterEndpoint) { e.walk(c) })
	num16(c, &v.KRaftMin)
	num16(c, &v.KRaftMax)
	c.noTags()
	c.noTags()
}

// ControlType implements [ControlRecord].
func (*VotersRecord) ControlType() ControlType { return ControlVoters }

func (r *VotersRecord) walk(c *coder) {
	num16(c, &r.Version)
	array(c, &r.Voters, 4+16+1+2+2+1+1, func(c *coder, v *VoterRegistration) { v.walk(c) })
	c.noTags()
}

// controlVersion is the schema version of a value, which its first field repeats, and the latest known.
func controlVersion(t ControlType, first int16) (version, latest int16) {
	if t == ControlLeaderChange {
		return first, 1
	}
	return first, 0
}

// AppendControl appends the value of a control record; its key is ControlType's business. A field that the
// record's Version cannot carry, or an unknown Version, is a programming error and panics.
func AppendControl(dst []byte, rec ControlRecord) []byte {
	start := len(dst)
	c := coder{version: 1, buf: dst}
	if m, ok := rec.(*LeaderChangeMessage); ok {
		c.version = m.Version
	}
	rec.walk(&c)
	if c.err == nil {
		first := int16(binary.BigEndian.Uint16(c.buf[start:])) //nolint:gosec // the bits of an int16
		if v, latest := controlVersion(rec.ControlType(), first); v < 0 || v > latest {
			c.err = fmt.Errorf("%w: version %d, latest known is %d", ErrUnsupportedVersion, v, latest)
		}
	}
	if c.err != nil {
		panic(fmt.Sprintf("metadata: %T: %v", rec, c.err))
	}
	return c.buf
}

// ParseControl reads the value of a control record whose key has type t. It takes all of src and keeps none of it.
// Errors are those of [Parse].
func ParseControl(t ControlType, src []byte) (ControlRecord, error) {
	rec := newControl(t)
	if rec == nil {
		return nil, fmt.Errorf("%w: control type %d", ErrUnknownRecord, t)
	}
	if len(src) < 2 {
		return nil, fmt.Errorf("%w: %T: %w", ErrMalformed, rec, errShort)
	}
	version, latest := controlVersion(t, int16(binary.BigEndian.Uint16(src))) //nolint:gosec // the bits of an int16
	if version < 0 || version > latest {
		return nil, fmt.Errorf("%w: %T version %d, latest known is %d", ErrUnsupportedVersion, rec, version, latest)
	}
	c := coder{version: version, reading: true, buf: src}
	rec.walk(&c)
	if c.err == nil && len(c.buf) > 0 {
		c.err = errTrailing
	}
	if c.err != nil {
		return nil, fmt.Errorf("%w: %T: %w", ErrMalformed, rec, c.err)
	}
	return rec, nil
}

func newControl(t ControlType) ControlRecord {
	switch t {
	case ControlLeaderChange:
		return &LeaderChangeMessage{}
	case ControlSnapshotHeader:
		return &SnapshotHeaderRecord{}
	case ControlSnapshotFooter:
		return &SnapshotFooterRecord{}
	case ControlKRaftVersion:
		return &KRaftVersionRecord{}
	case ControlVoters:
		return &VotersRecord{}
	}
	return nil
}
