package protocol

import (
	"encoding/binary"
	"slices"

	"github.com/klamm-log/klamm/core"
)

// Fault is a reason why bytes cannot be read.
type Fault string

// Error implements error.
func (f Fault) Error() string { return string(f) }

// The faults.
const (
	ErrShort   Fault = "consumer protocol: bytes end early"
	ErrNull    Fault = "consumer protocol: null or a negative length where the schema allows none"
	ErrVersion Fault = "consumer protocol: negative version"
)

// reader takes fields off the front of src. The first fault sticks; after it everything read is zero.
type reader struct {
	src []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err == nil && n > len(r.src) {
		r.err = ErrShort
	}
	if r.err != nil {
		return make([]byte, min(n, 4)) // what fixed-size fields ask for
	}
	b := r.src[:n]
	r.src = r.src[n:]
	return b
}

func (r *reader) int16() int16 { return int16(binary.BigEndian.Uint16(r.take(2))) }
func (r *reader) int32() int32 { return int32(binary.BigEndian.Uint32(r.take(4))) }

// count reads the length of an array whose elements take at least size bytes each.
func (r *reader) count(size int) int {
	n := int(r.int32())
	switch {
	case r.err != nil:
		return 0
	case n < 0:
		r.err = ErrNull
		return 0
	case n > len(r.src)/size:
		r.err = ErrShort
		return 0
	}
	return n
}

// nullable reads a string; null is empty.
func (r *reader) nullable() string {
	n := int(r.int16())
	if n < 0 || r.err != nil {
		return ""
	}
	s := r.take(n)
	if r.err != nil {
		return ""
	}
	return string(s)
}

func (r *reader) string() string {
	if r.err == nil && len(r.src) >= 2 && r.src[0]&0x80 != 0 {
		r.err = ErrNull
	}
	return r.nullable()
}

// bytes reads a nullable byte array.
func (r *reader) bytes() []byte {
	n := int(r.int32())
	if n < 0 || r.err != nil {
		return nil
	}
	if n > len(r.src) {
		r.err = ErrShort
		return nil
	}
	return append([]byte{}, r.take(n)...)
}

// partitions reads an array of topics with their partitions.
func (r *reader) partitions() []core.TopicPartition {
	var list []core.TopicPartition
	for range r.count(6) {
		topic := r.string()
		for range r.count(4) {
			list = append(list, core.TopicPartition{Topic: topic, Partition: r.int32()})
		}
	}
	return list
}

func appendString(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}

func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return binary.BigEndian.AppendUint32(dst, 0xffffffff)
	}
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
}

// appendPartitions writes partitions sorted and grouped by topic.
func appendPartitions(dst []byte, list []core.TopicPartition) []byte {
	if !slices.IsSortedFunc(list, core.TopicPartition.Compare) {
		list = slices.Clone(list)
		slices.SortFunc(list, core.TopicPartition.Compare)
	}
	topics := 0
	for i, tp := range list {
		if i == 0 || tp.Topic != list[i-1].Topic {
			topics++
		}
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(topics))
	for start := 0; start < len(list); {
		end := start
		for end < len(list) && list[end].Topic == list[start].Topic {
			end++
		}
		dst = appendString(dst, list[start].Topic)
		dst = binary.BigEndian.AppendUint32(dst, uint32(end-start))
		for _, tp := range list[start:end] {
			dst = binary.BigEndian.AppendUint32(dst, uint32(tp.Partition))
		}
		start = end
	}
	return dst
}
