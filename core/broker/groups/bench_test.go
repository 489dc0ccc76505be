package groups_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// benchHost is a broker whose log forgets, and commits at once.
type benchHost struct {
	rig
	end [partitions]core.Offset
}

func (h *benchHost) Append(_ core.Now, partition int32, _ core.LeaderEpoch, batch []byte) (core.Offset, core.ErrorCode) {
	h.end[partition] += core.Offset(record.Batch(batch).Header().RecordCount)
	return h.end[partition], core.ErrNone
}

// newBench is a plane that leads everything; settle commits what was appended and takes the answers.
func newBench(b *testing.B) (h *benchHost, settle func()) {
	h = &benchHost{}
	h.rig = rig{t: b, image: metadata.NewImage(), now: core.Now{Mono: core.Second, Wall: 1_000_000}}
	cfg, err := config.ResolveBroker(map[string]string{"group.initial.rebalance.delay.ms": "3000"})
	if err != nil {
		b.Fatal(err)
	}
	h.plane = groups.New(groups.Options{Config: cfg.Groups, Rand: prng.New(1), Host: h})
	h.topic(groups.Topic, 1, partitions)
	h.topic("t", 2, 64)
	settle = func() {
		for p := range int32(partitions) {
			h.plane.Advanced(h.now, p, 1, h.end[p], &h.out)
		}
	}
	for p := range int32(partitions) {
		h.plane.Lead(h.now, p, 1, 0, 0, &h.out)
	}
	settle()
	h.out.Reset()
	return h, settle
}

// BenchmarkOffsetCommit is one OffsetCommit of a member, from the decoded request to the reply, everything but the log.
func BenchmarkOffsetCommit(b *testing.B) {
	for _, n := range []int32{1, 50} {
		b.Run(fmt.Sprintf("partitions=%d", n), func(b *testing.B) {
			h, settle := newBench(b)
			req := committing("g", "", -1, 0, 7)
			for p := int32(1); p < n; p++ {
				row := req.Topics[0].Partitions[0]
				row.Partition = p
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, row)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				h.plane.Handle(h.now, &step.Request{Seq: uint64(i), Version: 9, Body: req}, &h.out)
				settle()
				if len(h.out.Replies) != 1 {
					b.Fatal("no answer")
				}
				h.out.Reset()
			}
			b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "offsets/s")
		})
	}
}

// BenchmarkOffsetFetch is one OffsetFetch.
func BenchmarkOffsetFetch(b *testing.B) {
	for _, n := range []int32{1, 50} {
		b.Run(fmt.Sprintf("partitions=%d", n), func(b *testing.B) {
			h, settle := newBench(b)
			fetch := kmsg.NewPtrOffsetFetchRequest()
			g := kmsg.NewOffsetFetchRequestGroup()
			g.Group, g.Topics = "g", []kmsg.OffsetFetchRequestGroupTopic{{Topic: "t"}}
			for p := range n {
				h.plane.Handle(h.now, &step.Request{Version: 9, Body: committing("g", "", -1, p, 7)}, &h.out)
				g.Topics[0].Partitions = append(g.Topics[0].Partitions, p)
			}
			settle()
			h.out.Reset()
			fetch.Groups = []kmsg.OffsetFetchRequestGroup{g}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				h.plane.Handle(h.now, &step.Request{Seq: uint64(i), Version: 9, Body: fetch}, &h.out)
				if len(h.out.Replies) != 1 {
					b.Fatal("no answer")
				}
				h.out.Reset()
			}
			b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds(), "offsets/s")
		})
	}
}

// BenchmarkJoinToStable is the coordinator's work for a group from nothing to Stable. sim-s/group is the time that passes for
// its members, all of whom answer at once: the initial delay, drawn out as long as members come.
func BenchmarkJoinToStable(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			var passed core.Mono
			for b.Loop() {
				h, settle := newBench(b)
				passed = joinToStable(b, h, settle, n)
			}
			b.ReportMetric(float64(passed)/float64(core.Second), "sim-s/group")
		})
	}
}

func joinToStable(b *testing.B, h *benchHost, settle func(), n int) core.Mono {
	ask := func(version int16, seq uint64, req kmsg.Request) {
		req.SetVersion(version)
		h.plane.Handle(h.now, &step.Request{Seq: seq, Version: version, Body: req, ClientID: "c"}, &h.out)
	}
	for i := range n {
		ask(9, uint64(i), joining("g", ""))
	}
	for _, r := range takeReplies(h) {
		ask(9, r.Seq, joining("g", r.Body.(*kmsg.JoinGroupResponse).MemberID))
	}
	begin := h.now.Mono
	for len(h.out.Replies) == 0 {
		at, _ := h.plane.NextDeadline()
		h.now.Mono = at
		h.plane.Tick(h.now, &h.out)
	}
	stable := 0
	for _, r := range takeReplies(h) {
		resp := r.Body.(*kmsg.JoinGroupResponse)
		sync := kmsg.NewPtrSyncGroupRequest()
		sync.Group, sync.MemberID, sync.Generation = "g", resp.MemberID, resp.Generation
		sync.ProtocolType, sync.Protocol = resp.ProtocolType, resp.Protocol
		for _, m := range resp.Members {
			sync.GroupAssignment = append(sync.GroupAssignment, kmsg.SyncGroupRequestGroupAssignment{MemberID: m.MemberID, MemberAssignment: make([]byte, 32)})
		}
		ask(5, r.Seq, sync)
	}
	settle()
	for _, r := range takeReplies(h) {
		if r.Body.(*kmsg.SyncGroupResponse).ErrorCode == 0 {
			stable++
		}
	}
	if stable != n {
		b.Fatalf("%d of %d members are assigned", stable, n)
	}
	return h.now.Mono - begin
}

func takeReplies(h *benchHost) []step.Reply {
	replies := append([]step.Reply(nil), h.out.Replies...)
	h.out.Reset()
	return replies
}

// BenchmarkHeartbeat is one heartbeat in a group of 1,000.
func BenchmarkHeartbeat(b *testing.B) {
	h, settle := newBench(b)
	joinToStable(b, h, settle, 1000)
	beats := make([]*kmsg.HeartbeatRequest, 0, 1000)
	for _, v := range h.plane.Views() {
		if g := v.Machine.Describe("g"); g != nil {
			for _, m := range g.Members() {
				req := kmsg.NewPtrHeartbeatRequest()
				req.Group, req.MemberID, req.Generation = "g", m.ID, g.Generation()
				beats = append(beats, req)
			}
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.now.Mono += core.Microsecond
		h.plane.Handle(h.now, &step.Request{Seq: uint64(i), Version: 4, Body: beats[i%len(beats)]}, &h.out)
		if len(h.out.Replies) != 1 || h.out.Replies[0].Body.(*kmsg.HeartbeatResponse).ErrorCode != 0 {
			b.Fatal("no answer")
		}
		h.out.Reset()
	}
}

// BenchmarkLoad is the replay of a log of 10,000 commits, a batch each, as a new coordinator reads it.
func BenchmarkLoad(b *testing.B) {
	r := newRig(b)
	r.leadAll(1)
	const commits = 10_000
	for i := range int64(commits) {
		r.plane.Handle(r.now, &step.Request{Seq: uint64(i), Version: 9, Body: committing(fmt.Sprint("g", i%500), "", -1, int32(i%8), i)}, &r.out)
		r.out.Reset()
	}
	l, data := r.logs[0], []byte(nil)
	for _, batch := range l.batches {
		data = append(data, batch...)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		fresh := newRig(b)
		fresh.plane.Lead(fresh.now, 0, 1, 0, l.end, &fresh.out)
		fresh.plane.Loaded(fresh.now, 0, 1, data, true, &fresh.out)
		if v := fresh.plane.Views()[0]; v.End != l.end {
			b.Fatal("not loaded")
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(l.batches))/b.Elapsed().Seconds(), "records/s")
}
func BenchmarkListGroupsFilter(b *testing.B) {
	r := newRig(b)
	r.leadAll(1)
	for i := range 2000 {
		r.mustCommit(fmt.Sprint("group-", i), "", -1, 0, 1)
	}
	req := kmsg.NewPtrListGroupsRequest()
	for i := range 100_000 {
		req.StatesFilter = append(req.StatesFilter, fmt.Sprint("state-", i))
	}
	b.ResetTimer()
	for b.Loop() {
		r.call(5, req)
	}
}
