package sim

import (
	"hash/fnv"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/record"
)

// compacted tells the witness of a swap of the log cleaner. The swap has just begun: the disk has the new segment under
// its swap name, and the old ones under their own, or renamed already.
//
// What retention has taken out of the log may still be on the disk; records below the log start are not part of it.
func (r *run) compacted(p *process, id core.NodeID, e *broker.JournalEntry, touched []broker.ReplicaView) {
	w, ok := r.seer.witness.(history.CompactionWitness)
	if !ok || e.Kind != log.EntryCleaned {
		return
	}
	c := history.Compaction{Node: id, Name: e.TP, Key: history.Key{TopicID: e.TopicID, Partition: e.TP.Partition},
		Base: e.Base, End: e.Last + 1, Wall: p.Now().Wall}
	var k keyedReader
	for _, name := range p.disk.Names(e.TP.String()) { // sorted by offset
		data, _ := p.disk.Content(e.TP.String() + "/" + name)
		base, suffix, _ := strings.Cut(name, ".")
		var at core.Offset
		for i := range base {
			at = 10*at + core.Offset(base[i]-'0')
		}
		inside := at >= c.Base && at < c.End
		switch {
		case suffix == "log" && !inside:
			records := k.read(nil, data)
			c.Before, c.After = append(c.Before, records...), append(c.After, records...)
		case suffix == "log", suffix == "log.deleted" && inside:
			c.Before = k.read(c.Before, data)
		case suffix == "log.swap":
			c.After = k.read(c.After, data)
		}
	}
	for i := range touched {
		if v := &touched[i]; v.TP == e.TP && v.TopicID == e.TopicID {
			below := func(k history.KeyedRecord) bool { return k.Offset < v.LogStartOffset }
			c.Before, c.After = slices.DeleteFunc(c.Before, below), slices.DeleteFunc(c.After, below)
		}
	}
	w.Compacted(r.w.now, c)
}

// keyedReader reads what a compaction is judged by.
type keyedReader struct {
	codecs record.Codecs
	iter   record.Iterator
}

// read appends the records of a segment's bytes, as far as they parse.
func (k *keyedReader) read(dst []history.KeyedRecord, data []byte) []history.KeyedRecord {
	for len(data) > 0 {
		b, rest, err := record.ParseBatch(data)
		if err != nil || k.iter.Reset(b, &k.codecs, record.DefaultMaxDecompressed) != nil {
			return dst
		}
		data = rest
		h := b.Header()
		horizon, _ := h.DeleteHorizon()
		producer := core.NoProducerID
		if h.Attributes.Transactional() {
			producer = h.ProducerID
		}
		var rec record.Record
		for k.iter.Next(&rec) {
			row := history.KeyedRecord{Offset: rec.Offset, Key: hashed(rec.Key), Keyless: rec.Key == nil,
				Tombstone: rec.Value == nil, Content: content(&rec), Horizon: horizon, Producer: producer}
			if h.Attributes.Control() {
				row.Keyless, row.Marker = true, marker(rec.Key)
			}
			dst = append(dst, row)
		}
	}
	return dst
}

func marker(key []byte) history.Marker {
	switch kind, err := record.ParseControlKey(key); {
	case err != nil:
		return history.NoMarker
	case kind == record.ControlCommit:
		return history.CommitMarker
	case kind == record.ControlAbort:
		return history.AbortMarker
	}
	return history.NoMarker
}

func hashed(parts ...[]byte) uint64 {
	h := fnv.New64a()
	for _, b := range parts {
		_, _ = h.Write([]byte{byte(len(b)), byte(len(b) >> 8), byte(len(b) >> 16)})
		_, _ = h.Write(b)
	}
	return h.Sum64()
}

// content is a hash of value, headers and timestamp.
func content(r *record.Record) uint64 {
	parts := [][]byte{r.Value}
	for head, rest, ok := r.Headers.Next(); ok; head, rest, ok = rest.Next() {
		parts = append(parts, head.Key, head.Value)
	}
	t := uint64(r.Timestamp)
	for i := range 8 {
		parts = append(parts, []byte{byte(t >> (8 * i))})
	}
	return hashed(parts...)
}
