package offsets_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group/offsets"
	"github.com/klamm-log/klamm/core/group/records"
)

func key(group, topic string) records.OffsetKey { return records.OffsetKey{Group: group, Topic: topic} }

func value(offset core.Offset) *records.OffsetValue { return &records.OffsetValue{Offset: offset} }

func at(t *testing.T, s *offsets.Store, group, topic string) core.Offset {
	t.Helper()
	if c, ok := s.Get(group, core.TopicPartition{Topic: topic}); ok {
		return c.Offset
	}
	return core.NoOffset
}

func TestOffsetsOfATransactionWaitForItsMarker(t *testing.T) {
	s := offsets.New()
	s.Replay(key("g", "t"), value(1), 10, core.NoProducerID)
	s.Replay(key("g", "t"), value(2), 11, 7)
	require.Equal(t, core.Offset(1), at(t, s, "g", "t"))
	require.True(t, s.Pending("g", core.TopicPartition{Topic: "t"}))
	require.False(t, s.Pending("g", core.TopicPartition{Topic: "u"}))
	s.EndTxn(8, true)
	require.True(t, s.InTxn("g"), "another producer's marker")
	s.EndTxn(7, true)
	require.Equal(t, core.Offset(2), at(t, s, "g", "t"))
	require.False(t, s.InTxn("g"))

	s.Replay(key("g", "t"), value(3), 12, 7)
	s.EndTxn(7, false)
	require.Equal(t, core.Offset(2), at(t, s, "g", "t"), "aborted")
	require.False(t, s.InTxn("g"))
}

// KAFKA-7296: the record that came later counts, whenever the transaction ends.
func TestLaterRecordCounts(t *testing.T) {
	s := offsets.New()
	s.Replay(key("g", "t"), value(5), 10, 7)
	s.Replay(key("g", "t"), value(9), 11, core.NoProducerID)
	s.EndTxn(7, true)
	require.Equal(t, core.Offset(9), at(t, s, "g", "t"))
}

func TestTombstoneTakesPendingOffsetsToo(t *testing.T) {
	s := offsets.New()
	s.Replay(key("g", "t"), value(5), 10, 7)
	s.Replay(key("g", "u"), value(5), 11, 7)
	s.Replay(key("g", "t"), value(6), 12, core.NoProducerID)
	s.Replay(key("g", "t"), nil, 13, core.NoProducerID)
	s.EndTxn(7, true)
	require.Equal(t, core.NoOffset, at(t, s, "g", "t"))
	require.Equal(t, core.Offset(5), at(t, s, "g", "u"))
	s.Replay(key("h", "t"), value(1), 14, 9)
	s.Replay(key("h", "t"), nil, 15, core.NoProducerID)
	require.False(t, s.Has("h"))
	require.False(t, s.InTxn("h"), "a transaction without offsets holds nothing up")
	require.Equal(t, 1, s.Len())
}
