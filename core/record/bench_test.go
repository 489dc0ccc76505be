package record

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/klamm-log/klamm/core"
)

// batchOf is a batch of n records of size value bytes that compress about as well as log lines do.
func batchOf(tb testing.TB, codec Codec, n, size int) Batch {
	tb.Helper()
	var b Builder
	var c Codecs
	b.Begin(nil, Options{Codec: codec})
	for i := range n {
		value := bytes.Repeat(fmt.Appendf(nil, "line %d of the log; ", i*7919), size/12+1)[:size]
		if err := b.Append(1_700_000_000_000+core.Wall(i), nil, value, nil); err != nil {
			tb.Fatal(err)
		}
	}
	out, err := b.Finish(&c)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func BenchmarkParseHeader(b *testing.B) {
	batch := batchOf(b, None, 100, 100)
	for b.Loop() {
		if _, err := ParseHeader(batch); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for codec := None; codec.Valid(); codec++ {
		b.Run(codec.String(), func(b *testing.B) {
			batch := batchOf(b, codec, 100, 100)
			b.SetBytes(100 * 100)
			b.ReportAllocs()
			var c Codecs
			for b.Loop() {
				if _, refusal := Check(batch, Limits{}, &c); !refusal.OK() {
					b.Fatal(refusal)
				}
			}
		})
	}
}

func BenchmarkVerifyCRC(b *testing.B) {
	batch := batchOf(b, None, 100, 100)
	b.SetBytes(int64(len(batch)))
	for b.Loop() {
		if err := batch.VerifyCRC(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIterate(b *testing.B) {
	batch := batchOf(b, None, 100, 100)
	b.SetBytes(100 * 100)
	b.ReportAllocs()
	var c Codecs
	var it Iterator
	var r Record
	for b.Loop() {
		if err := it.Reset(batch, &c, 1<<20); err != nil {
			b.Fatal(err)
		}
		for it.Next(&r) {
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	for codec := None; codec.Valid(); codec++ {
		b.Run(codec.String(), func(b *testing.B) {
			values := make([][]byte, 100)
			for i := range values {
				values[i] = bytes.Repeat(fmt.Appendf(nil, "line %d of the log; ", i*7919), 10)[:100]
			}
			var builder Builder
			var c Codecs
			var out []byte
			b.SetBytes(100 * 100)
			b.ReportAllocs()
			for b.Loop() {
				builder.Begin(out[:0], Options{Codec: codec})
				for i, v := range values {
					if err := builder.Append(core.Wall(i), nil, v, nil); err != nil {
						b.Fatal(err)
					}
				}
				var err error
				if out, err = builder.Finish(&c); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(out)), "wire-bytes")
		})
	}
}
