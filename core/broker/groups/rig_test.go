package groups_test

import (
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// rig is a plane with a broker around it that keeps its logs in memory. Nothing is committed, and no read is answered,
// until the test says so, unless auto is set.
type rig struct {
	t     require.TestingT
	plane *groups.Plane
	image *metadata.Image
	logs  map[int32]*memLog
	now   core.Now
	out   step.Effects
	auto  bool

	refuse   core.ErrorCode // what appends answer instead of appending
	most     int            // max.message.bytes; 0 for no limit
	reads    []read
	created  int
	asked    []askedTxn
	nextSeq  uint64
	answered map[uint64]wire.Response
}

// memLog is the log of one partition.
type memLog struct {
	batches []record.Batch
	end, hw core.Offset
}

type read struct {
	partition int32
	epoch     core.LeaderEpoch
	from      core.Offset
}

const partitions = 4

func newRig(t require.TestingT) *rig { return newRigWith(t) }

// newRigWith is newRig with properties, as pairs of key and value.
func newRigWith(t require.TestingT, props ...string) *rig {
	all := map[string]string{"group.initial.rebalance.delay.ms": "100"}
	for i := 0; i < len(props); i += 2 {
		all[props[i]] = props[i+1]
	}
	r := &rig{t: t, image: metadata.NewImage(), logs: make(map[int32]*memLog), answered: make(map[uint64]wire.Response), auto: true}
	r.now = core.Now{Mono: core.Second, Wall: 1_000_000}
	cfg, err := config.ResolveBroker(all)
	require.NoError(t, err)
	r.plane = groups.New(groups.Options{Config: cfg.Groups, Rand: prng.New(1), Host: r, Verification: true, Check: true})
	r.apply(&metadata.FeatureLevelRecord{Name: metadata.GroupVersionFeature, FeatureLevel: 1})
	r.topic(groups.Topic, 1, partitions)
	r.topic("t", 2, 8)
	for p := range int32(partitions) {
		r.logs[p] = &memLog{}
	}
	return r
}

// topic makes a topic in the image.
func (r *rig) topic(name string, id uint64, partitions int32) {
	recs := []metadata.Record{&metadata.TopicRecord{Name: name, TopicID: core.TopicIDFromWords(7, id)}}
	for p := range partitions {
		recs = append(recs, &metadata.PartitionRecord{
			PartitionID: p, TopicID: core.TopicIDFromWords(7, id), Replicas: []core.NodeID{1}, ISR: []core.NodeID{1}, Leader: 1,
			Directories: []metadata.DirectoryID{metadata.DirUnassigned},
		})
	}
	r.apply(recs...)
}

func (r *rig) apply(recs ...metadata.Record) {
	var changes []metadata.Change
	for _, rec := range recs {
		require.NoError(r.t, r.image.Replay(rec, r.image.Offset()+1, 1, &changes))
	}
	r.plane.Applied(r.now, changes, &r.out)
	r.settle()
}

// Append implements [groups.Host].
func (r *rig) Append(_ core.Now, partition int32, epoch core.LeaderEpoch, batch []byte) (core.Offset, core.ErrorCode) {
	if r.refuse != core.ErrNone {
		return 0, r.refuse
	}
	if r.most > 0 && len(batch) > r.most {
		return 0, core.ErrMessageTooLarge
	}
	l, b := r.logs[partition], record.Batch(batch)
	b.SetBaseOffset(l.end)
	b.SetPartitionLeaderEpoch(epoch)
	require.NoError(r.t, b.VerifyCRC())
	l.batches = append(l.batches, b)
	l.end = b.NextOffset()
	return l.end, core.ErrNone
}

// Read implements [groups.Host].
func (r *rig) Read(_ core.Now, partition int32, epoch core.LeaderEpoch, from core.Offset, _ *step.Effects) {
	r.reads = append(r.reads, read{partition, epoch, from})
}

// Image implements [groups.Host].
func (r *rig) Image() *metadata.Image { return r.image }

// Client implements [groups.Host].
func (r *rig) Client(*step.Request) (listener, remote string) { return "PLAINTEXT", "127.0.0.1:5" }

// askedTxn is a question to a transaction coordinator that has no answer yet.
type askedTxn struct {
	to   core.NodeID
	req  *kmsg.AddPartitionsToTxnRequest
	then func(core.Now, wire.Response, *step.Effects)
}

// Ask implements [shards.Asker].
func (r *rig) Ask(
	_ core.Now, to core.NodeID, body wire.Request, _ core.Mono, then func(core.Now, wire.Response, *step.Effects), _ *step.Effects,
) {
	r.asked = append(r.asked, askedTxn{to, body.(*kmsg.AddPartitionsToTxnRequest), then})
}

// verify answers the oldest question to a transaction coordinator.
func (r *rig) verify(code core.ErrorCode) {
	x := r.asked[0]
	r.asked = r.asked[1:]
	resp := kmsg.NewPtrAddPartitionsToTxnResponse()
	for _, t := range x.req.Transactions {
		row := kmsg.NewAddPartitionsToTxnResponseTransaction()
		row.TransactionalID = t.TransactionalID
		for _, topic := range t.Topics {
			rt := kmsg.NewAddPartitionsToTxnResponseTransactionTopic()
			rt.Topic = topic.Topic
			for _, p := range topic.Partitions {
				rt.Partitions = append(rt.Partitions, kmsg.AddPartitionsToTxnResponseTransactionTopicPartition{Partition: p, ErrorCode: int16(code)})
			}
			row.Topics = append(row.Topics, rt)
		}
		resp.Transactions = append(resp.Transactions, row)
	}
	x.then(r.now, resp, &r.out)
	r.settle()
}

// CreateTopic implements [shards.Finder].
func (r *rig) CreateTopic(core.Now, string, *step.Effects) { r.created++ }

// answerReads answers all reads, one batch at a time.
func (r *rig) answerReads() {
	for len(r.reads) > 0 {
		x := r.reads[0]
		r.reads = r.reads[1:]
		l := r.logs[x.partition]
		var data []byte
		for _, b := range l.batches {
			if b.NextOffset() > x.from {
				data = b
				break
			}
		}
		r.plane.Loaded(r.now, x.partition, x.epoch, data, data == nil, &r.out)
	}
}

// commit moves the HighWatermark of a partition to its end.
func (r *rig) commit(partition int32, epoch core.LeaderEpoch) {
	l := r.logs[partition]
	l.hw = l.end
	r.plane.Advanced(r.now, partition, epoch, l.hw, &r.out)
}

// settle ends a turn: replies are collected, and with auto everything is read and committed.
func (r *rig) settle() {
	for again := true; again; {
		again = false
		if r.auto {
			r.answerReads()
			for _, v := range r.plane.Views() {
				if l := r.logs[v.Partition]; l.hw < l.end || v.Phase.Code() != core.ErrNone {
					again = l.hw < l.end
					r.commit(v.Partition, v.Epoch)
				}
			}
		}
	}
	for _, reply := range r.out.Replies {
		_, twice := r.answered[reply.Seq]
		require.False(r.t, twice, "request %d is answered twice", reply.Seq)
		r.answered[reply.Seq] = reply.Body
	}
	r.out.Reset()
	r.plane.Check()
}

// lead makes the plane lead a partition as its log is.
func (r *rig) lead(partition int32, epoch core.LeaderEpoch) {
	l := r.logs[partition]
	start := core.Offset(0)
	if len(l.batches) > 0 {
		start = l.batches[0].BaseOffset()
	}
	r.plane.Lead(r.now, partition, epoch, start, l.end, &r.out)
	r.settle()
}

func (r *rig) leadAll(epoch core.LeaderEpoch) {
	for p := range int32(partitions) {
		r.lead(p, epoch)
	}
}

// send hands a request over and returns its number.
func (r *rig) send(version int16, req kmsg.Request) uint64 {
	req.SetVersion(version)
	r.nextSeq++
	seq := r.nextSeq
	handled := r.plane.Handle(r.now, &step.Request{Conn: 1, Seq: seq, Version: version, Body: req, ClientID: "c"}, &r.out)
	require.True(r.t, handled)
	r.settle()
	return seq
}

// call is send, and the answer, which must have come.
func (r *rig) call(version int16, req kmsg.Request) wire.Response {
	seq := r.send(version, req)
	return r.answer(seq)
}

func (r *rig) answer(seq uint64) wire.Response {
	resp, ok := r.answered[seq]
	require.True(r.t, ok, "request %d is not answered", seq)
	return resp
}

// pass lets time pass, doing what is due on the way.
func (r *rig) pass(d core.Mono) {
	end := r.now.Mono.Add(d)
	for {
		at, ok := r.plane.NextDeadline()
		if !ok || at > end {
			break
		}
		r.tick(max(at, r.now.Mono))
	}
	r.tick(end)
}

func (r *rig) tick(at core.Mono) {
	r.now.Wall += core.Wall((at - r.now.Mono) / core.Millisecond)
	r.now.Mono = at
	r.plane.Tick(r.now, &r.out)
	r.settle()
}

// joining is a JoinGroup of a consumer.
func joining(group, member string) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.ProtocolType = group, member, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 10_000, 60_000
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: subscription("t")}}
	return req
}

// subscription is the metadata of a consumer.
func subscription(topics ...string) []byte {
	m := kmsg.NewConsumerMemberMetadata()
	m.Version, m.Topics = 1, topics
	return m.AppendTo(nil)
}

// member joins a new member and returns its id and the number of the JoinGroup that waits.
func (r *rig) member(group string) (id string, seq uint64) {
	resp := r.call(9, joining(group, "")).(*kmsg.JoinGroupResponse)
	require.Equal(r.t, int16(core.ErrMemberIDRequired), resp.ErrorCode)
	return resp.MemberID, r.send(9, joining(group, resp.MemberID))
}

func (r *rig) syncing(group, member string, generation int32, assignments map[string]string) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.Generation = group, member, generation
	req.ProtocolType, req.Protocol = ptr("consumer"), ptr("range")
	for id, a := range assignments {
		req.GroupAssignment = append(req.GroupAssignment, kmsg.SyncGroupRequestGroupAssignment{MemberID: id, MemberAssignment: []byte(a)})
	}
	return req
}

func (r *rig) heartbeat(group, member string, generation int32) core.ErrorCode {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation = group, member, generation
	return core.ErrorCode(r.call(4, req).(*kmsg.HeartbeatResponse).ErrorCode)
}

// stable makes a group of so many members Stable and returns their ids, the leader's first.
func (r *rig) stable(group string, n int) (ids []string, generation int32) {
	seqs := make(map[string]uint64)
	for range n {
		id, seq := r.member(group)
		seqs[id] = seq
		ids = append(ids, id)
	}
	r.pass(300 * core.Millisecond)
	for i, id := range ids {
		resp := r.answer(seqs[id]).(*kmsg.JoinGroupResponse)
		require.Zero(r.t, resp.ErrorCode)
		generation = resp.Generation
		if resp.LeaderID == id {
			require.Len(r.t, resp.Members, n)
			ids[0], ids[i] = ids[i], ids[0]
		}
	}
	given := make(map[string]string)
	for _, id := range ids {
		given[id] = "of " + id
	}
	var waits []uint64
	for _, id := range ids[1:] {
		waits = append(waits, r.send(5, r.syncing(group, id, generation, nil)))
	}
	require.Zero(r.t, r.call(5, r.syncing(group, ids[0], generation, given)).(*kmsg.SyncGroupResponse).ErrorCode)
	for i, seq := range waits {
		resp := r.answer(seq).(*kmsg.SyncGroupResponse)
		require.Zero(r.t, resp.ErrorCode)
		require.Equal(r.t, "of "+ids[i+1], string(resp.MemberAssignment))
	}
	return ids, generation
}

// committing is an OffsetCommit of one offset of topic t.
func committing(group, member string, generation, partition int32, offset int64) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.Generation = group, member, generation
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = partition, offset, 3, kmsg.StringPtr("meta")
	req.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: "t", Partitions: []kmsg.OffsetCommitRequestTopicPartition{p}}}
	return req
}

func (r *rig) commitOffset(group, member string, generation, partition int32, offset int64) core.ErrorCode {
	resp := r.call(9, committing(group, member, generation, partition, offset)).(*kmsg.OffsetCommitResponse)
	return core.ErrorCode(resp.Topics[0].Partitions[0].ErrorCode)
}

func (r *rig) mustCommit(group, member string, generation, partition int32, offset int64) {
	require.Equal(r.t, core.ErrNone, r.commitOffset(group, member, generation, partition, offset))
}

// fetchOffset is what is committed for a partition of topic t.
func (r *rig) fetchOffset(group string, partition int32) int64 {
	req := kmsg.NewPtrOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	g.Topics = []kmsg.OffsetFetchRequestGroupTopic{{Topic: "t", Partitions: []int32{partition}}}
	req.Groups = []kmsg.OffsetFetchRequestGroup{g}
	resp := r.call(9, req).(*kmsg.OffsetFetchResponse)
	require.Zero(r.t, resp.Groups[0].ErrorCode)
	require.Zero(r.t, resp.Groups[0].Topics[0].Partitions[0].ErrorCode)
	return resp.Groups[0].Topics[0].Partitions[0].Offset
}
