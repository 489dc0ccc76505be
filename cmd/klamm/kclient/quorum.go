package kclient

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Directory is the identity of a node's data directory (KIP-853, KIP-858).
type Directory [16]byte

// String is Kafka's printed form: URL-safe base64 without padding, 22 characters.
func (d Directory) String() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

// ParseDirectory reads what String writes.
func ParseDirectory(text string) (d Directory, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != len(d) {
		return d, fmt.Errorf("%q is no directory id: 22 characters of base64", text)
	}
	return Directory(b), nil
}

// Quorum is who holds the metadata log.
type Quorum struct {
	Leader        core.NodeID
	Epoch         core.LeaderEpoch
	HighWatermark core.Offset
	Voters        []QuorumReplica // by id
	Observers     []QuorumReplica // by id
}

// QuorumReplica is one copy of the metadata log.
type QuorumReplica struct {
	ID           core.NodeID
	Directory    Directory   // zero before DescribeQuorum 2, and if the cluster has no directory ids
	LogEndOffset core.Offset // -1 if the leader does not know
	LastFetch    core.Wall   // -1 likewise
	LastCaughtUp core.Wall   // -1 likewise
	Listeners    []admin.VoterListener
}

// Quorum tells who holds the metadata log and how far each copy is.
func (c *Client) Quorum(ctx context.Context) (Quorum, error) {
	resp, _, err := body[*kmsg.DescribeQuorumResponse](c.ask(ctx, func(a *admin.Admin, now core.Now, token uint64) { a.DescribeQuorum(now, token) }))
	if err != nil {
		return Quorum{}, err
	}
	if err := refused("the quorum", resp.ErrorCode, resp.ErrorMessage); err != nil {
		return Quorum{}, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return Quorum{}, errors.New("the answer to DescribeQuorum has not one partition")
	}
	p := &resp.Topics[0].Partitions[0]
	if err := refused("the quorum", p.ErrorCode, p.ErrorMessage); err != nil {
		return Quorum{}, err
	}
	listeners := make(map[int32][]admin.VoterListener)
	for i := range resp.Nodes {
		for _, l := range resp.Nodes[i].Listeners {
			listeners[resp.Nodes[i].NodeID] = append(listeners[resp.Nodes[i].NodeID], admin.VoterListener{Name: l.Name, Host: l.Host, Port: l.Port})
		}
	}
	return Quorum{
		Leader: core.NodeID(p.LeaderID), Epoch: core.LeaderEpoch(p.LeaderEpoch), HighWatermark: core.Offset(p.HighWatermark),
		Voters: quorumReplicas(p.CurrentVoters, listeners), Observers: quorumReplicas(p.Observers, listeners),
	}, nil
}

func quorumReplicas(rows []kmsg.DescribeQuorumResponseTopicPartitionReplicaState, listeners map[int32][]admin.VoterListener) []QuorumReplica {
	out := make([]QuorumReplica, 0, len(rows))
	for _, r := range rows {
		out = append(out, QuorumReplica{
			ID: core.NodeID(r.ReplicaID), Directory: r.ReplicaDirectoryID, LogEndOffset: core.Offset(r.LogEndOffset),
			LastFetch: core.Wall(r.LastFetchTimestamp), LastCaughtUp: core.Wall(r.LastCaughtUpTimestamp), Listeners: listeners[r.ReplicaID],
		})
	}
	slices.SortFunc(out, func(a, b QuorumReplica) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// AddVoter makes an observer a voter. When it says that there is such a voter although this call made it, because an answer
// was lost on its way, that is no error.
func (c *Client) AddVoter(ctx context.Context, v admin.Voter) error {
	resp, repeated, err := body[*kmsg.AddRaftVoterResponse](c.ask(ctx, func(a *admin.Admin, now core.Now, token uint64) { a.AddVoter(now, v, true, token) }))
	if err != nil || repeated && core.ErrorCode(resp.ErrorCode) == core.ErrDuplicateVoter {
		return err
	}
	return refused(fmt.Sprintf("voter %d", v.ID), resp.ErrorCode, resp.ErrorMessage)
}

// RemoveVoter makes a voter an observer. As with AddVoter, its own work is no error.
func (c *Client) RemoveVoter(ctx context.Context, v admin.Voter) error {
	resp, repeated, err := body[*kmsg.RemoveRaftVoterResponse](c.ask(ctx, func(a *admin.Admin, now core.Now, token uint64) { a.RemoveVoter(now, v, token) }))
	if err != nil || repeated && core.ErrorCode(resp.ErrorCode) == core.ErrVoterNotFound {
		return err
	}
	return refused(fmt.Sprintf("voter %d", v.ID), resp.ErrorCode, resp.ErrorMessage)
}

// body is the response of a reply, of the type that the request has.
func body[T kmsg.Response](r admin.Reply, err error) (T, bool, error) {
	var none T
	if err != nil {
		return none, false, err
	}
	got, ok := r.Body.(T)
	if !ok {
		return none, false, fmt.Errorf("the answer is a %T", r.Body)
	}
	return got, r.Ambiguous, nil
}
