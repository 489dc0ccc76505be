package modern

import (
	"encoding/hex"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord/coding"
	"github.com/stretchr/testify/require"
)

func TestKeys(t *testing.T) {
	for want, k := range map[string]Key{
		"0003000167":           {Kind: KindGroup, Group: "g"},
		"0004000167":           {Kind: KindTopics, Group: "g"},
		"000500016700016d":     {Kind: KindMember, Group: "g", Name: "m"},
		"0006000167":           {Kind: KindTarget, Group: "g"},
		"000700016700016d":     {Kind: KindTargetOf, Group: "g", Name: "m"},
		"000800016700016d":     {Kind: KindCurrentOf, Group: "g", Name: "m"},
		"00100001670003612e2a": {Kind: KindRegex, Group: "g", Name: "a.*"},
	} {
		src := k.AppendTo(nil)
		require.Equal(t, want, hex.EncodeToString(src))
		back, err := ParseKey(src)
		require.NoError(t, err)
		require.Equal(t, k, back)
		require.True(t, IsModern(int16(k.Kind)))
	}
	for _, other := range []int16{0, 1, 2, 9, 15, 17} {
		require.False(t, IsModern(other))
	}
}

// The bytes are those of Kafka 4.4's generated classes.
func TestValues(t *testing.T) {
	one, two := core.TopicID{15: 1}, core.TopicID{7: 1, 15: 2}
	at := func(topic core.TopicID, index, since int32) Held { return Held{Partition{topic, index}, since} }
	current := &Member{
		Epoch: 6, PreviousEpoch: 5, State: Unrevoked, Assigned: []Held{at(one, 0, 3), at(one, 2, 4)}, Revoking: []Held{at(two, 5, 6)},
	}
	full := &Member{
		InstanceID: str("i"), RackID: str("r"), ClientID: "c", ClientHost: "h", Topics: []string{"bar", "foo"}, Regex: "a.*",
		RebalanceTimeoutMs: 300, ServerAssignor: str("range"),
		Classic: &ClassicMember{SessionTimeoutMs: 45_000, Protocols: []ClassicProtocol{{Name: "range", Metadata: []byte{1, 2}}}},
	}
	parsed := func(parse func([]byte, *Member) error) func([]byte) (any, error) {
		return func(src []byte) (any, error) {
			m := &Member{}
			return m, parse(src, m)
		}
	}
	for name, c := range map[string]struct {
		want  string
		bytes []byte
		value any
		parse func([]byte) (any, error)
	}{
		"group": {
			"0000000000070100080000000000000102", epochValue{7, 258}.appendTo(nil), epochValue{7, 258},
			func(src []byte) (any, error) { return parseEpoch(src) },
		},
		"group without hash": {
			"00000000000700", epochValue{epoch: 7}.appendTo(nil), epochValue{epoch: 7},
			func(src []byte) (any, error) { return parseEpoch(src) },
		},
		"target": {
			"00000000000601000800000000000003e8", epochValue{6, 1000}.appendTo(nil), epochValue{6, 1000},
			func(src []byte) (any, error) { return parseEpoch(src) },
		},
		"target of": {
			"00000300000000000000000000000000000001030000000000000002000000000000000001000000000000000202000000050000",
			appendTarget(nil, []Partition{{one, 0}, {one, 2}, {two, 5}}), []Partition{{one, 0}, {one, 2}, {two, 5}},
			func(src []byte) (any, error) { return parseTarget(src) },
		},
		"current of": {
			"0000000000060000000501020000000000000000000000000000000103000000000000000201000903000000030000000402000000000000000100000000000000020200000005010005020000000600",
			appendCurrent(nil, current), current, parsed(parseCurrent),
		},
		"member": {
			"00000269027202630268030462617204666f6f04612e2a0000012c0672616e6765010011010000afc8020672616e67650301020000",
			appendMember(nil, full), full, parsed(parseMember),
		},
		"regex": {
			"000003036162036163000000000000000c00000000000003e800",
			(&Resolved{Topics: []string{"ab", "ac"}, Version: 12, At: 1000}).appendTo(nil),
			&Resolved{Topics: []string{"ab", "ac"}, Version: 12, At: 1000},
			func(src []byte) (any, error) { return parseResolved(src) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, hex.EncodeToString(c.bytes))
			back, err := c.parse(c.bytes)
			require.NoError(t, err)
			require.Equal(t, c.value, back)
			for end := range c.bytes {
				_, err := c.parse(c.bytes[:end])
				require.Error(t, err, "cut at %d", end)
			}
			_, err = c.parse(append([]byte{0, 1}, c.bytes[2:]...))
			require.ErrorIs(t, err, coding.ErrVersion)
		})
	}
}

// Before KIP-1251 members had no assignment epochs: their own counts.
func TestCurrentWithoutEpochs(t *testing.T) {
	src, err := hex.DecodeString("00000000000600000005000200000000000000000000000000000001030000000200000000000100")
	require.NoError(t, err)
	var m Member
	require.NoError(t, parseCurrent(src, &m))
	one := core.TopicID{15: 1}
	require.Equal(t, []Held{{Partition{one, 0}, 6}, {Partition{one, 2}, 6}}, m.Assigned)
}

// FuzzReplay lets a group replay any record: it is read or refused, and a refused one changes nothing.
func FuzzReplay(f *testing.F) {
	for _, kind := range []Kind{KindGroup, KindTopics, KindMember, KindTarget, KindTargetOf, KindCurrentOf, KindRegex} {
		f.Add(int16(kind), appendTarget(nil, []Partition{{core.TopicID{1}, 3}}))
		f.Add(int16(kind), appendCurrent(nil, &Member{Epoch: 3, Assigned: []Held{{Partition{core.TopicID{1}, 3}, 2}}}))
		f.Add(int16(kind), appendMember(nil, &Member{Topics: []string{"a"}, Classic: &ClassicMember{}}))
		f.Add(int16(kind), (&Resolved{Topics: []string{"a"}}).appendTo(nil))
		f.Add(int16(kind), []byte(nil))
	}
	f.Fuzz(func(t *testing.T, kind int16, value []byte) {
		r := newRig(t)
		r.topics.set("a", 2)
		r.joins("m", "a")
		before := New(r.env, "g")
		for _, rec := range r.log {
			replay(t, before, rec)
		}
		if len(value) == 0 {
			value = nil
		}
		if err := r.g.Replay(Key{Kind: Kind(kind), Group: "g", Name: "m"}, value); err != nil {
			require.True(t, r.g.Equal(before))
		}
	})
}

// A member's record of itself is not about partitions. Here the log's beginning is old, since the replica was away: the records in which A
// gave its partition up, and B got it, are not in the middle any more, as later ones say the same. That A has said something must not
// take the partition from B (seed 9910018 of groups).
func TestWhoSaysSomethingTakesNothing(t *testing.T) {
	g := New(newRig(t).env, "g")
	p := Held{Partition{core.TopicID{15: 1}, 3}, 6}
	record := func(kind Kind, m *Member, write func([]byte, *Member) []byte) {
		require.NoError(t, g.Replay(Key{Kind: kind, Group: "g", Name: m.ID}, write(nil, m)))
	}
	a, b := &Member{ID: "A", Topics: []string{"foo"}}, &Member{ID: "B", Topics: []string{"foo"}}
	require.NoError(t, g.Replay(Key{Kind: KindGroup, Group: "g"}, epochValue{epoch: 12}.appendTo(nil)))
	require.NoError(t, g.Replay(Key{Kind: KindTarget, Group: "g"}, epochValue{epoch: 12}.appendTo(nil)))
	a.Epoch, a.Assigned = 6, []Held{p}
	record(KindMember, a, appendMember)
	record(KindCurrentOf, a, appendCurrent)
	b.Epoch, b.Assigned = 12, []Held{p}
	record(KindMember, b, appendMember)
	record(KindCurrentOf, b, appendCurrent)
	record(KindMember, a, appendMember)
	a.Epoch, a.Assigned = 12, nil
	record(KindCurrentOf, a, appendCurrent)
	g.Restore(core.Now{})
	g.Check()
	require.Equal(t, "B", g.holder[p.Partition])
}
