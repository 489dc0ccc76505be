package hist_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/hist"
	"pgregory.net/rapid"
)

func TestEmpty(t *testing.T) {
	var h hist.Hist
	if h.Quantile(500) != 0 || h.Max() != 0 || h.Min() != 0 || h.Mean() != 0 || h.Count() != 0 {
		t.Errorf("an empty histogram is not all zero: %v %v %v", h.Quantile(500), h.Max(), h.Mean())
	}
}

func TestSmallValuesAreExact(t *testing.T) {
	var h hist.Hist
	for v := range 100 {
		h.Add(time.Duration(v + 1))
	}
	for _, test := range []struct {
		permille int
		want     time.Duration
	}{{0, 1}, {10, 1}, {500, 50}, {900, 90}, {990, 99}, {999, 100}, {1000, 100}} {
		if got := h.Quantile(test.permille); got != test.want {
			t.Errorf("quantile %d of 1..100 is %d, want %d", test.permille, got, test.want)
		}
	}
	if h.Mean() != 50 || h.Min() != 1 || h.Max() != 100 {
		t.Errorf("mean %d, min %d, max %d", h.Mean(), h.Min(), h.Max())
	}
}

func TestExtremes(t *testing.T) {
	var h hist.Hist
	h.Add(-5)
	h.Add(math.MaxInt64)
	h.Add(math.MaxInt64)
	if h.Quantile(1) != 0 || h.Quantile(1000) != math.MaxInt64 || h.Max() != math.MaxInt64 {
		t.Errorf("quantiles %d, %d", h.Quantile(1), h.Quantile(1000))
	}
}

// Every quantile is at least the exact one and at most 1/64 above it, and merging parts changes nothing.
func TestQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 300).Draw(t, "values")
		cut := rapid.IntRange(0, len(values)).Draw(t, "cut")
		permille := rapid.IntRange(1, 1000).Draw(t, "permille")
		var whole, a, b hist.Hist
		for i, v := range values {
			whole.Add(time.Duration(v))
			if i < cut {
				a.Add(time.Duration(v))
			} else {
				b.Add(time.Duration(v))
			}
		}
		a.Merge(&b)
		slices.Sort(values)
		exact := values[(len(values)*permille+999)/1000-1]
		got := int64(whole.Quantile(permille))
		if got < exact || got > exact+exact/64 {
			t.Fatalf("quantile %d of %d values is %d, exactly %d", permille, len(values), got, exact)
		}
		if a != whole {
			t.Fatalf("merged histogram differs: %v, %v", a.Quantile(permille), whole.Quantile(permille))
		}
	})
}

func TestAddAllocatesNothing(t *testing.T) {
	var h hist.Hist
	if n := testing.AllocsPerRun(100, func() { h.Add(12345) }); n != 0 {
		t.Errorf("Add allocates %v times", n)
	}
}
