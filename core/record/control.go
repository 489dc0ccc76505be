package record

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/klamm-log/klamm/core"
)

// ControlType is the kind of a control record, the second half of its key.
type ControlType int16

// The control records: transaction markers (KIP-98) and the quorum's own (KIP-595, 630, 853).
const (
	ControlAbort          ControlType = 0
	ControlCommit         ControlType = 1
	ControlLeaderChange   ControlType = 2
	ControlSnapshotHeader ControlType = 3
	ControlSnapshotFooter ControlType = 4
	ControlKRaftVersion   ControlType = 5
	ControlKRaftVoters    ControlType = 6
)

// String is Kafka's name.
func (t ControlType) String() string {
	switch t {
	case ControlAbort:
		return "ABORT"
	case ControlCommit:
		return "COMMIT"
	case ControlLeaderChange:
		return "LEADER_CHANGE"
	case ControlSnapshotHeader:
		return "SNAPSHOT_HEADER"
	case ControlSnapshotFooter:
		return "SNAPSHOT_FOOTER"
	case ControlKRaftVersion:
		return "KRAFT_VERSION"
	case ControlKRaftVoters:
		return "KRAFT_VOTERS"
	}
	return "UNKNOWN_" + strconv.Itoa(int(t))
}

const (
	controlKeySize    = 4 // version, type
	endTxnMarkerSize  = 6 // version, coordinator epoch
	controlKeyVersion = 0
	endTxnVersion     = 0
)

// ParseControlKey reads the key of a control record. Later versions of the key may append fields, which are
// ignored, as Kafka ignores them; unknown types are returned, for readers skip their records.
func ParseControlKey(key []byte) (ControlType, error) {
	if len(key) < controlKeySize {
		return 0, fmt.Errorf("%w: control record key of %d bytes", ErrCorrupt, len(key))
	}
	if version := int16(binary.BigEndian.Uint16(key)); version < 0 {
		return 0, fmt.Errorf("%w: control record key version %d", ErrCorrupt, version)
	}
	return ControlType(binary.BigEndian.Uint16(key[2:])), nil
}

// ParseEndTxnMarker reads the value of a commit or abort marker: the epoch of the transaction coordinator that
// wrote it, by which markers of a deposed coordinator are told.
func ParseEndTxnMarker(value []byte) (coordinatorEpoch int32, err error) {
	if len(value) < endTxnMarkerSize {
		return 0, fmt.Errorf("%w: end transaction marker of %d bytes", ErrCorrupt, len(value))
	}
	if version := int16(binary.BigEndian.Uint16(value)); version < 0 {
		return 0, fmt.Errorf("%w: end transaction marker version %d", ErrCorrupt, version)
	}
	return int32(binary.BigEndian.Uint32(value[2:])), nil
}

// AppendControl adds a control record; value is the encoded message of its type. The batch must have been begun
// with Control set: a data batch never holds control records.
func (b *Builder) AppendControl(ts core.Wall, t ControlType, value []byte) error {
	if !b.options.Control {
		panic("record: control record in a data batch")
	}
	var key [controlKeySize]byte
	binary.BigEndian.PutUint16(key[:], controlKeyVersion)
	binary.BigEndian.PutUint16(key[2:], uint16(t))
	return b.Append(ts, key[:], value, nil)
}

// AppendEndTxn adds the marker that ends a transaction on this partition.
func (b *Builder) AppendEndTxn(ts core.Wall, commit bool, coordinatorEpoch int32) error {
	t := ControlAbort
	if commit {
		t = ControlCommit
	}
	var value [endTxnMarkerSize]byte
	binary.BigEndian.PutUint16(value[:], endTxnVersion)
	binary.BigEndian.PutUint32(value[2:], uint32(coordinatorEpoch))
	return b.AppendControl(ts, t, value[:])
}
