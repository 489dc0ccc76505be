package transport

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// BenchmarkRoundTrip is one request after the other over loopback through a whole node with an empty machine.
func BenchmarkRoundTrip(b *testing.B) {
	s := start(b, &echo{}, ServerOptions{})
	c := s.dial(b)
	_ = c.SetDeadline(time.Time{})
	frame := metadata(1)
	c.send(frame)
	response := make([]byte, len(c.frame())+4)
	took := make([]time.Duration, 0, 1<<20)
	for b.Loop() {
		begun := time.Now()
		_, _ = c.Write(frame)
		if _, err := io.ReadFull(c, response); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-us")
}

// BenchmarkRawRoundTrip is the floor: the same bytes, answered by a goroutine that only reads and writes.
func BenchmarkRawRoundTrip(b *testing.B) {
	near, far := loopback(b)
	frame, response := metadata(1), make([]byte, 40)
	go func() {
		buf := make([]byte, len(frame))
		for {
			if _, err := io.ReadFull(far, buf); err != nil {
				return
			}
			_, _ = far.Write(response)
		}
	}()
	took := make([]time.Duration, 0, 1<<20)
	for b.Loop() {
		begun := time.Now()
		_, _ = near.Write(frame)
		if _, err := io.ReadFull(near, response); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-us")
}

// BenchmarkFrames keeps sixteen small requests in flight on one connection.
func BenchmarkFrames(b *testing.B) {
	s := start(b, &echo{}, ServerOptions{})
	c := s.dial(b)
	_ = c.SetDeadline(time.Time{})
	frame := metadata(1)
	c.send(frame)
	response := make([]byte, len(c.frame())+4)
	tokens := make(chan struct{}, 16)
	go func() {
		for range tokens {
			if _, err := c.Write(frame); err != nil {
				return
			}
		}
	}()
	for range cap(tokens) {
		tokens <- struct{}{}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.ReadFull(c, response); err != nil {
			b.Fatal(err)
		}
		tokens <- struct{}{}
	}
	close(tokens)
}

// BenchmarkSpans fetches from the page cache: 4 MiB in one span, or 64 of 64 KiB, by sendfile and by copy.
func BenchmarkSpans(b *testing.B) {
	for _, way := range []struct {
		name      string
		copyBelow int64
	}{{"sendfile", 1}, {"copy", -1}} {
		for _, shape := range []struct {
			name string
			n    int
		}{{"1x4MiB", 1}, {"64x64KiB", 64}} {
			b.Run(way.name+"/"+shape.name, func(b *testing.B) {
				files, _ := newFile(b, 4<<20)
				spans := make([]step.Span, shape.n)
				for i := range spans {
					spans[i] = step.Span{File: 1, Len: int64(4 << 20 / shape.n)}
				}
				s := start(b, &echo{handle: fetchSpans(spans...)}, ServerOptions{Files: files, CopyBelow: way.copyBelow})
				c := s.dial(b)
				_ = c.SetDeadline(time.Time{})
				frame := fetch(1)
				c.send(frame)
				size := int64(len(c.frame()) + 4)
				buf := make([]byte, 256<<10)
				c.send(frame) // one ahead
				b.SetBytes(4 << 20)
				for b.Loop() {
					c.send(frame)
					for left := size; left > 0; {
						n, err := c.Read(buf[:min(left, int64(len(buf)))])
						if err != nil {
							b.Fatal(err)
						}
						left -= int64(n)
					}
				}
			})
		}
	}
}

// BenchmarkReceive is what a producer's connection costs: batches of 1 MiB, checked and handed to an empty machine.
func BenchmarkReceive(b *testing.B) {
	s := start(b, &echo{}, ServerOptions{})
	c := s.dial(b)
	_ = c.SetDeadline(time.Time{})
	frame := produce(b, 1<<20)
	c.send(frame)
	response := make([]byte, len(c.frame())+4)
	go func() {
		for {
			if _, err := c.Write(frame); err != nil {
				return
			}
		}
	}()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		if _, err := io.ReadFull(c, response); err != nil {
			b.Fatal(err)
		}
	}
}

// produce is the frame of a Produce request with one batch of about n bytes in records of 1 KiB.
func produce(t testing.TB, n int) []byte {
	var builder record.Builder
	builder.Begin(nil, record.Options{ProducerID: core.NoProducerID, ProducerEpoch: core.NoProducerEpoch, BaseSequence: record.NoSequence})
	for range n >> 10 {
		require.NoError(t, builder.Append(1_700_000_000_000, nil, make([]byte, 1<<10), nil))
	}
	batch, err := builder.Finish(&record.Codecs{})
	require.NoError(t, err)
	r := kmsg.NewPtrProduceRequest()
	r.SetVersion(9)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "orders"
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = batch
	topic.Partitions = append(topic.Partitions, partition)
	r.Topics = append(r.Topics, topic)
	return wire.AppendRequest(nil, 1, "", r)
}
