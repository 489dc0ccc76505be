package groups

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TxnOffsetCommit (key 28, KIP-98).
//
// Behavior: the offsets are stored as pending ones of the producer's transaction, and count when its marker comes. Before they are
// appended the transaction coordinator is asked (KIP-890): whether the partition of __consumer_offsets belongs to the transaction, or
// from version 5 on to make it so. A member must be of the current generation (KIP-447); who commits for a group without saying who it
// is (-1), as producers older than that do, is trusted.
//
// Version notes: 2 has the leader epoch, and knows COORDINATOR_LOAD_IN_PROGRESS; 3 member and generation (KIP-447); 4 knows
// TRANSACTION_ABORTABLE; 5 is of producers of transaction version 2, which do not send AddOffsetsToTxn; 6 topic ids.
func (p *Plane) txnOffsetCommit(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.TxnOffsetCommitRequest)
	w := begin(r, 1)
	switch {
	case !validMemberGroup(req.Group):
		w.Refuse(0, core.ErrInvalidGroupID, out)
		return
	case req.TransactionalID == "" || !shards.ValidKey(req.TransactionalID):
		w.Refuse(0, core.ErrInvalidRequest, out)
		return
	case req.ProducerID < 0 || req.ProducerEpoch < 0:
		w.Refuse(0, core.ErrInvalidProducerIDMapping, out)
		return
	}
	s := p.Serving(w, 0, req.Group, out)
	if s == nil {
		return
	}
	c := &txnCommit{
		w: w, partition: s.Partition(), epoch: s.Epoch(),
		producer: coord.Producer{ID: core.ProducerID(req.ProducerID), Epoch: core.ProducerEpoch(req.ProducerEpoch), Sequence: record.NoSequence},
	}
	if p.opts.Verification || r.Version >= 5 {
		p.verify(now, c, out)
	} else {
		p.commitTxn(now, s, c, out)
	}
}

// txnCommit is a TxnOffsetCommit on its way.
type txnCommit struct {
	w         *pending
	partition int32
	epoch     core.LeaderEpoch // of the shard
	producer  coord.Producer
	// ended says that a marker of the transaction has been appended since its coordinator was asked: the answer may be from before.
	ended bool
}

// verify asks the transaction coordinator first.
func (p *Plane) verify(now core.Now, c *txnCommit, out *step.Effects) {
	req := c.w.Req.Body.(*kmsg.TxnOffsetCommitRequest)
	to := shards.CoordinatorOf(p.host.Image(), shards.TxnTopic, req.TransactionalID)
	if to == core.NoNode {
		c.w.Refuse(0, core.ErrCoordinatorLoadInProgress, out)
		return
	}
	ask := kmsg.NewPtrAddPartitionsToTxnRequest()
	ask.SetVersion(5)
	t := kmsg.NewAddPartitionsToTxnRequestTransaction()
	t.TransactionalID, t.ProducerID, t.ProducerEpoch = req.TransactionalID, req.ProducerID, req.ProducerEpoch
	t.VerifyOnly = c.w.Req.Version < 5
	t.Topics = []kmsg.AddPartitionsToTxnRequestTransactionTopic{{Topic: Topic, Partitions: []int32{c.partition}}}
	ask.Transactions = append(ask.Transactions, t)
	p.asking = append(p.asking, c)
	p.host.Ask(now, to, ask, core.Millis(p.opts.Config.CommitTimeoutMs), func(now core.Now, body wire.Response, out *step.Effects) {
		p.verified(now, c, body, out)
	}, out)
}

// verified goes on with the transaction coordinator's answer.
func (p *Plane) verified(now core.Now, c *txnCommit, body wire.Response, out *step.Effects) {
	p.asking = slices.DeleteFunc(p.asking, func(other *txnCommit) bool { return other == c })
	s, code := p.At(c.partition), verdict(body, c.w.Req.Version)
	switch {
	case s.Phase() != coord.Active || s.Epoch() != c.epoch:
		code = core.ErrNotCoordinator
	case code == core.ErrNone && c.ended:
		// KAFKA-14884: appended now, the offsets would wait for a marker that has come already.
		out.Reachable("groups.txn-commit-overtaken", nil)
		code = core.ErrInvalidTxnState
	}
	if code != core.ErrNone {
		c.w.Refuse(0, code, out)
		return
	}
	p.commitTxn(now, s, c, out)
}

// verdict is what an answer of a transaction coordinator means for a client of a version. What passes is COORDINATOR_LOAD_IN_PROGRESS:
// the group's coordinator is the right one, and clients try again then.
func verdict(body wire.Response, version int16) core.ErrorCode {
	resp, ok := body.(*kmsg.AddPartitionsToTxnResponse)
	if !ok || len(resp.Transactions) != 1 || len(resp.Transactions[0].Topics) != 1 || len(resp.Transactions[0].Topics[0].Partitions) != 1 {
		return core.ErrCoordinatorLoadInProgress
	}
	code := core.ErrorCode(resp.ErrorCode)
	if code == core.ErrNone {
		code = core.ErrorCode(resp.Transactions[0].Topics[0].Partitions[0].ErrorCode)
	}
	switch code {
	case core.ErrCoordinatorNotAvailable, core.ErrNotCoordinator, core.ErrConcurrentTransactions, core.ErrUnknownTopicOrPartition:
		return core.ErrCoordinatorLoadInProgress
	case core.ErrProducerFenced:
		return core.ErrInvalidProducerEpoch // as Kafka's AddPartitionsToTxnManager has it: the producer may abort and go on (KIP-588)
	case core.ErrTransactionAbortable:
		if version < 4 {
			return core.ErrInvalidTxnState
		}
	default:
	}
	return code
}

// commitTxn appends the offsets.
func (p *Plane) commitTxn(now core.Now, s *shard, c *txnCommit, out *step.Effects) {
	req, resp := c.w.Req.Body.(*kmsg.TxnOffsetCommitRequest), c.w.Resp.(*kmsg.TxnOffsetCommitResponse)
	plain, version := plainCommit(req, c.w.Req.Version)
	rows := plain.ResponseKind().(*kmsg.OffsetCommitResponse)
	commits, known := p.commits(version, plain, rows)
	who := group.Committer{MemberID: req.MemberID, InstanceID: req.InstanceID, Generation: req.Generation, Txn: true}
	if c.w.Req.Version < 3 {
		who = group.Committer{Generation: -1, Txn: true}
	}
	codes, code := s.Machine().CommitTxnOffsets(now, req.Group, &who, c.producer, commits)
	for i := range codes {
		known[i].ErrorCode = int16(forProducer(codes[i]))
	}
	if code != core.ErrNone {
		refuseCommit(plain, rows, forProducer(code))
	}
	fillTxnCommit(resp, rows)
	p.Wait(now, s, c.w, 0, out)
}

// forProducer says in words that producers understand that the member's generation is over. They know how to abort then; the codes
// of KIP-848 end them.
func forProducer(code core.ErrorCode) core.ErrorCode {
	switch code {
	case core.ErrGroupIDNotFound, core.ErrStaleMemberEpoch:
		return core.ErrIllegalGeneration
	default:
		return code
	}
}

// plainCommit is a transactional commit as the OffsetCommit with the same partitions.
func plainCommit(req *kmsg.TxnOffsetCommitRequest, version int16) (plain *kmsg.OffsetCommitRequest, as int16) {
	plain = kmsg.NewPtrOffsetCommitRequest()
	if as = 9; version >= 6 {
		as = 10
	}
	plain.SetVersion(as)
	for i := range req.Topics {
		t := kmsg.NewOffsetCommitRequestTopic()
		t.Topic, t.TopicID = req.Topics[i].Topic, req.Topics[i].TopicID
		for _, o := range req.Topics[i].Partitions {
			row := kmsg.NewOffsetCommitRequestTopicPartition()
			row.Partition, row.Offset, row.LeaderEpoch, row.Metadata = o.Partition, o.Offset, o.LeaderEpoch, o.Metadata
			t.Partitions = append(t.Partitions, row)
		}
		plain.Topics = append(plain.Topics, t)
	}
	return plain, as
}

// fillTxnCommit writes the rows of an OffsetCommit's answer into that of a transactional one. Producers that speak no version above 1 end
// with an error that they do not expect when they are told that a coordinator is loading (KAFKA-7296).
func fillTxnCommit(resp *kmsg.TxnOffsetCommitResponse, rows *kmsg.OffsetCommitResponse) {
	resp.Topics = nil
	for i := range rows.Topics {
		t := kmsg.NewTxnOffsetCommitResponseTopic()
		t.Topic, t.TopicID = rows.Topics[i].Topic, rows.Topics[i].TopicID
		for _, row := range rows.Topics[i].Partitions {
			if resp.Version < 2 && row.ErrorCode == int16(core.ErrCoordinatorLoadInProgress) {
				row.ErrorCode = int16(core.ErrCoordinatorNotAvailable)
			}
			t.Partitions = append(t.Partitions, kmsg.TxnOffsetCommitResponseTopicPartition{Partition: row.Partition, ErrorCode: row.ErrorCode})
		}
		resp.Topics = append(resp.Topics, t)
	}
}

// refuseTxnCommit answers every partition with one code.
func refuseTxnCommit(req *kmsg.TxnOffsetCommitRequest, resp *kmsg.TxnOffsetCommitResponse, code core.ErrorCode) {
	plain, _ := plainCommit(req, resp.Version)
	rows := plain.ResponseKind().(*kmsg.OffsetCommitResponse)
	refuseCommit(plain, rows, code)
	fillTxnCommit(resp, rows)
}

// Marked tells that a transaction marker was appended to a partition; see [shards.Set.Marked]. Commits of its transaction which wait
// for the transaction coordinator are too late then.
func (p *Plane) Marked(
	now core.Now, partition int32, epoch core.LeaderEpoch, next core.Offset, m *coord.Marker, out *step.Effects,
) {
	for _, c := range p.asking {
		if c.partition == partition && m.Ends(c.producer.ID, c.producer.Epoch) {
			c.ended = true
		}
	}
	p.Set.Marked(now, partition, epoch, next, m, out)
}
