package log

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/index"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// grown is a durable log of several segments.
func grown(t testing.TB, cfg Config) *world {
	w := openWorld(t, cfg)
	for i := range 30 {
		w.append(2, 40, core.Wall(1000+i))
		w.endTurn()
		w.run()
	}
	return w
}

func (w *world) bytesOf(base core.Offset) *inode {
	return w.disk.entries[w.log.path(segmentName(base, logSuffix))]
}

func TestDamageBelowTheRecoveryPointIsReportedAndNotCut(t *testing.T) {
	w := grown(t, small())
	s := w.log.active()
	size := int(record.Batch(w.bytesOf(s.base).data).SizeInBytes()) // all have the same
	for pos := range int(s.size) {
		if at := pos % size; at >= 12 && at < 16 {
			continue // nothing covers the leader epoch
		}
		disk := w.disk.crash()
		disk.entries = map[string]*inode{}
		for p, f := range w.disk.entries {
			disk.entries[p] = &inode{data: bytes.Clone(f.data), synced: f.synced}
		}
		file := disk.entries[w.log.path(segmentName(s.base, logSuffix))]
		file.data[pos] ^= 0x10
		before := len(file.data)
		n := newWorld(t, small(), disk, Past{RecoveryPoint: w.log.RecoveryPoint()})
		n.run()
		f, failed := n.log.Offline()
		require.True(t, failed, "byte %d", pos)
		require.Equal(t, core.ErrKafkaStorageError, f.Code)
		require.Len(t, file.data, before)

		// The same damage above the recovery point is a torn tail.
		n = newWorld(t, small(), disk, Past{RecoveryPoint: s.base})
		n.run()
		n.mustBeReady()
		require.Less(t, n.log.LogEndOffset(), w.log.LogEndOffset())
	}
}

func TestMissingDurableSegmentIsReported(t *testing.T) {
	w := grown(t, small())
	delete(w.disk.entries, w.log.path(segmentName(w.log.active().base, logSuffix)))
	n := newWorld(t, small(), w.disk.crash(), Past{RecoveryPoint: w.log.RecoveryPoint()})
	n.run()
	f, failed := n.log.Offline()
	require.True(t, failed)
	require.Contains(t, f.What, "were durable")
}

func TestFailedOperationTakesTheLogOffline(t *testing.T) {
	for _, kind := range []step.DiskOpKind{step.Append, step.Sync} {
		for _, code := range []step.DiskError{step.ErrNoSpace, step.ErrIO} {
			w := grown(t, Config{TrackWrites: true})
			durable := w.log.DurableOffset()
			w.disk.fail = func(op *step.DiskOp) step.DiskError {
				if op.Kind == kind {
					return code
				}
				return step.DiskOK
			}
			w.append(1, 1, 1)
			w.endTurn()
			w.run()
			f, failed := w.log.Offline()
			require.True(t, failed)
			require.Contains(t, f.What, code.String())
			require.Equal(t, durable, w.log.DurableOffset())
			require.Equal(t, core.ErrKafkaStorageError, w.log.Locate(Query{UpperBound: everything}).Code)
			b := batchOf(t, record.Options{}, 1, 1, 1)
			require.Equal(t, core.ErrKafkaStorageError, w.log.AppendAsLeader(w.now, b, nil, 0).Code)
			require.Empty(t, w.disk.open, "its files are closed")
			require.Empty(t, w.disk.queue, "nothing is retried")
		}
	}
}

func TestStuckDiskIsADeadline(t *testing.T) {
	w := grown(t, Config{DiskTimeout: core.Second})
	_, pending := w.log.NextDeadline()
	require.False(t, pending, "an idle log has no deadline")
	w.append(1, 1, 1)
	w.endTurn()
	at, pending := w.log.NextDeadline()
	require.True(t, pending)
	require.Equal(t, w.now.Mono+core.Second, at)
	w.now.Mono = at
	w.log.Tick(w.now)
	_, failed := w.log.Offline()
	require.False(t, failed, "it is a little late")
	at, pending = w.log.NextDeadline()
	require.True(t, pending)
	require.Equal(t, w.now.Mono+core.Second/10, at)
	w.now.Mono = at - 1
	w.log.Tick(w.now)
	_, failed = w.log.Offline()
	require.False(t, failed)
	w.now.Mono = at
	w.log.Tick(w.now)
	_, failed = w.log.Offline()
	require.True(t, failed)
}

// A process that was stopped for longer than a disk may be silent (SIGSTOP, a suspended host) finds its deadline passed before it
// hears that its disk has answered in time.
func TestAStoppedProcessDoesNotBlameItsDisk(t *testing.T) {
	w := grown(t, Config{DiskTimeout: core.Second})
	for range 3 {
		end := w.log.LogEndOffset()
		w.append(1, 1, 1)
		w.endTurn()
		w.now.Mono += 40 * core.Second
		w.log.Tick(w.now)
		w.endTurn()
		w.run()
		require.Equal(t, end+1, w.log.DurableOffset())
		_, pending := w.log.NextDeadline()
		require.False(t, pending)
	}
}

func TestFollowerTakesWhatTheLeaderWrote(t *testing.T) {
	leader := grown(t, small())
	follower := openWorld(t, small())
	for follower.log.LogEndOffset() < leader.log.LogEndOffset() {
		data, code := leader.fetch(Query{Offset: follower.log.LogEndOffset(), MaxBytes: 700, MinOneBatch: true, UpperBound: everything})
		require.Equal(t, core.ErrNone, code)
		data = bytes.Clone(data)
		damaged := bytes.Clone(data)
		damaged[70] ^= 1
		require.Equal(t, core.ErrCorruptMessage, follower.log.AppendAsFollower(follower.now, damaged).Code)
		a := follower.log.AppendAsFollower(follower.now, data)
		require.Equal(t, core.ErrNone, a.Code, a.Why)
		require.Positive(t, a.Consumed)
		require.Equal(t, core.ErrOffsetOutOfRange, follower.log.AppendAsFollower(follower.now, data).Code, "not twice")
		follower.endTurn()
		follower.run()
	}
	require.Equal(t, leader.contents(), follower.contents())
	require.Equal(t, leader.log.Epochs(), follower.log.Epochs())
}

func TestDuplicateGetsTheOriginalOffsets(t *testing.T) {
	w := openWorld(t, small())
	o := record.Options{Idempotent: true, ProducerID: 9, BaseSequence: 0}
	first := w.log.AppendAsLeader(w.now, batchOf(t, o, 3, 5, 1), nil, 0)
	w.append(4, 1, 1)
	again := w.log.AppendAsLeader(w.now, batchOf(t, o, 3, 5, 1), nil, 0)
	require.True(t, again.Duplicate)
	require.Equal(t, [2]core.Offset{first.Base, first.Last}, [2]core.Offset{again.Base, again.Last})
	require.Equal(t, core.Offset(7), w.log.LogEndOffset())
}

func TestLogAppendTime(t *testing.T) {
	w := openWorld(t, Config{TimestampType: record.LogAppendTime})
	a := w.log.AppendAsLeader(w.now, batchOf(t, record.Options{}, 2, 5, 1), &record.Summary{MaxTimestamp: 2}, 4)
	require.Equal(t, w.now.Wall, a.AppendTime)
	w.endTurn()
	w.run()
	require.Equal(t, TimeFound{Found: true, Timestamp: w.now.Wall, Epoch: 4}, w.byTime(TimeQuery{Timestamp: 5, UpperBound: everything}))
}

func TestRetentionStopsAtTheHighWatermark(t *testing.T) {
	cfg := small()
	cfg.RetentionMs = 1
	w := grown(t, cfg)
	second := w.log.segments[1].base
	require.Equal(t, core.ErrOffsetOutOfRange, w.log.DeleteRecordsBefore(w.now, 5, 4, &w.out))
	require.Zero(t, w.log.ApplyRetention(w.now, second-1, &w.out))
	require.Equal(t, 1, w.log.ApplyRetention(w.now, second, &w.out))
	require.Equal(t, second, w.log.LogStartOffset())
	w.endTurn()
	w.run()
	require.NotContains(t, w.disk.listing(), "00000000000000000000.")
	end := w.log.LogEndOffset()
	w.log.ApplyRetention(w.now, end, &w.out)
	w.endTurn()
	w.run()
	require.Equal(t, end, w.log.LogStartOffset(), "the active segment is rolled, too")
	require.Equal(t, 1, w.log.Segments())
}

func TestDeleteRemovesTheDirectory(t *testing.T) {
	for _, offline := range []bool{false, true} {
		w := grown(t, small())
		if offline {
			w.log.fail(Failure{Code: core.ErrKafkaStorageError})
		}
		w.log.Delete(w.now, "0123456789abcdef0123456789abcdef", &w.out)
		w.run()
		require.True(t, w.log.Closed())
		require.Empty(t, w.disk.listing())
		require.Empty(t, w.disk.open)
	}
}

// A broker that replays the end of a topic while it still opens the topic's logs deletes them then.
func TestDeleteWhileItIsBeingRecovered(t *testing.T) {
	for steps := 0; ; steps++ {
		old := grown(t, small())
		w := newWorld(t, old.log.cfg, old.disk.crash(), Past{})
		w.submit()
		for range steps {
			w.step()
		}
		if w.log.Ready() {
			require.Greater(t, steps, 5)
			return
		}
		w.log.Delete(w.now, "0123456789abcdef0123456789abcdef", &w.out)
		w.run()
		require.True(t, w.log.Closed(), "deleted after %d operations of the recovery", steps)
		require.Empty(t, w.disk.listing())
		require.Empty(t, w.disk.open)
	}
}

func TestTopicIDIsKeptAndCompared(t *testing.T) {
	id := core.TopicIDFromWords(1, 2)
	w := newWorld(t, small(), newDisk(t), Past{TopicID: id})
	w.run()
	n := w.reopen(Past{})
	require.Equal(t, id, n.log.TopicID())
	n = newWorld(t, small(), n.disk.crash(), Past{TopicID: core.TopicIDFromWords(3, 4)})
	n.run()
	f, _ := n.log.Offline()
	require.Equal(t, core.ErrInconsistentTopicID, f.Code)
}

// The recovery point may have been taken at the very end of a segment that was still active; then its index files are
// whatever an earlier life left.
func TestIndexesOfTheSegmentThatEndsAtTheRecoveryPointAreRebuilt(t *testing.T) {
	w := grown(t, small())
	last := w.log.segments[len(w.log.segments)-2]
	w.disk.entries[w.log.path(segmentName(last.base, timeIndexSuffix))].data = index.Times{{Timestamp: 5, Rel: 0}}.AppendTo(nil)
	n := w.reopen(Past{RecoveryPoint: w.log.active().base})
	want := TimeFound{Found: true, Offset: last.base + 1, Timestamp: core.Wall(1001 + last.base/2)}
	require.Equal(t, want, n.byTime(TimeQuery{Timestamp: want.Timestamp, UpperBound: everything}))
}

func TestCleanersLeftovers(t *testing.T) {
	w := grown(t, small())
	first, second := w.log.segments[0], w.log.segments[1]
	// A cleaner joined the first two segments and was stopped before it removed the second.
	joined := append(bytes.Clone(w.bytesOf(first.base).data), w.bytesOf(second.base).data...)
	w.disk.entries[w.log.path(segmentName(first.base, logSuffix+swapSuffix))] = &inode{data: joined, synced: joined}
	w.disk.entries[w.log.path(segmentName(0, indexSuffix+swapSuffix))] = &inode{}
	w.disk.entries[w.log.path(segmentName(7, logSuffix+cleanedSuffix))] = &inode{}
	w.disk.entries[w.log.path(segmentName(9, logSuffix+deletedSuffix))] = &inode{}
	want := w.contents()
	n := w.reopen(Past{RecoveryPoint: w.log.RecoveryPoint()})
	require.Equal(t, want, n.contents())
	require.NotContains(t, n.disk.listing(), "swap")
	require.NotContains(t, n.disk.listing(), "cleaned")
	require.NotContains(t, n.disk.listing(), "deleted")
	require.NotContains(t, n.disk.listing(), segmentName(second.base, logSuffix))
	checkReads(t, n)
}
