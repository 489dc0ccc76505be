package cluster

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// keyed parses a log: "0a 1a- 3b/7 4b/7- 5C/7" are a value of key a at 0, a tombstone at 1, two records of producer 7's transaction and its
// commit marker (A: abort). ! is a delete horizon that has passed.
func keyed(t *testing.T, text string) (out []history.KeyedRecord) {
	t.Helper()
	for _, w := range strings.Fields(text) {
		r := history.KeyedRecord{Horizon: core.NoTimestamp, Producer: core.NoProducerID}
		if rest, ok := strings.CutSuffix(w, "!"); ok {
			w, r.Horizon = rest, 0
		}
		w, r.Tombstone = strings.TrimSuffix(w, "-"), strings.HasSuffix(w, "-")
		w, producer, ok := strings.Cut(w, "/")
		if ok {
			id, err := strconv.Atoi(producer)
			require.NoError(t, err)
			r.Producer = core.ProducerID(id)
		}
		at, err := strconv.Atoi(w[:len(w)-1])
		require.NoError(t, err)
		r.Offset, r.Key, r.Content = core.Offset(at), uint64(w[len(w)-1]), uint64(at)
		switch w[len(w)-1] {
		case 'C':
			r.Keyless, r.Marker = true, history.CommitMarker
		case 'A':
			r.Keyless, r.Marker = true, history.AbortMarker
		}
		out = append(out, r)
	}
	return out
}

// Ten offsets are committed, unless the case says so; what was cleaned are the offsets 0 to 8.
func TestCompactions(t *testing.T) {
	for name, c := range map[string]struct {
		hw            core.Offset
		before, after string
		want          string
	}{
		"nothing":                              {10, "0a 1b", "0a 1b", ""},
		"an older value":                       {10, "0a 1a 9c", "1a 9c", ""},
		"the latest value":                     {10, "0a 1b 9c", "1b 9c", "the latest value of its key, at 0, is gone"},
		"a newer one that is not committed":    {9, "0a 9a", "9a", "the latest value"},
		"a tombstone that was seen":            {10, "0a 1a-! 9c", "9c", ""},
		"a tombstone before its horizon":       {10, "0a 1a- 9c", "9c", "the tombstone at 1 is gone"},
		"a value that was deleted":             {10, "0a 1a-! 9c", "0a 9c", "a value that it deletes is left"},
		"a value from nowhere":                 {10, "0a 9c", "0a 3d 9c", "records have come from nowhere"},
		"another order":                        {10, "0a 1b 9c", "1b 0a 9c", "offset 0 stands behind 1"},
		"older than a committed transaction's": {10, "0a 1a/7 2C/7", "1a/7 2C/7", ""},
		"older than an aborted transaction's":  {10, "0a 1a/7 2A/7", "1a/7 2A/7", "the latest value of its key, at 0"},
		"older than an open transaction's":     {10, "0a 1a/7", "1a/7", "the latest value of its key, at 0"},
		"older, with a marker above":           {2, "0a 1a/7 2C/7", "1a/7 2C/7", "the latest value of its key, at 0"},
		"aborted data":                         {10, "0a 1a/7 2A/7", "0a 2A/7", ""},
		"committed data":                       {10, "0a 1b/7 2C/7", "0a 2C/7", "the latest value of its key, at 1"},
		"data of an open transaction":          {10, "0a 1a/7 3a", "0a 3a", "its transaction is open"},
		"a marker without data":                {10, "0a 1a/7 2C/7! 3a", "3a", ""},
		"a marker before its horizon":          {10, "0a 1a/7 2C/7 3a", "3a", "the marker at 2 is gone"},
		"a marker with data":                   {10, "0a 1b/7 2C/7! 3a", "1b/7 3a", "a record of its transaction is left at 1"},
		"a marker with another's data":         {10, "0a/8 1b/7 2C/7! 3C/8 4b", "0a/8 3C/8 4b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := New()
			key := history.Key{TopicID: topic()}
			o.part(key).hw = c.hw
			o.Compacted(1, history.Compaction{Node: 1, Key: key, Base: 0, End: 9, Wall: 1000, Before: keyed(t, c.before), After: keyed(t, c.after)})
			if c.want == "" {
				require.Empty(t, o.Violations())
				return
			}
			require.Len(t, o.Violations(), 1)
			require.Equal(t, CompactEqual, o.Violations()[0].Property)
			require.Contains(t, o.Violations()[0].Message, c.want)
		})
	}
}
