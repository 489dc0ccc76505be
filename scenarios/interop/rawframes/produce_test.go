package rawframes_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// codec numbers in a batch's attributes
const (
	withGzip = 1 + iota
	withSnappy
	withLZ4
	withZstd
)

// refused are batches that must not be written, with the code that Kafka answers; 0 where any error will do.
func refused(t *testing.T) map[string]refusal {
	spoil := func(change func(b *harness.Batch)) []byte {
		b := harness.Plain("one", "two", "three")
		change(&b)
		return b.Encode()
	}
	patch := func(at int, with ...byte) []byte {
		b := harness.Plain("one", "two", "three").Encode()
		copy(b[at:], with)
		return b
	}
	records := func(raw ...byte) []byte {
		return spoil(func(b *harness.Batch) { b.Records, b.Count, b.LastOffsetDelta = raw, 1, 0 })
	}
	good := harness.Plain("one").Encode()
	const corrupt, tooLarge, invalid = 2, 10, 87
	return map[string]refusal{
		"no bytes":                {nil, 0},
		"wrong CRC":               {patch(harness.CRCAt, 1, 2, 3, 4), corrupt},
		"one bit of a value":      {patch(61+10, 'x'), corrupt},
		"magic 1":                 {patch(16, 1), 0},
		"magic 3":                 {patch(16, 3), 0},
		"cut off":                 {good[:len(good)-1], 0},
		"only a header":           {good[:40], 0},
		"two batches":             {append(bytes.Clone(good), good...), invalid},
		"bytes behind the batch":  {append(bytes.Clone(good), 0), 0},
		"length beyond the bytes": {patch(8, 0, 0x10, 0, 0), 0},
		"negative length":         {patch(8, 0xff, 0xff, 0xff, 0xff), 0},
		"length of nothing":       {patch(8, 0, 0, 0, 0), 0},
		"count 0":                 {spoil(func(b *harness.Batch) { b.Count = 0 }), invalid},
		"count -1":                {spoil(func(b *harness.Batch) { b.Count = -1 }), invalid},
		"count too small":         {spoil(func(b *harness.Batch) { b.Count = 2 }), invalid},
		"count too large":         {spoil(func(b *harness.Batch) { b.Count, b.LastOffsetDelta = 4, 3 }), invalid},
		"count 2^31-1":            {spoil(func(b *harness.Batch) { b.Count, b.LastOffsetDelta = 1<<31-1, 1<<31-2 }), invalid},
		"last offset delta":       {spoil(func(b *harness.Batch) { b.LastOffsetDelta = 7 }), invalid},
		"control batch":           {spoil(func(b *harness.Batch) { b.Attributes = 1 << 5 }), invalid},
		"codec 5":                 {spoil(func(b *harness.Batch) { b.Attributes = 5 }), 0},
		"codec 7":                 {spoil(func(b *harness.Batch) { b.Attributes = 7 }), 0},
		"record of length -1":     {records(1), invalid},
		"record longer than all":  {records(0xfe, 0xff, 0x7f, 0), invalid},
		"varint of eleven bytes":  {records(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), invalid},
		"varint that never ends":  {records(bytes.Repeat([]byte{0x80}, 64)...), invalid},
		"key longer than record":  {records(20, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0), invalid},
		"2^31-1 headers":          {records(20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f), invalid},
		"gzip of noise":           {compressed(withGzip, []byte("noise")), 0},
		"snappy of noise":         {compressed(withSnappy, []byte("noise")), 0},
		"lz4 of noise":            {compressed(withLZ4, []byte("noise")), 0},
		"zstd of noise":           {compressed(withZstd, []byte("noise")), 0},
		"snappy of 4 GiB":         {compressed(withSnappy, binary.AppendUvarint(nil, 1<<32-1)), 0},
		"zstd window of 2 GiB":    {compressed(withZstd, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0, 0}), 0},
		"gzip bomb":               {compressed(withGzip, bomb(t, withGzip)), tooLarge},
		"snappy bomb":             {compressed(withSnappy, bomb(t, withSnappy)), 0},
		"lz4 bomb":                {compressed(withLZ4, bomb(t, withLZ4)), tooLarge},
		"zstd bomb":               {compressed(withZstd, bomb(t, withZstd)), tooLarge},
	}
}

type refusal struct {
	records []byte
	code    int16
}

// compressed is a batch of one record with a codec's bytes for records.
func compressed(codec int16, records []byte) []byte {
	b := harness.Plain("")
	b.Attributes, b.Records = codec, records
	return b.Encode()
}

// bomb is one record of 300 MiB, compressed to less than Kafka's default limit of a batch where the codec can.
func bomb(t *testing.T, codec int16) []byte {
	t.Helper()
	const size = 300 << 20
	var out bytes.Buffer
	var w io.WriteCloser
	switch codec {
	case withGzip:
		w = gzip.NewWriter(&out)
	case withLZ4:
		w = lz4.NewWriter(&out)
	case withZstd:
		z, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	default: // snappy has no stream that would shrink this much: 15 MiB are less than 1 MiB
		return s2.EncodeSnappy(nil, append(binary.AppendVarint(nil, 15<<20), make([]byte, 15<<20)...))
	}
	chunk := make([]byte, 1<<20)
	copy(chunk, binary.AppendVarint(nil, size))
	for range size / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
		clear(chunk[:10])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRefused(t *testing.T) {
	s := newScene(t)
	cases := refused(t)
	before := s.PeakMemory()
	for name, bad := range cases {
		t.Run(name, func(t *testing.T) {
			defer func() { t.Logf("peak of resident memory: %d MiB", s.PeakMemory()>>20) }()
			c := harness.Dial(t, s.Addr)
			answer, err := c.Ask(produce(victim, bad.records))
			if errors.Is(err, io.EOF) {
				t.Logf("%d bytes: closed", len(bad.records))
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
			why := ""
			if got.ErrorMessage != nil {
				why = *got.ErrorMessage
			}
			t.Logf("%d bytes: %v: %s", len(bad.records), kerr.ErrorForCode(got.ErrorCode), why)
			if got.ErrorCode == 0 || bad.code != 0 && got.ErrorCode != bad.code {
				t.Errorf("answered %d (%v), not %d", got.ErrorCode, kerr.ErrorForCode(got.ErrorCode), bad.code)
			}
		})
	}
	s.unwritten(t)
	s.finish(t)
	s.bounded(t, before, bombs)
}

// KIP-98: a repeat of a batch is answered with the offset that the first one got, and at once: there is nothing to
// wait for.
func TestRepeated(t *testing.T) {
	s := newScene(t)
	c := harness.Dial(t, s.Addr)
	answer, err := c.Ask(&kmsg.InitProducerIDRequest{Version: 3, TransactionTimeoutMillis: 1000, ProducerID: -1, ProducerEpoch: -1})
	if err != nil {
		t.Fatal(err)
	}
	b := harness.Plain("one", "two")
	b.ProducerID, b.ProducerEpoch, b.BaseSequence = answer.(*kmsg.InitProducerIDResponse).ProducerID, 0, 0
	for turn := range 3 {
		if turn == 2 {
			s.finish(t)
			s.Kill()
			s.Start()
			c = harness.Dial(t, s.Addr)
		}
		begin := time.Now()
		answer, err := c.Ask(produce(victim, b.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		got := answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
		if got.ErrorCode != 0 || got.BaseOffset != 0 {
			t.Errorf("turn %d answered code %d, offset %d", turn, got.ErrorCode, got.BaseOffset)
		}
		if took := time.Since(begin); took > 2*time.Second { // the request's own timeout is 5 s
			t.Errorf("turn %d took %v", turn, took)
		}
	}
	if end := harness.Ends(t, s.Addr, victim, 1)[0]; end != 2 {
		t.Errorf("the partition has %d records, not 2", end)
	}
}

// Many bombs at once take no more than a few: whoever decompresses waits for a share of the memory.
func TestBombs(t *testing.T) {
	s := newScene(t)
	sent := harness.Request(produce(victim, compressed(withZstd, bomb(t, withZstd))), 1)
	before := s.PeakMemory()
	var conns []*harness.Conn
	for range 24 {
		c := harness.Dial(t, s.Addr)
		if err := c.Send(sent); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	for _, c := range conns {
		if _, err := c.Receive(); err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
	s.unwritten(t)
	s.finish(t)
	s.bounded(t, before, bombs)
}
