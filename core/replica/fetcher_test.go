package replica

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// following is node 0 with several empty partitions that follow node 1 in epoch 0, and their fetcher.
func following(t testing.TB, partitions int) (*labNode, *Fetcher) {
	t.Helper()
	l := newLab(t, 1, partitions)
	l.ctl.init(partitions)
	n := l.nodes[0]
	n.start()
	l.run(100 * core.Millisecond)
	f := NewFetcher(1, FetcherOptions{})
	for _, p := range n.parts {
		p.rep.Apply(n.clock(), followed(0, 0), &n.out)
		f.Add(p.rep)
	}
	return n, f
}

func followed(e core.LeaderEpoch, pe core.PartitionEpoch) *metadata.Partition {
	return &metadata.Partition{Replicas: ids(0, 1), ISR: ids(0, 1), Leader: 1, LeaderEpoch: e, PartitionEpoch: pe}
}

// sync lets the disk finish.
func (n *labNode) sync() {
	for _, p := range n.parts {
		p.rep.Log.EndTurn(n.clock(), &n.out)
	}
	for _, op := range n.out.Disk {
		n.disk.Submit(n.l.now, op)
	}
	n.out.Reset()
	for at, ok := n.disk.NextDeadline(); ok; at, ok = n.disk.NextDeadline() {
		n.l.now = max(n.l.now, at)
		n.disk.Poll(at, func(d *step.DiskDone) { n.parts[d.Owner()].rep.Log.DiskDone(n.clock(), d, &n.out) })
		for _, p := range n.parts {
			p.rep.Log.EndTurn(n.clock(), &n.out)
		}
		for _, op := range n.out.Disk {
			n.disk.Submit(n.l.now, op)
		}
		n.out.Reset()
	}
}

// batchAt is a batch as a leader of the epoch would have stored it.
func batchAt(t testing.TB, base core.Offset, e core.LeaderEpoch, n int) []byte {
	t.Helper()
	var b record.Builder
	var c record.Codecs
	b.Begin(nil, record.Options{BaseOffset: base, PartitionLeaderEpoch: e})
	for range n {
		require.NoError(t, b.Append(1, nil, []byte("v"), nil))
	}
	data, err := b.Finish(&c)
	require.NoError(t, err)
	return data
}

func indexes(asked []AskedPartition) (found []int32) {
	for _, a := range asked {
		found = append(found, a.Index)
	}
	return found
}

// answerTo is a good answer with records for some of the partitions.
func answerTo(req FetchRequest, session int32, ps ...FetchedPartition) FetchResponse {
	for i := range ps {
		ps[i].TopicID = topicID()
	}
	return FetchResponse{ID: req.ID, SessionID: session, Partitions: ps}
}

func next(t *testing.T, n *labNode, f *Fetcher) FetchRequest {
	t.Helper()
	req, ok := f.Next(n.clock(), &n.out)
	require.True(t, ok)
	return req
}

func none(t *testing.T, n *labNode, f *Fetcher) {
	t.Helper()
	req, ok := f.Next(n.clock(), &n.out)
	require.False(t, ok, "%+v", req)
}

func TestSessionNamesOnlyWhatHasChanged(t *testing.T) {
	n, f := following(t, 3)
	req := next(t, n, f)
	require.Equal(t, []int32{0, 1, 2}, indexes(req.Partitions))
	require.Equal(t, AskedPartition{TopicID: topicID(), Topic: labTopic, LastFetchedEpoch: -1, MaxBytes: 1 << 20}, req.Partitions[0])
	require.Zero(t, req.SessionID)
	require.Zero(t, req.SessionEpoch)
	none(t, n, f) // one request in flight

	f.Response(n.clock(), answerTo(req, 77, FetchedPartition{Index: 1, Records: batchAt(t, 0, 0, 3), HighWatermark: 2}), &n.out)
	none(t, n, f) // what came is not durable yet
	require.Equal(t, core.Offset(0), n.parts[1].rep.HighWatermark())
	n.sync()
	require.True(t, n.parts[1].rep.Advance(n.clock()))
	require.Equal(t, core.Offset(2), n.parts[1].rep.HighWatermark())
	req = next(t, n, f)
	require.Equal(t, int32(77), req.SessionID)
	require.Equal(t, int32(1), req.SessionEpoch)
	require.Equal(t, []AskedPartition{{TopicID: topicID(), Topic: labTopic, Index: 1, FetchOffset: 3, LastFetchedEpoch: 0,
		HighWatermark: 2, MaxBytes: 1 << 20}}, req.Partitions)

	f.Response(n.clock(), answerTo(req, 77, FetchedPartition{Index: 1, HighWatermark: 3}), &n.out)
	require.Equal(t, core.Offset(3), n.parts[1].rep.HighWatermark())
	req = next(t, n, f)
	require.Equal(t, int32(2), req.SessionEpoch)
	require.Empty(t, req.Partitions, "a HighWatermark alone is no news to the leader")
	f.Response(n.clock(), answerTo(req, 77), &n.out)

	f.Remove(n.parts[0].rep)
	f.Remove(n.parts[2].rep)
	f.Add(n.parts[2].rep)
	req = next(t, n, f)
	require.Equal(t, []ForgottenPartition{{TopicID: topicID(), Topic: labTopic, Index: 0}}, req.Forgotten)
	require.Equal(t, []int32{2}, indexes(req.Partitions), "named, not forgotten: the leader forgets after it adds")
	require.Equal(t, 2, f.Len())
}

// The memory of an answer is given back with the next request: then its records are on the disk. It is not where a log's disk operations
// are out of sight.
func TestAnswersMemoryIsGivenBack(t *testing.T) {
	n, f := following(t, 2)
	answer := func(index int32, from core.Offset) []byte {
		frame := batchAt(t, from, 0, 1)
		resp := answerTo(next(t, n, f), 7, FetchedPartition{Index: index, Records: frame})
		resp.Frame = frame
		f.Response(n.clock(), resp, &n.out)
		none(t, n, f)
		require.Empty(t, n.out.Spent, "it is not durable yet")
		return frame
	}
	frame := answer(0, 0)
	n.sync()
	f.Response(n.clock(), answerTo(next(t, n, f), 7), &n.out)
	require.Len(t, n.out.Spent, 1)
	require.Same(t, &frame[0], &n.out.Spent[0][0])
	n.out.Reset()
	f.Response(n.clock(), answerTo(next(t, n, f), 7), &n.out)
	require.Empty(t, n.out.Spent, "once is enough")

	answer(1, 0)
	f.Remove(n.parts[1].rep)
	f.Response(n.clock(), answerTo(next(t, n, f), 7), &n.out)
	require.Empty(t, n.out.Spent, "nobody waits for that log any more")
}

func TestSessionsEndAndBegin(t *testing.T) {
	n, f := following(t, 2)
	begin := func(id int32) FetchRequest {
		req := next(t, n, f)
		require.Zero(t, req.SessionEpoch)
		require.Len(t, req.Partitions, 2)
		f.Response(n.clock(), answerTo(req, id), &n.out)
		return req
	}
	begin(0) // no session was opened: everything is named again
	begin(7)
	req := next(t, n, f)
	require.Equal(t, int32(1), req.SessionEpoch)
	require.Empty(t, req.Partitions)
	f.Response(n.clock(), FetchResponse{ID: req.ID, Code: core.ErrFetchSessionIDNotFound}, &n.out)
	require.Zero(t, begin(8).SessionID)
	req = next(t, n, f)
	f.Response(n.clock(), FetchResponse{ID: req.ID, Code: core.ErrInvalidFetchSessionEpoch}, &n.out)
	require.Equal(t, int32(8), begin(9).SessionID, "the old one is closed by the way")
	req = next(t, n, f)
	f.Response(n.clock(), answerTo(req, 0), &n.out) // closed by the leader
	require.Zero(t, begin(10).SessionID)
	f.sessionEpoch = 1<<31 - 1
	req = next(t, n, f)
	f.Response(n.clock(), answerTo(req, 10), &n.out)
	require.Equal(t, int32(1), next(t, n, f).SessionEpoch)
}

func TestFailedRequestsBackOff(t *testing.T) {
	n, f := following(t, 1)
	pauses := []core.Mono{20, 40, 80, 160, 320, 640, 1000, 1000}
	for _, ms := range pauses {
		req := next(t, n, f)
		require.True(t, f.InFlight())
		f.Failed(n.clock())
		at, ok := f.NextDeadline()
		require.True(t, ok)
		require.Equal(t, n.l.now+ms*core.Millisecond, at)
		none(t, n, f)
		n.l.now = at
		f.Tick(n.clock())
		f.Response(n.clock(), answerTo(req, 5), &n.out)
		require.False(t, f.InFlight(), "an answer that comes too late is nobody's")
		require.Zero(t, f.sessionID)
	}
	req := next(t, n, f)
	f.Response(n.clock(), FetchResponse{ID: req.ID, Code: core.ErrUnknownServerError}, &n.out)
	none(t, n, f)
	n.l.now += core.Second
	f.Tick(n.clock())
	req = next(t, n, f)
	f.Response(n.clock(), answerTo(req, 5), &n.out)
	f.Failed(n.clock())
	at, _ := f.NextDeadline()
	require.Equal(t, n.l.now+20*core.Millisecond, at, "the good answer has ended the series")
}

func TestAPartitionWithErrorsPausesAlone(t *testing.T) {
	n, f := following(t, 2)
	req := next(t, n, f)
	f.Response(n.clock(), answerTo(req, 7, FetchedPartition{Index: 0, Code: core.ErrNotLeaderOrFollower}), &n.out)
	req = next(t, n, f)
	require.Len(t, req.Forgotten, 1, "or each answer would carry the error")
	f.Response(n.clock(), answerTo(req, 7), &n.out)
	at, ok := f.NextDeadline()
	require.True(t, ok)
	n.l.now = at
	f.Tick(n.clock())
	req = next(t, n, f)
	require.Equal(t, []int32{0}, indexes(req.Partitions))
	f.Response(n.clock(), answerTo(req, 7, FetchedPartition{Index: 0, Code: core.ErrUnknownLeaderEpoch}), &n.out)
	none := next(t, n, f)
	f.Response(n.clock(), answerTo(none, 7), &n.out)
	n.parts[0].rep.Apply(n.clock(), followed(1, 1), &n.out)
	f.Touch(n.parts[0].rep)
	req = next(t, n, f)
	require.Equal(t, []int32{0}, indexes(req.Partitions), "a new epoch may be what was missing")
	require.Equal(t, core.LeaderEpoch(1), req.Partitions[0].CurrentLeaderEpoch)
}

func TestAnswersToWhatWasBeforeAreDropped(t *testing.T) {
	n, f := following(t, 1)
	r := n.parts[0].rep
	good := func() FetchedPartition { return FetchedPartition{Records: batchAt(t, 0, 0, 2), HighWatermark: 9} }
	for name, change := range map[string]func(){
		"a new epoch of the same leader": func() { r.Apply(n.clock(), followed(r.epoch+1, r.partitionEpoch+1), &n.out) },
		"removed and added again":        func() { f.Remove(r); f.Add(r) },
		"another request":                func() { f.Failed(n.clock()); f.retryAt = 0; next(t, n, f) },
	} {
		req := next(t, n, f)
		change()
		f.Response(n.clock(), answerTo(req, 7, good()), &n.out)
		require.Zero(t, r.Log.LogEndOffset(), name)
		f.Failed(n.clock())
		f.retryAt = 0
	}
	req := next(t, n, f)
	g := good()
	g.Records = batchAt(t, 0, r.epoch, 2)
	f.Response(n.clock(), answerTo(req, 7, g), &n.out)
	require.Equal(t, core.Offset(2), r.Log.LogEndOffset())
}

// What one leader called committed says nothing of records that another one sends: the HighWatermark of a new leader
// may lag, and the follower's then waits.
func TestAHighWatermarkBelongsToItsEpoch(t *testing.T) {
	n, f := following(t, 1)
	r := n.parts[0].rep
	f.Response(n.clock(), answerTo(next(t, n, f), 0, FetchedPartition{Records: batchAt(t, 0, 0, 2), HighWatermark: 9}), &n.out)
	n.sync()
	r.Advance(n.clock())
	require.Equal(t, core.Offset(2), r.HighWatermark())
	r.Apply(n.clock(), followed(1, 1), &n.out)
	f.Touch(r)
	f.Response(n.clock(), answerTo(next(t, n, f), 0, FetchedPartition{Records: batchAt(t, 2, 1, 2), HighWatermark: 1}), &n.out)
	n.sync()
	require.False(t, r.Advance(n.clock()))
	require.Equal(t, core.Offset(2), r.HighWatermark(), "neither further nor back")
}

// TestDamageIsNotAppended is BUGS C2, and the fields of a batch that its checksum does not cover.
func TestDamageIsNotAppended(t *testing.T) {
	n, f := following(t, 1)
	r := n.parts[0].rep
	r.Apply(n.clock(), followed(3, 1), &n.out)
	for name, damage := range map[string]func([]byte){
		"a bit of a record":         func(b []byte) { b[len(b)-1] ^= 1 },
		"an epoch after the leader": func(b []byte) { record.Batch(b).SetPartitionLeaderEpoch(4) },
		"an offset ahead":           func(b []byte) { record.Batch(b).SetBaseOffset(1) },
	} {
		f.Touch(r)
		req := next(t, n, f)
		b := batchAt(t, 0, 3, 2)
		damage(b)
		f.Response(n.clock(), answerTo(req, 0, FetchedPartition{Records: b, HighWatermark: 2}), &n.out)
		require.Zero(t, r.Log.LogEndOffset(), name)
		n.l.now += core.Second
		f.Tick(n.clock())
	}
	req := next(t, n, f)
	two := append(batchAt(t, 0, 3, 2), batchAt(t, 2, 2, 1)...)
	f.Response(n.clock(), answerTo(req, 0, FetchedPartition{Records: two}), &n.out)
	require.Zero(t, r.Log.LogEndOffset(), "epochs never fall along a log")
}

// TestACutBelowTheHighWatermarkIsRefused: such a leader lacks committed records, and this replica may be the last that
// has them.
func TestACutBelowTheHighWatermarkIsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  FetchedPartition
		lossy   bool
		unclean bool
		end     core.Offset // -1: offline
	}{
		{"a divergence above it", FetchedPartition{Diverging: true, DivergingEpoch: 0, DivergingEnd: 4}, false, false, 4},
		{"a divergence below it", FetchedPartition{Diverging: true, DivergingEpoch: 0, DivergingEnd: 2}, false, false, -1},
		{"the topic may lose", FetchedPartition{Diverging: true, DivergingEpoch: 0, DivergingEnd: 2}, true, false, 2},
		{"after an unclean election", FetchedPartition{Diverging: true, DivergingEpoch: 0, DivergingEnd: 2}, false, true, 2},
		{"below the leader's log start", FetchedPartition{Code: core.ErrOffsetOutOfRange, LogStartOffset: 9}, false, false, 9},
		{"above the leader's log end", FetchedPartition{Code: core.ErrOffsetOutOfRange, LogStartOffset: 1}, false, false, -1},
		{"above it, and may lose", FetchedPartition{Code: core.ErrOffsetOutOfRange, LogStartOffset: 1}, true, false, 1},
		{"a leader that says nothing", FetchedPartition{Code: core.ErrOffsetOutOfRange, LogStartOffset: -1}, false, false, 6},
		{"a leader that knows no such epoch", FetchedPartition{Diverging: true, DivergingEpoch: -1, DivergingEnd: -1}, false, false, 6},
	} {
		n, f := following(t, 1)
		r := n.parts[0].rep
		records := slices.Concat(batchAt(t, 0, 0, 2), batchAt(t, 2, 0, 2), batchAt(t, 4, 0, 2))
		f.Response(n.clock(), answerTo(next(t, n, f), 0, FetchedPartition{Records: records, HighWatermark: 4}), &n.out)
		n.sync()
		r.Advance(n.clock())
		state := followed(1, 1)
		if c.unclean {
			state.LeaderRecoveryState = metadata.Recovering
		}
		r.Configure(Options{Lossy: c.lossy})
		r.Apply(n.clock(), state, &n.out)
		f.Touch(r)
		f.Response(n.clock(), answerTo(next(t, n, f), 0, c.answer), &n.out)
		n.sync()
		r.Settle()
		if c.end < 0 {
			why, offline := r.Log.Offline()
			require.True(t, offline, c.name)
			require.Contains(t, why.What, "lacks committed records", c.name)
			continue
		}
		require.True(t, r.Log.Ready(), c.name)
		require.Equal(t, c.end, r.Log.LogEndOffset(), c.name)
		r.Check()
	}
}

func TestAnIdleRoundDoesNotAllocateMuch(t *testing.T) {
	n, f := following(t, 500)
	f.Response(n.clock(), answerTo(next(t, n, f), 7), &n.out)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		req, ok := f.Next(n.clock(), &n.out)
		if !ok || len(req.Partitions) > 0 {
			t.Fatal("an empty request was due")
		}
		f.Response(n.clock(), FetchResponse{ID: req.ID, SessionID: 7}, &n.out)
	}), 0.0)
}

// The records that waited for a log to begin anew are appended in the turn in which it has, and the owner hears of it, although
// a request for another partition is on its way. (Found by the simulator: a follower whose only turn after that was the
// answer's appended without a write, and fetched nothing from that leader any more.)
func TestHeldRecordsDoNotWaitForAnAnswer(t *testing.T) {
	n, f := following(t, 2)
	r := n.parts[0].rep
	f.Response(n.clock(), answerTo(next(t, n, f), 7, FetchedPartition{Index: 0, Code: core.ErrOffsetOutOfRange, LogStartOffset: 3}), &n.out)
	n.sync()
	f.Touch(r)
	// The leader's log start lies within its first batch.
	f.Response(n.clock(), answerTo(next(t, n, f), 7, FetchedPartition{Index: 0, Records: batchAt(t, 2, 0, 4), HighWatermark: 6, LogStartOffset: 3}), &n.out)
	require.False(t, r.Log.Ready())
	require.Empty(t, f.AppendHeld(n.clock()))
	req := next(t, n, f) // for the other partition, or for nothing new
	n.sync()
	require.Equal(t, []*Replica{r}, f.AppendHeld(n.clock()))
	require.Equal(t, core.Offset(6), r.Log.LogEndOffset())
	require.Empty(t, f.AppendHeld(n.clock()))
	f.Response(n.clock(), answerTo(req, 7), &n.out)
	none(t, n, f) // what was appended is not durable yet
	n.sync()
	f.Touch(r)
	require.Equal(t, core.Offset(6), next(t, n, f).Partitions[0].FetchOffset)
}
