package coord_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/record"
)

// journal is a machine whose state is what has been replayed, in words.
type journal struct {
	seen   []string
	active bool
}

func (j *journal) Replay(e *coord.Entry) error {
	if string(e.Key) == "bad" {
		return errors.New("cannot be read")
	}
	s := fmt.Sprintf("%d %s=%s", e.Offset, e.Key, e.Value)
	if e.Value == nil {
		s = fmt.Sprintf("%d %s gone", e.Offset, e.Key)
	}
	if e.ProducerID != core.NoProducerID {
		s += fmt.Sprintf(" by %d/%d", e.ProducerID, e.ProducerEpoch)
	}
	j.seen = append(j.seen, s)
	return nil
}

func (j *journal) EndTxn(producer core.ProducerID, epoch core.ProducerEpoch, commit bool) {
	j.seen = append(j.seen, fmt.Sprintf("end %d/%d %v", producer, epoch, commit))
}

func (j *journal) Activate(core.Now) { j.active = true }

// log is the partition below.
type log struct {
	batches []record.Batch
	end     core.Offset
	refuse  core.ErrorCode
}

func (l *log) Append(_ core.Now, _ int32, epoch core.LeaderEpoch, batch []byte) (core.Offset, core.ErrorCode) {
	if l.refuse != core.ErrNone {
		return 0, l.refuse
	}
	b := record.Batch(batch)
	b.SetBaseOffset(l.end)
	b.SetPartitionLeaderEpoch(epoch)
	l.batches = append(l.batches, b)
	l.end = b.NextOffset()
	return l.end, core.ErrNone
}

func (l *log) from(o core.Offset) (data []byte) {
	for _, b := range l.batches {
		if b.NextOffset() > o {
			data = append(data, b...)
		}
	}
	return data
}

type shard = coord.Shard[*journal, string]

func newShard(l *log) *shard {
	return coord.New[*journal, string](coord.Options[*journal]{
		Partition: 3, Log: l, AnswerTimeout: 5 * core.Second, New: func(core.LeaderEpoch) *journal { return &journal{} },
	})
}

func activated(t require.TestingT, l *log, epoch core.LeaderEpoch) *shard {
	s := newShard(l)
	s.Lead(epoch, 0, l.end)
	s.Loaded(epoch, l.from(0), true)
	s.Advanced(core.Now{}, epoch, l.end)
	require.Equal(t, coord.Active, s.Phase())
	return s
}

func rec(key, value string) coord.Record { return coord.Record{Key: []byte(key), Value: []byte(value)} }

func TestNothingIsServedBeforeWhatWasLoadedIsCommitted(t *testing.T) {
	l := &log{}
	first := activated(t, l, 1)
	require.Zero(t, first.Propose(core.Now{}, []coord.Record{rec("a", "1"), rec("b", "2")}))

	s := newShard(l)
	require.Equal(t, core.ErrNotCoordinator, s.Phase().Code())
	s.Lead(2, 0, l.end)
	require.Equal(t, core.ErrCoordinatorLoadInProgress, s.Phase().Code())
	from, wanted := s.Wanted()
	require.True(t, wanted)
	require.Zero(t, from)
	s.Loaded(1, l.from(0), true)
	require.Equal(t, coord.Loading, s.Phase(), "a read of another leadership")
	s.Loaded(2, l.from(0), false)
	require.Equal(t, coord.Settling, s.Phase())
	require.Equal(t, core.ErrCoordinatorLoadInProgress, s.Phase().Code(), "not committed yet")
	require.False(t, s.Machine().active)
	require.False(t, s.Advanced(core.Now{}, 2, 1))
	require.True(t, s.Advanced(core.Now{}, 2, 2))
	require.True(t, s.Machine().active)
	require.Equal(t, []string{"0 a=1", "1 b=2"}, s.Machine().seen)
}

func TestAnswersLeaveInOrderWhenCommitted(t *testing.T) {
	l := &log{}
	s := activated(t, l, 1)
	next := func(now core.Now) string {
		a, committed, ok := s.Next(now)
		if !ok {
			return ""
		}
		return fmt.Sprintf("%s %v", a, committed)
	}
	s.Defer(core.Now{}, "read of nothing")
	require.Equal(t, "read of nothing true", next(core.Now{}))
	require.Zero(t, s.Propose(core.Now{}, []coord.Record{rec("a", "1")}))
	s.Defer(core.Now{}, "write a")
	s.Defer(core.Now{}, "read a")
	require.Zero(t, s.Propose(core.Now{}, []coord.Record{rec("b", "1")}))
	s.Defer(core.Now{Mono: core.Second}, "write b")
	require.Equal(t, "", next(core.Now{}))
	s.Advanced(core.Now{}, 1, 1)
	require.Equal(t, "write a true", next(core.Now{}))
	require.Equal(t, "read a true", next(core.Now{}))
	require.Equal(t, "", next(core.Now{}))
	at, ok := s.NextDeadline()
	require.True(t, ok)
	require.Equal(t, 6*core.Second, at)
	require.Equal(t, "write b false", next(core.Now{Mono: at}), "its time is up")
	s.Defer(core.Now{}, "late")
	require.Equal(t, []string{"late"}, s.Unlead())
	require.Equal(t, coord.Inactive, s.Phase())
	require.Nil(t, s.Machine())
}

func TestRefusedProposalChangesNothing(t *testing.T) {
	l := &log{refuse: core.ErrNotEnoughReplicas}
	s := activated(t, l, 1)
	require.Equal(t, core.ErrNotEnoughReplicas, s.Propose(core.Now{}, []coord.Record{rec("a", "1")}))
	require.Empty(t, s.Machine().seen)
	require.Zero(t, s.End())
	require.Zero(t, s.Propose(core.Now{}, nil), "nothing to refuse")
}

func TestUnreadableRecordFailsTheLeadershipOnly(t *testing.T) {
	l := &log{}
	var b record.Builder
	b.Begin(nil, record.Options{})
	require.NoError(t, b.Append(0, []byte("bad"), nil, nil))
	data, err := b.Finish(&record.Codecs{})
	require.NoError(t, err)
	_, code := l.Append(core.Now{}, 3, 1, data)
	require.Zero(t, code)
	s := newShard(l)
	s.Lead(1, 0, l.end)
	s.Loaded(1, l.from(0), true)
	require.Equal(t, coord.Failed, s.Phase())
	require.Equal(t, core.ErrNotCoordinator, s.Phase().Code())
	require.Contains(t, s.Why(), "offset 0")
	s.Unlead()
	s.Lead(2, l.end, l.end)
	require.Equal(t, coord.Settling, s.Phase())
}

func TestDamagedBatchIsNotLoaded(t *testing.T) {
	l := &log{}
	s := activated(t, l, 1)
	require.Zero(t, s.Propose(core.Now{}, []coord.Record{rec("a", "1")}))
	l.batches[0][len(l.batches[0])-1] ^= 1
	s = newShard(l)
	s.Lead(2, 0, l.end)
	s.Loaded(2, l.from(0), true)
	require.Equal(t, coord.Failed, s.Phase())
}

// Whatever is proposed, and however the log is cut into reads, loading gives at every prefix what the leader had there.
func TestLiveIsReplayed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &log{}
		s := activated(t, l, 1)
		for i := range rapid.IntRange(1, 12).Draw(t, "steps") {
			p := coord.Producer{ID: core.ProducerID(rapid.IntRange(1, 2).Draw(t, "producer")), Epoch: 4}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				require.Zero(t, s.ProposeTxn(core.Now{}, p, []coord.Record{rec("t", "x")}))
			case 1:
				var b record.Builder
				b.Begin(nil, record.Options{Control: true, Transactional: true, Idempotent: true, ProducerID: p.ID, ProducerEpoch: p.Epoch, BaseSequence: record.NoSequence})
				require.NoError(t, b.AppendEndTxn(0, i%2 == 0, 1))
				marker, err := b.Finish(&record.Codecs{})
				require.NoError(t, err)
				next, _ := l.Append(core.Now{}, 3, 1, marker)
				s.Marked(1, next, &coord.Marker{ProducerID: p.ID, Epoch: p.Epoch, Commit: i%2 == 0})
			default:
				var recs []coord.Record
				for k := range rapid.IntRange(1, 4).Draw(t, "records") {
					recs = append(recs, rec(fmt.Sprint("k", k), fmt.Sprint(i)))
				}
				require.Zero(t, s.Propose(core.Now{}, append(recs, coord.Record{Key: []byte("gone")})))
			}
			require.Equal(t, l.end, s.End())
			loaded := newShard(l)
			loaded.Lead(2, 0, l.end)
			for from, wanted := loaded.Wanted(); wanted; from, wanted = loaded.Wanted() {
				data := l.from(from)
				cut := rapid.IntRange(len(l.batches[0]), max(len(l.batches[0]), len(data))).Draw(t, "cut")
				first, _, err := record.ParseBatch(data)
				require.NoError(t, err)
				loaded.Loaded(2, data[:max(min(cut, len(data)), len(first))], false)
			}
			require.Equal(t, s.Machine().seen, loaded.Machine().seen)
		}
	})
}
