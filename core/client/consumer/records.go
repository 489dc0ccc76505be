package consumer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// chunk is a fetched and verified record set.
type chunk struct {
	rest    []byte // whole, verified batches
	size    int64
	aborted []kmsg.FetchResponseTopicPartitionAbortedTransaction // by first offset; what is left of them
	filter  bool                                                 // read_committed
}

func newChunk(r *kmsg.FetchResponseTopicPartition, good int, filter bool) chunk {
	k := chunk{rest: r.RecordBatches[:good], size: int64(len(r.RecordBatches)), filter: filter}
	if filter && len(r.AbortedTransactions) > 0 {
		k.aborted = r.AbortedTransactions
		slices.SortStableFunc(k.aborted, func(a, b kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
			switch {
			case a.FirstOffset != b.FirstOffset:
				return int(min(max(a.FirstOffset-b.FirstOffset, -1), 1))
			case a.ProducerID != b.ProducerID:
				return int(min(max(a.ProducerID-b.ProducerID, -1), 1))
			}
			return 0
		})
	}
	return k
}

// reader is the place inside the first chunk of a partition's buffer.
type reader struct {
	it      record.Iterator
	inBatch bool
	header  record.Header
	// aborting are the producers whose open transaction at this place of the log will turn out aborted.
	aborting []int64
}

// verify walks a fetched record set from a position. It returns the position after the whole and sound batches that it
// begins with, their size in bytes, and what is wrong with the next one, if anything is. A batch cut off by the
// response's size is no damage, unless it is the first: since KIP-74 the first batch comes whole.
func (c *Consumer) verify(from position, hw core.Offset, src []byte) (next position, good int, detail string) {
	next = from
	floor := core.Offset(0)
	for rest := src; len(rest) > 0; {
		batch, after, err := record.ParseBatch(rest)
		switch {
		case errors.Is(err, record.ErrIncomplete) && good > 0:
			detail = ""
		case err != nil:
			detail = fmt.Sprintf("at byte %d of %d: %v", good, len(src), err)
		case batch.BaseOffset() < floor:
			detail = fmt.Sprintf("batch at offset %d after offset %d", batch.BaseOffset(), floor-1)
		case batch.LastOffset() >= hw: // the base offset lies outside the CRC; this much of it can be checked
			detail = fmt.Sprintf("batch up to offset %d, the high watermark is %d", batch.LastOffset(), hw)
		case !c.opts.SkipCRC:
			if err = batch.VerifyCRC(); err != nil {
				detail = fmt.Sprintf("batch at offset %d: %v", batch.BaseOffset(), err)
			}
		}
		if err != nil || detail != "" {
			return next, good, detail
		}
		floor = batch.NextOffset()
		if floor > next.offset {
			next = position{floor, plusOne(batch.PartitionLeaderEpoch())}
		}
		good += len(rest) - len(after)
		rest = after
	}
	if next.offset == from.offset {
		return next, good, "nothing at or behind the position"
	}
	return next, good, ""
}

// plusOne is one more than a leader epoch, 0 if that is unknown.
func plusOne(e core.LeaderEpoch) core.LeaderEpoch { return max(e, core.NoLeaderEpoch) + 1 }

// Poll appends up to so many records to dst, which may be none, and moves the positions past them.
func (c *Consumer) Poll(now core.Now, maxRecords int, dst []Record) []Record {
	limit := len(dst) + min(maxRecords, 1<<30)
	for range c.assigned {
		if len(dst) >= limit {
			break
		}
		p := c.assigned[c.turn%len(c.assigned)]
		if p.state == fetching && !p.paused && len(p.buffer) > 0 && c.current(p) {
			dst = c.read(now, p, limit, dst)
		}
		if len(dst) < limit { // else the rest of this one comes first next time
			c.turn = (c.turn + 1) % len(c.assigned)
		}
	}
	return dst
}

// current reports whether what was fetched of a partition may still be handed out: the metadata may have told of
// another leader since the last turn.
func (c *Consumer) current(p *partition) bool {
	_, epoch := p.meta.Leader(p.index)
	if p.incarnation == p.meta.Incarnation && (epoch <= p.leaderEpoch || p.position.epochPlusOne == 0) {
		return true
	}
	c.dirty = true
	return false
}

// read hands out records of one partition.
func (c *Consumer) read(now core.Now, p *partition, limit int, dst []Record) []Record {
	var r record.Record
	for len(dst) < limit && len(p.buffer) > 0 {
		rd := &p.reader
		if !rd.inBatch {
			if err := c.nextBatch(p, &p.buffer[0]); err != nil {
				c.damaged(now, p, err)
				return dst
			}
			continue
		}
		if !rd.it.Next(&r) {
			if err := rd.it.Err(); err != nil {
				c.damaged(now, p, err)
				return dst
			}
			rd.inBatch = false
			p.advance(rd.header.NextOffset(), rd.header.PartitionLeaderEpoch)
			continue
		}
		if r.Offset < p.position.offset { // the batch begins before the position
			continue
		}
		dst = append(dst, Record{Topic: p.meta.Name, Partition: p.index, Offset: r.Offset,
			LeaderEpoch: rd.header.PartitionLeaderEpoch, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value})
		if r.Headers.Len() > 0 {
			dst[len(dst)-1].Headers = r.Headers.AppendTo(make([]Header, 0, r.Headers.Len()))
		}
		p.advance(r.Offset+1, rd.header.PartitionLeaderEpoch)
	}
	return dst
}

func (p *partition) advance(to core.Offset, epoch core.LeaderEpoch) {
	if to > p.position.offset {
		p.position = position{to, plusOne(epoch)}
	}
}

// nextBatch opens the next batch of a chunk whose records are wanted, or finishes the chunk.
func (c *Consumer) nextBatch(p *partition, k *chunk) error {
	batch, rest, err := record.ParseBatch(k.rest)
	if err != nil { // nothing is left: the chunk was verified
		p.buffered -= k.size
		copy(p.buffer, p.buffer[1:])
		p.buffer[len(p.buffer)-1] = chunk{}
		p.buffer = p.buffer[:len(p.buffer)-1]
		p.reader.aborting = p.reader.aborting[:0]
		c.dirty = true // there is room for another fetch
		return nil
	}
	k.rest = rest
	h := batch.Header()
	skip, err := p.reader.passOver(k, batch, &h, c)
	if err != nil {
		return err
	}
	if skip || h.NextOffset() <= p.position.offset {
		p.advance(h.NextOffset(), h.PartitionLeaderEpoch)
		return nil
	}
	p.reader.header, p.reader.inBatch = h, true
	return p.reader.it.ResetOwned(batch, &c.codecs, c.opts.MaxDecompressed) // views of the one before are out in the world
}

// passOver reports whether a batch's records are not to be handed out: control batches never are, and with
// read_committed those of aborted transactions are not. The broker lists aborted transactions by producer and first
// offset; each ends at its abort marker (KIP-98).
func (rd *reader) passOver(k *chunk, batch record.Batch, h *record.Header, c *Consumer) (bool, error) {
	control := h.Attributes.Control()
	if !k.filter || !h.HasProducerID() {
		return control, nil
	}
	for len(k.aborted) > 0 && core.Offset(k.aborted[0].FirstOffset) <= h.LastOffset() {
		if !slices.Contains(rd.aborting, k.aborted[0].ProducerID) {
			rd.aborting = append(rd.aborting, k.aborted[0].ProducerID)
		}
		k.aborted = k.aborted[1:]
	}
	at := slices.Index(rd.aborting, int64(h.ProducerID))
	if !control {
		return h.Attributes.Transactional() && at >= 0, nil
	}
	var it record.Iterator
	var r record.Record
	if err := it.Reset(batch, &c.codecs, c.opts.MaxDecompressed); err != nil {
		return true, err
	}
	if it.Next(&r) {
		kind, err := record.ParseControlKey(r.Key)
		if err != nil {
			return true, err
		}
		if kind == record.ControlAbort && at >= 0 {
			rd.aborting = slices.Delete(rd.aborting, at, at+1)
		}
	}
	return true, it.Err()
}

// damaged drops what was fetched of a partition after records turned out to be damaged although their checksum was
// right, or too large for us. The former may be one replica's fault; the latter will not change.
func (c *Consumer) damaged(now core.Now, p *partition, err error) {
	if errors.Is(err, record.ErrTooLarge) {
		c.stop(p, core.ErrRecordListTooLarge, p.position.offset, err.Error())
		return
	}
	p.drop()
	c.dirty = true
	c.trouble(now, p, core.ErrCorruptMessage, err.Error())
}
