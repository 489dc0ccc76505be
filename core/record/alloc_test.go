package record

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The steady paths of the loop and of the edges do not allocate.
func TestNoAllocations(t *testing.T) {
	plainBatch := batchOf(t, None, 100, 100)
	var c Codecs
	var it Iterator
	var r Record
	var b Builder
	key, value := []byte("key"), make([]byte, 100)
	headers := []RecordHeader{{key, value}}
	var out []byte
	iterate := func(batch Batch) {
		if it.Reset(batch, &c, 1<<20) != nil {
			t.Fatal(it.Err())
		}
		n := 0
		for it.Next(&r) {
			for h, rest, ok := r.Headers.Next(); ok; h, rest, ok = rest.Next() {
				n += len(h.Key)
			}
		}
	}
	check := func(batch Batch) {
		if _, refusal := Check(batch, Limits{}, &c); !refusal.OK() {
			t.Fatal(refusal)
		}
	}
	build := func(codec Codec) {
		b.Begin(out[:0], Options{Codec: codec})
		for i := range 50 {
			_ = b.SizeWith(5, key, value, headers)
			if b.Append(5, key[:i%4], value, headers) != nil {
				t.Fatal("append")
			}
		}
		out, _ = b.Finish(&c)
	}
	type step struct {
		name string
		most float64
		do   func()
	}
	steps := []step{
		{"ParseHeader", 0, func() { _, _ = ParseHeader(plainBatch) }},
		{"ParseBatch", 0, func() { _, _, _ = ParseBatch(plainBatch) }},
		{"VerifyCRC", 0, func() { _ = plainBatch.VerifyCRC() }},
		{"SetMaxTimestamp", 0, func() { plainBatch.SetMaxTimestamp(CreateTime, plainBatch.MaxTimestamp()+1) }},
		{"Check", 0, func() { check(plainBatch) }},
		{"iterate", 0, func() { iterate(plainBatch) }},
		{"build", 0, func() { build(None) }},
	}
	for codec := Gzip; codec.Valid(); codec++ {
		batch := batchOf(t, codec, 100, 100)
		// The libraries keep some decoders in pools, which a garbage collection or the race detector may empty.
		steps = append(steps,
			step{"Check " + codec.String(), 4, func() { check(batch) }},
			step{"iterate " + codec.String(), 4, func() { iterate(batch) }},
			step{"build " + codec.String(), 4, func() { build(codec) }})
	}
	for _, step := range steps {
		step.do() // encoders and buffers are made on first use
		require.LessOrEqual(t, testing.AllocsPerRun(100, step.do), step.most, step.name)
	}
}

// TestScratchIsNotPinned: a huge batch does not leave a huge buffer behind.
func TestScratchIsNotPinned(t *testing.T) {
	var c Codecs
	var it Iterator
	huge := batchOf(t, Zstd, 10, 1<<20)
	_, refusal := Check(huge, Limits{}, &c)
	require.True(t, refusal.OK(), refusal)
	require.LessOrEqual(t, cap(c.scratch), keepScratch)
	require.NoError(t, it.Reset(huge, &c, 1<<30))
	require.NoError(t, it.Reset(batchOf(t, Zstd, 1, 1), &c, 1<<30))
	require.LessOrEqual(t, cap(it.buffer), keepScratch)
}
