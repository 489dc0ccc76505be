package log

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/pstate"
	"github.com/klamm-log/klamm/core/record"
)

func TestAssignEpoch(t *testing.T) {
	for _, c := range []struct {
		name    string
		entries []EpochStart
		epoch   core.LeaderEpoch
		start   core.Offset
		want    []EpochStart
	}{
		{"first", nil, 3, 0, []EpochStart{{3, 0}}},
		{"more of the same", []EpochStart{{3, 0}}, 3, 7, []EpochStart{{3, 0}}},
		{"the next", []EpochStart{{3, 0}}, 4, 7, []EpochStart{{3, 0}, {4, 7}}},
		{"instead of one without records", []EpochStart{{3, 0}, {4, 7}}, 5, 7, []EpochStart{{3, 0}, {5, 7}}},
		// A leader of epoch 4 was deposed before it appended; its successor still has records of epoch 3 for it.
		{"more of the one before one without records", []EpochStart{{3, 0}, {4, 7}}, 3, 7, []EpochStart{{3, 0}}},
		{"an older one after one without records", []EpochStart{{2, 0}, {5, 7}}, 3, 7, []EpochStart{{2, 0}, {3, 7}}},
		{"earlier than known", []EpochStart{{2, 0}, {3, 7}}, 3, 5, []EpochStart{{2, 0}, {3, 5}}},
		{"none", []EpochStart{{2, 0}}, -1, 5, []EpochStart{{2, 0}}},
	} {
		e := epochCache{entries: append([]EpochStart(nil), c.entries...), saved: len(c.entries)}
		e.assign(c.epoch, c.start)
		require.Equal(t, c.want, e.entries, c.name)
		same := len(c.want) == len(c.entries) && (len(c.want) == 0 || c.want[len(c.want)-1] == c.entries[len(c.entries)-1])
		require.Equal(t, !same, e.dirty, c.name)
		require.LessOrEqual(t, e.saved, len(e.entries), c.name)
		if e.saved > 0 {
			require.Equal(t, c.entries[:e.saved], e.entries[:e.saved], c.name)
		}
	}
}

func leaderBatch(t *testing.T, base core.Offset, e core.LeaderEpoch, n int) record.Batch {
	return batchOf(t, record.Options{BaseOffset: base, PartitionLeaderEpoch: e}, n, 10, 100)
}

func TestAppendFromLeaderJudgesEpochs(t *testing.T) {
	w := openWorld(t, Config{})
	take := func(newest core.LeaderEpoch, batches ...record.Batch) Appended {
		var data []byte
		for _, b := range batches {
			data = append(data, b...)
		}
		return w.log.AppendFromLeader(w.now, data, newest)
	}
	a := take(5, leaderBatch(t, 0, 2, 2), leaderBatch(t, 2, 5, 1), leaderBatch(t, 3, 5, 1)[:30])
	require.Equal(t, core.ErrNone, a.Code, a.Why)
	require.Equal(t, core.Offset(2), a.Last)
	require.Equal(t, int64(len(leaderBatch(t, 0, 2, 2))+len(leaderBatch(t, 2, 5, 1))), a.Consumed)
	require.Equal(t, core.ErrCorruptMessage, take(5, leaderBatch(t, 3, 6, 1)).Code, "newer than the leader")
	require.Equal(t, core.ErrCorruptMessage, take(9, leaderBatch(t, 3, 4, 1)).Code, "older than the record before")
	require.Equal(t, core.ErrCorruptMessage, take(9, leaderBatch(t, 3, 7, 1), leaderBatch(t, 4, 6, 1)).Code)
	require.Equal(t, core.Offset(3), w.log.LogEndOffset(), "nothing of it")
	w.log.AssignEpoch(8) // led, and was deposed without a record
	require.Equal(t, core.ErrNone, take(9, leaderBatch(t, 3, 5, 2)).Code)
	require.Equal(t, []EpochStart{{2, 0}, {5, 2}}, w.log.Epochs())
}

func TestTakeOffline(t *testing.T) {
	w := openWorld(t, Config{})
	w.append(1, 10, 1)
	w.log.TakeOffline(Failure{Code: core.ErrKafkaStorageError, What: "the leader lacks records"})
	w.endTurn()
	w.run()
	f, offline := w.log.Offline()
	require.True(t, offline)
	require.Equal(t, "the leader lacks records", f.What)
	require.Equal(t, core.ErrKafkaStorageError, w.log.AppendFromLeader(w.now, leaderBatch(t, 1, 0, 1), 0).Code)
}

func TestJournal(t *testing.T) {
	w := openWorld(t, Config{Journal: true, SegmentBytes: 300})
	require.Equal(t, []Entry{{Kind: EntryOpened, Base: 0, Last: -1}}, w.log.TakeJournal())
	w.log.AssignEpoch(4)
	for range 4 {
		w.append(2, 50, 100)
		w.endTurn()
		w.run()
	}
	j := w.log.TakeJournal()
	require.Len(t, j, 4)
	contents := w.contents()
	for i, e := range j {
		b := record.Batch(contents[core.Offset(2*i)])
		h := b.Header()
		require.Equal(t, core.NoProducerID, e.Producer.ProducerID)
		e.Producer = pstate.Batch{}
		require.Equal(t, Entry{Kind: EntryAppended, Base: h.BaseOffset, Last: h.LastOffset(), Epoch: 4, CRC: h.CRC}, e)
	}
	require.Empty(t, w.log.TakeJournal())

	require.Equal(t, core.ErrNone, w.log.DeleteRecordsBefore(w.now, 3, 8, &w.out))
	require.Equal(t, []Entry{{Kind: EntryStartRaised, Base: 3}}, w.log.TakeJournal())
	w.endTurn()
	w.run()
	w.log.TruncateTo(w.now, 6, &w.out)
	w.run()
	w.mustBeReady()
	require.Equal(t, []Entry{{Kind: EntryTruncated, Base: 6}}, w.log.TakeJournal())
	n := w.reopen(Past{LogStartOffset: 3})
	require.Equal(t, []Entry{{Kind: EntryOpened, Base: 3, Last: 5}}, n.log.TakeJournal())
	n.log.TruncateFullyAndStartAt(n.now, 20, &n.out)
	n.run()
	n.mustBeReady()
	require.Equal(t, []Entry{{Kind: EntryRestarted, Base: 20}}, n.log.TakeJournal())

	quiet := openWorld(t, Config{})
	quiet.append(1, 10, 1)
	require.Empty(t, quiet.log.TakeJournal())
}

// TestNothingIsPromisedWhileALogIsMade: a log that is emptied has no segments for a moment, and a recovery point that were written then
// would speak of what is not there. Wherever the process ends, the next one opens what it finds.
func TestNothingIsPromisedWhileALogIsMade(t *testing.T) {
	for steps, over := 0, false; !over; steps++ {
		w := openWorld(t, Config{})
		for range 5 {
			w.append(1, 10, 1)
		}
		w.endTurn()
		w.run()
		past := Past{RecoveryPoint: w.log.RecoveryPoint()}
		require.Equal(t, core.Offset(5), past.RecoveryPoint)
		w.log.Checkpointed(w.now, past.RecoveryPoint, &w.out)
		w.log.TruncateFullyAndStartAt(w.now, 20, &w.out)
		for range steps {
			if most, needs := w.log.NeedsCheckpoint(); needs {
				w.log.Checkpointed(w.now, most, &w.out)
			}
			w.submit()
			if over = len(w.disk.queue) == 0; over {
				break
			}
			w.step()
		}
		past.RecoveryPoint = w.log.RecoveryPoint() // the broker writes its checkpoint just now
		n := newWorld(t, w.log.cfg, w.disk.crash(), past)
		n.run()
		n.mustBeReady()
	}
}

// TestTheLogStartIsNotAboveWhereALogBeginsAnew: the checkpoint that a truncation waits for says no log start above what is appended then.
func TestTheLogStartIsNotAboveWhereALogBeginsAnew(t *testing.T) {
	w := openWorld(t, Config{})
	for range 10 {
		w.append(1, 10, 1)
	}
	w.endTurn()
	w.run()
	require.Equal(t, core.ErrNone, w.log.DeleteRecordsBefore(w.now, 8, 10, &w.out))
	w.log.Supposed(w.log.RecoveryPoint())
	w.log.TruncateFullyAndStartAt(w.now, 5, &w.out)
	point, waits := w.log.NeedsCheckpoint()
	require.True(t, waits)
	past := Past{RecoveryPoint: point, LogStartOffset: w.log.LogStartOffset()}
	w.log.Checkpointed(w.now, point, &w.out)
	w.endTurn()
	w.run()
	w.mustBeReady()
	require.Equal(t, core.Offset(5), w.append(1, 10, 1).Base)
	w.endTurn()
	w.run()
	n := w.reopen(past)
	require.Equal(t, []core.Offset{5, 6}, []core.Offset{n.log.LogStartOffset(), n.log.LogEndOffset()})
}
