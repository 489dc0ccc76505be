package txns_test

import (
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/broker/txns"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// rig is a plane with a broker around it that keeps its logs in memory. With auto everything is read and committed at once.
type rig struct {
	t     require.TestingT
	plane *txns.Plane
	image *metadata.Image
	logs  map[int32]*memLog
	now   core.Now
	out   step.Effects
	auto  bool

	reads    []func()
	asked    []asked
	blocks   []func(now core.Now, first core.ProducerID, count int32, out *step.Effects)
	created  []string
	nextSeq  uint64
	answered map[uint64]wire.Response
}

// memLog is the log of one partition.
type memLog struct {
	batches []record.Batch
	end, hw core.Offset
}

// asked is a request to another broker that has no answer yet.
type asked struct {
	to   core.NodeID
	req  *kmsg.WriteTxnMarkersRequest
	then func(core.Now, wire.Response, *step.Effects)
}

const partitions = 4

func newRig(t require.TestingT, level metadata.FeatureLevel) *rig {
	r := &rig{t: t, image: metadata.NewImage(), logs: make(map[int32]*memLog), answered: make(map[uint64]wire.Response), auto: true}
	r.now = core.Now{Mono: core.Second, Wall: 1_000_000}
	cfg, err := config.ResolveBroker(map[string]string{})
	require.NoError(t, err)
	r.plane = txns.New(txns.Options{Config: cfg.Transactions, Host: r, Check: true})
	r.topic(shards.TxnTopic, 1, partitions)
	r.topic("t", 2, 8)
	if level > 0 {
		r.apply(&metadata.FeatureLevelRecord{Name: metadata.TransactionVersionFeature, FeatureLevel: level})
	}
	for p := range int32(partitions) {
		r.logs[p] = &memLog{}
	}
	r.leadAll(1)
	return r
}

// topic makes a topic in the image; its partitions are led by 1, 2, 3 in turn.
func (r *rig) topic(name string, id uint64, partitions int32) {
	recs := []metadata.Record{&metadata.TopicRecord{Name: name, TopicID: core.TopicIDFromWords(7, id)}}
	for p := range partitions {
		n := core.NodeID(p%3 + 1)
		recs = append(recs, &metadata.PartitionRecord{
			PartitionID: p, TopicID: core.TopicIDFromWords(7, id), Replicas: []core.NodeID{n}, ISR: []core.NodeID{n}, Leader: n,
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
}

// Append implements [txns.Host].
func (r *rig) Append(_ core.Now, partition int32, epoch core.LeaderEpoch, batch []byte) (core.Offset, core.ErrorCode) {
	l, b := r.logs[partition], record.Batch(batch)
	b.SetBaseOffset(l.end)
	b.SetPartitionLeaderEpoch(epoch)
	require.NoError(r.t, b.VerifyCRC())
	l.batches = append(l.batches, b)
	l.end = b.NextOffset()
	return l.end, core.ErrNone
}

// Read implements [txns.Host].
func (r *rig) Read(_ core.Now, partition int32, epoch core.LeaderEpoch, from core.Offset, _ *step.Effects) {
	r.reads = append(r.reads, func() {
		var data []byte
		for _, b := range r.logs[partition].batches {
			if b.NextOffset() > from {
				data = append(data, b...)
			}
		}
		r.plane.Loaded(r.now, partition, epoch, data, data == nil, &r.out)
	})
}

// Image implements [txns.Host].
func (r *rig) Image() *metadata.Image { return r.image }

// Client implements [txns.Host].
func (r *rig) Client(*step.Request) (listener, remote string) { return "PLAINTEXT", "127.0.0.1:5" }

// CreateTopic implements [txns.Host].
func (r *rig) CreateTopic(_ core.Now, topic string, _ *step.Effects) {
	r.created = append(r.created, topic)
}

// Ask implements [txns.Host].
func (r *rig) Ask(
	_ core.Now, to core.NodeID, body wire.Request, _ core.Mono, then func(core.Now, wire.Response, *step.Effects), _ *step.Effects,
) {
	r.asked = append(r.asked, asked{to, body.(*kmsg.WriteTxnMarkersRequest), then})
}

// AllocateIDs implements [txns.Host].
func (r *rig) AllocateIDs(_ core.Now, then func(core.Now, core.ProducerID, int32, *step.Effects), _ *step.Effects) {
	r.blocks = append(r.blocks, then)
}

// settle ends a turn.
func (r *rig) settle() {
	for again := r.auto; again; {
		again = false
		for len(r.reads) > 0 {
			read := r.reads[0]
			r.reads = r.reads[1:]
			read()
		}
		for _, v := range r.plane.Views() {
			l := r.logs[v.Partition]
			again = again || l.hw < l.end
			l.hw = l.end
			r.plane.Advanced(r.now, v.Partition, v.Epoch, l.hw, &r.out)
		}
		for len(r.blocks) > 0 {
			then := r.blocks[0]
			r.blocks, again = r.blocks[1:], true
			then(r.now, core.ProducerID(1000*(r.nextSeq+1)), 1000, &r.out)
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

func (r *rig) leadAll(epoch core.LeaderEpoch) {
	for p := range int32(partitions) {
		r.plane.Lead(r.now, p, epoch, 0, r.logs[p].end, &r.out)
	}
	r.settle()
}

// send hands a request over and returns its number.
func (r *rig) send(version int16, req kmsg.Request) uint64 {
	req.SetVersion(version)
	r.nextSeq++
	require.True(r.t, r.plane.Handle(r.now, &step.Request{Conn: 1, Seq: r.nextSeq, Version: version, Body: req}, &r.out))
	seq := r.nextSeq
	r.settle()
	return seq
}

// call is send, and the answer, which must have come.
func (r *rig) call(version int16, req kmsg.Request) wire.Response {
	return r.answer(r.send(version, req))
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
			r.now.Wall += core.Wall((end - r.now.Mono) / core.Millisecond)
			r.now.Mono = end
			return
		}
		r.now.Wall += core.Wall((max(at, r.now.Mono) - r.now.Mono) / core.Millisecond)
		r.now.Mono = max(at, r.now.Mono)
		r.plane.Tick(r.now, &r.out)
		r.settle()
	}
}

// reply answers the oldest request to another broker, all its markers with one code; a nil answer with nocode.
func (r *rig) reply(code core.ErrorCode) {
	x := r.asked[0]
	r.asked = r.asked[1:]
	resp := kmsg.NewPtrWriteTxnMarkersResponse()
	for i := range x.req.Markers {
		m := kmsg.NewWriteTxnMarkersResponseMarker()
		m.ProducerID = x.req.Markers[i].ProducerID
		for _, t := range x.req.Markers[i].Topics {
			row := kmsg.NewWriteTxnMarkersResponseMarkerTopic()
			row.Topic = t.Topic
			for _, p := range t.Partitions {
				row.Partitions = append(row.Partitions, kmsg.WriteTxnMarkersResponseMarkerTopicPartition{Partition: p, ErrorCode: int16(code)})
			}
			m.Topics = append(m.Topics, row)
		}
		resp.Markers = append(resp.Markers, m)
	}
	x.then(r.now, resp, &r.out)
	r.settle()
}

// lose ends the oldest request to another broker without an answer.
func (r *rig) lose() {
	x := r.asked[0]
	r.asked = r.asked[1:]
	x.then(r.now, nil, &r.out)
	r.settle()
}

func initializing(id string) *kmsg.InitProducerIDRequest {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &id, 30_000
	req.ProducerID, req.ProducerEpoch = -1, -1
	return req
}

// producer is a transactional id with its producer.
type producer struct {
	id    string
	pid   int64
	epoch int16
}

func (r *rig) mustInit(id string) producer {
	resp := r.call(5, initializing(id)).(*kmsg.InitProducerIDResponse)
	require.Zero(r.t, resp.ErrorCode)
	return producer{id, resp.ProducerID, resp.ProducerEpoch}
}

func adding(p producer, partitions ...int32) *kmsg.AddPartitionsToTxnRequest {
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = p.id, p.pid, p.epoch
	req.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: "t", Partitions: partitions}}
	return req
}

// add adds partitions of topic t as a client of version 3.
func (r *rig) add(p producer, partitions ...int32) core.ErrorCode {
	resp := r.call(3, adding(p, partitions...)).(*kmsg.AddPartitionsToTxnResponse)
	return core.ErrorCode(resp.Topics[0].Partitions[0].ErrorCode)
}

func ending(p producer, commit bool) *kmsg.EndTxnRequest {
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = p.id, p.pid, p.epoch, commit
	return req
}

func (r *rig) finish(version int16, p producer, commit bool) (producer, core.ErrorCode) {
	resp := r.call(version, ending(p, commit)).(*kmsg.EndTxnResponse)
	return producer{p.id, resp.ProducerID, resp.ProducerEpoch}, core.ErrorCode(resp.ErrorCode)
}

func (r *rig) mustAdd(p producer, partitions ...int32) {
	require.Equal(r.t, core.ErrNone, r.add(p, partitions...))
}

func (r *rig) mustEnd(version int16, p producer, commit bool) {
	_, code := r.finish(version, p, commit)
	require.Equal(r.t, core.ErrNone, code)
}

// state is what DescribeTransactions says of an id.
func (r *rig) state(id string) string {
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = []string{id}
	row := r.call(0, req).(*kmsg.DescribeTransactionsResponse).TransactionStates[0]
	if row.ErrorCode != 0 {
		return core.ErrorCode(row.ErrorCode).String()
	}
	return row.State
}
