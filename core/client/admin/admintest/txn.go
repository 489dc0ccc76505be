package admintest

import (
	"github.com/klamm-log/klamm/core"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Transaction is a transaction that the broker coordinates: the transactional id "x", open since one second after 1970.
type Transaction struct {
	Partitions []core.TopicPartition
	// Producers are those of every partition.
	Producers []Producer
}

// Producer is a producer that a leader knows.
type Producer struct {
	ID            int64
	Epoch         int16
	LastTimestamp int64
	Start         int64 // -1 if nothing is open
}

// Marker is a request to write a marker.
type Marker struct {
	core.TopicPartition
	ID               int64
	Epoch            int16
	CoordinatorEpoch int32
	Commit           bool
}

// theID is the transactional id that there is, and theProducer its producer id.
const (
	theID       = "x"
	theProducer = 7
	theEpoch    = 3
)

// transaction answers requests about transactions, with nil to others.
func (b *Broker) transaction(req kmsg.Request) kmsg.Response {
	if b.Transaction == nil {
		return nil
	}
	switch req := req.(type) {
	case *kmsg.FindCoordinatorRequest:
		return b.coordinator(req)
	case *kmsg.ListTransactionsRequest:
		resp := kmsg.NewPtrListTransactionsResponse()
		resp.TransactionStates = append(resp.TransactionStates,
			kmsg.ListTransactionsResponseTransactionState{TransactionalID: theID, ProducerID: theProducer, TransactionState: "Ongoing"})
		return resp
	case *kmsg.DescribeTransactionsRequest:
		return b.describeTransaction()
	case *kmsg.DescribeProducersRequest:
		return b.producers(req)
	case *kmsg.WriteTxnMarkersRequest:
		return b.mark(req)
	}
	return nil
}

// coordinator says that this broker is.
func (b *Broker) coordinator(req *kmsg.FindCoordinatorRequest) kmsg.Response {
	resp := kmsg.NewPtrFindCoordinatorResponse()
	for _, key := range req.CoordinatorKeys {
		resp.Coordinators = append(resp.Coordinators, kmsg.FindCoordinatorResponseCoordinator{Key: key, NodeID: 1, Host: b.Host, Port: b.Port})
	}
	return resp
}

func (b *Broker) describeTransaction() kmsg.Response {
	resp := kmsg.NewPtrDescribeTransactionsResponse()
	s := kmsg.NewDescribeTransactionsResponseTransactionState()
	s.TransactionalID, s.State, s.TimeoutMillis, s.StartTimestamp, s.ProducerID, s.ProducerEpoch = theID, "Ongoing", 60_000, 1_000, theProducer, theEpoch
	for _, tp := range b.Transaction.Partitions {
		s.Topics = append(s.Topics, kmsg.DescribeTransactionsResponseTransactionStateTopic{Topic: tp.Topic, Partitions: []int32{tp.Partition}})
	}
	resp.TransactionStates = append(resp.TransactionStates, s)
	return resp
}

func (b *Broker) producers(req *kmsg.DescribeProducersRequest) kmsg.Response {
	resp := kmsg.NewPtrDescribeProducersResponse()
	for _, t := range req.Topics {
		row := kmsg.NewDescribeProducersResponseTopic()
		row.Topic = t.Topic
		for _, n := range t.Partitions {
			p := kmsg.NewDescribeProducersResponseTopicPartition()
			p.Partition = n
			for _, x := range b.Transaction.Producers {
				a := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
				a.ProducerID, a.ProducerEpoch, a.LastTimestamp, a.CurrentTxnStartOffset = x.ID, int32(x.Epoch), x.LastTimestamp, x.Start
				a.CoordinatorEpoch = 2
				p.ActiveProducers = append(p.ActiveProducers, a)
			}
			row.Partitions = append(row.Partitions, p)
		}
		resp.Topics = append(resp.Topics, row)
	}
	return resp
}

func (b *Broker) mark(req *kmsg.WriteTxnMarkersRequest) kmsg.Response {
	resp := kmsg.NewPtrWriteTxnMarkersResponse()
	for _, m := range req.Markers {
		row := kmsg.WriteTxnMarkersResponseMarker{ProducerID: m.ProducerID}
		for _, t := range m.Topics {
			out := kmsg.WriteTxnMarkersResponseMarkerTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				b.Asked = append(b.Asked, Marker{core.TopicPartition{Topic: t.Topic, Partition: p}, m.ProducerID, m.ProducerEpoch, m.CoordinatorEpoch, m.Committed})
				out.Partitions = append(out.Partitions, kmsg.WriteTxnMarkersResponseMarkerTopicPartition{Partition: p})
			}
			row.Topics = append(row.Topics, out)
		}
		resp.Markers = append(resp.Markers, row)
	}
	return resp
}
