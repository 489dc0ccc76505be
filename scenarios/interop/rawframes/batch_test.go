package rawframes_test

import (
	"encoding/binary"
	"hash/crc32"
)

// batch is a record batch (magic 2) to be spoilt. Its zero value is an empty batch.
type batch struct {
	attributes      int16
	lastOffsetDelta int32
	timestamp       int64 // first and maximum
	producerID      int64
	producerEpoch   int16
	baseSequence    int32
	count           int32
	magic           int8
	records         []byte // encoded, perhaps compressed
}

// plain is a good batch of records that have a value each.
func plain(values ...string) batch {
	b := batch{
		magic: 2, producerID: -1, producerEpoch: -1, baseSequence: -1, timestamp: 1_700_000_000_000,
		count: int32(len(values)), lastOffsetDelta: int32(len(values)) - 1,
	}
	for i, v := range values {
		b.records = append(b.records, record(i, v)...)
	}
	return b
}

// record encodes one record with a null key and no headers.
func record(delta int, value string) []byte {
	body := []byte{0} // attributes
	body = binary.AppendVarint(body, 0)
	body = binary.AppendVarint(body, int64(delta))
	body = binary.AppendVarint(body, -1)
	body = binary.AppendVarint(body, int64(len(value)))
	body = append(body, value...)
	body = binary.AppendVarint(body, 0)
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

// crcAt and crcFrom are where a batch's CRC stands and where what it covers begins.
const (
	crcAt   = 17
	crcFrom = 21
)

// encode makes the batch's bytes, with a good length and CRC.
func (b batch) encode() []byte {
	out := make([]byte, 0, 61+len(b.records))
	out = binary.BigEndian.AppendUint64(out, 0) // base offset
	out = binary.BigEndian.AppendUint32(out, uint32(49+len(b.records)))
	out = binary.BigEndian.AppendUint32(out, ^uint32(0)) // partition leader epoch
	out = append(out, byte(b.magic))
	out = binary.BigEndian.AppendUint32(out, 0)
	out = binary.BigEndian.AppendUint16(out, uint16(b.attributes))
	out = binary.BigEndian.AppendUint32(out, uint32(b.lastOffsetDelta))
	out = binary.BigEndian.AppendUint64(out, uint64(b.timestamp))
	out = binary.BigEndian.AppendUint64(out, uint64(b.timestamp))
	out = binary.BigEndian.AppendUint64(out, uint64(b.producerID))
	out = binary.BigEndian.AppendUint16(out, uint16(b.producerEpoch))
	out = binary.BigEndian.AppendUint32(out, uint32(b.baseSequence))
	out = binary.BigEndian.AppendUint32(out, uint32(b.count))
	out = append(out, b.records...)
	return seal(out)
}

// seal corrects the CRC after a change.
func seal(b []byte) []byte {
	binary.BigEndian.PutUint32(b[crcAt:], crc32.Checksum(b[crcFrom:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}
