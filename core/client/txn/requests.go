package txn

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kind is what a request is for.
type kind uint8

const (
	initID kind = iota
	addPartitions
	addOffsets
	commitOffsets
	endTxn
)

// request is the one that is on its way.
type request struct {
	kind   kind
	call   cluster.Call
	commit bool // endTxn: the wish
}

// place sends a request to a coordinator, unless it is too early or the coordinator is not at hand. Its answer comes to
// [Manager.Done].
func (m *Manager) place(now core.Now, s *seat, k kind, body kmsg.Request, least, most int16, out *step.Effects) bool {
	if now.Mono < s.retryAt {
		m.wakeAt(now, s.retryAt)
		return false
	}
	l := m.link(now, s, out)
	if l == nil {
		m.wakeAt(now, s.retryAt)
		return false
	}
	r := &request{kind: k, commit: m.commit}
	r.call = cluster.Call{Owner: cluster.Transactions, Ref: r, Body: body, MinVersion: least, MaxVersion: most}
	if !m.cl.Call(now, l, &r.call, out) {
		m.fail(core.ErrUnsupportedVersion)
		return false
	}
	m.inflight = r
	if k == initID {
		m.inits.Asked++
	}
	return true
}

// init asks for a producer id, or for the next epoch of the one there is (KIP-360): given that one, the coordinator refuses if
// another producer has come in between.
func (m *Manager) init(now core.Now, out *step.Effects) {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID = kmsg.StringPtr(m.opts.ID)
	req.TransactionTimeoutMillis = int32(m.opts.Timeout / core.Millisecond)
	req.ProducerID, req.ProducerEpoch = int64(core.NoProducerID), int16(core.NoProducerEpoch)
	least := int16(0)
	if m.given {
		req.ProducerID, req.ProducerEpoch = int64(m.id), int16(m.epoch)
		least = 3
	}
	m.place(now, m.txns, initID, req, least, 0, out)
}

// addPartitions tells the coordinator which partitions will be written to (version 1). The batched form that begins with version 4 is
// for brokers.
func (m *Manager) addPartitions(now core.Now, out *step.Effects) {
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = m.opts.ID, int64(m.id), int16(m.epoch)
	for tp, added := range m.members.All() {
		if added {
			continue
		}
		if n := len(req.Topics); n == 0 || req.Topics[n-1].Topic != tp.Topic {
			t := kmsg.NewAddPartitionsToTxnRequestTopic()
			t.Topic = tp.Topic
			req.Topics = append(req.Topics, t)
		}
		t := &req.Topics[len(req.Topics)-1]
		t.Partitions = append(t.Partitions, tp.Partition)
	}
	if m.place(now, m.txns, addPartitions, req, 0, 3, out) {
		m.started = true
	}
}

// sendOffsets sends the first offsets: with version 1 the group must be part of the transaction before they are stored.
func (m *Manager) sendOffsets(now core.Now, out *step.Effects) {
	s := m.offsets[0]
	if !s.added && !m.V2() {
		req := kmsg.NewPtrAddOffsetsToTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = m.opts.ID, int64(m.id), int16(m.epoch), s.group.ID
		if m.place(now, m.txns, addOffsets, req, 0, 0, out) {
			m.started = true
		}
		return
	}
	if m.group.key != s.group.ID {
		m.group = &seat{kind: cluster.GroupCoordinator, key: s.group.ID, node: core.NoNode}
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = m.opts.ID, int64(m.id), int16(m.epoch), s.group.ID
	req.MemberID, req.Generation = s.group.MemberID, s.group.Generation
	if s.group.InstanceID != "" {
		req.InstanceID = kmsg.StringPtr(s.group.InstanceID)
	}
	for i := range s.offsets {
		o := &s.offsets[i]
		row := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		row.Partition, row.Offset, row.LeaderEpoch = o.Partition, int64(o.Offset), int32(o.EpochPlusOne)-1
		row.Metadata = kmsg.StringPtr("")
		at := 0
		for at < len(req.Topics) && req.Topics[at].Topic != o.Topic {
			at++
		}
		if at == len(req.Topics) {
			t := kmsg.NewTxnOffsetCommitRequestTopic()
			t.Topic = o.Topic
			req.Topics = append(req.Topics, t)
		}
		req.Topics[at].Partitions = append(req.Topics[at].Partitions, row)
	}
	// Below version 3 the coordinator does not compare generations, and a zombie could commit (KIP-447).
	least, most := int16(3), lastCommitOfV1
	if m.V2() {
		least, most = lastCommitOfV1+1, lastCommitOfV1+1
	}
	if m.place(now, m.group, commitOffsets, req, least, most, out) {
		m.started = true
	}
}

// end sends EndTxn, if anybody has heard of the transaction.
func (m *Manager) end(now core.Now, out *step.Effects) {
	if !m.started && (m.commit || !m.opts.EndEmpty || !m.V2()) {
		m.ended()
		return
	}
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = m.opts.ID, int64(m.id), int16(m.epoch), m.commit
	least, most := int16(0), lastEndOfV1
	if m.V2() {
		least, most = lastEndOfV1+1, 0
	}
	m.place(now, m.txns, endTxn, req, least, most, out)
}

// Done takes the end of one of the manager's calls.
func (m *Manager) Done(now core.Now, d *cluster.Completion) {
	if m.closed {
		return
	}
	m.dirty = true
	if s, ok := d.Call.Ref.(*seat); ok {
		if s == m.txns || s == m.group {
			m.found(now, s, d)
		}
		return
	}
	r, ok := d.Call.Ref.(*request)
	if !ok || r != m.inflight {
		return
	}
	m.answered(now, r, d)
	m.inflight = nil
}

// answered takes the end of the request that was on its way.
func (m *Manager) answered(now core.Now, r *request, d *cluster.Completion) {
	s := m.txns
	if r.kind == commitOffsets {
		s = m.group
	}
	if d.Resp == nil {
		m.doubt = true
		m.undecided = m.undecided || r.kind == endTxn && r.commit
		m.lost(now, s)
		return
	}
	if r.kind == initID {
		m.inits.Answered++
	}
	code := m.read(d.Resp)
	if r.kind == endTxn && r.commit && undecided(code) {
		m.undecided, m.doubt = true, true
	}
	verdict := classify(code)
	switch {
	case code == core.ErrUnknownServerError && (r.kind == endTxn || r.kind == initID):
		verdict = again // nobody can tell what it has done; a repetition is answered by what is
	case code == core.ErrInvalidTxnState && r.kind == endTxn && !r.commit && !m.confirmed:
		verdict = done // nothing had been added, and so nothing was open
	}
	switch verdict {
	case done:
		s.failures = 0
		m.succeeded(r, d.Resp)
	case again:
		m.backOff(now, s)
	case refind:
		m.lost(now, s)
	case abortable, fatal:
		m.refused(verdict, code)
	}
}

// refused takes an answer that no repetition will change. The commit that it answers has not been executed by it, but an earlier
// attempt may have been.
func (m *Manager) refused(verdict class, code core.ErrorCode) {
	m.inflight = nil // it is settled: [Manager.maybe] asks for earlier attempts alone
	if verdict == fatal {
		m.fail(code)
		return
	}
	m.doubt = true
	m.doom(code)
}

// read is the error of an answer; of one with rows the worst, so that nothing goes on before all have succeeded.
func (m *Manager) read(resp kmsg.Response) core.ErrorCode {
	switch r := resp.(type) {
	case *kmsg.InitProducerIDResponse:
		return core.ErrorCode(r.ErrorCode)
	case *kmsg.AddPartitionsToTxnResponse:
		return m.readPartitions(r)
	case *kmsg.AddOffsetsToTxnResponse:
		return core.ErrorCode(r.ErrorCode)
	case *kmsg.TxnOffsetCommitResponse:
		worst := core.ErrNone
		for i := range r.Topics {
			for j := range r.Topics[i].Partitions {
				worst = worse(worst, core.ErrorCode(r.Topics[i].Partitions[j].ErrorCode))
			}
		}
		return worst
	case *kmsg.EndTxnResponse:
		return core.ErrorCode(r.ErrorCode)
	}
	return core.ErrUnknownServerError
}

// readPartitions notes what was added. OPERATION_NOT_ATTEMPTED goes with another partition's error.
func (m *Manager) readPartitions(r *kmsg.AddPartitionsToTxnResponse) core.ErrorCode {
	worst := core.ErrNone
	for i := range r.Topics {
		t := &r.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			tp := core.TopicPartition{Topic: t.Topic, Partition: p.Partition}
			code := core.ErrorCode(p.ErrorCode)
			if added, known := m.members.Get(tp); code == core.ErrNone && known && !added {
				m.members.Set(tp, true)
				m.pending--
				m.confirmed = true
			}
			if code != core.ErrOperationNotAttempted {
				worst = worse(worst, code)
			}
		}
	}
	return worst
}

// worse is the one of two errors that goes further.
func worse(a, b core.ErrorCode) core.ErrorCode {
	if classify(b) > classify(a) {
		return b
	}
	return a
}

// succeeded goes on after an answer without an error.
func (m *Manager) succeeded(r *request, resp kmsg.Response) {
	switch r.kind {
	case initID:
		a := resp.(*kmsg.InitProducerIDResponse)
		m.id, m.epoch = core.ProducerID(a.ProducerID), core.ProducerEpoch(a.ProducerEpoch)
		m.learn()
		m.ready()
	case addPartitions: // noted by row
	case addOffsets:
		m.confirmed = true
		if len(m.offsets) > 0 {
			m.offsets[0].added = true
		}
	case commitOffsets:
		m.confirmed = true
		if len(m.offsets) > 0 {
			m.offsets = m.offsets[1:]
		}
	case endTxn:
		// KIP-890: what comes next is of another epoch, or of another id when epochs are used up.
		if a := resp.(*kmsg.EndTxnResponse); m.V2() && a.ProducerID >= 0 {
			m.id, m.epoch = core.ProducerID(a.ProducerID), core.ProducerEpoch(a.ProducerEpoch)
		}
		m.ended()
	}
}
