package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// rig is one broker on a simulated disk that clients reach through two listeners. Requests and responses go through
// the codec, so that what the wire cannot carry fails here.
type rig struct {
	t       *testing.T
	now     core.Mono
	disk    *simdisk.Disk
	props   map[string]string
	broker  *broker.Broker
	node    *node.Node
	replies []step.Reply
	seq     uint64
}

// The connections of a rig, by listener.
const (
	connInner step.ConnID = iota + 1
	connOuter
)

func (r *rig) Now() core.Now         { return core.Now{Mono: r.now, Wall: core.Wall(r.now / core.Millisecond)} }
func (r *rig) Send(step.Send)        {}
func (r *rig) Reply(rep step.Reply)  { r.replies = append(r.replies, rep) }
func (r *rig) Reclaim([]byte)        {}
func (r *rig) Submit(op step.DiskOp) { r.disk.Submit(r.now, op) }

// newRig starts a broker on a healthy disk, with properties beside the rig's own.
func newRig(t *testing.T, more ...string) *rig { return newRigOn(t, simdisk.Config{}, more...) }

func newRigOn(t *testing.T, disk simdisk.Config, more ...string) *rig {
	props := map[string]string{
		"node.id":                        "1",
		"cluster.id":                     "testcluster",
		"broker.rack":                    "rack-a",
		"log.dirs":                       "/data",
		"num.partitions":                 "2",
		"listeners":                      "INNER://127.0.0.1:1000,OUTER://127.0.0.1:1001",
		"advertised.listeners":           "INNER://inner:2000,OUTER://outer:2001",
		"listener.security.protocol.map": "INNER:PLAINTEXT,OUTER:PLAINTEXT",
	}
	for i := 0; i < len(more); i += 2 {
		props[more[i]] = more[i+1]
	}
	r := &rig{t: t, disk: simdisk.New(prng.New(1), disk), props: props}
	r.start(1)
	return r
}

// start starts a broker on the disk; after a power loss it is another process.
func (r *rig) start(seed uint64) {
	cfg, err := config.ResolveBroker(r.props)
	require.NoError(r.t, err)
	r.broker = broker.New(broker.Options{Config: cfg, Static: r.props, Seed: seed, Tuning: broker.Tuning{Check: true}})
	r.node = node.New(r.broker, r, r, r)
	r.node.Deliver(&step.ConnState{Conn: connInner, Open: true, Listener: "INNER"})
	r.node.Deliver(&step.ConnState{Conn: connOuter, Open: true, Listener: "OUTER"})
	r.run(r.broker.Serving)
}

func (r *rig) run(until func() bool) {
	for range 100_000 {
		r.node.Poll()
		if until() {
			return
		}
		next := core.Mono(1 << 62)
		if at, ok := r.disk.NextDeadline(); ok {
			next = at
		}
		if at, ok := r.node.NextDeadline(); ok && at < next {
			next = at
		}
		require.Less(r.t, next, core.Mono(1<<62), "nothing to do")
		r.now = max(r.now, next)
		r.disk.Poll(r.now, func(d *step.DiskDone) { r.node.Deliver(d) })
		if why, clean, halted := r.broker.Halted(); halted && !clean {
			r.t.Fatal(why)
		}
	}
	r.t.Fatal("no answer")
}

// send delivers a request without waiting.
func (r *rig) send(c step.ConnID, version int16, req kmsg.Request) {
	req.SetVersion(version)
	decoded, err := wire.DecodeRequest(req.Key(), version, req.AppendTo(nil))
	require.NoError(r.t, err)
	event := &step.Request{Conn: c, Seq: r.seq, Version: version, Body: decoded}
	if p, ok := decoded.(*kmsg.ProduceRequest); ok { // what core/conn does at the edge
		summary, refusal := record.Check(p.Topics[0].Partitions[0].Records, record.Limits{}, &record.Codecs{})
		event.Batches = []step.Batch{{Summary: summary, Refusal: refusal}}
	}
	r.node.Deliver(event)
	r.seq++
}

// via sends a request through a connection and waits for its answer.
func (r *rig) via(c step.ConnID, version int16, req kmsg.Request) kmsg.Response {
	n := len(r.replies)
	r.send(c, version, req)
	r.run(func() bool { return len(r.replies) > n })
	require.False(r.t, r.replies[n].Close)
	resp := r.replies[n].Body
	resp.SetVersion(version)
	decoded, err := wire.DecodeResponse(req.Key(), version, resp.AppendTo(nil))
	require.NoError(r.t, err)
	return decoded
}

// ask is via for tests that know the response's type.
func ask[Resp kmsg.Response](r *rig, version int16, req kmsg.Request) Resp {
	return r.via(connInner, version, req).(Resp)
}

// code is an error code as tests compare it.
func code(c int16) core.ErrorCode { return core.ErrorCode(c) }

func newTopic(name string, partitions int32, configs ...string) kmsg.CreateTopicsRequestTopic {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, partitions, -1
	for i := 0; i < len(configs); i += 2 {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = configs[i], &configs[i+1]
		t.Configs = append(t.Configs, c)
	}
	return t
}

// produce appends one record to partition 0 and returns the answer's code and the size of the batch.
func (r *rig) produce(topic string) (core.ErrorCode, int64) {
	var b record.Builder
	b.Begin(nil, record.Options{})
	require.NoError(r.t, b.Append(r.Now().Wall, nil, []byte("value"), nil))
	batch, err := b.Finish(&record.Codecs{})
	require.NoError(r.t, err)
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 1000
	req.Topics = []kmsg.ProduceRequestTopic{{Topic: topic, Partitions: []kmsg.ProduceRequestTopicPartition{{Records: batch}}}}
	resp := ask[*kmsg.ProduceResponse](r, 9, req)
	return code(resp.Topics[0].Partitions[0].ErrorCode), int64(len(batch))
}

// create makes topics that must come to be, and returns their rows.
func (r *rig) create(topics ...kmsg.CreateTopicsRequestTopic) []kmsg.CreateTopicsResponseTopic {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics, req.TimeoutMillis = topics, 10_000
	rows := ask[*kmsg.CreateTopicsResponse](r, 7, req).Topics
	for _, row := range rows {
		require.Equal(r.t, core.ErrNone, code(row.ErrorCode), row.Topic)
	}
	return rows
}
