// Package hist counts durations in a histogram of bounded relative error, after HdrHistogram: buckets double in width
// with each power of two, and every power of two is divided into 64 equal parts. A percentile is at most 1/64 above
// the duration that it stands for. All arithmetic is on integers, adding allocates nothing.
package hist

import (
	"math"
	"math/bits"
	"time"
)

const (
	subBits = 6
	sub     = 1 << subBits // buckets per power of two
	buckets = (64 - subBits) * sub
)

// Hist is a histogram. The zero value is empty and ready. It belongs to one goroutine; histograms of several are put
// together with [Hist.Merge].
type Hist struct {
	counts [buckets]int64
	n      int64
	sum    int64 // ns, saturating
	least  int64
	most   int64
}

// Add counts a duration. Negative ones count as zero.
func (h *Hist) Add(d time.Duration) {
	v := max(int64(d), 0)
	h.counts[index(v)]++
	if h.n == 0 || v < h.least {
		h.least = v
	}
	h.most = max(h.most, v)
	h.n++
	if h.sum > math.MaxInt64-v {
		h.sum = math.MaxInt64
	} else {
		h.sum += v
	}
}

// Merge adds all that another histogram counted.
func (h *Hist) Merge(o *Hist) {
	if o.n == 0 {
		return
	}
	for i, c := range o.counts {
		h.counts[i] += c
	}
	if h.n == 0 || o.least < h.least {
		h.least = o.least
	}
	h.most = max(h.most, o.most)
	h.n += o.n
	if h.sum > math.MaxInt64-o.sum {
		h.sum = math.MaxInt64
	} else {
		h.sum += o.sum
	}
}

// Count is how many durations were added.
func (h *Hist) Count() int64 { return h.n }

// Max is the longest duration, exactly; 0 if there is none.
func (h *Hist) Max() time.Duration { return time.Duration(h.most) }

// Min is the shortest duration, exactly; 0 if there is none.
func (h *Hist) Min() time.Duration { return time.Duration(h.least) }

// Mean is the average; 0 if there is none.
func (h *Hist) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return time.Duration(h.sum / h.n)
}

// Quantile is the duration that permille thousandths of all durations do not exceed: 500 is the median, 999 is
// p99.9. It is 0 if nothing was counted.
func (h *Hist) Quantile(permille int) time.Duration {
	if h.n == 0 {
		return 0
	}
	// The rank, rounded up, in a way that does not overflow.
	q, r := h.n/1000, h.n%1000
	rank := max(q*int64(permille)+(r*int64(permille)+999)/1000, 1)
	seen := int64(0)
	for i, c := range h.counts {
		if seen += c; seen >= rank {
			return time.Duration(min(upper(i), h.most))
		}
	}
	return time.Duration(h.most)
}

// index is the bucket of a value: values below sub have one each.
func index(v int64) int {
	if v < sub {
		return int(v)
	}
	shift := bits.Len64(uint64(v)) - subBits - 1 // v>>shift has subBits+1 digits
	return shift<<subBits + int(v>>shift)
}

// upper is the largest value of a bucket.
func upper(i int) int64 {
	if i < 2*sub {
		return int64(i)
	}
	shift := i>>subBits - 1
	return (int64(i&(sub-1)|sub)+1)<<shift - 1
}
