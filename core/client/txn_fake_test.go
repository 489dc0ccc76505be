package client_test

import (
	"maps"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fakeTxns is a transaction coordinator's truth about one transactional id, and what the brokers hold of its transactions.
type fakeTxns struct {
	k           *fakeKafka
	coordinator int32
	version     int16 // transaction.version
	refuse      core.ErrorCode

	given     bool
	pid       int64
	epoch     int16
	lastEpoch int16 // the epoch before, for who has not heard of the present one
	ongoing   bool
	committed bool // how the last one ended
	ended     bool // there was a last one
	parts     map[core.TopicPartition]bool
	offsets   map[core.TopicPartition]int64 // pending
	inits     []kmsg.InitProducerIDRequest
	ends      []kmsg.EndTxnRequest
	adds      []kmsg.AddPartitionsToTxnRequest
	commits   []kmsg.TxnOffsetCommitRequest
}

func (k *fakeKafka) newTxns(version int16) *fakeTxns {
	k.txns = &fakeTxns{k: k, version: version, pid: 5000, lastEpoch: -1, parts: map[core.TopicPartition]bool{}, offsets: map[core.TopicPartition]int64{}}
	return k.txns
}

// handleTxn executes a request to the coordinator; it is false if it is none.
func (b *fakeBroker) handleTxn(req kmsg.Request, resp kmsg.Response) bool {
	x := b.kafka.txns
	if x == nil {
		return false
	}
	switch r := req.(type) {
	case *kmsg.FindCoordinatorRequest:
		if r.CoordinatorType != 1 {
			return false
		}
		n := x.k.brokers[x.coordinator]
		row := kmsg.FindCoordinatorResponseCoordinator{Key: "tx", NodeID: int32(n.id), Host: "host", Port: n.port}
		out := resp.(*kmsg.FindCoordinatorResponse)
		out.NodeID, out.Host, out.Port = row.NodeID, row.Host, row.Port
		out.Coordinators = append(out.Coordinators, row)
	case *kmsg.InitProducerIDRequest:
		if r.TransactionalID == nil {
			return false
		}
		x.init(b, r, resp.(*kmsg.InitProducerIDResponse))
	case *kmsg.AddPartitionsToTxnRequest:
		x.add(b, r, resp.(*kmsg.AddPartitionsToTxnResponse))
	case *kmsg.AddOffsetsToTxnRequest:
		code := x.check(b, r.ProducerID, r.ProducerEpoch)
		if code == core.ErrNone {
			x.ongoing, x.ended = true, false
		}
		resp.(*kmsg.AddOffsetsToTxnResponse).ErrorCode = int16(code)
	case *kmsg.TxnOffsetCommitRequest:
		x.offsetCommit(b, r, resp.(*kmsg.TxnOffsetCommitResponse))
	case *kmsg.EndTxnRequest:
		x.end(b, r, resp.(*kmsg.EndTxnResponse))
	default:
		return false
	}
	return true
}

func (x *fakeTxns) check(b *fakeBroker, pid int64, epoch int16) core.ErrorCode {
	switch {
	case int32(b.id) != x.coordinator:
		return core.ErrNotCoordinator
	case x.refuse != core.ErrNone:
		return x.refuse
	case pid != x.pid:
		return core.ErrInvalidProducerIDMapping
	case epoch != x.epoch:
		return core.ErrProducerFenced
	}
	return core.ErrNone
}

func (x *fakeTxns) init(b *fakeBroker, r *kmsg.InitProducerIDRequest, resp *kmsg.InitProducerIDResponse) {
	x.inits = append(x.inits, *r)
	switch {
	case int32(b.id) != x.coordinator:
		resp.ErrorCode = int16(core.ErrNotCoordinator)
		return
	case x.refuse != core.ErrNone:
		resp.ErrorCode = int16(x.refuse)
		return
	case r.ProducerID >= 0 && r.ProducerEpoch == x.lastEpoch: // a repetition of what was granted
	case r.ProducerID >= 0 && (r.ProducerID != x.pid || r.ProducerEpoch != x.epoch):
		resp.ErrorCode = int16(core.ErrProducerFenced)
		return
	default:
		if x.ongoing {
			x.finish(false, x.epoch)
		}
		if x.given {
			x.bump(r.ProducerID >= 0)
		}
		x.given, x.ended = true, false
	}
	resp.ProducerID, resp.ProducerEpoch = x.pid, x.epoch
}

// bump raises the epoch; told says that who has the epoch before may hear of it once more.
func (x *fakeTxns) bump(told bool) {
	x.lastEpoch = -1
	if told {
		x.lastEpoch = x.epoch
	}
	x.epoch++
}

func (x *fakeTxns) add(b *fakeBroker, r *kmsg.AddPartitionsToTxnRequest, resp *kmsg.AddPartitionsToTxnResponse) {
	x.adds = append(x.adds, *r)
	code := x.check(b, r.ProducerID, r.ProducerEpoch)
	for _, t := range r.Topics {
		row := kmsg.NewAddPartitionsToTxnResponseTopic()
		row.Topic = t.Topic
		for _, p := range t.Partitions {
			if code == core.ErrNone {
				x.include(core.TopicPartition{Topic: t.Topic, Partition: p})
			}
			row.Partitions = append(row.Partitions, kmsg.AddPartitionsToTxnResponseTopicPartition{Partition: p, ErrorCode: int16(code)})
		}
		resp.Topics = append(resp.Topics, row)
	}
}

func (x *fakeTxns) include(tp core.TopicPartition) {
	x.ongoing, x.ended = true, false
	x.parts[tp] = true
}

func (x *fakeTxns) offsetCommit(b *fakeBroker, r *kmsg.TxnOffsetCommitRequest, resp *kmsg.TxnOffsetCommitResponse) {
	x.commits = append(x.commits, *r)
	g := x.k.group
	code := g.check(b)
	switch {
	case code != core.ErrNone:
	case r.ProducerEpoch != x.epoch:
		code = core.ErrInvalidProducerEpoch
	case !x.ongoing && r.Version < 5:
		code = core.ErrInvalidTxnState
	default:
		code = g.fence(r.MemberID, r.Generation)
	}
	for _, t := range r.Topics {
		row := kmsg.NewTxnOffsetCommitResponseTopic()
		row.Topic = t.Topic
		for _, p := range t.Partitions {
			if code == core.ErrNone {
				x.ongoing, x.ended = true, false
				x.offsets[core.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = p.Offset
			}
			row.Partitions = append(row.Partitions, kmsg.TxnOffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: int16(code)})
		}
		resp.Topics = append(resp.Topics, row)
	}
}

func (x *fakeTxns) end(b *fakeBroker, r *kmsg.EndTxnRequest, resp *kmsg.EndTxnResponse) {
	x.ends = append(x.ends, *r)
	resp.ProducerID, resp.ProducerEpoch = x.pid, x.epoch
	late := x.version >= 2 && r.ProducerEpoch == x.lastEpoch && x.ended && x.committed == r.Commit // KIP-890: an exact repetition
	code := core.ErrNone
	if !late {
		code = x.check(b, r.ProducerID, r.ProducerEpoch)
	} else if int32(b.id) != x.coordinator {
		code = core.ErrNotCoordinator
	}
	switch {
	case code != core.ErrNone || late:
	case x.ongoing, x.version >= 2 && !r.Commit:
		epoch := x.epoch
		if x.version >= 2 {
			x.bump(true)
			epoch = x.epoch // the markers carry the next epoch
		}
		x.finish(r.Commit, epoch)
	case x.ended && x.committed == r.Commit: // a repetition, as far as version 1 can tell
	default:
		code = core.ErrInvalidTxnState
	}
	resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = int16(code), x.pid, x.epoch
}

// finish writes the markers.
func (x *fakeTxns) finish(commit bool, epoch int16) {
	for _, tp := range slices.SortedFunc(maps.Keys(x.parts), core.TopicPartition.Compare) {
		p := x.k.find(tp.Topic, core.TopicID{}).parts[tp.Partition]
		if s := p.producers[x.pid]; s != nil && epoch > s.epoch {
			*s = fakeProducer{epoch: epoch}
		}
		p.mark(x.pid, commit)
	}
	if commit {
		maps.Copy(x.k.group.orNone(), x.offsets)
	}
	clear(x.parts)
	clear(x.offsets)
	x.ongoing, x.ended, x.committed = false, true, commit
}

// orNone is where a group's committed offsets go, if there is a group.
func (g *fakeGroup) orNone() map[core.TopicPartition]int64 {
	if g == nil {
		return map[core.TopicPartition]int64{}
	}
	return g.committed
}

// mark appends a control batch and closes what is open.
func (p *fakePartition) mark(pid int64, commit bool) {
	if first, open := p.open[pid]; open && !commit {
		p.aborted = append(p.aborted, kmsg.FetchResponseTopicPartitionAbortedTransaction{ProducerID: pid, FirstOffset: first})
	}
	delete(p.open, pid)
	p.marker(core.ProducerID(pid), commit)
}

// transacts judges a transactional batch before it is appended (KIP-890): version 1 verifies, version 2 adds.
func (x *fakeTxns) transacts(version int16, tp core.TopicPartition, s record.Summary) core.ErrorCode {
	switch {
	case int64(s.ProducerID) != x.pid || int16(s.ProducerEpoch) != x.epoch:
		return core.ErrInvalidProducerEpoch
	case version >= 12 && x.version >= 2:
		x.include(tp)
	case !x.parts[tp]:
		return core.ErrTransactionAbortable
	}
	return core.ErrNone
}

// visible are the values that a reader of committed records is shown.
func (p *fakePartition) visible() (out []string) {
	aborting := map[int64]bool{}
	var it record.Iterator
	var r record.Record
	starts := map[int64][]int64{}
	for _, a := range p.aborted {
		starts[a.ProducerID] = append(starts[a.ProducerID], a.FirstOffset)
	}
	for _, b := range p.batches {
		h := b.Header()
		pid := int64(h.ProducerID)
		if slices.Contains(starts[pid], int64(h.BaseOffset)) {
			aborting[pid] = true
		}
		if h.Attributes.Control() {
			aborting[pid] = false
			continue
		}
		if first, open := p.open[pid]; aborting[pid] || open && h.Attributes.Transactional() && int64(h.BaseOffset) >= first {
			continue
		}
		if err := it.Reset(b, new(record.Codecs), 1<<30); err != nil {
			panic(err)
		}
		for it.Next(&r) {
			out = append(out, string(r.Value))
		}
	}
	return out
}

func recordOptions() record.Options { return record.Options{} }
