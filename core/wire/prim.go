package wire

import (
	"encoding/binary"
	"math/bits"
)

// Kafka's primitive encodings, append-style. Lengths were checked by the caller: a negative one is a bug.

func appendInt16(dst []byte, v int16) []byte { return binary.BigEndian.AppendUint16(dst, uint16(v)) }
func appendInt32(dst []byte, v int32) []byte { return binary.BigEndian.AppendUint32(dst, uint32(v)) }
func appendInt64(dst []byte, v int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(v)) }

// appendUvarint writes an unsigned varint of at most five bytes (KIP-482).
func appendUvarint(dst []byte, v uint32) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// uvarintLen is the number of bytes that appendUvarint writes.
func uvarintLen(v uint32) int {
	if v == 0 {
		return 1
	}
	return (bits.Len32(v) + 6) / 7
}

// appendString writes a string with its length, compact (KIP-482) or with two bytes.
func appendString(dst []byte, s string, compact bool) []byte {
	if compact {
		dst = appendUvarint(dst, uint32(len(s))+1)
	} else {
		dst = appendInt16(dst, int16(len(s)))
	}
	return append(dst, s...)
}

// appendNullableString writes a string or null.
func appendNullableString(dst []byte, s *string, compact bool) []byte {
	switch {
	case s != nil:
		return appendString(dst, *s, compact)
	case compact:
		return append(dst, 0)
	}
	return appendInt16(dst, -1)
}

// appendArrayLen writes the number of elements of an array that is not null.
func appendArrayLen(dst []byte, n int, compact bool) []byte {
	if compact {
		return appendUvarint(dst, uint32(n)+1)
	}
	return appendInt32(dst, int32(n))
}
