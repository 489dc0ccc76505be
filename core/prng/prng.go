// Package prng is Klamm's only source of randomness: a seeded, integer-only generator that splits into labelled,
// independent streams.
//
// A stream's draws depend on its seed and its label path alone, never on how often a sibling stream was used. So
// removing one fault, client or link from a plan leaves every other decision as it was, which is what makes a
// failing seed shrinkable. The generator is xoshiro256** (Blackman and Vigna, 2018), seeded through SplitMix64.
package prng

import "math/bits"

// Rand is one stream. The zero value is not usable; make one with [New] or [Rand.Fork].
type Rand struct {
	root uint64 // the stream's identity, from which forks derive
	s    [4]uint64
}

// New is the root stream of a seed.
func New(seed uint64) *Rand {
	r := &Rand{root: seed}
	x := seed
	for i := range r.s {
		x += 0x9e3779b97f4a7c15
		r.s[i] = mix(x)
	}
	return r
}

// Fork is the independent stream named label below this one. It draws nothing from r: forking the same label twice
// gives equal streams.
func (r *Rand) Fork(label string) *Rand {
	h := r.root ^ 0x6a09e667f3bcc908
	for i := range len(label) {
		h = mix(h ^ uint64(label[i]) + 0x9e3779b97f4a7c15)
	}
	return New(mix(h + uint64(len(label))))
}

// ForkN is Fork for the n-th of a numbered family.
func (r *Rand) ForkN(label string, n int64) *Rand {
	f := r.Fork(label)
	return New(mix(f.root ^ mix(uint64(n)+0x9e3779b97f4a7c15)))
}

// mix is SplitMix64's finalizer.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Uint64 draws 64 uniform bits.
func (r *Rand) Uint64() uint64 {
	s := &r.s
	out := bits.RotateLeft64(s[1]*5, 7) * 9
	t := s[1] << 17
	s[2] ^= s[0]
	s[3] ^= s[1]
	s[1] ^= s[2]
	s[0] ^= s[3]
	s[2] ^= t
	s[3] = bits.RotateLeft64(s[3], 45)
	return out
}

// Below draws uniformly from [0, n); n must be positive. The bias of the multiply-shift is below n/2^64.
func (r *Rand) Below(n int64) int64 {
	if n <= 0 {
		panic("prng: Below needs a positive bound")
	}
	hi, _ := bits.Mul64(r.Uint64(), uint64(n))
	return int64(hi)
}

// Between draws uniformly from [lo, hi]; hi must not be below lo.
func (r *Rand) Between(lo, hi int64) int64 { return lo + r.Below(hi-lo+1) }

// Chance is true num times in den on average; it always draws once.
func (r *Rand) Chance(num, den int64) bool { return r.Below(den) < num }

// Skewed draws from [0, n) with small values far likelier: the number of bits is uniform, then the value.
func (r *Rand) Skewed(n int64) int64 {
	width := r.Below(int64(bits.Len64(uint64(n)))) + 1
	v := r.Below(1 << width)
	return min(v, n-1)
}

// Fill writes random bytes over b.
func (r *Rand) Fill(b []byte) {
	for len(b) >= 8 {
		putUint64(b, r.Uint64())
		b = b[8:]
	}
	last := r.Uint64()
	for i := range b {
		b[i] = byte(last >> (8 * i))
	}
}

func putUint64(b []byte, v uint64) {
	_ = b[7]
	for i := range 8 {
		b[i] = byte(v >> (8 * i))
	}
}

// Shuffle permutes n elements by swaps (Fisher and Yates).
func (r *Rand) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, int(r.Below(int64(i)+1)))
	}
}
