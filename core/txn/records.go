package txn

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord/coding"
)

// Version is a level of the feature transaction.version, and the protocol that a client followed: 2 bumps the epoch with every
// transaction (KIP-890).
type Version int16

// Version2 is the first version whose transactions have an epoch each.
const Version2 Version = 2

// BumpsEpoch reports whether every end of a transaction bumps the epoch.
func (v Version) BumpsEpoch() bool { return v >= Version2 }

// valueVersion is the version of the record's value that a cluster at this level writes: tagged fields only from 1 on, because
// older brokers cannot read them.
func (v Version) valueVersion() int16 {
	if v >= 1 {
		return 1
	}
	return 0
}

// keyVersion is the only version of TransactionLogKey.
const keyVersion int16 = 0

// ValidID reports whether a transactional id can be a record's key: its length is an int16. The empty id is refused by every API.
// Kafka replaces what is not UTF-8, so that ids which differ become one; see docs/DIVERGENCE.md.
func ValidID(id string) bool {
	return id != "" && len(id) <= math.MaxInt16 && utf8.ValidString(id)
}

// AppendKey appends the key of a transactional id (TransactionLogKey).
func AppendKey(dst []byte, id string) []byte {
	return coding.AppendStr(binary.BigEndian.AppendUint16(dst, uint16(keyVersion)), id)
}

// ParseKey reads a key. known is false for one of a newer version, which is skipped (KIP-915).
func ParseKey(key []byte) (id string, known bool, err error) {
	r := coding.Reader{Buf: key}
	if version := r.Int16(); r.Bad || version != keyVersion {
		return "", false, r.Err()
	}
	id = r.Str()
	return id, true, r.Err()
}

// Value is the state of one transactional id (TransactionLogValue).
type Value struct {
	ProducerID core.ProducerID
	Epoch      core.ProducerEpoch
	// PreviousProducerID is the producer id before the transition that this record is of; NextProducerID, while the end of a
	// transaction that exhausts the epoch is prepared, the one that comes after. Both are [core.NoProducerID] in version 0.
	PreviousProducerID core.ProducerID
	NextProducerID     core.ProducerID
	TimeoutMs          int32
	State              State
	// Partitions are those that the transaction has written to, ascending, without repetition. None when Empty or complete.
	Partitions []core.TopicPartition
	Updated    core.Wall
	Started    core.Wall // of the first partition; [core.NoTimestamp] when Empty
	// Client is the version that the client followed in the transition; 0 in version 0.
	Client Version
}

// Tags of the flexible version.
const (
	tagPrevious = 0
	tagNext     = 1
	tagClient   = 2
)

// AppendTo appends the value in version 0 or 1. Version 0 has no place for the previous and next producer ids and the client's
// version: they are lost.
func (v *Value) AppendTo(dst []byte, version int16) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(version))
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.ProducerID))
	dst = binary.BigEndian.AppendUint16(dst, uint16(v.Epoch))
	dst = binary.BigEndian.AppendUint32(dst, uint32(v.TimeoutMs))
	dst = append(dst, byte(v.State))
	dst = v.appendPartitions(dst, version >= 1)
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Updated))
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Started))
	if version >= 1 {
		dst = v.appendTags(dst)
	}
	return dst
}

// appendPartitions appends the partitions by topic. They are null when Empty, as Kafka writes it.
func (v *Value) appendPartitions(dst []byte, flexible bool) []byte {
	length := func(dst []byte, n int) []byte {
		if flexible {
			return binary.AppendUvarint(dst, uint64(n+1))
		}
		return binary.BigEndian.AppendUint32(dst, uint32(int32(n)))
	}
	if v.State == Empty {
		return length(dst, -1)
	}
	topics := 0
	for i := range v.Partitions {
		if i == 0 || v.Partitions[i].Topic != v.Partitions[i-1].Topic {
			topics++
		}
	}
	dst = length(dst, topics)
	for rest := v.Partitions; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Topic == rest[0].Topic {
			n++
		}
		if flexible {
			dst = coding.AppendCompactStr(dst, rest[0].Topic)
		} else {
			dst = coding.AppendStr(dst, rest[0].Topic)
		}
		dst = length(dst, n)
		for _, tp := range rest[:n] {
			dst = binary.BigEndian.AppendUint32(dst, uint32(tp.Partition))
		}
		if flexible {
			dst = append(dst, 0) // no tags
		}
		rest = rest[n:]
	}
	return dst
}

// appendTags appends the tagged fields that are not at their default.
func (v *Value) appendTags(dst []byte) []byte {
	n := byte(0)
	for _, set := range []bool{v.PreviousProducerID != core.NoProducerID, v.NextProducerID != core.NoProducerID, v.Client != 0} {
		if set {
			n++
		}
	}
	dst = append(dst, n)
	if v.PreviousProducerID != core.NoProducerID {
		dst = binary.BigEndian.AppendUint64(append(dst, tagPrevious, 8), uint64(v.PreviousProducerID))
	}
	if v.NextProducerID != core.NoProducerID {
		dst = binary.BigEndian.AppendUint64(append(dst, tagNext, 8), uint64(v.NextProducerID))
	}
	if v.Client != 0 {
		dst = binary.BigEndian.AppendUint16(append(dst, tagClient, 2), uint16(v.Client))
	}
	return dst
}

// ParseValue reads a value of version 0 or 1. A state that no record has is malformed, as are partitions out of nowhere: those of
// an Empty transaction.
func ParseValue(value []byte) (Value, error) {
	r := &coding.Reader{Buf: value}
	version := r.Int16()
	if version < 0 || version > 1 {
		return Value{}, coding.ErrVersion
	}
	v := Value{PreviousProducerID: core.NoProducerID, NextProducerID: core.NoProducerID}
	v.ProducerID, v.Epoch, v.TimeoutMs = core.ProducerID(r.Int64()), core.ProducerEpoch(r.Int16()), r.Int32()
	v.State = State(r.Int8())
	v.Partitions = parsePartitions(r, version >= 1)
	v.Updated, v.Started = core.Wall(r.Int64()), core.Wall(r.Int64())
	if version >= 1 {
		r.Tags(func(tag uint32, body *coding.Reader) {
			switch tag {
			case tagPrevious:
				v.PreviousProducerID = core.ProducerID(body.Int64())
			case tagNext:
				v.NextProducerID = core.ProducerID(body.Int64())
			case tagClient:
				v.Client = Version(body.Int16())
			}
		})
	}
	if !v.State.recorded() {
		return Value{}, coding.ErrMalformed
	}
	if v.State == Empty {
		v.Partitions = nil // Kafka does not read them either
	}
	return v, r.Err()
}

// parsePartitions reads the partitions and puts them in order: Kafka writes them in that of a hash table.
func parsePartitions(r *coding.Reader, flexible bool) []core.TopicPartition {
	str, size := r.Str, r.NullLen
	if flexible {
		str, size = r.CompactStr, r.CompactLen
	}
	const leastTopic, leastPartition = 3, 4 // bytes, in either version
	var list []core.TopicPartition
	topics := size(leastTopic)
	for range topics {
		topic := str()
		partitions := size(leastPartition)
		for range partitions {
			list = append(list, core.TopicPartition{Topic: topic, Partition: r.Int32()})
		}
		if flexible {
			r.Tags(nil)
		}
	}
	return ordered(list)
}
