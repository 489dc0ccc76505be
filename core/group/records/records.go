package records

import (
	"encoding/binary"
	"math"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord/coding"
)

// Versions of keys that this package knows.
const (
	KeyOffset0 int16 = 0
	KeyOffset  int16 = 1
	KeyGroup   int16 = 2
)

// MaxString is the most bytes that a string of a key can have: its length is an int16.
const MaxString = math.MaxInt16

// KeyVersion is the kind of record that a key belongs to.
func KeyVersion(key []byte) (int16, error) {
	if len(key) < 2 {
		return 0, coding.ErrMalformed
	}
	return int16(binary.BigEndian.Uint16(key)), nil
}

// OffsetKey names one committed offset.
type OffsetKey struct {
	Group     string
	Topic     string
	Partition int32
}

// AppendTo appends the key.
func (k OffsetKey) AppendTo(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(KeyOffset))
	dst = coding.AppendStr(dst, k.Group)
	dst = coding.AppendStr(dst, k.Topic)
	return binary.BigEndian.AppendUint32(dst, uint32(k.Partition))
}

// ParseOffsetKey reads a key of version 0 or 1.
func ParseOffsetKey(key []byte) (OffsetKey, error) {
	r := coding.Reader{Buf: key}
	r.Int16()
	k := OffsetKey{Group: r.Str(), Topic: r.Str(), Partition: r.Int32()}
	return k, r.Err()
}

// OffsetValue is one committed offset. The zero value is not "none": see [core.NoOffset].
type OffsetValue struct {
	Offset      core.Offset
	LeaderEpoch core.LeaderEpoch // of the record before Offset, [core.NoLeaderEpoch] if the client did not say (KIP-320)
	Metadata    string           // the client's own
	Committed   core.Wall
	// Expires is when the offset ends whatever happens, [core.NoTimestamp] for never. Only clients older than KIP-211 set
	// it, through the retention time of OffsetCommit 2 to 4.
	Expires core.Wall
	// TopicID is the incarnation of the topic that the offset belongs to; zero if the writer did not know it.
	TopicID core.TopicID
}

// AppendTo appends the value: version 4, which has the topic id, or 1 where an expiry must be kept, which 2 and later
// cannot (as Kafka 4.4 chooses).
func (v OffsetValue) AppendTo(dst []byte) []byte {
	if v.Expires != core.NoTimestamp {
		dst = binary.BigEndian.AppendUint16(dst, 1)
		dst = binary.BigEndian.AppendUint64(dst, uint64(v.Offset))
		dst = coding.AppendStr(dst, v.Metadata)
		dst = binary.BigEndian.AppendUint64(dst, uint64(v.Committed))
		return binary.BigEndian.AppendUint64(dst, uint64(v.Expires))
	}
	dst = binary.BigEndian.AppendUint16(dst, 4)
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Offset))
	dst = binary.BigEndian.AppendUint32(dst, uint32(v.LeaderEpoch))
	dst = coding.AppendCompactStr(dst, v.Metadata)
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Committed))
	if v.TopicID.IsZero() {
		return append(dst, 0)
	}
	dst = append(dst, 1, 0, byte(len(v.TopicID)))
	return append(dst, v.TopicID[:]...)
}

// ParseOffsetValue reads a value of version 0 to 4.
func ParseOffsetValue(value []byte) (OffsetValue, error) {
	r := coding.Reader{Buf: value}
	version := r.Int16()
	if version < 0 || version > 4 {
		return OffsetValue{}, coding.ErrVersion
	}
	v := OffsetValue{LeaderEpoch: core.NoLeaderEpoch, Expires: core.NoTimestamp, Offset: core.Offset(r.Int64())}
	if version >= 3 {
		v.LeaderEpoch = core.LeaderEpoch(r.Int32())
	}
	if version >= 4 {
		v.Metadata = r.CompactStr()
	} else {
		v.Metadata = r.Str()
	}
	v.Committed = core.Wall(r.Int64())
	if version == 1 {
		v.Expires = core.Wall(r.Int64())
	}
	if version >= 4 {
		r.Tags(func(tag uint32, body *coding.Reader) {
			if tag == 0 {
				v.TopicID = body.UUID()
			}
		})
	}
	return v, r.Err()
}

// GroupKey names a classic group.
type GroupKey struct{ Group string }

// AppendTo appends the key.
func (k GroupKey) AppendTo(dst []byte) []byte {
	return coding.AppendStr(binary.BigEndian.AppendUint16(dst, uint16(KeyGroup)), k.Group)
}

// ParseGroupKey reads a key of version 2.
func ParseGroupKey(key []byte) (GroupKey, error) {
	r := coding.Reader{Buf: key}
	r.Int16()
	k := GroupKey{Group: r.Str()}
	return k, r.Err()
}

// GroupValue is one generation of a classic group, as a coordinator finds it again.
type GroupValue struct {
	ProtocolType string // "consumer", "connect" ...; empty for a group that never had members
	Generation   int32
	Protocol     *string   // the chosen protocol; nil without members
	Leader       *string   // member id; nil without members
	Since        core.Wall // when the group came into its state; [core.NoTimestamp] if unknown
	Members      []Member
}

// Member is one member of a generation.
type Member struct {
	ID                 string
	InstanceID         *string // nil for a dynamic member (KIP-345)
	ClientID           string
	ClientHost         string
	RebalanceTimeoutMs int32 // -1 in version 0: the session timeout counts
	SessionTimeoutMs   int32
	Subscription       []byte // the member's metadata for the chosen protocol
	Assignment         []byte
}

// AppendTo appends the value, version 3 (as Kafka 4.4 writes).
func (v *GroupValue) AppendTo(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, 3)
	dst = coding.AppendStr(dst, v.ProtocolType)
	dst = binary.BigEndian.AppendUint32(dst, uint32(v.Generation))
	dst = coding.AppendNullStr(dst, v.Protocol)
	dst = coding.AppendNullStr(dst, v.Leader)
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Since))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.Members)))
	for i := range v.Members {
		m := &v.Members[i]
		dst = coding.AppendStr(dst, m.ID)
		dst = coding.AppendNullStr(dst, m.InstanceID)
		dst = coding.AppendStr(dst, m.ClientID)
		dst = coding.AppendStr(dst, m.ClientHost)
		dst = binary.BigEndian.AppendUint32(dst, uint32(m.RebalanceTimeoutMs))
		dst = binary.BigEndian.AppendUint32(dst, uint32(m.SessionTimeoutMs))
		dst = coding.AppendBytes(dst, m.Subscription)
		dst = coding.AppendBytes(dst, m.Assignment)
	}
	return dst
}

// ParseGroupValue reads a value of version 0 to 4.
func ParseGroupValue(value []byte) (*GroupValue, error) {
	r := &coding.Reader{Buf: value}
	version := r.Int16()
	if version < 0 || version > 4 {
		return nil, coding.ErrVersion
	}
	v := &GroupValue{Since: core.NoTimestamp}
	str, null, size := r.Str, r.NullStr, r.Len
	if version >= 4 {
		str, null, size = r.CompactStr, r.CompactNullStr, r.CompactLen
	}
	v.ProtocolType, v.Generation, v.Protocol, v.Leader = str(), r.Int32(), null(), null()
	if version >= 2 {
		v.Since = core.Wall(r.Int64())
	}
	const least = 15 // bytes of the smallest member in any version
	n := size(least)
	for range n {
		v.Members = append(v.Members, parseMember(r, version))
	}
	if version >= 4 {
		r.Tags(nil)
	}
	return v, r.Err()
}

func parseMember(r *coding.Reader, version int16) Member {
	m := Member{RebalanceTimeoutMs: -1}
	str, null, bytes := r.Str, r.NullStr, r.Bytes
	if version >= 4 {
		str, null, bytes = r.CompactStr, r.CompactNullStr, r.CompactBytes
	}
	m.ID = str()
	if version >= 3 {
		m.InstanceID = null()
	}
	m.ClientID, m.ClientHost = str(), str()
	if version >= 1 {
		m.RebalanceTimeoutMs = r.Int32()
	}
	m.SessionTimeoutMs = r.Int32()
	m.Subscription, m.Assignment = bytes(), bytes()
	if version >= 4 {
		r.Tags(nil)
	}
	return m
}
