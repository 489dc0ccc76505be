package conn

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// framed is the stream that consists of the given frames.
func framed(frames ...[]byte) []byte {
	var out []byte
	for _, f := range frames {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(f))), f...)
	}
	return out
}

// drain takes all whole frames.
func drain(t require.TestingT, f *Framer) [][]byte {
	var out [][]byte
	for {
		frame, err := f.Next()
		require.NoError(t, err)
		if frame == nil {
			return out
		}
		out = append(out, frame)
	}
}

// receive writes b through Space and Advance as a socket would.
func receive(f *Framer, b []byte) []byte {
	n := copy(f.Space(), b)
	f.Advance(n)
	return b[n:]
}

// lender lends memory with something in it, and spoils what it gets back.
type lender struct{}

func (lender) Take(size int) []byte { return bytes.Repeat([]byte{0xa5}, size+size/3)[:0] }
func (lender) Give(room []byte) {
	room = room[:cap(room)]
	for i := range room {
		room[i] = 0x5a
	}
}

// TestFramerCutsAnyhow feeds a stream in arbitrary pieces, by copy and in place: the frames are always the same.
func TestFramerCutsAnyhow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 3, 100, 4_095, 4_096, 4_097, 70_000, 300_000}), 0, 6).Draw(t, "sizes")
		var frames [][]byte
		for i, size := range sizes {
			frame := make([]byte, size)
			for j := range frame {
				frame[j] = byte(i + j)
			}
			frames = append(frames, frame)
		}
		stream := framed(frames...)
		var memory Memory
		if rapid.Bool().Draw(t, "lent") {
			memory = lender{}
		}
		f := NewFramer(1<<20, memory)
		var got [][]byte
		for sent := 0; sent < len(stream); {
			n := min(len(stream)-sent, rapid.SampledFrom([]int{1, 2, 5, 4_000, 64_000, 100_000}).Draw(t, "piece"))
			if sent > 1_000 && n < 5 { // small pieces around the first lengths only
				n = min(len(stream)-sent, 3_000)
			}
			if rapid.Bool().Draw(t, "copied") {
				f.Feed(stream[sent : sent+n])
			} else {
				n -= len(receive(&f, stream[sent:sent+n]))
			}
			sent += n
			got = append(got, drain(t, &f)...)
		}
		require.Len(t, got, len(frames))
		for i := range frames {
			require.Equal(t, string(frames[i]), string(got[i]))
			if memory != nil {
				continue // what is lent may be larger, and is one frame's alone
			}
			require.Equal(t, len(got[i]), cap(got[i]), "frames must not share memory that an append could reach")
		}
		require.Zero(t, f.Buffered())
	})
}

// TestFramerMemoryFollowsBytes announces 100 MiB and sends little.
func TestFramerMemoryFollowsBytes(t *testing.T) {
	f := NewFramer(DefaultMaxFrame, nil)
	f.Feed(binary.BigEndian.AppendUint32(nil, 100<<20))
	require.Empty(t, drain(t, &f))
	require.LessOrEqual(t, f.Held(), firstBuffer+stagingMax)
	sent := 0
	chunk := make([]byte, 10_000)
	for sent < 5<<20 {
		f.Feed(chunk)
		sent += len(chunk)
		require.Empty(t, drain(t, &f))
		require.LessOrEqual(t, f.Held(), 2*sent+firstBuffer+stagingMax)
	}
}

// TestFramerTrustsWhatItHasSeen: a connection that sends frames of 1 MiB gets the memory for the next with its first 64 KiB, and not before;
// one that does not gets little, and so does one that has sent nothing of the kind for long.
func TestFramerTrustsWhatItHasSeen(t *testing.T) {
	f := NewFramer(DefaultMaxFrame, nil)
	begin := func() (held, afterwards int) {
		f.Feed(binary.BigEndian.AppendUint32(nil, 1<<20))
		require.Empty(t, drain(t, &f))
		held = f.Held()
		rest := receive(&f, make([]byte, firstBuffer+1))
		require.Empty(t, drain(t, &f))
		f.Feed(rest)
		require.Empty(t, drain(t, &f))
		afterwards = cap(f.frame)
		f.Feed(make([]byte, 1<<20-firstBuffer-1))
		require.Len(t, drain(t, &f), 1)
		return held, afterwards
	}
	held, afterwards := begin()
	require.Less(t, held, 2*firstBuffer)
	require.Less(t, afterwards, 4*firstBuffer, "nothing is known of it")
	held, afterwards = begin()
	require.Less(t, held, 2*firstBuffer, "four bytes have come")
	require.Equal(t, 1<<20, afterwards)
	for range 50 {
		f.Feed(framed([]byte("small")))
		require.Len(t, drain(t, &f), 1)
	}
	_, afterwards = begin()
	require.Less(t, afterwards, 4*firstBuffer, "it is long ago")
}

// TestFramerOfALength: a frame of which nothing has come but its length has begun.
func TestFramerOfALength(t *testing.T) {
	f := NewFramer(DefaultMaxFrame, nil)
	stream := framed([]byte("frame"))
	for n := 1; n < len(stream); n++ {
		f.Feed(stream[n-1 : n])
		require.Empty(t, drain(t, &f))
		require.Equal(t, n, f.Buffered())
	}
	f.Feed(stream[len(stream)-1:])
	require.Len(t, drain(t, &f), 1)
	require.Zero(t, f.Buffered())
}

func TestFramerRefusesLengths(t *testing.T) {
	for _, size := range []uint32{1<<20 + 1, 0x7fffffff, 0x80000000, 0xffffffff} {
		f := NewFramer(1<<20, nil)
		f.Feed(framed([]byte("good")))
		f.Feed(binary.BigEndian.AppendUint32(nil, size))
		frame, err := f.Next()
		require.NoError(t, err)
		require.Equal(t, "good", string(frame), "what came before stands")
		for range 2 {
			_, err = f.Next()
			require.ErrorIs(t, err, ErrFrameLength)
		}
		require.LessOrEqual(t, f.Held(), stagingMax)
	}
	f := NewFramer(1<<20, nil)
	f.Feed(framed(make([]byte, 1<<20)))
	require.Len(t, drain(t, &f), 1, "the limit itself is allowed")
}

func FuzzFramer(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02ab\x00\x00\x00\x00\xff\xff\xff\xff"), uint8(3))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		whole, pieces := NewFramer(1<<16, nil), NewFramer(1<<16, nil)
		whole.Feed(stream)
		want, wantErr := drainAll(&whole)
		var got [][]byte
		var gotErr error
		for at := 0; at < len(stream); {
			n := min(len(stream)-at, int(piece)+1)
			pieces.Feed(stream[at : at+n])
			at += n
			var more [][]byte
			more, gotErr = drainAll(&pieces)
			got = append(got, more...)
			if gotErr != nil {
				break
			}
		}
		require.Equal(t, want, got)
		require.Equal(t, wantErr == nil, gotErr == nil)
		if gotErr == nil {
			require.Equal(t, whole.Buffered(), pieces.Buffered())
		}
		require.LessOrEqual(t, pieces.Held(), 3*len(stream)+firstBuffer+2*stagingMax)
	})
}

func drainAll(f *Framer) ([][]byte, error) {
	var out [][]byte
	for {
		frame, err := f.Next()
		if frame == nil || err != nil {
			return out, err
		}
		out = append(out, frame)
	}
}
