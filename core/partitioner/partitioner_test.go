package partitioner

import (
	"testing"

	"github.com/klamm-log/klamm/core/prng"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The hashes are those of Kafka's UtilsTest.testMurmur2.
func TestMurmur2EqualsJava(t *testing.T) {
	for _, c := range []struct {
		key  string
		hash int32
	}{
		{"21", -973932308},
		{"foobar", -790332482},
		{"a-little-bit-long-string", -985981536},
		{"a-little-bit-longer-string", -1486304829},
		{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
		{"abc", 479470107},
		{"\x0c\x2a\x38\x18\x6d\x6f", 274204207},
		{"", 275646681},
	} {
		require.Equal(t, c.hash, int32(Murmur2([]byte(c.key))), "%q", c.key)
		require.Equal(t, int32(int64(c.hash)&0x7fffffff%12), ForKey([]byte(c.key), 12), "%q", c.key)
	}
}

// toPositive masks the sign bit: with the absolute value "foobar" would go to partition 2 of 10, not 6.
func TestForKeyMasksTheSign(t *testing.T) {
	require.Equal(t, int32(6), ForKey([]byte("foobar"), 10))
}

type machine interface {
	Partition(View, []byte) int32
	Appended(View, int32, int64, bool)
}

func drawView(t *rapid.T) View {
	v := View{Partitions: rapid.Int32Range(1, 40).Draw(t, "partitions")}
	for p := range v.Partitions {
		if rapid.IntRange(0, 3).Draw(t, "has leader") > 0 {
			v.Available = append(v.Available, p)
			v.Queued = append(v.Queued, rapid.Int32Range(0, 9).Draw(t, "queue"))
		}
	}
	return v
}

func TestChoicesAreInRangeAndRepeatable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		build := func() machine {
			switch kind {
			case 0:
				return &RoundRobin{}
			case 1:
				return NewSticky(prng.New(seed))
			case 2:
				return NewUniformSticky(prng.New(seed), 100, false)
			}
			return NewUniformSticky(prng.New(seed), 100, true)
		}
		a, b := build(), build()
		for range rapid.IntRange(1, 60).Draw(t, "records") {
			v := drawView(t)
			var key []byte
			if kind != 0 && rapid.Bool().Draw(t, "keyed") {
				key = rapid.SliceOf(rapid.Byte()).Draw(t, "key")
				if key == nil {
					key = []byte{}
				}
			}
			p := a.Partition(v, key)
			require.Equal(t, p, b.Partition(v, key))
			require.GreaterOrEqual(t, p, int32(0))
			require.Less(t, p, v.Partitions)
			if key != nil {
				require.Equal(t, ForKey(key, v.Partitions), p)
			}
			bytes := rapid.Int64Range(1, 200).Draw(t, "bytes")
			opened := rapid.Bool().Draw(t, "new batch")
			a.Appended(v, p, bytes, opened)
			b.Appended(v, p, bytes, opened)
		}
	})
}

// A partition without a leader gets no keyless records while others have one.
func TestFreshChoicesAvoidPartitionsWithoutLeader(t *testing.T) {
	v := View{Partitions: 9, Available: []int32{2, 5, 7}, Queued: []int32{0, 4, 1}}
	for _, m := range []machine{&RoundRobin{}, NewSticky(prng.New(1)), NewUniformSticky(prng.New(1), 1, false),
		NewUniformSticky(prng.New(1), 1, true)} {
		for range 300 {
			p := m.Partition(v, nil)
			require.Contains(t, v.Available, p)
			m.Appended(v, p, 1, true)
		}
	}
}

func TestRoundRobinIsExactlyBalanced(t *testing.T) {
	v := View{Partitions: 4, Available: []int32{0, 1, 2, 3}}
	var r RoundRobin
	for i := range int32(12) {
		require.Equal(t, i%4, r.Partition(v, []byte("same key")))
		r.Appended(v, i%4, 10, i%3 == 0)
	}
}

func TestStickyStaysForABatchAndThenLeaves(t *testing.T) {
	v := View{Partitions: 5, Available: []int32{0, 1, 2, 3, 4}}
	s := NewSticky(prng.New(3))
	for range 100 {
		p := s.Partition(v, nil)
		s.Appended(v, p, 10, true) // the batch that this choice opened
		require.Equal(t, p, s.Partition(v, nil))
		s.Appended(v, p, 10, false)
		require.Equal(t, p, s.Partition(v, nil))
		s.Appended(v, p, 10, true) // the first one is complete
		require.NotEqual(t, p, s.Partition(v, nil))
	}
}

// KIP-794: at a batch boundary after batch.size bytes, without one at twice that.
func TestUniformStickyChangesByBytes(t *testing.T) {
	v := View{Partitions: 1000}
	u := NewUniformSticky(prng.New(4), 100, false)
	p := u.Partition(v, nil)
	u.Appended(v, p, 60, true)
	u.Appended(v, p, 60, false)
	require.Equal(t, p, u.Partition(v, nil), "no boundary yet")
	u.Appended(v, p, 10, true)
	q := u.Partition(v, nil)
	require.NotEqual(t, p, q, "boundary")
	u.Appended(v, q, 199, false)
	require.Equal(t, q, u.Partition(v, nil))
	u.Appended(v, q, 1, false)
	require.NotEqual(t, q, u.Partition(v, nil), "twice the size")
}

// Shares over many draws; the bounds are six standard deviations wide.
func TestKeylessSharesAreBalanced(t *testing.T) {
	const draws = 40_000
	v := View{Partitions: 4, Available: []int32{0, 1, 2, 3}, Queued: []int32{0, 3, 1, 3}} // weights 4 1 3 1 of 9
	share := func(m machine) (n [4]int) {
		for range draws {
			p := m.Partition(v, nil)
			m.Appended(v, p, 100, true)
			n[p]++
		}
		return n
	}
	for p, n := range share(NewUniformSticky(prng.New(5), 100, false)) {
		require.InDelta(t, draws/4, n, 520, "partition %d", p)
	}
	for p, n := range share(NewUniformSticky(prng.New(5), 100, true)) {
		require.InDelta(t, draws*[4]int{4, 1, 3, 1}[p]/9, n, 600, "partition %d", p)
	}
	keys := [4]int{}
	for i := range draws {
		keys[ForKey([]byte{byte(i), byte(i >> 8), 'k'}, 4)]++
	}
	for p, n := range keys {
		require.InDelta(t, draws/4, n, 520, "partition %d", p)
	}
}

func BenchmarkForKey(b *testing.B) {
	key := []byte("a-little-bit-longer-string")
	b.SetBytes(int64(len(key)))
	for b.Loop() {
		ForKey(key, 12)
	}
}

func BenchmarkUniformSticky(b *testing.B) {
	v := View{Partitions: 4, Available: []int32{0, 1, 2, 3}, Queued: []int32{0, 3, 1, 3}}
	u := NewUniformSticky(prng.New(1), 16<<10, true)
	b.ReportAllocs()
	for b.Loop() {
		u.Appended(v, u.Partition(v, nil), 100, false)
	}
}
