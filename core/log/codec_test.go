package log

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
)

func TestCheckpointGoldenBytes(t *testing.T) {
	id := core.TopicIDFromWords(0x0102030405060708, 0x090a0b0c0d0e0f10)
	offsets := []PartitionOffset{
		{core.TopicPartition{Topic: "a", Partition: 0}, 7}, {core.TopicPartition{Topic: "b-c.d", Partition: 12}, 0}}
	require.Equal(t, "0\n2\na 0 7\nb-c.d 12 0\n", string(AppendOffsets(nil, offsets)))
	back, err := ParseOffsets([]byte("0\n2\na 0 7\nb-c.d 12 0\n"))
	require.NoError(t, err)
	require.Equal(t, offsets, back)

	epochs := []EpochStart{{0, 0}, {3, 17}}
	require.Equal(t, "0\n2\n0 0\n3 17\n", string(AppendEpochs(nil, epochs)))
	e, err := ParseEpochs([]byte("0\n2\n0 0\n3 17\n"))
	require.NoError(t, err)
	require.Equal(t, epochs, e)

	require.Equal(t, "version: 0\ntopic_id: AQIDBAUGBwgJCgsMDQ4PEA", string(AppendPartitionMetadata(nil, id)))
	got, err := ParsePartitionMetadata([]byte("version: 0\ntopic_id: AQIDBAUGBwgJCgsMDQ4PEA\n"))
	require.NoError(t, err)
	require.Equal(t, id, got)

	require.Equal(t, `{"version":0,"brokerEpoch":42}`, string(AppendCleanShutdown(nil, 42)))
	for text, want := range map[string]core.BrokerEpoch{`{"version":0,"brokerEpoch":42}`: 42, "": -1, `{"version":0}`: -1} {
		epoch, err := ParseCleanShutdown([]byte(text))
		require.NoError(t, err)
		require.Equal(t, want, epoch)
	}
	meta := Meta{ClusterID: "MkU3OEVBNTcwNTJENDM2Qk", NodeID: 3, DirectoryID: id}
	text := "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=3\ndirectory.id=AQIDBAUGBwgJCgsMDQ4PEA\n"
	require.Equal(t, text, string(meta.AppendTo(nil)))
	m, err := ParseMeta([]byte("#\n#Mon Jan 01 00:00:00 UTC 2024\n" + text))
	require.NoError(t, err)
	require.Equal(t, meta, m)
	require.Equal(t, "00000000000000000123.timeindex", segmentName(123, timeIndexSuffix))
}

func TestCheckpointsThatAreRefused(t *testing.T) {
	for _, text := range []string{"", "0", "1\n0\n", "0\n2\na 0 7\n", "0\n1\na 0 7\nb 0 7\n", "0\n-1\n", "0\n1\na 0\n", "0\n1\na x 1\n"} {
		_, err := ParseOffsets([]byte(text))
		require.ErrorIs(t, err, ErrCheckpoint, "%q", text)
	}
	for _, text := range []string{"0\n2\n1 5\n1 6\n", "0\n2\n1 5\n2 5\n", "0\n1\n-1 5\n", "0\n999999999\n"} {
		_, err := ParseEpochs([]byte(text))
		require.ErrorIs(t, err, ErrCheckpoint, "%q", text)
	}
}

// TestLargestEpochAtOrBelow is KIP-279's rule and its corners.
func TestLargestEpochAtOrBelow(t *testing.T) {
	c := epochCache{entries: []EpochStart{{2, 10}, {4, 20}, {7, 35}}}
	for asked, want := range map[core.LeaderEpoch]EpochStart{
		-1: {-1, -1}, 0: {0, 10}, 1: {1, 10}, 2: {2, 20}, 3: {2, 20}, 4: {4, 35}, 6: {4, 35}, 7: {7, 50}, 8: {-1, -1}} {
		epoch, end := c.end(asked, 50)
		require.Equal(t, want, EpochStart{epoch, end}, "asked for %d", asked)
	}
	c.truncateEnd(20)
	require.Equal(t, []EpochStart{{2, 10}}, c.entries)
	c.assign(3, 15)
	c.assign(3, 18)
	c.assign(9, 15)
	require.Equal(t, []EpochStart{{2, 10}, {9, 15}}, c.entries)
	c.truncateStart(12)
	require.Equal(t, []EpochStart{{2, 12}, {9, 15}}, c.entries)
	c.truncateStart(15)
	require.Equal(t, []EpochStart{{9, 15}}, c.entries)
	c.entries = []EpochStart{{0, 0}, {1, 50}, {4, 80}, {5, 100}}
	c.reconcile(0, 20)
	c.reconcile(4, 90)
	c.reconcile(4, 100) // the file speaks of a leadership that was cut off
	require.Equal(t, []EpochStart{{0, 0}, {1, 50}, {4, 80}}, c.entries)
	c.reconcile(6, 110)
	require.Equal(t, []EpochStart{{0, 0}, {1, 50}, {4, 80}, {6, 110}}, c.entries)
}

func FuzzCheckpoints(f *testing.F) {
	f.Add([]byte("0\n2\na 0 7\nb-c.d 12 0\n"))
	f.Add([]byte("0\n2\n0 0\n3 17\n"))
	f.Add([]byte("version: 0\ntopic_id: AQIDBAUGBwgJCgsMDQ4PEA"))
	f.Add([]byte(`{"version":0,"brokerEpoch":42}`))
	f.Add([]byte("version=1\ncluster.id=x\nnode.id=3\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if x, err := ParseOffsets(src); err == nil {
			again, err := ParseOffsets(AppendOffsets(nil, x))
			require.NoError(t, err)
			require.Equal(t, x, again)
		}
		if x, err := ParseEpochs(src); err == nil {
			again, err := ParseEpochs(AppendEpochs(nil, x))
			require.NoError(t, err)
			require.Equal(t, x, again)
		}
		if id, err := ParsePartitionMetadata(src); err == nil {
			again, err := ParsePartitionMetadata(AppendPartitionMetadata(nil, id))
			require.NoError(t, err)
			require.Equal(t, id, again)
		}
		if m, err := ParseMeta(src); err == nil {
			again, err := ParseMeta(m.AppendTo(nil))
			require.NoError(t, err)
			require.Equal(t, m, again)
		}
		_, _ = ParseCleanShutdown(src)
	})
}

// FuzzRecovery opens a log over an arbitrary segment and arbitrary index files: it must end ready or offline, and what
// is ready must be readable and stay so when it is opened again.
func FuzzRecovery(f *testing.F) {
	w := openWorld(f, small())
	for i := range 5 {
		w.append(2, 10, core.Wall(i))
	}
	w.endTurn()
	w.run()
	good := w.bytesOf(0).data
	f.Add(good, []byte{}, []byte{}, uint8(0))
	f.Add(good[:len(good)-5], []byte{0, 0, 0, 3, 0, 0, 0, 100}, []byte{1}, uint8(4))
	f.Add(append(bytes.Clone(good), make([]byte, 200)...), []byte{}, []byte{}, uint8(129))
	f.Fuzz(func(t *testing.T, segment, index, times []byte, flags uint8) {
		disk := newDisk(t)
		disk.dirs["t-0"] = true
		for suffix, data := range map[string][]byte{logSuffix: segment, indexSuffix: index, timeIndexSuffix: times} {
			disk.entries["t-0/"+segmentName(0, suffix)] = &inode{data: data, synced: data}
		}
		past := Past{Clean: flags&128 != 0, RecoveryPoint: core.Offset(flags & 127)}
		w := newWorld(t, small(), disk, past)
		w.run()
		if _, failed := w.log.Offline(); failed {
			require.Equal(t, segment, disk.entries["t-0/"+segmentName(0, logSuffix)].data, "not a byte is changed")
			return
		}
		w.mustBeReady()
		if past.Clean {
			return // trusted, not read in full
		}
		all := w.contents()
		n := w.reopen(Past{RecoveryPoint: w.log.RecoveryPoint()})
		require.Equal(t, all, n.contents())
		for base := range all {
			data, code := n.fetch(Query{Offset: base, MaxBytes: 1, MinOneBatch: true, UpperBound: everything})
			require.Equal(t, core.ErrNone, code)
			require.Equal(t, all[base], data)
			require.Equal(t, base, record.Batch(data).BaseOffset())
		}
	})
}
