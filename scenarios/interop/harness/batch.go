package harness

import (
	"encoding/binary"
	"hash/crc32"
)

// Batch is a record batch (magic 2) to be spoilt. Its zero value is an empty batch.
type Batch struct {
	Attributes      int16
	LastOffsetDelta int32
	Timestamp       int64 // first and maximum
	ProducerID      int64
	ProducerEpoch   int16
	BaseSequence    int32
	Count           int32
	Magic           int8
	Records         []byte // encoded, perhaps compressed
}

// Plain is a good batch of records that have a value each.
func Plain(values ...string) Batch {
	b := Batch{
		Magic: 2, ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1, Timestamp: 1_700_000_000_000,
		Count: int32(len(values)), LastOffsetDelta: int32(len(values)) - 1,
	}
	for i, v := range values {
		b.Records = append(b.Records, record(i, v)...)
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

// CRCAt and CRCFrom are where a batch's CRC stands and where what it covers begins.
const (
	CRCAt   = 17
	CRCFrom = 21
)

// Encode makes the batch's bytes, with a good length and CRC.
func (b Batch) Encode() []byte {
	out := make([]byte, 0, 61+len(b.Records))
	out = binary.BigEndian.AppendUint64(out, 0) // base offset
	out = binary.BigEndian.AppendUint32(out, uint32(49+len(b.Records)))
	out = binary.BigEndian.AppendUint32(out, ^uint32(0)) // partition leader epoch
	out = append(out, byte(b.Magic))
	out = binary.BigEndian.AppendUint32(out, 0)
	out = binary.BigEndian.AppendUint16(out, uint16(b.Attributes))
	out = binary.BigEndian.AppendUint32(out, uint32(b.LastOffsetDelta))
	out = binary.BigEndian.AppendUint64(out, uint64(b.Timestamp))
	out = binary.BigEndian.AppendUint64(out, uint64(b.Timestamp))
	out = binary.BigEndian.AppendUint64(out, uint64(b.ProducerID))
	out = binary.BigEndian.AppendUint16(out, uint16(b.ProducerEpoch))
	out = binary.BigEndian.AppendUint32(out, uint32(b.BaseSequence))
	out = binary.BigEndian.AppendUint32(out, uint32(b.Count))
	out = append(out, b.Records...)
	return seal(out)
}

// seal corrects the CRC after a change.
func seal(b []byte) []byte {
	binary.BigEndian.PutUint32(b[CRCAt:], crc32.Checksum(b[CRCFrom:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}
