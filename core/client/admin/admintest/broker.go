// Package admintest has a broker that answers an admin as a test says: for what a cluster does not do at a test's wish, such
// as refusing one partition of an election. It is a state and no protocol. Nothing but tests imports it.
package admintest

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Broker is a broker alone. Its fields are what it says, and not changed while it is asked.
type Broker struct {
	Host string // where clients are told to find it
	Port int32
	// Old makes it one that knows nothing but topics.
	Old     bool
	Topics  []Topic
	Page    int // topics' partitions per answer to DescribeTopicPartitions; 0 is all
	Moving  []Move
	Leader  core.NodeID // of the quorum
	Voters  []Replica
	Watches []Replica // observers
	// Refuse is the outcome of partitions in elections and reassignments; none is success.
	Refuse      map[core.TopicPartition]core.ErrorCode
	RefuseVoter core.ErrorCode
	// Transaction makes it a coordinator of one transaction, and a leader of partitions with producers.
	Transaction *Transaction
	// Group makes it the coordinator of a group, of which there is not much.
	Group *Group
	// Late makes it answer the first request for partitions or reassignments, which it executes, with REQUEST_TIMED_OUT.
	Late bool

	Asked []any // what came, in order: Election, []admin.Assignment, AddVoter, RemoveVoter, DescribeFrom, Marker
}

// Topic is a topic with its partitions by index.
type Topic struct {
	Name       string
	Partitions []Partition
}

// Partition is one partition of a topic.
type Partition struct {
	Leader             int32
	Replicas, ISR, ELR []int32
}

// Move is a reassignment in progress.
type Move struct {
	core.TopicPartition
	Replicas, Adding, Removing []int32
}

// Replica is one copy of the metadata log.
type Replica struct {
	admin.Voter
	LogEndOffset int64
}

// What a broker was asked for.
type (
	// Election is a request for elections; no partitions are all.
	Election struct {
		Unclean    bool
		Partitions []core.TopicPartition
	}
	// AddVoter is a request to add a voter.
	AddVoter struct{ admin.Voter }
	// RemoveVoter is a request to remove one.
	RemoveVoter struct{ admin.Voter }
	// DescribeFrom is a request for a page of partitions; an empty topic is the first.
	DescribeFrom struct{ core.TopicPartition }
)

// apis are the requests that it knows, each in all versions.
func (b *Broker) apis() []conn.VersionRange {
	keys := []int16{3, 18}
	if !b.Old {
		keys = append(keys, 37, 43, 45, 46, 55, 75, 80, 81)
	}
	if b.Transaction != nil {
		keys = append(keys, 10, 27, 61, 65, 66)
	}
	if b.Group != nil {
		keys = append(keys, 9, 10, 15, 42, 69)
	}
	out := make([]conn.VersionRange, 0, len(keys))
	for _, key := range keys {
		out = append(out, conn.VersionRange{Key: key, Max: kmsg.RequestForKey(key).MaxVersion()})
	}
	return out
}

// Connect is a connection that has just been accepted.
func (b *Broker) Connect() *Conn {
	return &Conn{broker: b, server: conn.NewServer(1, conn.Config{Versions: conn.NewVersions(b.apis()...)})}
}

// Conn is a connection to a [Broker] without the socket.
type Conn struct {
	broker *Broker
	server *conn.Server
}

// Exchange takes bytes that arrived and returns those to send. After an error the connection is to be closed.
func (c *Conn) Exchange(in []byte) (out []byte, err error) {
	c.server.Feed(in)
	for {
		req, err := c.server.Next()
		if err != nil {
			return nil, err
		}
		if req == nil {
			break
		}
		c.server.Reply(step.Reply{Conn: req.Conn, Seq: req.Seq, Corr: req.Corr, Version: req.Version, Body: c.broker.answer(req.Body)})
	}
	for _, chunk := range c.server.Take().Chunks {
		out = append(out, chunk.Data...)
	}
	return out, nil
}

func (b *Broker) answer(req kmsg.Request) kmsg.Response {
	for _, of := range []func(kmsg.Request) kmsg.Response{b.group, b.transaction} {
		if resp := of(req); resp != nil {
			resp.SetVersion(req.GetVersion())
			return resp
		}
	}
	switch req := req.(type) {
	case *kmsg.MetadataRequest:
		return b.metadata(req)
	case *kmsg.ElectLeadersRequest:
		return b.elect(req)
	case *kmsg.AlterPartitionAssignmentsRequest:
		return b.alter(req)
	case *kmsg.CreatePartitionsRequest:
		return b.grow(req)
	case *kmsg.ListPartitionReassignmentsRequest:
		return b.list(req)
	case *kmsg.DescribeQuorumRequest:
		return b.quorum(req)
	case *kmsg.DescribeTopicPartitionsRequest:
		return b.describe(req)
	case *kmsg.AddRaftVoterRequest:
		v := admin.Voter{ID: core.NodeID(req.VoterID), Directory: req.VoterDirectoryID}
		for _, l := range req.Listeners {
			v.Listeners = append(v.Listeners, admin.VoterListener{Name: l.Name, Host: l.Host, Port: l.Port})
		}
		b.Asked = append(b.Asked, AddVoter{v})
		resp := req.ResponseKind().(*kmsg.AddRaftVoterResponse)
		resp.ErrorCode = int16(b.RefuseVoter)
		return resp
	case *kmsg.RemoveRaftVoterRequest:
		b.Asked = append(b.Asked, RemoveVoter{admin.Voter{ID: core.NodeID(req.VoterID), Directory: req.VoterDirectoryID}})
		resp := req.ResponseKind().(*kmsg.RemoveRaftVoterResponse)
		resp.ErrorCode = int16(b.RefuseVoter)
		return resp
	}
	resp := req.ResponseKind()
	if hello, ok := resp.(*kmsg.ApiVersionsResponse); ok {
		for _, a := range b.apis() {
			hello.ApiKeys = append(hello.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: a.Key, MinVersion: a.Min, MaxVersion: a.Max})
		}
	}
	return resp
}

func (b *Broker) metadata(req *kmsg.MetadataRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	resp.Brokers = append(resp.Brokers, kmsg.MetadataResponseBroker{NodeID: 1, Host: b.Host, Port: b.Port})
	resp.ControllerID = 1
	names := make([]string, 0, len(b.Topics))
	for _, t := range req.Topics {
		names = append(names, *t.Topic)
	}
	if req.Topics == nil {
		for i := range b.Topics {
			names = append(names, b.Topics[i].Name)
		}
	}
	for _, name := range names {
		row := kmsg.NewMetadataResponseTopic()
		row.Topic, row.ErrorCode = kmsg.StringPtr(name), int16(core.ErrUnknownTopicOrPartition)
		if at := slices.IndexFunc(b.Topics, func(t Topic) bool { return t.Name == name }); at >= 0 {
			row.ErrorCode = 0
			for i, p := range b.Topics[at].Partitions {
				out := kmsg.NewMetadataResponseTopicPartition()
				out.Partition, out.Leader, out.Replicas, out.ISR = int32(i), p.Leader, p.Replicas, p.ISR
				row.Partitions = append(row.Partitions, out)
			}
		}
		resp.Topics = append(resp.Topics, row)
	}
	return resp
}

func (b *Broker) elect(req *kmsg.ElectLeadersRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ElectLeadersResponse)
	asked := Election{Unclean: req.ElectionType == 1}
	for _, t := range req.Topics {
		row := kmsg.ElectLeadersResponseTopic{Topic: t.Topic}
		for _, p := range t.Partitions {
			tp := core.TopicPartition{Topic: t.Topic, Partition: p}
			asked.Partitions = append(asked.Partitions, tp)
			row.Partitions = append(row.Partitions, kmsg.ElectLeadersResponseTopicPartition{Partition: p, ErrorCode: int16(b.Refuse[tp])})
		}
		resp.Topics = append(resp.Topics, row)
	}
	b.Asked = append(b.Asked, asked)
	return resp
}

func (b *Broker) alter(req *kmsg.AlterPartitionAssignmentsRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.AlterPartitionAssignmentsResponse)
	var asked []admin.Assignment
	for _, t := range req.Topics {
		row := kmsg.AlterPartitionAssignmentsResponseTopic{Topic: t.Topic}
		for _, p := range t.Partitions {
			as := admin.Assignment{TopicPartition: core.TopicPartition{Topic: t.Topic, Partition: p.Partition}}
			for _, id := range p.Replicas {
				as.Replicas = append(as.Replicas, core.NodeID(id))
			}
			asked = append(asked, as)
			row.Partitions = append(row.Partitions, kmsg.AlterPartitionAssignmentsResponseTopicPartition{
				Partition: p.Partition, ErrorCode: int16(b.Refuse[as.TopicPartition]),
			})
		}
		resp.Topics = append(resp.Topics, row)
	}
	b.Asked = append(b.Asked, asked)
	if b.Late {
		b.Late, resp.Topics, resp.ErrorCode = false, nil, int16(core.ErrRequestTimedOut)
	}
	return resp
}

// grow adds partitions to one topic.
func (b *Broker) grow(req *kmsg.CreatePartitionsRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
	row := kmsg.CreatePartitionsResponseTopic{Topic: req.Topics[0].Topic, ErrorCode: int16(core.ErrInvalidPartitions)}
	t := &b.Topics[slices.IndexFunc(b.Topics, func(t Topic) bool { return t.Name == row.Topic })]
	for int(req.Topics[0].Count) > len(t.Partitions) {
		t.Partitions, row.ErrorCode = append(t.Partitions, t.Partitions[0]), 0
	}
	if b.Late {
		b.Late, row.ErrorCode = false, int16(core.ErrRequestTimedOut)
	}
	resp.Topics = append(resp.Topics, row)
	return resp
}

func (b *Broker) list(req *kmsg.ListPartitionReassignmentsRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
	for _, m := range b.Moving {
		p := kmsg.ListPartitionReassignmentsResponseTopicPartition{
			Partition: m.Partition, Replicas: m.Replicas, AddingReplicas: m.Adding, RemovingReplicas: m.Removing,
		}
		resp.Topics = append(resp.Topics, kmsg.ListPartitionReassignmentsResponseTopic{
			Topic: m.Topic, Partitions: []kmsg.ListPartitionReassignmentsResponseTopicPartition{p},
		})
	}
	return resp
}

func (b *Broker) quorum(req *kmsg.DescribeQuorumRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.DescribeQuorumResponse)
	states := func(list []Replica) (out []kmsg.DescribeQuorumResponseTopicPartitionReplicaState) {
		for _, r := range list {
			out = append(out, kmsg.DescribeQuorumResponseTopicPartitionReplicaState{
				ReplicaID: int32(r.ID), ReplicaDirectoryID: r.Directory, LogEndOffset: r.LogEndOffset, LastFetchTimestamp: -1, LastCaughtUpTimestamp: -1,
			})
			node := kmsg.DescribeQuorumResponseNode{NodeID: int32(r.ID)}
			for _, l := range r.Listeners {
				node.Listeners = append(node.Listeners, kmsg.DescribeQuorumResponseNodeListener{Name: l.Name, Host: l.Host, Port: l.Port})
			}
			resp.Nodes = append(resp.Nodes, node)
		}
		return out
	}
	p := kmsg.DescribeQuorumResponseTopicPartition{LeaderID: int32(b.Leader), LeaderEpoch: 5, HighWatermark: 98}
	p.CurrentVoters, p.Observers = states(b.Voters), states(b.Watches)
	resp.Topics = []kmsg.DescribeQuorumResponseTopic{{Topic: "__cluster_metadata", Partitions: []kmsg.DescribeQuorumResponseTopicPartition{p}}}
	return resp
}

// describe answers with the first topic only; a page may end within it.
func (b *Broker) describe(req *kmsg.DescribeTopicPartitionsRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.DescribeTopicPartitionsResponse)
	var from core.TopicPartition
	if req.Cursor != nil {
		from = core.TopicPartition{Topic: req.Cursor.Topic, Partition: req.Cursor.Partition}
	}
	b.Asked = append(b.Asked, DescribeFrom{from})
	t := &b.Topics[0]
	row := kmsg.DescribeTopicPartitionsResponseTopic{Topic: kmsg.StringPtr(t.Name)}
	for i := int(from.Partition); i < len(t.Partitions); i++ {
		if b.Page > 0 && len(row.Partitions) == b.Page {
			resp.NextCursor = &kmsg.DescribeTopicPartitionsResponseNextCursor{Topic: t.Name, Partition: int32(i)}
			break
		}
		p := &t.Partitions[i]
		row.Partitions = append(row.Partitions, kmsg.DescribeTopicPartitionsResponseTopicPartition{
			Partition: int32(i), LeaderID: p.Leader, LeaderEpoch: 2, Replicas: p.Replicas, ISR: p.ISR, EligibleLeaderReplicas: p.ELR,
		})
	}
	resp.Topics = append(resp.Topics, row)
	return resp
}
