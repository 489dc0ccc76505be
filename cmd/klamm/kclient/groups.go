package kclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/member"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Group is a group as a coordinator lists it.
type Group struct {
	ID           string
	ProtocolType string // "consumer"; empty for a group that only commits
	State        string // empty before ListGroups 4
	Type         string // classic, consumer ...; empty before ListGroups 5
	Coordinator  core.NodeID
}

// Groups lists all groups, by id. Each broker is asked for those that it coordinates.
func (c *Client) Groups(ctx context.Context) ([]Group, error) {
	cl, err := c.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	var out []Group
	for _, b := range cl.Brokers {
		resp, _, err := body[*kmsg.ListGroupsResponse](c.call(ctx, kmsg.NewPtrListGroupsRequest(), admin.Route{Kind: admin.Broker, Node: b.ID}))
		if err == nil {
			err = refused(fmt.Sprintf("the groups of broker %d", b.ID), resp.ErrorCode, nil)
		}
		if err != nil {
			return nil, err
		}
		for _, g := range resp.Groups {
			out = append(out, Group{ID: g.Group, ProtocolType: g.ProtocolType, State: g.GroupState, Type: g.GroupType, Coordinator: b.ID})
		}
	}
	slices.SortFunc(out, func(a, b Group) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// call sends a request along a route.
func (c *Client) call(ctx context.Context, req kmsg.Request, to admin.Route) (admin.Reply, error) {
	return c.ask(ctx, func(a *admin.Admin, now core.Now, token uint64) { a.Call(now, req, to, token) })
}

// GroupDetails is what a coordinator tells of one group.
type GroupDetails struct {
	Group
	Assignor string
	Epoch    int32 // of a KIP-848 group; -1 otherwise
	Members  []GroupMember
}

// GroupMember is one member of a group.
type GroupMember struct {
	ID, InstanceID, ClientID, Host string
	Epoch                          int32 // of a KIP-848 member; -1 otherwise
	Assigned                       []core.TopicPartition
}

// Dead is the state of a group that is not there.
const Dead = "Dead"

// DescribeGroup tells of one group; its state is [Dead] if there is none of that name.
func (c *Client) DescribeGroup(ctx context.Context, id string) (GroupDetails, error) {
	at := admin.Route{Kind: admin.Coordinator, Group: id}
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{id}
	reply, err := c.call(ctx, req, at)
	resp, _, err := body[*kmsg.DescribeGroupsResponse](reply, err)
	switch {
	case err != nil:
		return GroupDetails{}, err
	case len(resp.Groups) != 1:
		return GroupDetails{}, fmt.Errorf("the answer to DescribeGroups has %d groups", len(resp.Groups))
	}
	g := &resp.Groups[0]
	none := core.ErrorCode(g.ErrorCode) == core.ErrGroupIDNotFound
	if err := refused("group "+id, g.ErrorCode, g.ErrorMessage); err != nil && !none {
		return GroupDetails{}, err
	}
	d := GroupDetails{Group: Group{ID: id, ProtocolType: g.ProtocolType, State: g.State, Type: "classic", Coordinator: reply.Node}, Assignor: g.Protocol, Epoch: -1}
	if none || g.State == Dead {
		d.State = Dead
		modern, err := c.describeModern(ctx, id) // DescribeGroups knows classic groups only
		if errors.Is(err, core.ErrGroupIDNotFound) || errors.Is(err, core.ErrUnsupportedVersion) {
			return d, nil
		}
		return modern, err
	}
	for i := range g.Members {
		m := &g.Members[i]
		row := GroupMember{ID: m.MemberID, ClientID: m.ClientID, Host: m.ClientHost, Epoch: -1}
		if m.InstanceID != nil {
			row.InstanceID = *m.InstanceID
		}
		row.Assigned = member.Assigned(g.ProtocolType, m.MemberAssignment)
		d.Members = append(d.Members, row)
	}
	return d, nil
}

// describeModern tells of a KIP-848 group. The error wraps core.ErrGroupIDNotFound if there is none, and core.ErrUnsupportedVersion if
// the broker knows none.
func (c *Client) describeModern(ctx context.Context, id string) (GroupDetails, error) {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = []string{id}
	reply, err := c.call(ctx, req, admin.Route{Kind: admin.Coordinator, Group: id})
	resp, _, err := body[*kmsg.ConsumerGroupDescribeResponse](reply, err)
	switch {
	case err != nil:
		return GroupDetails{}, err
	case len(resp.Groups) != 1:
		return GroupDetails{}, fmt.Errorf("the answer to ConsumerGroupDescribe has %d groups", len(resp.Groups))
	}
	if err := refused("group "+id, resp.Groups[0].ErrorCode, resp.Groups[0].ErrorMessage); err != nil {
		return GroupDetails{}, err
	}
	g := &resp.Groups[0]
	d := GroupDetails{Group: Group{ID: id, ProtocolType: "consumer", State: g.State, Type: "consumer", Coordinator: reply.Node}, Assignor: g.AssignorName, Epoch: g.Epoch}
	for i := range g.Members {
		m := &g.Members[i]
		row := GroupMember{ID: m.MemberID, ClientID: m.ClientID, Host: m.ClientHost, Epoch: m.MemberEpoch}
		if m.InstanceID != nil {
			row.InstanceID = *m.InstanceID
		}
		for _, t := range m.Assignment.TopicPartitions {
			for _, p := range t.Partitions {
				row.Assigned = append(row.Assigned, core.TopicPartition{Topic: t.Topic, Partition: p})
			}
		}
		d.Members = append(d.Members, row)
	}
	return d, nil
}

// GroupOffset is where a group is in one partition.
type GroupOffset struct {
	core.TopicPartition
	Offset   core.Offset
	Metadata string
}

// GroupOffsets tells all committed offsets of a group, sorted. A group that is not there has none.
func (c *Client) GroupOffsets(ctx context.Context, id string) ([]GroupOffset, error) {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = id // up to version 7; Topics null: all
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = id
	req.Groups = append(req.Groups, g)
	resp, _, err := body[*kmsg.OffsetFetchResponse](c.call(ctx, req, admin.Route{Kind: admin.Coordinator, Group: id}))
	if err != nil {
		return nil, err
	}
	var out []GroupOffset
	add := func(topic string, p int32, offset int64, metadata *string) {
		if topic == "" || offset < 0 {
			return
		}
		row := GroupOffset{TopicPartition: core.TopicPartition{Topic: topic, Partition: p}, Offset: core.Offset(offset)}
		if metadata != nil {
			row.Metadata = *metadata
		}
		out = append(out, row)
	}
	code := resp.ErrorCode
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			add(t.Topic, p.Partition, p.Offset, p.Metadata)
		}
	}
	names, err := c.namesByID(ctx, resp)
	if err != nil {
		return nil, err
	}
	for _, g := range resp.Groups {
		if code == 0 { // not max: UNKNOWN_SERVER_ERROR is -1
			code = g.ErrorCode
		}
		for _, t := range g.Topics {
			name := t.Topic
			if resp.Version >= 10 {
				name = names[t.TopicID]
			}
			for _, p := range t.Partitions {
				add(name, p.Partition, p.Offset, p.Metadata)
			}
		}
	}
	if core.ErrorCode(code) == core.ErrGroupIDNotFound {
		code = 0
	}
	slices.SortFunc(out, func(a, b GroupOffset) int { return a.TopicPartition.Compare(b.TopicPartition) })
	return out, refused("group "+id, code, nil)
}

// namesByID are the topics' names, if the answer names topics by their ids.
func (c *Client) namesByID(ctx context.Context, resp *kmsg.OffsetFetchResponse) (map[core.TopicID]string, error) {
	if resp.Version < 10 {
		return nil, nil
	}
	cl, err := c.Metadata(ctx)
	names := make(map[core.TopicID]string)
	for _, t := range cl.Topics {
		names[t.ID] = t.Name
	}
	return names, err
}

// SetGroupOffsets stores offsets of a group that has no members. The error is the first partition's.
func (c *Client) SetGroupOffsets(ctx context.Context, id string, offsets []GroupOffset) error {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = id, -1 // a simple consumer's commit
	for _, o := range offsets {
		n := len(req.Topics)
		if n == 0 || req.Topics[n-1].Topic != o.Topic {
			t, err := c.Topic(ctx, o.Topic)
			if err != nil {
				return err
			}
			row := kmsg.NewOffsetCommitRequestTopic()
			row.Topic, row.TopicID = o.Topic, t.ID
			req.Topics = append(req.Topics, row)
			n++
		}
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.Metadata = o.Partition, int64(o.Offset), kmsg.StringPtr(o.Metadata)
		req.Topics[n-1].Partitions = append(req.Topics[n-1].Partitions, p)
	}
	resp, _, err := body[*kmsg.OffsetCommitResponse](c.call(ctx, req, admin.Route{Kind: admin.Coordinator, Group: id}))
	if err != nil {
		return err
	}
	for i := range resp.Topics {
		for _, p := range resp.Topics[i].Partitions {
			if p.ErrorCode != 0 {
				return refused(fmt.Sprintf("group %s, partition %d of %s", id, p.Partition, req.Topics[min(i, len(req.Topics)-1)].Topic), p.ErrorCode, nil)
			}
		}
	}
	return nil
}

// DeleteGroup deletes a group that has no members, with its offsets.
func (c *Client) DeleteGroup(ctx context.Context, id string) error {
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.Groups = []string{id}
	resp, repeated, err := body[*kmsg.DeleteGroupsResponse](c.call(ctx, req, admin.Route{Kind: admin.Coordinator, Group: id}))
	switch {
	case err != nil:
		return err
	case len(resp.Groups) != 1:
		return fmt.Errorf("the answer to DeleteGroups has %d groups", len(resp.Groups))
	case repeated && core.ErrorCode(resp.Groups[0].ErrorCode) == core.ErrGroupIDNotFound: // its own work
		return nil
	}
	return refused("group "+id, resp.Groups[0].ErrorCode, resp.Groups[0].ErrorMessage)
}
