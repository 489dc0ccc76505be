package rawframes_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// header is a request header of the older kind, then a body.
func header(key, version int16, body ...byte) []byte {
	out := binary.BigEndian.AppendUint16(nil, uint16(key))
	out = binary.BigEndian.AppendUint16(out, uint16(version))
	out = binary.BigEndian.AppendUint32(out, 7) // correlation id
	out = binary.BigEndian.AppendUint16(out, 3) // client id
	return append(append(out, "raw"...), body...)
}

// closes are bytes after which the broker must close the connection without an answer.
func closes() map[string][]byte {
	huge := []byte{0x7f, 0xff, 0xff, 0xff}
	endless := bytes.Repeat([]byte{0xff}, 10)
	return map[string][]byte{
		"length -1":                       {0xff, 0xff, 0xff, 0xff},
		"least length":                    {0x80, 0, 0, 0},
		"length 0":                        {0, 0, 0, 0},
		"length over 100 MiB":             binary.BigEndian.AppendUint32(nil, 100<<20+1),
		"greatest length":                 huge,
		"HTTP":                            []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"TLS hello":                       {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3},
		"header cut off":                  harness.Frame([]byte{0, 3, 0}),
		"client id longer than the frame": harness.Frame([]byte{0, 3, 0, 1, 0, 0, 0, 1, 0x7f, 0xff, 'x'}),
		"client id of length -2":          harness.Frame([]byte{0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xfe}),
		"unknown key":                     harness.Frame(header(999, 0)),
		"negative key":                    harness.Frame(header(-1, 0)),
		"key of controllers only":         harness.Frame(header(52, 0, 0)),
		"Produce 2":                       harness.Frame(header(0, 2, make([]byte, 10)...)),
		"Produce 99":                      harness.Frame(header(0, 99, 0)),
		"Fetch 3":                         harness.Frame(header(1, 3, make([]byte, 16)...)),
		"negative version":                harness.Frame(header(3, -1, 0)),
		"Metadata of 2^31-1 topics":       harness.Frame(header(3, 1, huge...)),
		"Metadata of -2 topics":           harness.Frame(header(3, 1, 0xff, 0xff, 0xff, 0xfe)),
		"flexible count that never ends":  harness.Frame(header(3, 12, append([]byte{0}, endless...)...)),
		"flexible count of 2^32-2":        harness.Frame(header(3, 12, 0, 0xff, 0xff, 0xff, 0xff, 0x0f)),
		"2^31 tags in the header":         harness.Frame(header(3, 12, 0xff, 0xff, 0xff, 0xff, 0x07)),
		"tag longer than the frame":       harness.Frame(header(3, 12, 1, 0, 0xff, 0xff, 0xff, 0x07)),
		"no body":                         harness.Frame(header(0, 9)),
	}
}

func TestClosed(t *testing.T) {
	s := newScene(t)
	before := s.PeakMemory()
	for name, sent := range closes() {
		t.Run(name, func(t *testing.T) {
			c := harness.Dial(t, s.Addr)
			if err := c.Send(sent); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			if answer, err := c.Receive(); !errors.Is(err, io.EOF) {
				t.Errorf("answered %x (%v), not closed", answer, err)
			}
		})
	}
	s.bounded(t, before, frames)
}

// What the node may take above what it has when it idles.
const (
	frames = 32 << 20 // whoever sends or announces frames
	// bombs: a batch may hold 64 MiB after decompression (docs/DIVERGENCE.md). A decoder that does not know how much
	// will come grows its output by copying, and the runtime returns memory late: about five times as much, once.
	bombs = 384 << 20
)

func (s *scene) bounded(t *testing.T, before, limit int64) {
	t.Helper()
	s.Alive()
	grown := s.PeakMemory() - before
	t.Logf("resident memory grew by %d KiB", grown>>10)
	if grown > limit {
		t.Errorf("resident memory grew by %d MiB", grown>>20)
	}
}

// A request that stops in the middle is not executed, wherever it stops.
func TestTruncated(t *testing.T) {
	s := newScene(t)
	whole := harness.Request(produce(victim, harness.Plain("never").Encode()), 1)
	for cut := range len(whole) {
		c := harness.Dial(t, s.Addr)
		if err := c.Send(whole[:cut]); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.unwritten(t)
}

// unwritten fails the test if the victim has a record.
func (s *scene) unwritten(t *testing.T) {
	t.Helper()
	if end := harness.Ends(t, s.Addr, victim, 1)[0]; end != 0 {
		t.Errorf("the victim has %d records", end)
	}
}

// Whoever announces much and sends little takes little.
func TestAnnounced(t *testing.T) {
	s := newScene(t)
	before := s.PeakMemory()
	for range 200 {
		c := harness.Dial(t, s.Addr)
		if err := c.Send(append(binary.BigEndian.AppendUint32(nil, 100<<20), header(0, 9, 0, 0)...)); err != nil {
			t.Fatal(err)
		}
	}
	s.finish(t)
	s.bounded(t, before, frames)
}

// KIP-511: a version of ApiVersions that is too new is answered in version 0 with what is supported, and the client
// goes on with the same connection.
func TestApiVersionsTooNew(t *testing.T) {
	s := newScene(t)
	c := harness.Dial(t, s.Addr)
	if err := c.Send(harness.Frame(header(18, 127, 0, 1, 1, 0))); err != nil {
		t.Fatal(err)
	}
	body, err := c.Receive()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := harness.Decode(kmsg.NewPtrApiVersionsRequest(), 7, body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer.(*kmsg.ApiVersionsResponse)
	if got.ErrorCode != 35 || len(got.ApiKeys) != 1 || got.ApiKeys[0].ApiKey != 18 {
		t.Errorf("answered %+v", got)
	}
	if _, err := c.Ask(kmsg.NewPtrApiVersionsRequest()); err != nil {
		t.Errorf("the connection is of no use afterwards: %v", err)
	}
}

// Requests with bytes changed at random are answered, or their connection is closed; none hangs or hurts.
func TestRandom(t *testing.T) {
	s := newScene(t)
	before := s.PeakMemory()
	random := rand.New(rand.NewPCG(20, 26))
	seeds := sound()
	c := harness.Dial(t, s.Addr)
	answered, closed := 0, 0
	for range 3000 {
		frame := bytes.Clone(seeds[random.IntN(len(seeds))])
		for range 1 + random.IntN(4) { // behind the length and the key: those have tests of their own
			frame[6+random.IntN(len(frame)-6)] = byte(random.Uint32() >> random.IntN(8))
		}
		err := c.Send(frame)
		if err == nil {
			_, err = c.Receive()
		}
		switch {
		case err == nil:
			answered++
		case errors.Is(err, io.EOF):
			closed++
			_ = c.Close() // it is
			c = harness.Dial(t, s.Addr)
		default:
			t.Fatalf("%x: %v", frame, err)
		}
	}
	t.Logf("%d answered, %d closed", answered, closed)
	s.finish(t)
	s.bounded(t, before, frames)
}

// sound are good requests for nothing that exists, so that changing them can do no lasting harm. Those that write,
// wait or create stand aside: a changed one may rightly succeed.
func sound() [][]byte {
	var out [][]byte
	for _, request := range []kmsg.Request{
		fetch("nothing", 0), kmsg.NewPtrMetadataRequest(), kmsg.NewPtrApiVersionsRequest(),
		kmsg.NewPtrListOffsetsRequest(), kmsg.NewPtrOffsetForLeaderEpochRequest(), kmsg.NewPtrDescribeConfigsRequest(),
		kmsg.NewPtrDescribeClusterRequest(), kmsg.NewPtrDescribeLogDirsRequest(), kmsg.NewPtrInitProducerIDRequest(),
		kmsg.NewPtrDescribeTopicPartitionsRequest(), kmsg.NewPtrDeleteRecordsRequest(),
	} {
		if f, is := request.(*kmsg.FetchRequest); is {
			f.MaxWaitMillis = 0
		} else {
			request.SetVersion(request.MaxVersion())
		}
		out = append(out, harness.Request(request, 1))
	}
	return out
}
