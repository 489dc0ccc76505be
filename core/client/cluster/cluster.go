package cluster

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Never is the deadline of what waits for nothing.
const Never core.Mono = 1<<63 - 1

// Owner tells which part of the client placed a call.
type Owner uint8

// The owners. Calls of ownCluster never leave this package.
const (
	ownCluster Owner = iota
	Producer
	Consumer
	Admin
	Group
	Transactions
)

// Lane separates requests that wait from requests that must not.
type Lane uint8

// The lanes; each is a connection of its own.
const (
	Main         Lane = iota // all but what follows
	Fetching                 // fetches, which the broker may park
	Coordinating             // a group member's joins, syncs and heartbeats: a join is parked until the others have joined
)

// Call is one request on its way. The caller owns it and its body again once it is completed as answered; after a loss
// the body may still be read by the other side of the simulator and must not be changed.
type Call struct {
	Owner      Owner
	Ref        any // the owner's, to find its state again
	Body       kmsg.Request
	MinVersion int16     // below it the request does not mean what the owner wants
	MaxVersion int16     // 0: no bound; else do not use a newer version
	Timeout    core.Mono // 0: the request timeout
	NoResponse bool      // a Produce with acks=0: there is no completion, and the body is never the caller's again

	Node core.NodeID // whom it was sent to
	corr int32
	at   core.Mono // deadline
}

// Outcome is how a call ended.
type Outcome uint8

// The outcomes.
const (
	Answered Outcome = iota // Resp is the answer
	Lost                    // no answer will come; whether it was or will be executed is unknown
)

// Completion is the end of one call.
type Completion struct {
	Call    *Call
	Outcome Outcome
	Resp    kmsg.Response // nil if lost
}

// Cluster is a connection manager. Make one with [New].
type Cluster struct {
	opts Options

	nodes      *ordmap.Map[core.NodeID, *Node] // as of the last Metadata response
	controller core.NodeID
	topics     *ordmap.Map[string, *Topic]
	all        allTopics
	byID       map[core.TopicID]*Topic
	meta       metadataState
	features   features

	links []*Link               // in order of creation; few
	peers map[step.PeerID]*Link // open or opening ones
	peer  step.PeerID           // the last id handed out
	corr  int32

	done     []Completion
	deadline core.Mono
	closed   bool

	jitter *prng.Rand
	choice *prng.Rand
}

// Node is a broker's address.
type Node struct {
	ID   core.NodeID
	Addr string // "host:port"
	Rack string
}

// New makes a connection manager that knows its bootstrap servers only. Options must be valid and have their defaults.
func New(opts Options, r *prng.Rand) *Cluster {
	return &Cluster{
		opts:       opts,
		nodes:      ordmap.Ordered[core.NodeID, *Node](),
		controller: core.NoNode,
		topics:     ordmap.Ordered[string, *Topic](),
		byID:       make(map[core.TopicID]*Topic),
		peers:      make(map[step.PeerID]*Link),
		deadline:   Never,
		jitter:     r.Fork("backoff"),
		choice:     r.Fork("broker"),
	}
}

// Options are the options in use, defaults filled in.
func (c *Cluster) Options() Options { return c.opts }

// Step takes an event of one of the cluster's connections. Other events do nothing.
func (c *Cluster) Step(now core.Now, ev step.Event, out *step.Effects) {
	switch ev := ev.(type) {
	case *step.PeerState:
		if l := c.peers[ev.Peer]; l != nil {
			if ev.Open {
				c.negotiate(now, l, out)
			} else {
				c.fail(now, l)
			}
		}
	case *step.PeerResponse:
		if l := c.peers[ev.Peer]; l != nil {
			c.answered(now, l, ev, out)
		}
	}
}

// Completions hands out what ended since the last call, in order. The slice is valid until the next Step or Expire.
func (c *Cluster) Completions() []Completion {
	done := c.done
	c.done = c.done[:0]
	return done
}

// Expire begins the end of a turn: it hangs up on what has waited too long. Completions may follow from it.
func (c *Cluster) Expire(now core.Now, out *step.Effects) {
	for _, l := range c.links {
		l.wanted = false
		switch {
		case l.state == dialling && now.Mono >= l.connectBy,
			l.state >= negotiating && now.Mono >= l.firstTimeout():
			c.hangup(now, l, out)
		case l.state == ready && len(l.inflight) == 0 && now.Mono >= l.idleAt(c.opts.ConnectionMaxIdle):
			c.send(out, step.Send{Peer: l.peer, Kind: step.Hangup})
			delete(c.peers, l.peer)
			l.state = closed
		}
	}
}

// EndTurn ends a turn, after the owners have placed their calls: metadata is refreshed if needed, and the next
// deadline is found.
func (c *Cluster) EndTurn(now core.Now, out *step.Effects) {
	c.refreshIfDue(now, out)
	c.deadline = c.meta.deadline(c)
	if len(c.done) > 0 { // a connection was given up in this turn
		c.deadline = now.Mono
	}
	for _, l := range c.links {
		c.deadline = min(c.deadline, l.deadline(c.opts.ConnectionMaxIdle))
	}
}

// NextDeadline is when the cluster must be looked at again, as of the last EndTurn; [Never] if nothing waits.
func (c *Cluster) NextDeadline() core.Mono { return c.deadline }

// Close hangs up all connections; calls in flight are lost.
func (c *Cluster) Close(now core.Now, out *step.Effects) {
	for _, l := range c.links {
		if l.state != closed {
			c.hangup(now, l, out)
		}
	}
	c.closed = true
}

// RetryAfter is the instant of the next attempt after so many failed ones (KIP-580: exponential, with a fifth of
// jitter either way).
func (c *Cluster) RetryAfter(now core.Mono, failures int) core.Mono {
	return now.Add(c.backoff(c.opts.RetryBackoff, c.opts.RetryBackoffMax, failures))
}

func (c *Cluster) backoff(base, most core.Mono, failures int) core.Mono {
	d := base
	for i := 1; i < failures && d < most; i++ {
		d *= 2
	}
	d = min(d, most)
	return d / 100 * core.Mono(c.jitter.Between(80, 120))
}

func (c *Cluster) send(out *step.Effects, s step.Send) {
	s.ClientID = c.opts.ClientID
	out.Sends = append(out.Sends, s)
}
