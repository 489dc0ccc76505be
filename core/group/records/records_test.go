package records_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord/coding"
	"github.com/klamm-log/klamm/core/group/records"
)

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func ptr[T any](v T) *T { return &v }

// The bytes were written by the classes of Apache Kafka 4.4 (org.apache.kafka.coordinator.group.generated).
func TestKeysAreKafkas(t *testing.T) {
	offset := records.OffsetKey{Group: "g", Topic: "topic", Partition: 7}
	golden := unhex(t, "00010001670005746f70696300000007")
	require.Equal(t, golden, offset.AppendTo(nil))
	parsed, err := records.ParseOffsetKey(golden)
	require.NoError(t, err)
	require.Equal(t, offset, parsed)

	group := records.GroupKey{Group: "grüße"}
	golden = unhex(t, "000200076772c3bcc39f65")
	require.Equal(t, golden, group.AppendTo(nil))
	parsedGroup, err := records.ParseGroupKey(golden)
	require.NoError(t, err)
	require.Equal(t, group, parsedGroup)
	version, err := records.KeyVersion(golden)
	require.NoError(t, err)
	require.Equal(t, records.KeyGroup, version)
}

func TestOffsetValuesAreKafkas(t *testing.T) {
	id := core.TopicIDFromWords(0x0102030405060708, 0x090a0b0c0d0e0f10)
	full := records.OffsetValue{
		Offset: 42, LeaderEpoch: 5, Metadata: "é", Committed: 1234567890123, Expires: core.NoTimestamp, TopicID: id,
	}
	noEpoch := full
	noEpoch.LeaderEpoch, noEpoch.TopicID = core.NoLeaderEpoch, core.TopicID{}
	expiring, noID := noEpoch, full
	expiring.Expires, noID.TopicID = 1234567890999, core.TopicID{}
	for _, c := range []struct {
		golden  string
		want    records.OffsetValue
		written bool // this is the version that is written for the value
	}{
		{"0000000000000000002a0002c3a90000011f71fb04cb", noEpoch, false},
		{"0001000000000000002a0002c3a90000011f71fb04cb0000011f71fb0837", expiring, true},
		{"0002000000000000002a0002c3a90000011f71fb04cb", noEpoch, false},
		{"0003000000000000002a000000050002c3a90000011f71fb04cb", noID, false},
		{"0004000000000000002a0000000503c3a90000011f71fb04cb00", noID, true},
		{"0004000000000000002a0000000503c3a90000011f71fb04cb0100100102030405060708090a0b0c0d0e0f10", full, true},
	} {
		v, err := records.ParseOffsetValue(unhex(t, c.golden))
		require.NoError(t, err, c.golden)
		require.Equal(t, c.want, v, c.golden)
		if c.written {
			require.Equal(t, c.golden, hex.EncodeToString(c.want.AppendTo(nil)))
		}
	}
	_, err := records.ParseOffsetValue([]byte{0, 5})
	require.ErrorIs(t, err, coding.ErrVersion)
}

func TestGroupValuesAreKafkas(t *testing.T) {
	full := records.GroupValue{
		ProtocolType: "consumer", Generation: 3, Protocol: ptr("range"), Leader: ptr("m1"), Since: 99,
		Members: []records.Member{
			{
				ID: "m1", InstanceID: ptr("i1"), ClientID: "c", ClientHost: "/h", RebalanceTimeoutMs: 60000, SessionTimeoutMs: 10000,
				Subscription: []byte{1, 2}, Assignment: []byte{3},
			},
			{
				ID: "m2", ClientID: "c", ClientHost: "/h", RebalanceTimeoutMs: 60000, SessionTimeoutMs: 10000,
				Subscription: []byte{}, Assignment: []byte{},
			},
		},
	}
	golden := []string{
		"00000008636f6e73756d657200000003000572616e676500026d310000000200026d3100016300022f6800002710000000020102000000010300026d3200016300022f68000027100000000000000000",
		"00010008636f6e73756d657200000003000572616e676500026d310000000200026d3100016300022f680000ea6000002710000000020102000000010300026d3200016300022f680000ea60000027100000000000000000",
		"00020008636f6e73756d657200000003000572616e676500026d3100000000000000630000000200026d3100016300022f680000ea6000002710000000020102000000010300026d3200016300022f680000ea60000027100000000000000000",
		"00030008636f6e73756d657200000003000572616e676500026d3100000000000000630000000200026d310002693100016300022f680000ea6000002710000000020102000000010300026d32ffff00016300022f680000ea60000027100000000000000000",
		"000409636f6e73756d6572000000030672616e6765036d31000000000000006303036d310369310263032f680000ea6000002710030102020300036d32000263032f680000ea600000271001010000",
	}
	for version, g := range golden {
		want := full
		want.Members = []records.Member{full.Members[0], full.Members[1]}
		if version < 3 {
			want.Members[0].InstanceID = nil
		}
		if version < 2 {
			want.Since = core.NoTimestamp
		}
		if version < 1 {
			want.Members[0].RebalanceTimeoutMs, want.Members[1].RebalanceTimeoutMs = -1, -1
		}
		v, err := records.ParseGroupValue(unhex(t, g))
		require.NoError(t, err)
		require.Equal(t, want, *v, "version %d", version)
	}
	require.Equal(t, golden[3], hex.EncodeToString(full.AppendTo(nil)))
	require.Equal(t, "0003000000000000ffffffff000000000000000500000000", hex.EncodeToString((&records.GroupValue{Since: 5}).AppendTo(nil)))
}

// What ends early is malformed, wherever it ends, and takes no memory for what is not there.
func TestCutRecordsAreMalformed(t *testing.T) {
	value := (&records.GroupValue{ProtocolType: "consumer", Protocol: ptr("p"), Members: []records.Member{{ID: "m", Subscription: []byte{1}}}}).AppendTo(nil)
	for n := 2; n < len(value); n++ {
		_, err := records.ParseGroupValue(value[:n])
		require.ErrorIs(t, err, coding.ErrMalformed, "%d bytes", n)
	}
	offset := records.OffsetValue{Metadata: "m", Expires: core.NoTimestamp, TopicID: core.TopicID{1}}.AppendTo(nil)
	for n := 2; n < len(offset); n++ {
		_, err := records.ParseOffsetValue(offset[:n])
		require.ErrorIs(t, err, coding.ErrMalformed, "%d bytes", n)
	}
	for _, claim := range []string{
		"0003" + "0000" + "00000000" + "ffff" + "ffff" + "0000000000000000" + "7fffffff", // 2^31 members
		"0004" + "01" + "00000000" + "00" + "00" + "0000000000000000" + "ffffffff0f",     // 2^32 members
		"0003" + "7fff", // a string that is not there
		"0003" + "fffe", // a negative length
		"0004" + "01" + "00000000" + "00" + "00" + "0000000000000000" + "01" + "ffffffff0f", // 2^32 tags
	} {
		allocs := testing.AllocsPerRun(10, func() { _, _ = records.ParseGroupValue(unhex(t, claim)) })
		require.Less(t, allocs, 50.0, claim)
		_, err := records.ParseGroupValue(unhex(t, claim))
		require.ErrorIs(t, err, coding.ErrMalformed, claim)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := records.OffsetValue{
			Offset: core.Offset(rapid.Int64().Draw(t, "offset")), LeaderEpoch: core.LeaderEpoch(rapid.Int32().Draw(t, "epoch")),
			Metadata: rapid.StringN(0, 100, 4096).Draw(t, "metadata"), Committed: core.Wall(rapid.Int64().Draw(t, "committed")),
			Expires: core.NoTimestamp, TopicID: core.TopicIDFromWords(rapid.Uint64().Draw(t, "id"), 0),
		}
		parsed, err := records.ParseOffsetValue(v.AppendTo(nil))
		require.NoError(t, err)
		require.Equal(t, v, parsed)
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0})
	f.Add((&records.GroupValue{Members: []records.Member{{ID: "m"}}}).AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := records.ParseGroupValue(b); err == nil {
			again, err := records.ParseGroupValue(v.AppendTo(nil))
			require.NoError(t, err)
			require.Equal(t, len(v.Members), len(again.Members))
		}
		if v, err := records.ParseOffsetValue(b); err == nil && v.Expires == core.NoTimestamp {
			again, err := records.ParseOffsetValue(v.AppendTo(nil))
			require.NoError(t, err)
			require.Equal(t, v, again)
		}
		_, _ = records.ParseOffsetKey(b)
		_, _ = records.ParseGroupKey(b)
	})
}
