package kclient

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Transaction is a transactional id as a coordinator lists it (KIP-664).
type Transaction struct {
	ID          string
	ProducerID  core.ProducerID
	State       string
	Coordinator core.NodeID
}

// Transactions lists all transactional ids, by id; only those of the given producers if there are any. Each broker is asked for those
// that it coordinates.
func (c *Client) Transactions(ctx context.Context, producers ...core.ProducerID) ([]Transaction, error) {
	cl, err := c.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	var out []Transaction
	for _, b := range cl.Brokers {
		req := kmsg.NewPtrListTransactionsRequest()
		for _, id := range producers {
			req.ProducerIDFilters = append(req.ProducerIDFilters, int64(id))
		}
		resp, _, err := body[*kmsg.ListTransactionsResponse](c.call(ctx, req, admin.Route{Kind: admin.Broker, Node: b.ID}))
		if err == nil {
			err = refused(fmt.Sprintf("the transactions of broker %d", b.ID), resp.ErrorCode, nil)
		}
		if err != nil {
			return nil, err
		}
		for _, t := range resp.TransactionStates {
			out = append(out, Transaction{ID: t.TransactionalID, ProducerID: core.ProducerID(t.ProducerID), State: t.TransactionState, Coordinator: b.ID})
		}
	}
	slices.SortFunc(out, func(a, b Transaction) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// TransactionDetails is what a coordinator tells of one transactional id.
type TransactionDetails struct {
	Transaction
	Epoch      core.ProducerEpoch
	TimeoutMs  int32
	Start      core.Wall // core.NoTimestamp if nothing is open
	Partitions []core.TopicPartition
}

// DescribeTransaction tells of one transactional id.
func (c *Client) DescribeTransaction(ctx context.Context, id string) (TransactionDetails, error) {
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = []string{id}
	reply, err := c.call(ctx, req, admin.Route{Kind: admin.TxnCoordinator, Group: id})
	resp, _, err := body[*kmsg.DescribeTransactionsResponse](reply, err)
	switch {
	case err != nil:
		return TransactionDetails{}, err
	case len(resp.TransactionStates) != 1:
		return TransactionDetails{}, fmt.Errorf("the answer to DescribeTransactions has %d transactions", len(resp.TransactionStates))
	}
	t := &resp.TransactionStates[0]
	if err := refused("transactional id "+id, t.ErrorCode, nil); err != nil {
		return TransactionDetails{}, err
	}
	d := TransactionDetails{Transaction: Transaction{ID: t.TransactionalID, ProducerID: core.ProducerID(t.ProducerID), State: t.State, Coordinator: reply.Node},
		Epoch: core.ProducerEpoch(t.ProducerEpoch), TimeoutMs: t.TimeoutMillis, Start: core.Wall(t.StartTimestamp)}
	for i := range t.Topics {
		for _, p := range t.Topics[i].Partitions {
			d.Partitions = append(d.Partitions, core.TopicPartition{Topic: t.Topics[i].Topic, Partition: p})
		}
	}
	slices.SortFunc(d.Partitions, core.TopicPartition.Compare)
	return d, nil
}

// ActiveProducer is a producer that a partition's leader knows.
type ActiveProducer struct {
	ID               core.ProducerID
	Epoch            core.ProducerEpoch
	LastSequence     int32
	LastTimestamp    core.Wall
	CoordinatorEpoch int32       // -1 if no marker was written
	TxnStart         core.Offset // core.NoOffset if nothing is open
}

// Producers tells which producers a partition's leader knows.
func (c *Client) Producers(ctx context.Context, tp core.TopicPartition) ([]ActiveProducer, error) {
	req := kmsg.NewPtrDescribeProducersRequest()
	row := kmsg.NewDescribeProducersRequestTopic()
	row.Topic, row.Partitions = tp.Topic, []int32{tp.Partition}
	req.Topics = append(req.Topics, row)
	resp, _, err := body[*kmsg.DescribeProducersResponse](c.call(ctx, req, admin.Route{Kind: admin.PartitionLeader, Topic: tp.Topic, Partition: tp.Partition}))
	switch {
	case err != nil:
		return nil, err
	case len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1:
		return nil, fmt.Errorf("the answer to DescribeProducers is not about %v alone", tp)
	}
	p := &resp.Topics[0].Partitions[0]
	if err := refused("the producers of "+tp.String(), p.ErrorCode, p.ErrorMessage); err != nil {
		return nil, err
	}
	var out []ActiveProducer
	for _, a := range p.ActiveProducers {
		out = append(out, ActiveProducer{ID: core.ProducerID(a.ProducerID), Epoch: core.ProducerEpoch(a.ProducerEpoch), LastSequence: a.LastSequence,
			LastTimestamp: core.Wall(a.LastTimestamp), CoordinatorEpoch: a.CoordinatorEpoch, TxnStart: core.Offset(a.CurrentTxnStartOffset)})
	}
	slices.SortFunc(out, func(a, b ActiveProducer) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// AbortAt writes an abort marker into one partition, behind the coordinator's back (KIP-664): for transactions that no coordinator
// knows.
func (c *Client) AbortAt(ctx context.Context, tp core.TopicPartition, id core.ProducerID, epoch core.ProducerEpoch, coordinatorEpoch int32) error {
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	m := kmsg.NewWriteTxnMarkersRequestMarker()
	m.ProducerID, m.ProducerEpoch, m.CoordinatorEpoch = int64(id), int16(epoch), max(coordinatorEpoch, 0)
	t := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
	t.Topic, t.Partitions = tp.Topic, []int32{tp.Partition}
	m.Topics = append(m.Topics, t)
	req.Markers = append(req.Markers, m)
	resp, _, err := body[*kmsg.WriteTxnMarkersResponse](c.call(ctx, req, admin.Route{Kind: admin.PartitionLeader, Topic: tp.Topic, Partition: tp.Partition}))
	if err != nil {
		return err
	}
	if len(resp.Markers) != 1 || len(resp.Markers[0].Topics) != 1 || len(resp.Markers[0].Topics[0].Partitions) != 1 {
		return fmt.Errorf("the answer to WriteTxnMarkers is not about %v alone", tp)
	}
	return refused("the marker in "+tp.String(), resp.Markers[0].Topics[0].Partitions[0].ErrorCode, nil)
}
