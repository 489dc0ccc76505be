package produce

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/route"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/purgatory"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/replica"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// rig is a plane around two partitions of a topic, with a disk that does at once what it is asked, and a coordinator that the test plays.
type rig struct {
	t     *testing.T
	now   core.Now
	out   step.Effects
	parts []*replica.Replica
	cfg   config.Topic
	plane *Plane
	asked []asked // questions to the coordinator that have no answer yet
	gone  bool    // nobody coordinates
	epoch core.PartitionEpoch
	seq   uint64
	reply map[uint64]step.Reply
	stuck bool           // the disk does nothing
	held  []step.DiskOp  // what it would have done
	size  int64          // of requests on the wire
	frame *byte          // the first byte of the newest request's
	spent map[*byte]bool // frames that were given back, by their first byte
	told  []coord.Marker // markers that the coordinators of an internal topic heard of
	inner bool           // the topic is a coordinators'
	busy  core.ErrorCode // why their partitions take no markers
}

type asked struct {
	body *kmsg.AddPartitionsToTxnRequest
	then route.Then
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, now: core.Now{Mono: 1, Wall: 1_000_000}, cfg: config.Topic{MinInsyncReplicas: 1, MaxMessageBytes: 1 << 20,
		TimestampBeforeMaxMs: 1 << 40, TimestampAfterMaxMs: 1 << 40}, reply: map[uint64]step.Reply{}, spent: map[*byte]bool{}}
	r.plane = New(r, true)
	for i := range int32(2) {
		tp := core.TopicPartition{Topic: "t", Partition: i}
		l := log.New(log.Config{}, step.Owner(10+i), tp.String(), log.Past{})
		l.Open(r.now, &r.out)
		r.parts = append(r.parts, replica.New(1, tp, core.TopicID{1}, l, replica.Options{}))
	}
	r.lead(1)
	r.turn()
	require.Equal(t, core.ErrNone, r.parts[0].Serving())
	return r
}

// lead lets another leader epoch of this broker begin, in which nobody else has a replica.
func (r *rig) lead(epoch core.LeaderEpoch) { r.leadWith(epoch, 1) }

// leadWith is lead with the given replicas, all of them in sync.
func (r *rig) leadWith(epoch core.LeaderEpoch, replicas ...core.NodeID) {
	r.epoch++
	for i, p := range r.parts {
		r.plane.Touch(purgatory.Slot(i))
		p.Apply(r.now, &metadata.Partition{ID: int32(i), Replicas: replicas, ISR: replicas, Leader: 1, LeaderEpoch: epoch,
			PartitionEpoch: r.epoch}, &r.out)
	}
}

// turn ends turns until nothing moves any more.
func (r *rig) turn() {
	for quiet := 0; quiet < 2; quiet++ {
		if r.plane.Touched() {
			quiet = 0
		}
		r.plane.Sweep(r.now, &r.out)
		for _, rep := range r.out.Replies {
			r.reply[rep.Seq] = rep
		}
		r.out.Replies = r.out.Replies[:0]
		for _, frame := range r.out.Spent { // before the disk has done anything in this turn: what it needs must not be among them
			require.False(r.t, r.spent[&frame[0]], "given back twice")
			r.spent[&frame[0]] = true
			clear(frame)
		}
		r.out.Spent = r.out.Spent[:0]
		for i, p := range r.parts {
			p.Log.EndTurn(r.now, &r.out)
			ops := slices.Clone(r.out.Disk)
			if len(ops) > 0 {
				quiet = 0
			}
			r.out.Reset()
			if r.held = append(r.held, ops...); r.stuck {
				continue
			}
			ops, r.held = r.held, nil
			for _, op := range ops {
				if op.Kind == step.Append && bytes.Count(op.Data, []byte{0}) == len(op.Data) {
					r.t.Fatal("what is written was given back before")
				}
				if op.Op == 0 {
					continue
				}
				d := &step.DiskDone{Op: op.Op, Kind: op.Kind, File: op.File, Path: op.Path}
				if op.Kind == step.List {
					d.Err = step.ErrNotExist
				}
				r.parts[d.Owner()-10].Log.DiskDone(r.now, d, &r.out)
				r.plane.Touch(purgatory.Slot(d.Owner() - 10)) // acks=1 waits for this log alone
			}
			p.Settle()
			if p.Advance(r.now) {
				r.plane.Touch(purgatory.Slot(i))
			}
			p.Check()
		}
	}
	r.plane.Check()
}

func (r *rig) TxnCoordinator(string) core.NodeID {
	if r.gone {
		return core.NoNode
	}
	return 7
}

func (r *rig) AskBroker(_ core.Now, id core.NodeID, _ peer.Lane, body wire.Request, _ core.Mono, then route.Then, _ *step.Effects) {
	require.Equal(r.t, core.NodeID(7), id)
	r.asked = append(r.asked, asked{body.(*kmsg.AddPartitionsToTxnRequest), then})
}

func (r *rig) Lookup(_ core.TopicID, topic string, partition int32) (Target, core.ErrorCode) {
	if topic != "t" || partition < 0 || partition > 1 {
		return Target{}, core.ErrUnknownTopicOrPartition
	}
	p := r.parts[partition]
	return Target{Replica: p, Config: &r.cfg, Slot: purgatory.Slot(partition), Internal: r.inner}, p.Serving()
}

func (r *rig) Touch(*replica.Replica)                    {}
func (r *rig) Hint(*step.Request, *kmsg.ProduceResponse) {}
func (r *rig) MarkerCode(*Target) core.ErrorCode         { return r.busy }
func (r *rig) Marked(_ core.Now, _ *Target, _ core.Offset, m *coord.Marker, _ *step.Effects) {
	r.told = append(r.told, *m)
}

// answer lets the coordinator answer its oldest question, the same for every partition.
func (r *rig) answer(code core.ErrorCode) {
	r.t.Helper()
	require.NotEmpty(r.t, r.asked, "nobody has asked")
	q := r.asked[0]
	r.asked = r.asked[1:]
	resp := q.body.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
	for _, t := range q.body.Transactions {
		rt := kmsg.AddPartitionsToTxnResponseTransaction{TransactionalID: t.TransactionalID}
		for _, x := range t.Topics {
			rx := kmsg.AddPartitionsToTxnResponseTransactionTopic{Topic: x.Topic}
			for _, p := range x.Partitions {
				rx.Partitions = append(rx.Partitions, kmsg.AddPartitionsToTxnResponseTransactionTopicPartition{Partition: p, ErrorCode: int16(code)})
			}
			rt.Topics = append(rt.Topics, rx)
		}
		resp.Transactions = append(resp.Transactions, rt)
	}
	q.then(r.now, resp, &r.out)
	r.turn()
}

// batch is one transactional batch, of the given producer epoch and sequence number, for a partition.
type batch struct {
	partition int32
	id        core.ProducerID
	epoch     core.ProducerEpoch
	seq       int32
	plain     bool
}

// produce sends a request and returns its number.
func (r *rig) produce(version int16, id string, acks int16, batches ...batch) uint64 {
	r.t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = version, acks, 1000
	if id != "" {
		req.TransactionID = &id
	}
	t := kmsg.NewProduceRequestTopic()
	t.Topic = "t"
	r.seq++
	sr := &step.Request{Conn: 1, Seq: r.seq, Version: version, Body: req, Size: r.size}
	frame := make([]byte, 0, 1<<12)
	for _, x := range batches {
		var b record.Builder
		var c record.Codecs
		b.Begin(nil, record.Options{Idempotent: true, ProducerID: x.id, ProducerEpoch: x.epoch, BaseSequence: x.seq, Transactional: !x.plain})
		require.NoError(r.t, b.Append(r.now.Wall, nil, []byte("v"), nil))
		data, err := b.Finish(&c)
		require.NoError(r.t, err)
		p := kmsg.NewProduceRequestTopicPartition()
		at := len(frame)
		frame = append(frame, data...)
		p.Partition, p.Records = x.partition, frame[at:len(frame):len(frame)]
		t.Partitions = append(t.Partitions, p)
		sum, refusal := record.Check(data, record.Limits{}, &c)
		sr.Batches = append(sr.Batches, step.Batch{Summary: sum, Refusal: refusal})
	}
	req.Topics = append(req.Topics, t)
	sr.Frame, r.frame = frame, &frame[0]
	r.plane.Produce(r.now, sr, req, &r.out)
	r.turn()
	return sr.Seq
}

// marker ends a transaction, and returns what each partition answers.
func (r *rig) marker(id core.ProducerID, epoch core.ProducerEpoch, coordinator int32, version int8, partitions ...int32) []core.ErrorCode {
	r.t.Helper()
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	req.Version = 2
	m := kmsg.NewWriteTxnMarkersRequestMarker()
	m.ProducerID, m.ProducerEpoch, m.CoordinatorEpoch, m.TransactionVersion = int64(id), int16(epoch), coordinator, version
	m.Topics = append(m.Topics, kmsg.WriteTxnMarkersRequestMarkerTopic{Topic: "t", Partitions: partitions})
	req.Markers = append(req.Markers, m)
	r.seq++
	r.plane.WriteTxnMarkers(r.now, &step.Request{Conn: 1, Seq: r.seq, Version: 2, Body: req}, req, &r.out)
	r.turn()
	resp := r.reply[r.seq].Body.(*kmsg.WriteTxnMarkersResponse)
	var codes []core.ErrorCode
	for _, p := range resp.Markers[0].Topics[0].Partitions {
		codes = append(codes, core.ErrorCode(p.ErrorCode))
	}
	return codes
}

// waits reports whether a produce has no answer yet.
func (r *rig) waits(seq uint64) bool {
	_, answered := r.reply[seq]
	return !answered
}

// codes is what a produce was answered, partition by partition.
func (r *rig) codes(seq uint64) []core.ErrorCode {
	r.t.Helper()
	require.False(r.t, r.waits(seq), "request %d has no answer", seq)
	var codes []core.ErrorCode
	for _, p := range r.reply[seq].Body.(*kmsg.ProduceResponse).Topics[0].Partitions {
		codes = append(codes, core.ErrorCode(p.ErrorCode))
	}
	return codes
}

func (r *rig) ends() [2]core.Offset {
	return [2]core.Offset{r.parts[0].Log.LogEndOffset(), r.parts[1].Log.LogEndOffset()}
}
