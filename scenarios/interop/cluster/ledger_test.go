package cluster_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kgo"
)

// judge reads one partition in order and compares it with the writer's ledger.
type judge struct {
	w          *writer
	idempotent bool
	offset     int64 // expected next
	at         int   // run of the ledger that is looked at
	highest    int64 // number of the newest record seen in order
	repeated   int64 // records whose number was seen before
	found      int64 // acknowledged records seen at their offsets
}

// add takes the record at the next offset.
func (j *judge) add(r *kgo.Record) error {
	if r.Offset != j.offset {
		return fmt.Errorf("partition %d has offset %d after %d", r.Partition, r.Offset, j.offset-1)
	}
	j.offset++
	if len(r.Value) != valueSize || int32(binary.BigEndian.Uint32(r.Value[8:])) != j.w.partition {
		return fmt.Errorf("partition %d offset %d holds %q, which nobody sent there", r.Partition, r.Offset, r.Value)
	}
	number := int64(binary.BigEndian.Uint64(r.Value))
	if number >= j.w.sent.Load() {
		return fmt.Errorf("partition %d offset %d holds record %d, which was never sent", r.Partition, r.Offset, number)
	}
	switch {
	case number == j.highest+1:
		j.highest = number
	case number > j.highest+1:
		return fmt.Errorf("partition %d offset %d holds record %d after %d: records are missing", r.Partition, r.Offset, number, j.highest)
	case j.idempotent:
		return fmt.Errorf("partition %d offset %d holds record %d again: an idempotent producer wrote it twice", r.Partition, r.Offset, number)
	default:
		j.repeated++
	}
	return j.acknowledged(r.Offset, number)
}

// acknowledged compares the record at an offset with what was acknowledged there.
func (j *judge) acknowledged(offset, number int64) error {
	for j.at < len(j.w.ledger) && j.w.ledger[j.at].offset+j.w.ledger[j.at].n <= offset {
		j.at++
	}
	if j.at == len(j.w.ledger) || j.w.ledger[j.at].offset > offset {
		return nil // nobody was told of this one
	}
	run := j.w.ledger[j.at]
	if want := run.number + offset - run.offset; want != number {
		return fmt.Errorf("partition %d offset %d was acknowledged for record %d and holds record %d", j.w.partition, offset, want, number)
	}
	j.found++
	return nil
}

// ordered checks that the ledger itself makes sense: no offset was acknowledged twice.
func (w *writer) ordered() error {
	for i := 1; i < len(w.ledger); i++ {
		a, b := w.ledger[i-1], w.ledger[i]
		if b.offset < a.offset+a.n {
			return fmt.Errorf("partition %d: offset %d was acknowledged for record %d after offset %d for record %d",
				w.partition, b.offset, b.number, a.offset+a.n-1, a.number+a.n-1)
		}
	}
	return nil
}

// verify reads every partition from its start to its end and compares it with the ledgers.
func (f *fire) verify(addrs []string) {
	f.t.Helper()
	ends := harness.Ends(f.t, addrs[0], f.topic, int32(len(f.writers)))
	begin, repeated, total := time.Now(), int64(0), int64(0)
	for _, w := range f.writers {
		j := &judge{w: w, idempotent: f.idempotent, highest: -1}
		err := w.ordered()
		if err == nil {
			err = read(f.t, addrs, f.topic, w.partition, ends[w.partition], j.add)
		}
		if acked := w.acked.Load(); err == nil && j.found != acked {
			err = fmt.Errorf("partition %d: %d records were acknowledged, %d of them are there; the end is %d", w.partition, acked, j.found, j.offset)
		}
		if err != nil {
			f.t.Error(err)
		}
		repeated, total = repeated+j.repeated, total+j.offset
	}
	f.t.Logf("read %d records in %v: all that were acknowledged are at their offsets; %d repetitions", total, round(time.Since(begin)), repeated)
}

// stall bounds the time in which a reader gets nothing.
const stall = 30 * time.Second

// read reads a partition up to an end.
func read(t testing.TB, addrs []string, topic string, partition int32, end int64, each func(*kgo.Record) error) error {
	t.Helper()
	if end == 0 {
		return nil
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(addrs...), kgo.FetchMaxPartitionBytes(8<<20),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(0)}}),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for next := int64(0); next < end; {
		ctx, cancel := context.WithTimeout(t.Context(), stall)
		fetches := client.PollFetches(ctx)
		cancel()
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("reading partition %d at offset %d of %d: %w", partition, next, end, err)
		}
		for it := fetches.RecordIter(); !it.Done() && next < end; {
			r := it.Next()
			if err := each(r); err != nil {
				return err
			}
			next = r.Offset + 1
		}
	}
	return nil
}
