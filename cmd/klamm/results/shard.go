package results

import (
	"fmt"
	"strconv"
	"strings"
)

// Shard is a share of a sweep's seeds: of every Of seeds in a row, one.
//
// Seeds are dealt out in turn, not in blocks. So the shards of a sweep are equally long whatever the number of seeds, each
// begins with small seeds, and a sweep that is cut short on all shards has run the first seeds. It also does not matter
// whether shards are counted from 0 or from 1: Index counts modulo Of, and n in a row are all of them.
type Shard struct {
	Index, Of uint64
}

// Whole is the shard with all seeds.
func Whole() Shard { return Shard{0, 1} }

// ParseShard reads "i/n". The empty text is the whole.
func ParseShard(s string) (Shard, error) {
	if s == "" {
		return Whole(), nil
	}
	i, n, _ := strings.Cut(s, "/")
	index, err := strconv.ParseUint(i, 10, 32)
	of, err2 := strconv.ParseUint(n, 10, 32)
	if err != nil || err2 != nil || of == 0 || index > of {
		return Shard{}, fmt.Errorf("%q is not a shard: 2/8 is the second of eight; 0/8 and 8/8 are the same", s)
	}
	return Shard{index, of}, nil
}

// String is "i/n" as it was given; empty for the whole.
func (s Shard) String() string {
	if s.Of <= 1 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Of)
}

// First is the shard's first seed of a sweep that begins with first, and how many of n it has.
func (s Shard) First(first uint64, n int64) (seed uint64, count int64) {
	offset := int64(s.Index % s.Of)
	if offset >= n {
		return first + uint64(offset), 0
	}
	return first + uint64(offset), (n-offset-1)/int64(s.Of) + 1
}
