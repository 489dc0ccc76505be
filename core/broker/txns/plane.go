package txns

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/txn"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topic is the topic that coordinators keep their state in.
const Topic = shards.TxnTopic

// Host is the broker around a plane.
type Host interface {
	shards.Host
	shards.Finder
	shards.Asker

	// AllocateIDs asks the controller for a block of producer ids, [first, first+count). then is called once, perhaps at once;
	// a count of 0 is no answer.
	AllocateIDs(now core.Now, then func(now core.Now, first core.ProducerID, count int32, out *step.Effects), out *step.Effects)
}

// Options is what a Plane is made of.
type Options struct {
	Config config.Transactions
	Host   Host
	// Check asserts the coordinators' invariants after each turn, see [Plane.Check].
	Check bool
}

// shard is one partition's coordinator with what waits in it.
type shard = shards.Shard[*txn.Coordinator]

// pending is a request whose answer is not out yet.
type pending = shards.Pending

// answerTimeout is how long an answer waits until its records are replicated: Kafka has 5 s, and no key for it.
const answerTimeout = 5 * core.Second

// Plane is a broker's transaction coordinators.
type Plane struct {
	*shards.Set[*txn.Coordinator]
	opts   Options
	host   Host
	ids    idBlock
	outbox outbox
}

// New is a plane that leads nothing.
func New(opts Options) *Plane {
	p := &Plane{opts: opts, host: opts.Host, outbox: newOutbox()}
	p.Set = shards.New(shards.Options[*txn.Coordinator]{
		Topic: Topic, Host: opts.Host, Hooks: hooks{p}, Check: opts.Check, AnswerTimeout: answerTimeout,
		New: func(_ int32, epoch core.LeaderEpoch, log coord.Proposer) *txn.Coordinator {
			return txn.New(txn.Options{Config: opts.Config, Epoch: epoch, Log: log, IDs: &p.ids, Level: p.level})
		},
	})
	return p
}

// level is the finalized level of transaction.version.
func (p *Plane) level() txn.Version {
	return txn.Version(p.host.Image().FeatureLevel(metadata.TransactionVersionFeature))
}

// hooks is the plane as its shards see it.
type hooks struct{ p *Plane }

// Note implements [shards.Hooks].
func (hooks) Note(e shards.Event, out *step.Effects) {
	switch e {
	case shards.Loading:
	case shards.Loaded:
		out.Reachable("txns.loaded", nil)
	case shards.AnswerDropped:
		out.Reachable("txns.answer-dropped", nil)
	case shards.AnswerTimedOut:
		out.Reachable("txns.answer-timed-out", nil)
	case shards.ParkedDropped:
	}
}

// Activated implements [shards.Hooks].
func (hooks) Activated(core.Now, *shard, *step.Effects) {}

// Settle implements [shards.Hooks]: what is decided and committed gets its markers.
func (h hooks) Settle(now core.Now, s *shard, out *step.Effects) {
	s.Machine().Committed(now, s.HighWatermark())
	h.p.post(now, s, out)
}

// Handle takes a request if it is one for transaction coordinators; the answer is whether it was.
func (p *Plane) Handle(now core.Now, r *step.Request, out *step.Effects) bool {
	switch r.Body.(type) {
	case *kmsg.InitProducerIDRequest:
		p.initProducerID(now, r, out)
	case *kmsg.AddPartitionsToTxnRequest:
		p.addPartitions(now, r, out)
	case *kmsg.AddOffsetsToTxnRequest:
		p.addOffsets(now, r, out)
	case *kmsg.EndTxnRequest:
		p.endTxn(now, r, out)
	case *kmsg.DescribeTransactionsRequest:
		p.describe(now, r, out)
	case *kmsg.ListTransactionsRequest:
		p.list(now, r, out)
	default:
		return false
	}
	return true
}

// Check asserts the invariants of every coordinator that something has happened to since the last time. It needs Options.Check.
func (p *Plane) Check() {
	for s := range p.Touched() {
		s.Machine().Check()
	}
}

// View is one coordinator as simulators and tools see it.
type View = shards.View[*txn.Coordinator]

// fenced is the code that a version of a request knows for a producer whose epoch is over: PRODUCER_FENCED came with KIP-588.
func fenced(code core.ErrorCode, version, since int16) core.ErrorCode {
	if code == core.ErrProducerFenced && version < since {
		return core.ErrInvalidProducerEpoch
	}
	return code
}
