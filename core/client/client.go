package client

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/member"
	"github.com/klamm-log/klamm/core/client/pipeline"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/client/txn"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
)

// Options configures a [Client]. The zero value of every field but Cluster.Bootstrap means its default.
type Options struct {
	Cluster  cluster.Options
	Producer producer.Options
	Consumer consumer.Options
	Admin    admin.Options
	Group    member.Options
	Txn      txn.Options
	Seed     uint64 // of jitter and of the partitioners' choices
}

// Validate reports the first option that cannot work.
func (o Options) Validate() error {
	if err := o.Cluster.Validate(); err != nil {
		return err
	}
	if err := o.Producer.WithDefaults().Validate(); err != nil {
		return err
	}
	if err := o.Group.WithDefaults().Validate(); err != nil {
		return err
	}
	if err := o.Txn.WithDefaults().Validate(); err != nil {
		return err
	}
	if o.Txn.ID != "" && (o.Producer.Acks != producer.AcksAll || o.Producer.Idempotence == producer.IdempotenceOff) {
		return fmt.Errorf("client: transactions need an idempotent producer with acks=all (KIP-98)")
	}
	return o.Consumer.WithDefaults().Validate()
}

// Client is a Kafka client as a machine. Its parts cost nothing until they are used.
type Client struct {
	cluster  *cluster.Cluster
	producer *producer.Producer
	consumer *consumer.Consumer
	admin    *admin.Admin
	group    *member.Member
	txn      *txn.Manager
	pipeline *pipeline.Pipeline
	closing  bool
	closed   bool
}

var _ step.Machine = (*Client)(nil)

// New makes a client. The error is that of [Options.Validate].
func New(o Options) (*Client, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r := prng.New(o.Seed).Fork("client")
	cl := cluster.New(o.Cluster.WithDefaults(), r.Fork("cluster"))
	k := consumer.New(o.Consumer, cl)
	tx := txn.New(o.Txn.WithDefaults(), cl)
	m := member.New(o.Group.WithDefaults(), cl, k, r.Fork("group"))
	return &Client{
		cluster:  cl,
		producer: producer.New(o.Producer, cl, tx, r.Fork("producer")),
		consumer: k,
		admin:    admin.New(o.Admin, cl),
		group:    m,
		pipeline: pipeline.New(cl, k, m, tx),
		txn:      tx,
	}, nil
}

// Cluster is what the client knows of brokers and topics.
func (c *Client) Cluster() *cluster.Cluster { return c.cluster }

// Producer is the writing part.
func (c *Client) Producer() *producer.Producer { return c.producer }

// Consumer is the reading part.
func (c *Client) Consumer() *consumer.Consumer { return c.consumer }

// Admin is the part for everything else.
func (c *Client) Admin() *admin.Admin { return c.admin }

// Group is the part that lives in a consumer group, and has the consumer read what it is assigned.
func (c *Client) Group() *member.Member { return c.group }

// Transactions is the part that transactions begin and end with; off without a transactional id.
func (c *Client) Transactions() *txn.Manager { return c.txn }

// Pipeline is the loop of consume, transform, produce over the group's member, the producer and the transactions.
func (c *Client) Pipeline() *pipeline.Pipeline { return c.pipeline }

// Close makes the next turn hang up all connections. What is unfinished gets its result then; records in flight are
// ambiguous.
func (c *Client) Close(core.Now) { c.closing = true }

// Step takes one event.
func (c *Client) Step(now core.Now, ev step.Event, out *step.Effects) {
	c.cluster.Step(now, ev, out)
	c.route(now)
}

// EndTurn acts on all that was wanted since the last turn, and on what came.
func (c *Client) EndTurn(now core.Now, out *step.Effects) {
	if c.closed {
		return
	}
	if c.closing {
		c.close(now, out)
		return
	}
	c.cluster.Expire(now, out)
	c.route(now)
	c.producer.EndTurn(now, out)
	c.txn.EndTurn(now, c.producer.Quiet(), out) // after the producer, which says what must be added
	c.pipeline.EndTurn(now)                     // after what it is told by, before the member that it rewinds
	c.group.EndTurn(now, out)                   // before the consumer, to which it assigns
	c.consumer.EndTurn(now, out)
	c.admin.EndTurn(now, out)
	c.cluster.EndTurn(now, out)
}

// NextDeadline is when the client wants to be looked at: at once after one of its methods was called.
func (c *Client) NextDeadline() (core.Mono, bool) {
	if c.closed {
		return 0, false
	}
	if c.closing {
		return 0, true
	}
	at := min(c.cluster.NextDeadline(), c.producer.NextDeadline(), c.consumer.NextDeadline(), c.admin.NextDeadline(),
		c.group.NextDeadline(), c.txn.NextDeadline(), c.pipeline.NextDeadline())
	return at, at != cluster.Never
}

func (c *Client) close(now core.Now, out *step.Effects) {
	c.producer.Close()
	c.txn.Close()
	c.group.Close()
	c.consumer.Close()
	c.admin.Close()
	c.cluster.Close(now, out)
	c.closed = true
}

// route hands completed calls to their owners. It ends: owners place no calls while they take a completion.
func (c *Client) route(now core.Now) {
	done := c.cluster.Completions()
	for i := range done {
		switch d := &done[i]; d.Call.Owner {
		case cluster.Producer:
			c.producer.Done(now, d)
		case cluster.Consumer:
			c.consumer.Done(now, d)
		case cluster.Admin:
			c.admin.Done(now, d)
		case cluster.Group:
			c.group.Done(now, d)
		case cluster.Transactions:
			c.txn.Done(now, d)
		}
	}
	clear(done)
}
