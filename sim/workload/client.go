package workload

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
)

// Phase is the part of the run in which a client finds itself.
type Phase uint8

// The phases, in their order; a run never goes back.
const (
	Safety Phase = iota // operations happen as planned, and so do faults
	Settle              // faults have stopped: what is unfinished goes on, probes are sent
	Final               // every consumer reads everything
)

// Env is what the clients of a run share.
type Env struct {
	Log       *history.Log
	Bootstrap []string // "host:port" of brokers
	Topics    *Topics
	Groups    *Groups
	Seed      uint64       // of the draws made while running
	Phase     func() Phase // the present phase
	// Forwarded says that brokers pass requests on to a controller elsewhere, and repeat them where it is lost (KIP-590).
	Forwarded bool
	// Damage, if set, hears of bytes that a consumer refused: a batch that does not parse, whose checksum is wrong, or
	// that lies beyond the HighWatermark of its own response.
	Damage func(tp core.TopicPartition, at core.Offset, what string)
}

// Client is one incarnation of a planned client. Its process calls Act before and after each turn of the machine.
type Client struct {
	plan    Plan
	env     Env
	process history.Process
	incarn  int64
	machine *client.Client
	rand    *prng.Rand // of the client; operations fork theirs from it

	begun   bool // the first Act has happened
	phase   Phase
	next    int // the first operation of the plan that has not begun
	crashed bool
	ended   bool // Finish was called

	role role
}

// role is the part of a client that depends on its kind.
type role interface {
	// replay takes an operation that was due before this incarnation began.
	replay(op *Op)
	// begin starts an operation.
	begin(now core.Now, at core.Mono, op *Op)
	// enter tells of a new phase.
	enter(now core.Now, at core.Mono, phase Phase)
	// act takes what has finished and goes on with what is unfinished.
	act(now core.Now, at core.Mono)
	// due is when act is wanted without any turn of the machine.
	due() core.Mono
	// wants is what the present phase waits for, in words; "" if it has got all it wants.
	wants() string
	// finish records what is unfinished.
	finish(at core.Mono)
}

// New makes an incarnation of a planned client: the machine for a process and the driver beside it. It panics on a
// plan that [Plan.Validate] refuses.
func New(plan Plan, env Env, incarnation int64) (step.Machine, *Client) {
	o, err := plan.options(env.Bootstrap)
	if err != nil {
		panic(err)
	}
	root := prng.New(env.Seed).ForkN("client", int64(plan.ID))
	o.Seed = root.ForkN("machine", incarnation).Uint64()
	machine, err := client.New(o)
	if err != nil {
		panic(err)
	}
	c := &Client{
		plan: plan, env: env, process: ProcessOf(plan.ID, incarnation), incarn: incarnation, machine: machine,
		rand: root.ForkN("incarnation", incarnation),
	}
	switch plan.Kind {
	case Producer:
		c.role = newProducing(c)
	case Consumer:
		c.role = newConsuming(c)
	case Admin:
		c.role = newAdministering(c)
	case Member:
		c.role = newGrouped(c)
	case Writer:
		c.role = newWriting(c)
	case Pipeline:
		c.role = newPiping(c)
	default:
		panic(fmt.Sprintf("workload: client %d of kind %q", plan.ID, plan.Kind))
	}
	return machine, c
}

// Process is the client's number in the history.
func (c *Client) Process() history.Process { return c.process }

// Crashed reports that the plan wants this incarnation thrown away: the world calls Finish, ends the process, and
// starts it again as the next incarnation.
func (c *Client) Crashed() bool { return c.crashed }

// Done reports whether the present phase has got what it wants from this client: in Settle that nothing is
// unfinished, probes have succeeded and consumers have caught up; in Final that everything was read to the end.
func (c *Client) Done() bool { return c.Wants() == "" }

// Wants is what this client still waits for in the present phase, in words; "" if it is done.
func (c *Client) Wants() string {
	if !c.begun || c.phase != c.env.Phase() {
		return "to hear that the phase has begun"
	}
	return c.role.wants()
}

// Act takes results, records them, and starts what is due. now is the process' own clock, at the world's.
func (c *Client) Act(now core.Now, at core.Mono) {
	if c.crashed || c.ended {
		return
	}
	if !c.begun {
		c.begun = true
		for ; c.next < len(c.plan.Ops) && c.incarn > 1 && c.plan.Ops[c.next].At <= at; c.next++ {
			c.role.replay(&c.plan.Ops[c.next])
		}
	}
	c.role.act(now, at)
	for p := c.env.Phase(); c.phase < p; {
		c.phase++
		c.role.enter(now, at, c.phase)
	}
	for c.phase == Safety && c.next < len(c.plan.Ops) && c.plan.Ops[c.next].At <= at && !c.crashed {
		op := &c.plan.Ops[c.next]
		c.next++
		if op.Kind == Crash {
			c.crashed = true
			return
		}
		c.role.begin(now, at, op)
	}
	c.role.act(now, at)
}

// Due is when the driver next wants to act, on the world's clock.
func (c *Client) Due() (core.Mono, bool) {
	if c.crashed || c.ended {
		return 0, false
	}
	at := c.role.due()
	if c.phase == Safety && c.next < len(c.plan.Ops) {
		at = min(at, c.plan.Ops[c.next].At)
	}
	return at, at != cluster.Never
}

// Finish records what is unfinished: it may have happened, may still happen, or never. Nothing is recorded
// afterwards.
func (c *Client) Finish(at core.Mono) {
	if !c.ended {
		c.ended = true
		c.role.finish(at)
	}
}

// topicID is the id under which the machine knows a topic now; zero if it knows none.
func (c *Client) topicID(name string) core.TopicID { return c.machine.Cluster().Want(name).ID }

// op is the history's Op of something that this client did.
func (c *Client) op(start, end core.Mono, outcome history.Outcome, code core.ErrorCode) history.Op {
	return history.Op{Process: c.process, Start: start, End: end, Outcome: outcome, Code: code}
}

// incarnation is the incarnation of a topic that something was done to: the one that the broker named, or the only
// one there is. Of a name that is deleted and created again a request by name may have met any: exact is false, and
// the number is that of "whichever". It is also false if no incarnation has ever been seen.
func (c *Client) incarnation(name string, told core.TopicID) (ref history.TopicRef, exact bool) {
	if told.IsZero() && !c.env.Topics.Settings(name).Churned {
		told = c.topicID(name)
	}
	if told.IsZero() {
		if ids := c.env.Topics.Incarnations(name); len(ids) > 0 && !c.env.Topics.Settings(name).Churned {
			told = ids[0]
		}
	}
	return c.env.Topics.Ref(name, told), !told.IsZero()
}

func appendNew(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}
