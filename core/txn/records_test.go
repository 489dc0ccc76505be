package txn_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord/coding"
	"github.com/klamm-log/klamm/core/txn"
)

// The bytes were written by the classes of Apache Kafka 4.4 (org.apache.kafka.coordinator.transaction.generated).
func TestRecordsAreKafkas(t *testing.T) {
	require.Equal(t, "000000076772c3bcc39f65", hex.EncodeToString(txn.AppendKey(nil, "grüße")))
	full := txn.Value{
		ProducerID: 4001, Epoch: 7, PreviousProducerID: 4000, NextProducerID: 4002, TimeoutMs: 60000, State: txn.PrepareCommit,
		Partitions: []core.TopicPartition{{Topic: "a"}, {Topic: "a", Partition: 3}, {Topic: "b", Partition: 1}},
		Updated:    1234567890123, Started: 1234567890000, Client: 2,
	}
	old := full
	old.PreviousProducerID, old.NextProducerID, old.Client = core.NoProducerID, core.NoProducerID, 0
	empty := txn.Value{
		ProducerID: 4001, PreviousProducerID: core.NoProducerID, NextProducerID: core.NoProducerID, TimeoutMs: 60000, Updated: 5,
		Started: core.NoTimestamp,
	}
	for _, c := range []struct {
		version int16
		golden  string
		want    txn.Value
	}{
		{0, "00000000000000000fa100070000ea60020000000200016100000002000000000000000300016200000001000000010000011f71fb04cb0000011f71fb0450", old},
		{0, "00000000000000000fa100000000ea6000ffffffff0000000000000005ffffffffffffffff", empty},
		{1, "00010000000000000fa100070000ea60020302610300000000000000030002620200000001000000011f71fb04cb0000011f71fb04500300080000000000000fa001080000000000000fa202020002", full},
		{1, "00010000000000000fa100000000ea6000000000000000000005ffffffffffffffff00", empty},
	} {
		require.Equal(t, c.golden, hex.EncodeToString(c.want.AppendTo(nil, c.version)))
		golden, err := hex.DecodeString(c.golden)
		require.NoError(t, err)
		v, err := txn.ParseValue(golden)
		require.NoError(t, err)
		require.Equal(t, c.want, v)
		for n := 2; n < len(golden); n++ {
			_, err := txn.ParseValue(golden[:n])
			require.ErrorIs(t, err, coding.ErrMalformed, "%d bytes of version %d", n, c.version)
		}
	}
}

func TestKeysAndStatesThatAreNot(t *testing.T) {
	_, known, err := txn.ParseKey([]byte{0, 1, 9})
	require.NoError(t, err)
	require.False(t, known, "KIP-915: of a newer version")
	_, _, err = txn.ParseKey([]byte{0})
	require.ErrorIs(t, err, coding.ErrMalformed)
	_, err = txn.ParseValue([]byte{0, 2})
	require.ErrorIs(t, err, coding.ErrVersion)
	v := txn.Value{State: txn.Dead}
	_, err = txn.ParseValue(v.AppendTo(nil, 1))
	require.ErrorIs(t, err, coding.ErrMalformed)
	require.False(t, txn.ValidID(""))
	require.False(t, txn.ValidID("\xff"))
	require.False(t, txn.ValidID(strings.Repeat("x", 32768)))
	require.True(t, txn.ValidID(strings.Repeat("x", 32767)))
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := txn.Value{
			ProducerID: core.ProducerID(rapid.Int64Min(0).Draw(t, "id")), Epoch: core.ProducerEpoch(rapid.Int16Min(0).Draw(t, "epoch")),
			PreviousProducerID: core.ProducerID(rapid.Int64Min(-1).Draw(t, "previous")),
			NextProducerID:     core.ProducerID(rapid.Int64Min(-1).Draw(t, "next")),
			TimeoutMs:          rapid.Int32().Draw(t, "timeout"), State: txn.State(rapid.IntRange(1, 5).Draw(t, "state")),
			Updated: core.Wall(rapid.Int64().Draw(t, "updated")), Started: core.Wall(rapid.Int64().Draw(t, "started")),
			Client: txn.Version(rapid.Int16Range(0, 3).Draw(t, "client")),
		}
		for _, topic := range []string{"", "a", "b.c"} {
			for p := range rapid.Int32Range(0, 3).Draw(t, "partitions") {
				v.Partitions = append(v.Partitions, core.TopicPartition{Topic: topic, Partition: p})
			}
		}
		got, err := txn.ParseValue(v.AppendTo(nil, 1))
		require.NoError(t, err)
		require.Equal(t, v, got)
	})
}

func FuzzParseValue(f *testing.F) {
	f.Add((&txn.Value{State: txn.Ongoing, Partitions: []core.TopicPartition{{Topic: "t"}}}).AppendTo(nil, 1))
	f.Add((&txn.Value{State: txn.Ongoing, Partitions: []core.TopicPartition{{Topic: "t"}}}).AppendTo(nil, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := txn.ParseValue(b)
		if err != nil {
			return
		}
		again, err := txn.ParseValue(v.AppendTo(nil, 1))
		require.NoError(t, err)
		require.Equal(t, v, again)
	})
}
