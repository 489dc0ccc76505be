// Package kclient makes the client machine of core/client a client to call: it runs the machine in a loop over real
// sockets, and its methods wait for what they ask for. It works with any broker that speaks Kafka's protocol.
//
// Records are produced without waiting, [Options].Results tells what became of each. Everything else waits for its
// answer, or for the end of the context. The methods may be called from any goroutine, except from Results.
package kclient

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/hooked"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/member"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/client/txn"
	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/transport"
)

// Options is what a client is made of.
type Options struct {
	Bootstrap []string // "host:port"; needed
	ClientID  string
	// Timeout bounds every request but those of Produce and Poll; 0 is a minute.
	Timeout  time.Duration
	Producer producer.Options
	Consumer consumer.Options
	Group    member.Options // of Subscribe
	Txn      txn.Options    // of Begin
	// Results takes what became of produced records, on the loop's goroutine: it must be quick and must not call the
	// client. The slice is reused. Nil drops them.
	Results func([]producer.Result)
}

// Client is a running client.
type Client struct {
	opts   Options
	inner  *client.Client
	hooks  *hooked.Machine
	loop   *transport.Loop
	dialer *transport.Dialer
	cancel context.CancelFunc
	done   chan struct{} // closed when the loop has ended

	mu      sync.Mutex
	room    sync.Cond // the queue was taken, or the client closed
	queue   []send
	spare   []send
	closed  bool
	drained bool // a call that takes the queue is on its way

	// Of the loop's goroutine.
	backlog   []send // taken, and not accepted by the producer yet
	results   []producer.Result
	waiters   []waiter
	polls     []*poll
	groupPoll *groupPoll
	leaving   chan member.State
	watches   []watch
	txnEvents []txn.Event
	calls     map[uint64]chan admin.Reply
	replies   []admin.Reply
	nextCall  uint64
	reached   bool   // some connection was ready once
	lastErr   string // why the last connection was not
}

type send struct {
	record producer.Record
	token  uint64
}

// waiter is told once all records that the client had when it came have their results.
type waiter struct{ done chan struct{} }

type poll struct {
	max  int
	dst  []consumer.Record
	done chan polled
}

type polled struct {
	records []consumer.Record
	events  []consumer.Event
}

// ErrClosed is the answer of a client that was closed.
var ErrClosed = errors.New("the client is closed")

// Unreachable says that no broker ever answered.
type Unreachable struct {
	Bootstrap []string
	Cause     string // of the last attempt, may be empty
}

// Error names the addresses and the cause.
func (e *Unreachable) Error() string {
	text := "no broker answers at " + strings.Join(e.Bootstrap, ", ")
	if e.Cause != "" {
		text += ": " + e.Cause
	}
	return text
}

// Open starts a client. It connects when it is used.
func Open(o Options) (*Client, error) {
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails
	inner, err := client.New(client.Options{
		Cluster:  cluster.Options{Bootstrap: o.Bootstrap, ClientID: o.ClientID},
		Producer: o.Producer, Consumer: o.Consumer, Group: o.Group, Txn: o.Txn,
		Admin: admin.Options{Timeout: core.Mono(o.Timeout)},
		Seed:  binary.LittleEndian.Uint64(seed[:]),
	})
	if err != nil {
		return nil, err
	}
	clock := transport.NewClock()
	c := &Client{
		opts: o, inner: inner, loop: transport.NewLoop(clock), done: make(chan struct{}),
		calls: make(map[uint64]chan admin.Reply),
	}
	c.room.L = &c.mu
	c.dialer = transport.NewDialer(transport.DialerOptions{}, c.loop.Deliver)
	c.hooks = hooked.Wrap(inner, hooked.Hooks{
		Event: c.event, After: c.after, Wake: func(ev *step.Tick) { c.loop.Deliver(ev) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	go func() {
		defer close(c.done)
		_ = c.loop.Run(ctx, node.New(c.hooks, clock, transport.Network{Dialer: c.dialer}, noDisk{})) // ends with ctx only
	}()
	return c, nil
}

// noDisk is the disk of a machine that uses none.
type noDisk struct{}

func (noDisk) Submit(step.DiskOp) { panic("kclient: a client has no disk") }

// Close hangs up. Records without a result get none. It waits until nothing runs any more.
func (c *Client) Close() {
	c.mu.Lock()
	closed := c.closed
	c.closed = true
	c.mu.Unlock()
	if closed {
		<-c.done
		return
	}
	c.room.Broadcast()
	c.cancel()
	<-c.done
	c.dialer.Close()
}

// do runs f on the loop's goroutine and waits for it.
func (c *Client) do(ctx context.Context, f func(now core.Now)) error {
	ran := make(chan struct{})
	c.hooks.Do(func(now core.Now) {
		f(now)
		close(ran)
	})
	return c.await(ctx, ran)
}

func (c *Client) await(ctx context.Context, ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.done:
		return ErrClosed
	}
}

// event sees connections open and fail, for the words of errors.
func (c *Client) event(ev step.Event) {
	if p, ok := ev.(*step.PeerState); ok {
		if p.Open {
			c.reached = true
		} else if p.Err != "" {
			c.lastErr = p.Err
		}
	}
}

// after hands out what a turn has brought.
func (c *Client) after(now core.Now) {
	c.handResults(now)
	c.handReplies()
	c.handRecords(now)
	c.handGroup(now)
	c.handLeaving()
	c.handTxns(now)
}

// Reason is err, or, if it says that nobody answered in time, why.
func (c *Client) reason(err core.ErrorCode) error {
	switch {
	case err == core.ErrNone:
		return nil
	case !c.reached && (err == core.ErrRequestTimedOut || err == core.ErrNetworkException || err == core.ErrUnknownTopicOrPartition):
		return &Unreachable{Bootstrap: c.opts.Bootstrap, Cause: c.lastErr}
	case err == core.ErrRequestTimedOut && c.lastErr != "":
		return fmt.Errorf("%w (%s)", err, c.lastErr)
	}
	return err
}
