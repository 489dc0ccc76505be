package sim

import (
	"errors"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/record"
)

// scan reads all that a broker stores of each partition and notes it for the checker of S-READABLE. It also notes who
// is unhealthy at the end.
func (r *run) scan(p *process) {
	if r.absent(p) {
		return
	}
	if !p.up {
		r.result.Unhealthy = append(r.result.Unhealthy, p.name+" is down: "+p.lastWords)
		return
	}
	b := p.machine.(*broker.Broker)
	if !b.Serving() {
		r.result.Unhealthy = append(r.result.Unhealthy, p.name+" does not serve")
	}
	for _, v := range b.Replicas() {
		if v.Offline != "" {
			r.result.Unhealthy = append(r.result.Unhealthy, p.name+": "+v.TP.String()+" is offline: "+v.Offline)
			continue
		}
		if v.Opening {
			continue
		}
		scan := history.Scan{
			Place:          r.place(&v),
			Node:           core.NodeID(p.id + 1),
			LogStartOffset: v.LogStartOffset, LogEndOffset: v.DurableOffset, // what lies behind may be under way
		}
		for _, name := range p.disk.Names(v.TP.String()) {
			if strings.HasSuffix(name, ".log") {
				data, _ := p.disk.Content(v.TP.String() + "/" + name)
				scan.Batches = r.scanSegment(scan.Batches, data, &v)
			}
		}
		r.history.Scan(r.w.now, scan)
	}
}

// scanSegment appends the batches of one segment's bytes that lie within the log.
func (r *run) scanSegment(dst []history.Batch, data []byte, v *broker.ReplicaView) []history.Batch {
	var it record.Iterator
	for len(data) > 0 {
		b, rest, err := record.ParseBatch(data)
		if err != nil {
			at := v.LogStartOffset
			if n := len(dst); n > 0 {
				at = dst[n-1].Last + 1
			}
			if at < v.DurableOffset { // bytes behind it are appends under way
				dst = append(dst, history.Batch{Base: at, Last: at, Fault: history.BadFrame})
			}
			return dst
		}
		data = rest
		if b.LastOffset() < v.LogStartOffset || b.BaseOffset() >= v.DurableOffset {
			continue
		}
		found := history.Batch{Base: b.BaseOffset(), Last: b.LastOffset()}
		if err := b.VerifyCRC(); err != nil {
			found.Fault = history.BadCRC
		} else if readable(b, &it, &r.codecs) != nil {
			found.Fault = history.BadRecords
		}
		dst = append(dst, found)
	}
	return dst
}

// readable reads every record of a batch.
func readable(b record.Batch, it *record.Iterator, c *record.Codecs) error {
	if err := it.Reset(b, c, record.DefaultMaxDecompressed); err != nil {
		return err
	}
	var rec record.Record
	n := int32(0)
	for it.Next(&rec) {
		n++
	}
	if h := b.Header(); it.Err() == nil && n != h.RecordCount {
		return errors.New("fewer records than the header promises")
	}
	return it.Err()
}
