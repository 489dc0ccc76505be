package sim_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// rig is one broker on a simulated disk, without a network.
type rig struct {
	t       *testing.T
	now     core.Mono
	disk    *simdisk.Disk
	broker  *broker.Broker
	node    *node.Node
	replies []step.Reply
	seq     uint64
}

func (r *rig) Now() core.Now         { return core.Now{Mono: r.now, Wall: core.Wall(r.now / core.Millisecond)} }
func (r *rig) Send(step.Send)        {}
func (r *rig) Reply(rep step.Reply)  { r.replies = append(r.replies, rep) }
func (r *rig) Reclaim([]byte)        {}
func (r *rig) Submit(op step.DiskOp) { r.disk.Submit(r.now, op) }

func newRig(t *testing.T) *rig {
	r := &rig{t: t, disk: simdisk.New(prng.New(1), simdisk.Config{})}
	r.start(1)
	return r
}

func (r *rig) start(seed uint64) {
	cfg, err := config.ResolveBroker(map[string]string{"listeners": "PLAINTEXT://h:9092"})
	require.NoError(r.t, err)
	r.broker = broker.New(broker.Options{Config: cfg, Seed: seed, Tuning: broker.Tuning{Check: true}})
	r.node = node.New(r.broker, r, r, r)
}

func (r *rig) run(until func() bool) {
	for range 100000 {
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
	r.t.Fatal("too long")
}

func (r *rig) call(req kmsg.Request, v int16) kmsg.Response {
	req.SetVersion(v)
	n := len(r.replies)
	r.node.Deliver(&step.Request{Conn: 1, Seq: r.seq, Version: v, Body: req})
	r.seq++
	r.run(func() bool { return len(r.replies) > n })
	return r.replies[n].Body
}

// A broker formats an empty directory, survives a power loss and an orderly restart, and never gives a producer id
// twice.
func TestBootCrashShutdownBoot(t *testing.T) {
	r := newRig(t)
	seen := map[int64]bool{}
	fresh := func() {
		t.Helper()
		r.run(r.broker.Serving)
		for range 3 {
			resp := r.call(kmsg.NewPtrInitProducerIDRequest(), 4).(*kmsg.InitProducerIDResponse)
			require.Zero(t, resp.ErrorCode)
			require.False(t, seen[resp.ProducerID], "producer id %d was given twice", resp.ProducerID)
			seen[resp.ProducerID] = true
		}
	}
	fresh()
	cluster := r.broker.ClusterID()
	r.disk.PowerLoss(r.now)
	r.start(2)
	fresh()
	require.Equal(t, cluster, r.broker.ClusterID())
	r.broker.Shutdown()
	r.run(func() bool { _, clean, halted := r.broker.Halted(); return halted && clean })
	require.Contains(t, r.disk.Names("."), ".kafka_cleanshutdown")
	r.disk.ProcessCrash(r.now)
	r.start(3)
	fresh()
	require.NotContains(t, r.disk.Names("."), ".kafka_cleanshutdown", "the marker vouches for one start only")
}
