package tally

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
)

func TestMajorityEnd(t *testing.T) {
	for _, c := range []struct {
		ends []core.Offset
		want core.Offset
	}{
		{nil, core.NoOffset},
		{[]core.Offset{7}, 7},
		{[]core.Offset{7, 3}, 3}, // two voters need both
		{[]core.Offset{7, 3, 5}, 5},
		{[]core.Offset{7, core.NoOffset, core.NoOffset}, core.NoOffset},
		{[]core.Offset{9, 8, 2, 1}, 2}, // four need three
		{[]core.Offset{9, 8, 5, 2, 1}, 5},
	} {
		if got := MajorityEnd(slices.Clone(c.ends)); got != c.want {
			t.Errorf("MajorityEnd(%v) = %d, want %d", c.ends, got, c.want)
		}
	}
}

// A majority has everything below the end, and no majority has more.
func TestMajorityEndIsAMajoritys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ends []core.Offset
		for _, e := range rapid.SliceOfN(rapid.Int64Range(-1, 20), 1, 9).Draw(t, "ends") {
			ends = append(ends, core.Offset(e))
		}
		before := slices.Clone(ends)
		end, have, more := MajorityEnd(ends), 0, 0
		for _, e := range ends {
			if e >= end {
				have++
			}
			if e > end {
				more++
			}
		}
		if have < len(ends)/2+1 || more >= len(ends)/2+1 {
			t.Fatalf("MajorityEnd(%v) = %d", before, end)
		}
	})
}

func TestCommittedOnlyPastTheEpochStart(t *testing.T) {
	for _, c := range []struct {
		ends          []core.Offset
		start, before core.Offset
		want          core.Offset
	}{
		{[]core.Offset{10, 10, 10}, 10, core.NoOffset, core.NoOffset}, // the LeaderChange record at 10 is on nobody's disk: KAFKA-12619
		{[]core.Offset{11, 10, 10}, 10, core.NoOffset, core.NoOffset},
		{[]core.Offset{11, 11, 0}, 10, core.NoOffset, 11},
		{[]core.Offset{20, 12, 0}, 10, 15, 15}, // a change of the voter set has lowered what a majority has
	} {
		if got := Committed(c.ends, c.start, c.before); got != c.want {
			t.Errorf("Committed(%v, %d, %d) = %d, want %d", c.ends, c.start, c.before, got, c.want)
		}
	}
}

func TestHeardSince(t *testing.T) {
	if got := HeardSince([]core.Mono{100, 40, 70}); got != 70 {
		t.Error("of three, the second counts:", got)
	}
	if got := HeardSince([]core.Mono{100, 40, 70, 10}); got != 40 {
		t.Error("of four, the third counts:", got)
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		n, granted, refused int
		want                Verdict
	}{
		{1, 0, 0, Undecided}, {1, 1, 0, Won}, {3, 1, 1, Undecided}, {3, 2, 0, Won}, {3, 1, 2, Lost},
		{4, 2, 1, Undecided}, {4, 2, 2, Lost}, {4, 3, 0, Won}, {5, 2, 3, Lost}, {5, 3, 2, Won},
	} {
		if got := Judge(c.n, c.granted, c.refused); got != c.want {
			t.Errorf("Judge(%d, %d, %d) = %d, want %d", c.n, c.granted, c.refused, got, c.want)
		}
	}
}

func TestSuccessorDelay(t *testing.T) {
	const most = 1000
	for i, want := range []core.Mono{0, 250, 500} {
		if got := SuccessorDelay(i, 3, most); got != want {
			t.Errorf("heir %d of 3 waits %d, want %d", i, got, want)
		}
	}
	for _, at := range []int{-1, 3} {
		if got := SuccessorDelay(at, 3, most); got != most {
			t.Errorf("position %d waits %d", at, got)
		}
	}
	if got := SuccessorDelay(0, 0, most); got != most {
		t.Error("nobody is preferred:", got)
	}
}
