package txn_test

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/txn"
)

type shard = coord.Shard[*txn.Coordinator, string]

// rig is a coordinator over a log in memory. Nothing is committed until the test says so, unless auto is set.
type rig struct {
	t      require.TestingT
	shard  *shard
	now    core.Now
	level  txn.Version
	auto   bool
	refuse core.ErrorCode

	batches []record.Batch
	end, hw core.Offset
	nextID  core.ProducerID
	ids     int // how many producer ids are left
	sent    []txn.Marker
}

func newRig(t require.TestingT, level txn.Version) *rig {
	r := &rig{t: t, level: level, auto: true, nextID: 100, ids: 1_000_000, now: core.Now{Mono: core.Second, Wall: 1_000_000}}
	r.lead(1)
	return r
}

// lead makes a coordinator of what the log holds, as another broker would.
func (r *rig) lead(epoch core.LeaderEpoch) {
	var s *shard
	s = coord.New[*txn.Coordinator, string](coord.Options[*txn.Coordinator]{
		Partition: 3, Log: r, AnswerTimeout: 5 * core.Second, New: func(epoch core.LeaderEpoch) *txn.Coordinator {
			return txn.New(txn.Options{
				Config: config.Transactions{MaxTimeoutMs: 60_000, ExpirationMs: 1_000_000, AbortIntervalMs: 100, RemoveIntervalMs: 1000},
				Epoch:  epoch, Log: s, IDs: r, Level: func() txn.Version { return r.level },
			})
		},
	})
	r.shard, r.sent = s, nil
	s.Lead(epoch, 0, r.end)
	s.Loaded(epoch, r.bytes(len(r.batches)), true)
	r.hw = r.end
	s.Advanced(r.now, epoch, r.hw)
	require.Equal(r.t, coord.Active, s.Phase(), s.Why())
	r.settle()
}

func (r *rig) bytes(batches int) (data []byte) {
	for _, b := range r.batches[:batches] {
		data = append(data, b...)
	}
	return data
}

func (r *rig) Append(_ core.Now, _ int32, epoch core.LeaderEpoch, batch []byte) (core.Offset, core.ErrorCode) {
	if r.refuse != core.ErrNone {
		return 0, r.refuse
	}
	b := record.Batch(batch)
	b.SetBaseOffset(r.end)
	b.SetPartitionLeaderEpoch(epoch)
	r.batches = append(r.batches, b)
	r.end = b.NextOffset()
	return r.end, core.ErrNone
}

func (r *rig) Next() (core.ProducerID, bool) {
	if r.ids == 0 {
		return 0, false
	}
	r.ids--
	r.nextID++
	return r.nextID, true
}

func (r *rig) c() *txn.Coordinator { return r.shard.Machine() }

// truncate loses what is not committed, as a leader's death does.
func (r *rig) truncate() {
	for n := len(r.batches); n > 0 && r.batches[n-1].NextOffset() > r.hw; n-- {
		r.batches = r.batches[:n-1]
	}
	r.end = r.hw
}

// commit moves the HighWatermark to the end of the log.
func (r *rig) commit() {
	r.hw = r.end
	r.shard.Advanced(r.now, r.shard.Epoch(), r.hw)
	r.c().Committed(r.now, r.hw)
	r.take()
}

func (r *rig) settle() {
	if r.auto {
		r.commit()
	}
	r.c().Committed(r.now, r.hw)
	r.take()
	r.c().Check()
}

func (r *rig) take() { r.sent = append(r.sent, r.c().TakeMarkers()...) }

// pass lets time go by.
func (r *rig) pass(d core.Mono) {
	for until := r.now.Mono + d; ; {
		at, ok := r.c().NextDeadline()
		if !ok || at > until {
			r.now.Wall += core.Wall((until - r.now.Mono) / core.Millisecond)
			r.now.Mono = until
			return
		}
		r.now.Wall += core.Wall((at - r.now.Mono) / core.Millisecond)
		r.now.Mono = max(at, r.now.Mono)
		r.c().Expire(r.now)
		r.settle()
	}
}

// answer answers all markers that have been handed out with one code.
func (r *rig) answer(code core.ErrorCode) {
	for len(r.sent) > 0 {
		m := r.sent[0]
		r.sent = r.sent[1:]
		for _, tp := range m.Partitions {
			r.c().MarkerAnswered(r.now, m.ID, m.Producer, tp, code)
		}
		r.settle()
		if code != core.ErrNone {
			return
		}
	}
}

func (r *rig) init(id string, expected ...txn.Producer) (txn.Producer, core.ErrorCode) {
	q := txn.InitRequest{ID: id, TimeoutMs: 10_000}
	if len(expected) > 0 {
		q.Expected = &expected[0]
	}
	got := r.c().InitProducerID(r.now, &q)
	require.False(r.t, got.Again)
	r.settle()
	return got.Producer, got.Code
}

func (r *rig) mustInit(id string, expected ...txn.Producer) txn.Producer {
	p, code := r.init(id, expected...)
	require.Equal(r.t, core.ErrNone, code)
	return p
}

func (r *rig) add(id string, p txn.Producer, version txn.Version, partitions ...int32) core.ErrorCode {
	code := r.c().AddPartitions(r.now, id, p, tps(partitions...), version)
	r.settle()
	return code
}

func (r *rig) finish(id string, p txn.Producer, commit bool, version txn.Version) (txn.Producer, core.ErrorCode) {
	got := r.c().End(r.now, &txn.EndRequest{ID: id, Producer: p, Commit: commit, Version: version})
	require.False(r.t, got.Again)
	r.settle()
	return got.Producer, got.Code
}

func (r *rig) mustAdd(id string, p txn.Producer, version txn.Version, partitions ...int32) {
	require.Equal(r.t, core.ErrNone, r.add(id, p, version, partitions...))
}

func (r *rig) mustEnd(id string, p txn.Producer, commit bool, version txn.Version) {
	_, code := r.finish(id, p, commit, version)
	require.Equal(r.t, core.ErrNone, code)
}

func (r *rig) state(id string) txn.State { return r.c().Txn(id).Value().State }

func tps(partitions ...int32) (list []core.TopicPartition) {
	for _, p := range partitions {
		list = append(list, core.TopicPartition{Topic: "t", Partition: p})
	}
	return list
}

// image is a coordinator's hard state in words.
func image(c *txn.Coordinator) string {
	var b strings.Builder
	for id, t := range c.All() {
		fmt.Fprintf(&b, "%s %+v\n", id, *t.Value())
	}
	return b.String()
}

// replayed is the hard state that another coordinator finds after so many batches.
func (r *rig) replayed(batches int) string {
	c := txn.New(txn.Options{Level: func() txn.Version { return r.level }})
	s := coord.New[*txn.Coordinator, string](coord.Options[*txn.Coordinator]{
		Partition: 3, Log: r, New: func(core.LeaderEpoch) *txn.Coordinator { return c },
	})
	var end core.Offset
	if batches > 0 {
		end = r.batches[batches-1].NextOffset()
	}
	s.Lead(9, 0, end)
	s.Loaded(9, r.bytes(batches), true)
	require.Equal(r.t, coord.Settling, s.Phase(), s.Why())
	return image(c)
}
