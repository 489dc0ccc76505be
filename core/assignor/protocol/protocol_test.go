package protocol

import (
	"encoding/hex"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The bytes are those of Kafka 4.4's ConsumerProtocol, StickyAssignor and CooperativeStickyAssignor.
func TestGolden(t *testing.T) {
	owned := []core.TopicPartition{{Topic: "foo", Partition: 1}, {Topic: "bar"}, {Topic: "foo"}}
	sorted := []core.TopicPartition{{Topic: "bar"}, {Topic: "foo"}, {Topic: "foo", Partition: 1}}
	full := Subscription{Topics: []string{"foo", "bar"}, UserData: []byte{1, 2}, Owned: owned, Generation: 7, Rack: "r1"}
	for version, want := range []string{
		"00000000000200036261720003666f6f000000020102",
		"00010000000200036261720003666f6f00000002010200000002000362617200000001000000000003666f6f000000020000000000000001",
		"00020000000200036261720003666f6f00000002010200000002000362617200000001000000000003666f6f00000002000000000000000100000007",
		"00030000000200036261720003666f6f00000002010200000002000362617200000001000000000003666f6f0000000200000000000000010000000700027231",
	} {
		got := full.AppendTo(nil, int16(version))
		require.Equal(t, want, hex.EncodeToString(got))
		back, parsed, err := ParseSubscription(got)
		require.NoError(t, err)
		require.Equal(t, int16(version), parsed)
		expect := Subscription{Topics: []string{"bar", "foo"}, UserData: []byte{1, 2}, Generation: assignor.NoGeneration}
		if version >= 1 {
			expect.Owned = sorted
		}
		if version >= 2 {
			expect.Generation = 7
		}
		if version >= 3 {
			expect.Rack = "r1"
		}
		require.Equal(t, expect, back)
	}
	bare := Subscription{Topics: []string{"foo"}, Generation: assignor.NoGeneration}
	require.Equal(t, "0003000000010003666f6fffffffff00000000ffffffffffff", hex.EncodeToString(bare.AppendTo(nil, Newest)))

	list := []core.TopicPartition{{Topic: "bar", Partition: 2}, {Topic: "foo"}, {Topic: "foo", Partition: 1}}
	require.Equal(t, "000300000002000362617200000001000000020003666f6f000000020000000000000001ffffffff",
		hex.EncodeToString(Assignment{Partitions: list}.AppendTo(nil, 3)))
	require.Equal(t, "000000010003666f6f00000002000000000000000100000007",
		hex.EncodeToString(AppendStickyUserData(nil, sorted[1:], 7)))
	require.Equal(t, "ffffffff", hex.EncodeToString(AppendCooperativeUserData(nil, -1)))
}

// "When it encounters a newer version, it parses it using the current format" (ConsumerProtocolSubscription.json).
func TestNewerVersions(t *testing.T) {
	s := Subscription{Topics: []string{"foo"}, Generation: 4, Rack: "r"}
	src := append(s.AppendTo(nil, Newest), 1, 2, 3)
	src[1] = 9
	got, version, err := ParseSubscription(src)
	require.NoError(t, err)
	require.Equal(t, int16(9), version)
	require.Equal(t, s, got)
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		src  string
		want error
	}{
		"nothing":                {"", ErrShort},
		"negative version":       {"ffff00000000ffffffff", ErrVersion},
		"null topics":            {"0000ffffffffffffffff", ErrNull},
		"more topics than bytes": {"00007fffffff0001", ErrShort},
		"null topic":             {"000000000001ffffffffffff", ErrNull},
		"user data too long":     {"0000000000000000000501", ErrShort},
		"partitions too many":    {"000100000000ffffffff00000001000161400000000000", ErrShort},
	} {
		src, err := hex.DecodeString(c.src)
		require.NoError(t, err)
		got, _, err := ParseSubscription(src)
		require.ErrorIs(t, err, c.want, name)
		require.Zero(t, got, name)
	}
	_, _, err := ParseAssignment([]byte{0})
	require.ErrorIs(t, err, ErrShort)
	none, _, err := ParseAssignment(nil)
	require.NoError(t, err)
	require.Zero(t, none)
}

// Where members keep what they had: StickyAssignor.memberData and CooperativeStickyAssignor.memberData.
func TestMember(t *testing.T) {
	had := []core.TopicPartition{{Topic: "t", Partition: 2}}
	fields := []core.TopicPartition{{Topic: "t", Partition: 5}}
	s := Subscription{Topics: []string{"t"}, Owned: fields, Generation: 6, Rack: "r", UserData: AppendStickyUserData(nil, had, 4)}
	want := assignor.Member{ID: "m", InstanceID: "i", Rack: "r", Topics: []string{"t"}, Owned: had, Generation: 4}
	require.Equal(t, want, s.Member(assignor.Sticky, "m", "i"))
	want.Owned, want.Generation = fields, 6
	require.Equal(t, want, s.Member(assignor.CooperativeSticky, "m", "i"))

	s.Generation, s.UserData = assignor.NoGeneration, AppendCooperativeUserData(nil, 3)
	require.Equal(t, int32(3), s.Member(assignor.CooperativeSticky, "m", "").Generation)
	for _, broken := range [][]byte{nil, {1}, {0, 0, 0}} {
		s.UserData = broken
		require.Equal(t, assignor.NoGeneration, s.Member(assignor.CooperativeSticky, "m", "").Generation)
		m := s.Member(assignor.Sticky, "m", "")
		require.Empty(t, m.Owned)
		require.Equal(t, assignor.NoGeneration, m.Generation)
	}
	// Version 0 of the sticky user data has no generation.
	full := AppendStickyUserData(nil, had, 9)
	owned, generation := ParseStickyUserData(full[:len(full)-4])
	require.Equal(t, had, owned)
	require.Equal(t, assignor.NoGeneration, generation)
}

func drawPartitions(t *rapid.T) []core.TopicPartition {
	return rapid.SliceOf(rapid.Custom(func(t *rapid.T) core.TopicPartition {
		return core.TopicPartition{
			Topic: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "topic"), Partition: rapid.Int32().Draw(t, "partition"),
		}
	})).Draw(t, "partitions")
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Subscription{
			Topics: rapid.SliceOf(rapid.String()).Draw(t, "topics"), UserData: rapid.SliceOf(rapid.Byte()).Draw(t, "data"),
			Owned: drawPartitions(t), Generation: rapid.Int32Min(-1).Draw(t, "generation"), Rack: rapid.String().Draw(t, "rack"),
		}
		src := s.AppendTo(nil, Newest)
		back, _, err := ParseSubscription(src)
		require.NoError(t, err)
		require.ElementsMatch(t, s.Topics, back.Topics)
		require.ElementsMatch(t, s.Owned, back.Owned)
		require.Equal(t, src, back.AppendTo(nil, Newest))
		for end := range src {
			_, _, err := ParseSubscription(src[:end])
			require.Error(t, err, "cut at %d", end)
		}
		a := Assignment{Partitions: drawPartitions(t), UserData: s.UserData}
		src = a.AppendTo(nil, 1)
		again, _, err := ParseAssignment(src)
		require.NoError(t, err)
		require.ElementsMatch(t, a.Partitions, again.Partitions)
		require.Equal(t, src, again.AppendTo(nil, 1))
	})
}

// FuzzParse reads anything; what is accepted must be read from its own encoding again.
func FuzzParse(f *testing.F) {
	s := Subscription{Topics: []string{"foo"}, Owned: []core.TopicPartition{{Topic: "foo"}}, Generation: 3, Rack: "r"}
	for version := range Newest + 1 {
		f.Add(s.AppendTo(nil, version))
	}
	f.Add(Assignment{Partitions: s.Owned}.AppendTo(nil, 0))
	f.Fuzz(func(t *testing.T, src []byte) {
		if s, version, err := ParseSubscription(src); err == nil {
			back, _, err := ParseSubscription(s.AppendTo(nil, min(version, Newest)))
			require.NoError(t, err)
			require.ElementsMatch(t, s.Owned, back.Owned)
			require.Equal(t, s.UserData, back.UserData)
		}
		if a, version, err := ParseAssignment(src); err == nil {
			back, _, err := ParseAssignment(a.AppendTo(nil, version))
			require.NoError(t, err)
			require.ElementsMatch(t, a.Partitions, back.Partitions)
		}
		owned, generation := ParseStickyUserData(src)
		back, again := ParseStickyUserData(AppendStickyUserData(nil, owned, generation))
		require.ElementsMatch(t, owned, back)
		require.Equal(t, generation, again)
	})
}
