package kclient

import (
	"context"
	"fmt"
	"math"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Refused is a broker's no, with its own words if it sent some.
type Refused struct {
	What string // what was asked for
	Code core.ErrorCode
	Text string
}

// Error is the refusal in one line.
func (r *Refused) Error() string {
	if r.Text == "" {
		return fmt.Sprintf("%s: %v", r.What, r.Code)
	}
	return fmt.Sprintf("%s: %v: %s", r.What, r.Code, r.Text)
}

// Unwrap is the code.
func (r *Refused) Unwrap() error { return r.Code }

func refused(what string, code int16, text *string) error {
	if code == 0 {
		return nil
	}
	r := &Refused{What: what, Code: core.ErrorCode(code)}
	if text != nil {
		r.Text = *text
	}
	return r
}

// handReplies answers calls.
func (c *Client) handReplies() {
	c.replies = c.inner.Admin().Replies(c.replies[:0])
	for _, r := range c.replies {
		if ch := c.calls[r.Token]; ch != nil {
			delete(c.calls, r.Token)
			ch <- r
		}
	}
	clear(c.replies)
}

// ask places one call of the admin and waits for its reply.
func (c *Client) ask(ctx context.Context, place func(a *admin.Admin, now core.Now, token uint64)) (admin.Reply, error) {
	answer := make(chan admin.Reply, 1)
	c.hooks.Do(func(now core.Now) {
		c.nextCall++
		c.calls[c.nextCall] = answer
		place(c.inner.Admin(), now, c.nextCall)
	})
	select {
	case r := <-answer:
		if r.Err != core.ErrNone && r.Body == nil {
			return r, c.Why(ctx, r.Err)
		}
		return r, nil
	case <-ctx.Done():
		return admin.Reply{}, ctx.Err()
	case <-c.done:
		return admin.Reply{}, ErrClosed
	}
}

// request sends a request along a route.
func request[T kmsg.Response](ctx context.Context, c *Client, req kmsg.Request, to admin.RouteKind) (body T, again bool, err error) {
	r, err := c.ask(ctx, func(a *admin.Admin, now core.Now, token uint64) {
		a.Call(now, req, admin.Route{Kind: to}, token)
	})
	if err != nil {
		return body, false, err
	}
	body, ok := r.Body.(T)
	if !ok {
		return body, false, fmt.Errorf("the answer to %s is a %T", kmsg.NameForKey(req.Key()), r.Body)
	}
	return body, r.Ambiguous, nil
}

// timeoutMillis is how long a broker may take.
func (c *Client) timeoutMillis() int32 {
	return int32(min(c.opts.Timeout.Milliseconds(), math.MaxInt32))
}

// NewTopic is a topic to be made.
type NewTopic struct {
	Name        string
	Partitions  int32 // -1 is the broker's default
	Replication int16 // -1 is the broker's default
	Configs     []Config
	Validate    bool // make nothing, say only whether it could be made
}

// Config is one configuration entry. Without HasValue the entry is to be removed, or its value is secret or null.
type Config struct {
	Name     string
	Value    string
	HasValue bool
	Override bool // set for the topic itself
}

// CreateTopic makes a topic. When it says that the topic exists although this call made it, because an answer was lost
// on its way, that is no error.
func (c *Client) CreateTopic(ctx context.Context, t NewTopic) (id core.TopicID, err error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis, req.ValidateOnly = c.timeoutMillis(), t.Validate
	row := kmsg.NewCreateTopicsRequestTopic()
	row.Topic, row.NumPartitions, row.ReplicationFactor = t.Name, t.Partitions, t.Replication
	for _, e := range t.Configs {
		entry := kmsg.NewCreateTopicsRequestTopicConfig()
		entry.Name, entry.Value = e.Name, kmsg.StringPtr(e.Value)
		row.Configs = append(row.Configs, entry)
	}
	req.Topics = append(req.Topics, row)
	resp, repeated, err := request[*kmsg.CreateTopicsResponse](ctx, c, req, admin.Controller)
	if err != nil {
		return id, err
	}
	if len(resp.Topics) != 1 {
		return id, fmt.Errorf("the answer to CreateTopics has %d topics", len(resp.Topics))
	}
	got := &resp.Topics[0]
	if repeated && core.ErrorCode(got.ErrorCode) == core.ErrTopicAlreadyExists {
		return id, nil
	}
	return got.TopicID, refused("topic "+t.Name, got.ErrorCode, got.ErrorMessage)
}

// DeleteTopic deletes a topic.
func (c *Client) DeleteTopic(ctx context.Context, name string) error {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = c.timeoutMillis()
	row := kmsg.NewDeleteTopicsRequestTopic()
	row.Topic = kmsg.StringPtr(name)
	req.Topics, req.TopicNames = append(req.Topics, row), []string{name} // the one from version 6 on, the other before
	resp, repeated, err := request[*kmsg.DeleteTopicsResponse](ctx, c, req, admin.Controller)
	if err != nil {
		return err
	}
	if len(resp.Topics) != 1 {
		return fmt.Errorf("the answer to DeleteTopics has %d topics", len(resp.Topics))
	}
	got := &resp.Topics[0]
	if repeated && core.ErrorCode(got.ErrorCode) == core.ErrUnknownTopicOrPartition {
		return nil
	}
	return refused("topic "+name, got.ErrorCode, got.ErrorMessage)
}

// AddPartitions makes a topic have so many partitions in all.
func (c *Client) AddPartitions(ctx context.Context, name string, total int32) error {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = c.timeoutMillis()
	row := kmsg.NewCreatePartitionsRequestTopic()
	row.Topic, row.Count = name, total
	req.Topics = append(req.Topics, row)
	resp, repeated, err := request[*kmsg.CreatePartitionsResponse](ctx, c, req, admin.Controller)
	if err != nil {
		return err
	}
	if len(resp.Topics) != 1 {
		return fmt.Errorf("the answer to CreatePartitions has %d topics", len(resp.Topics))
	}
	if repeated && core.ErrorCode(resp.Topics[0].ErrorCode) == core.ErrInvalidPartitions {
		if t, err := c.Topic(ctx, name); err == nil && len(t.Partitions) == int(total) { // its own work
			return nil
		}
	}
	return refused("topic "+name, resp.Topics[0].ErrorCode, resp.Topics[0].ErrorMessage)
}

// AlterConfigs sets entries that have a value and removes those that have none.
func (c *Client) AlterConfigs(ctx context.Context, topic string, entries []Config) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	res := kmsg.NewIncrementalAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	for _, e := range entries {
		row := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		row.Name, row.Op = e.Name, kmsg.IncrementalAlterConfigOpDelete
		if e.HasValue {
			row.Op, row.Value = kmsg.IncrementalAlterConfigOpSet, kmsg.StringPtr(e.Value)
		}
		res.Configs = append(res.Configs, row)
	}
	req.Resources = append(req.Resources, res)
	resp, _, err := request[*kmsg.IncrementalAlterConfigsResponse](ctx, c, req, admin.Controller)
	if err != nil {
		return err
	}
	if len(resp.Resources) != 1 {
		return fmt.Errorf("the answer to IncrementalAlterConfigs has %d resources", len(resp.Resources))
	}
	return refused("topic "+topic, resp.Resources[0].ErrorCode, resp.Resources[0].ErrorMessage)
}
