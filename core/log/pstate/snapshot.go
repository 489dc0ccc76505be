package pstate

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
)

// The snapshot file, all big-endian: version int16 = 1, CRC-32C uint32 of what follows it, number of producers int32,
// and per producer id int64, epoch int16, last sequence int32, last offset int64, offset delta int32, timestamp int64,
// coordinator epoch int32, first offset of the open transaction int64 (-1 for none).
const (
	snapshotVersion = 1
	crcAt           = 2
	contentAt       = 6
	entriesAt       = 10
	entrySize       = 46
)

// ErrSnapshot is a snapshot file that cannot be used. The fold can always start from an older one.
var ErrSnapshot = errors.New("producer snapshot unusable")

// AppendSnapshot appends the table as Kafka's ProducerStateManager writes it, producers by id so that equal tables
// give equal bytes.
func (t *Table) AppendSnapshot(dst []byte) []byte {
	order := make([]int32, 0, len(t.index))
	for i := range t.slots {
		if t.slots[i].id >= 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(t.slots[a].id, t.slots[b].id) })

	start := len(dst)
	dst = slices.Grow(dst, entriesAt+entrySize*len(order))
	dst = binary.BigEndian.AppendUint16(dst, snapshotVersion)
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(order)))
	for _, i := range order {
		dst = t.slots[i].appendTo(dst)
	}
	crc := crc32.Checksum(dst[start+contentAt:], crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(dst[start+crcAt:], crc)
	return dst
}

func (p *producer) appendTo(dst []byte) []byte {
	last := batch{lastSeq: record.NoSequence, lastOffset: core.NoOffset}
	if b := p.last(); b != nil {
		last = *b
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.id))
	dst = binary.BigEndian.AppendUint16(dst, uint16(p.epoch))
	dst = binary.BigEndian.AppendUint32(dst, uint32(last.lastSeq))
	dst = binary.BigEndian.AppendUint64(dst, uint64(last.lastOffset))
	dst = binary.BigEndian.AppendUint32(dst, uint32(last.offsetDelta))
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.lastTimestamp))
	dst = binary.BigEndian.AppendUint32(dst, uint32(p.coordinatorEpoch))
	return binary.BigEndian.AppendUint64(dst, uint64(p.txnFirst))
}

// ParseSnapshot reads a whole snapshot file. The error wraps [ErrSnapshot].
func ParseSnapshot(src []byte) (*Table, error) {
	if len(src) < entriesAt {
		return nil, fmt.Errorf("%w: %d bytes", ErrSnapshot, len(src))
	}
	if v := binary.BigEndian.Uint16(src); v != snapshotVersion {
		return nil, fmt.Errorf("%w: version %d", ErrSnapshot, v)
	}
	crc := crc32.Checksum(src[contentAt:], crc32.MakeTable(crc32.Castagnoli))
	if stored := binary.BigEndian.Uint32(src[crcAt:]); stored != crc {
		return nil, fmt.Errorf("%w: checksum %08x, stored %08x", ErrSnapshot, crc, stored)
	}
	n := int64(int32(binary.BigEndian.Uint32(src[contentAt:])))
	if n < 0 || n*entrySize != int64(len(src)-entriesAt) {
		return nil, fmt.Errorf("%w: %d producers in %d bytes", ErrSnapshot, n, len(src)-entriesAt)
	}
	t := &Table{slots: make([]producer, 0, n), index: make(map[core.ProducerID]int32, n)}
	for e := src[entriesAt:]; len(e) > 0; e = e[entrySize:] {
		if err := t.load(e); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(t.ongoing, func(a, b txn) int { return cmp.Compare(a.first, b.first) })
	for i := 1; i < len(t.ongoing); i++ {
		if t.ongoing[i].first == t.ongoing[i-1].first {
			return nil, fmt.Errorf("%w: two transactions begin at offset %d", ErrSnapshot, t.ongoing[i].first)
		}
	}
	return t, nil
}

// load reads one producer.
func (t *Table) load(e []byte) error {
	id := core.ProducerID(binary.BigEndian.Uint64(e))
	if id < 0 || t.find(id) != nil {
		return fmt.Errorf("%w: producer id %d is negative or listed twice", ErrSnapshot, id)
	}
	b := batch{
		lastSeq:     int32(binary.BigEndian.Uint32(e[10:])),
		lastOffset:  core.Offset(binary.BigEndian.Uint64(e[14:])),
		offsetDelta: int32(binary.BigEndian.Uint32(e[22:])),
		timestamp:   core.Wall(binary.BigEndian.Uint64(e[26:])),
	}
	first := core.Offset(binary.BigEndian.Uint64(e[38:]))
	if b.lastSeq < record.NoSequence || b.offsetDelta < 0 || b.lastOffset < core.NoOffset || first < core.NoOffset {
		return fmt.Errorf("%w: producer %d has negative fields", ErrSnapshot, id)
	}
	p := t.add(id)
	p.epoch = core.ProducerEpoch(binary.BigEndian.Uint16(e[8:]))
	p.coordinatorEpoch = int32(binary.BigEndian.Uint32(e[34:]))
	p.lastTimestamp = b.timestamp
	p.txnFirst = first
	if b.lastOffset >= 0 { // a producer of which only a marker is left has no batch
		p.push(b)
	}
	if first >= 0 {
		t.ongoing = append(t.ongoing, txn{id: id, first: first, last: core.NoOffset})
	}
	return nil
}

// Marker is the table's view of a control batch. ok is false for control batches that end no transaction (the
// quorum's), for empty ones (a cleaned marker), and for damaged ones, which recovery has to report by their checksum.
func Marker(b record.Batch, it *record.Iterator, c *record.Codecs) (m Batch, ok bool) {
	const mostControlBytes = 1 << 16
	if it.Reset(b, c, mostControlBytes) != nil {
		return Batch{}, false
	}
	var r record.Record
	if !it.Next(&r) {
		return Batch{}, false
	}
	kind, err := record.ParseControlKey(r.Key)
	if err != nil || kind != record.ControlAbort && kind != record.ControlCommit {
		return Batch{}, false
	}
	epoch, err := record.ParseEndTxnMarker(r.Value)
	if err != nil {
		return Batch{}, false
	}
	h := it.Header()
	m = Of(&h)
	m.Marker, m.Commit, m.CoordinatorEpoch, m.MaxTimestamp = true, kind == record.ControlCommit, epoch, r.Timestamp
	return m, true
}
