package client_test

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/record"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fakeKafka is a cluster's truth as far as a client can see it: logs, leaders, producer states.
type fakeKafka struct {
	world   *world
	brokers []*fakeBroker
	topics  []*fakeTopic
	nextPID int64
	made    uint64          // topics ever made
	limits  map[int16]int16 // maximum versions below kmsg's; -1: not there
	maxSize int             // max.message.bytes; 0: no limit
	group   *fakeGroup      // the only one, if any
	txns    *fakeTxns       // the coordinator of transactions, if any
}

type fakeBroker struct {
	kafka     *fakeKafka
	id        core.NodeID
	port      int32
	up        bool
	blackhole bool
	count     map[int16]int
	sessions  map[int32]*fakeSession
	nextID    int32
	noCache   bool // sessions are never kept
}

type fakeTopic struct {
	name  string
	id    core.TopicID
	parts []*fakePartition
}

type fakePartition struct {
	leader, epoch int32
	stale         int32 // an older epoch that Metadata still tells, if not zero
	batches       []record.Batch
	start, end    int64
	producers     map[int64]*fakeProducer
	open          map[int64]int64 // first offset of open transactions by producer id
	aborted       []kmsg.FetchResponseTopicPartitionAbortedTransaction
	waiters       []func()
	readFrom      int32 // preferred read replica, -1 for none
	cut           map[int32]int64
}

type fakeProducer struct {
	epoch int16
	next  int32
	last  []fakeAppend
}

type fakeAppend struct {
	first, count int32
	base         int64
}

type fakeSession struct {
	epoch int32
	parts []kmsg.FetchRequestTopicPartition
	names []kmsg.FetchRequestTopic // parallel: Topic and TopicID only
}

func newKafka(brokers int) *fakeKafka {
	k := &fakeKafka{limits: map[int16]int16{}, nextPID: 100}
	for i := range brokers {
		k.brokers = append(k.brokers, &fakeBroker{kafka: k, id: core.NodeID(i), port: int32(9092 + i), up: true,
			count: map[int16]int{}, sessions: map[int32]*fakeSession{}})
	}
	return k
}

func (k *fakeKafka) topic(name string, partitions int) *fakeTopic {
	k.made++
	t := &fakeTopic{name: name, id: core.TopicIDFromWords(k.made, 7)}
	for i := range partitions {
		t.parts = append(t.parts, &fakePartition{leader: int32(i % len(k.brokers)), producers: map[int64]*fakeProducer{}, open: map[int64]int64{},
			readFrom: -1, cut: map[int32]int64{}})
	}
	k.topics = append(k.topics, t)
	return t
}

// store appends records with the given codec as the leader would.
func (p *fakePartition) store(codec record.Codec, o record.Options, values ...string) {
	var b record.Builder
	o.Codec = codec
	b.Begin(nil, o)
	for i, v := range values {
		if err := b.Append(core.Wall(1000+p.end+int64(i)), []byte("k"), []byte(v), []record.RecordHeader{{Key: []byte("h"), Value: []byte(v)}}); err != nil {
			panic(err)
		}
	}
	bytes, err := b.Finish(new(record.Codecs))
	if err != nil {
		panic(err)
	}
	p.append(bytes)
}

func (p *fakePartition) append(bytes []byte) {
	batch := record.Batch(slices.Clone(bytes))
	batch.SetBaseOffset(core.Offset(p.end))
	batch.SetPartitionLeaderEpoch(core.LeaderEpoch(p.epoch))
	p.batches = append(p.batches, batch)
	p.end = int64(batch.NextOffset())
	waiters := p.waiters
	p.waiters = nil
	for _, f := range waiters {
		f()
	}
}

// truncate cuts the log as an unclean election does.
func (p *fakePartition) truncate(to int64) {
	for len(p.batches) > 0 && int64(p.batches[len(p.batches)-1].NextOffset()) > to {
		p.batches = p.batches[:len(p.batches)-1]
	}
	p.end = to
}

// values are the records of the log, in order.
func (p *fakePartition) values() (out []string) {
	var it record.Iterator
	var r record.Record
	for _, b := range p.batches {
		if err := it.Reset(b, new(record.Codecs), 1<<30); err != nil {
			panic(err)
		}
		for it.Next(&r) {
			out = append(out, string(r.Value))
		}
	}
	return out
}

func (b *fakeBroker) addr() string { return fmt.Sprintf("host:%d", b.port) }

// fail takes a broker down with all its connections.
func (b *fakeBroker) fail() {
	b.up = false
	for _, l := range b.kafka.world.sortedConns() {
		if l.broker == b {
			b.kafka.world.reset(l)
		}
	}
}

func (w *world) sortedConns() (out []*link) {
	for _, l := range w.conns {
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b *link) int { return int(a.peer) - int(b.peer) })
	return out
}

func (k *fakeKafka) find(name string, id core.TopicID) *fakeTopic {
	for _, t := range k.topics {
		if !id.IsZero() && t.id == id || id.IsZero() && t.name == name {
			return t
		}
	}
	return nil
}

func (k *fakeKafka) maxVersion(key int16) int16 {
	if m, ok := k.limits[key]; ok {
		return m
	}
	if r := kmsg.RequestForKey(key); r != nil {
		return r.MaxVersion()
	}
	return -1
}

func (b *fakeBroker) handle(req kmsg.Request, reply func(kmsg.Response)) {
	resp := req.ResponseKind()
	if b.handleTxn(req, resp) {
		reply(resp)
		return
	}
	switch r := req.(type) {
	case *kmsg.ApiVersionsRequest:
		b.apiVersions(r, resp.(*kmsg.ApiVersionsResponse))
	case *kmsg.MetadataRequest:
		b.metadata(r, resp.(*kmsg.MetadataResponse))
	case *kmsg.ProduceRequest:
		b.produce(r, resp.(*kmsg.ProduceResponse))
	case *kmsg.InitProducerIDRequest:
		resp.(*kmsg.InitProducerIDResponse).ProducerID = b.kafka.nextPID
		b.kafka.nextPID++
	case *kmsg.FetchRequest:
		b.fetch(r, resp.(*kmsg.FetchResponse), reply)
		return
	case *kmsg.ListOffsetsRequest:
		b.listOffsets(r, resp.(*kmsg.ListOffsetsResponse))
	case *kmsg.OffsetForLeaderEpochRequest:
		b.offsetForEpoch(r, resp.(*kmsg.OffsetForLeaderEpochResponse))
	case *kmsg.CreateTopicsRequest:
		for _, t := range r.Topics {
			b.kafka.topic(t.Topic, int(t.NumPartitions))
			row := kmsg.NewCreateTopicsResponseTopic()
			row.Topic = t.Topic
			resp.(*kmsg.CreateTopicsResponse).Topics = append(resp.(*kmsg.CreateTopicsResponse).Topics, row)
		}
	case *kmsg.DescribeLogDirsRequest:
		dir := kmsg.NewDescribeLogDirsResponseDir()
		dir.Dir = fmt.Sprintf("/data/%d", b.id)
		resp.(*kmsg.DescribeLogDirsResponse).Dirs = append(resp.(*kmsg.DescribeLogDirsResponse).Dirs, dir)
	default:
		if b.handleGroup(req, resp) {
			break
		}
		panic(fmt.Sprintf("the fake broker has no %T", req))
	}
	reply(resp)
}

func (b *fakeBroker) apiVersions(r *kmsg.ApiVersionsRequest, resp *kmsg.ApiVersionsResponse) {
	if most := b.kafka.maxVersion(18); r.Version > most {
		resp.Version = 0
		resp.ErrorCode = int16(core.ErrUnsupportedVersion)
		if most > 0 { // since 2.4
			resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: 18, MaxVersion: most})
		}
		return
	}
	for key := range int16(95) {
		if most := b.kafka.maxVersion(key); most >= 0 {
			resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: key, MaxVersion: most})
		}
	}
	if x := b.kafka.txns; x != nil {
		resp.FinalizedFeaturesEpoch = 1
		resp.FinalizedFeatures = append(resp.FinalizedFeatures, kmsg.ApiVersionsResponseFinalizedFeature{Name: "transaction.version", MaxVersionLevel: x.version})
	}
}

func (b *fakeBroker) metadata(r *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
	for _, n := range b.kafka.brokers {
		row := kmsg.NewMetadataResponseBroker()
		row.NodeID, row.Host, row.Port = int32(n.id), "host", n.port
		resp.Brokers = append(resp.Brokers, row)
	}
	asked := r.Topics
	if asked == nil {
		for _, t := range b.kafka.topics {
			asked = append(asked, kmsg.MetadataRequestTopic{Topic: kmsg.StringPtr(t.name)})
		}
	}
	for _, want := range asked {
		row := kmsg.NewMetadataResponseTopic()
		row.Topic = want.Topic
		t := b.kafka.find(*want.Topic, core.TopicID{})
		if t == nil {
			row.ErrorCode = int16(core.ErrUnknownTopicOrPartition)
			resp.Topics = append(resp.Topics, row)
			continue
		}
		row.TopicID = t.id
		for i, p := range t.parts {
			pr := kmsg.NewMetadataResponseTopicPartition()
			pr.Partition, pr.Leader, pr.LeaderEpoch = int32(i), p.leader, p.epoch
			if p.stale != 0 {
				pr.LeaderEpoch, pr.Leader = p.stale-1, 0
			}
			row.Partitions = append(row.Partitions, pr)
		}
		resp.Topics = append(resp.Topics, row)
	}
}

func (b *fakeBroker) produce(r *kmsg.ProduceRequest, resp *kmsg.ProduceResponse) {
	for _, t := range r.Topics {
		row := kmsg.NewProduceResponseTopic()
		row.Topic, row.TopicID = t.Topic, t.TopicID
		ft := b.kafka.find(t.Topic, t.TopicID)
		for _, p := range t.Partitions {
			pr := kmsg.NewProduceResponseTopicPartition()
			pr.Partition = p.Partition
			if ft == nil {
				pr.ErrorCode = int16(core.ErrUnknownTopicOrPartition)
			} else {
				pr.BaseOffset, pr.ErrorCode = b.appendIn(r.Version, core.TopicPartition{Topic: ft.name, Partition: p.Partition}, ft.parts[p.Partition], p.Records)
			}
			row.Partitions = append(row.Partitions, pr)
		}
		resp.Topics = append(resp.Topics, row)
	}
}

// appendIn is appendBatch with what transactions ask for first.
func (b *fakeBroker) appendIn(version int16, tp core.TopicPartition, p *fakePartition, bytes []byte) (int64, int16) {
	s, refusal := record.Check(bytes, record.Limits{}, new(record.Codecs))
	if !refusal.OK() || !s.Transactional || p.leader != int32(b.id) {
		return b.appendBatch(p, bytes)
	}
	_, open := p.open[int64(s.ProducerID)]
	if !open {
		if code := b.kafka.txns.transacts(version, tp, s); code != core.ErrNone {
			return -1, int16(code)
		}
	}
	end := p.end
	base, code := b.appendBatch(p, bytes)
	if code == 0 && !open && p.end > end {
		p.open[int64(s.ProducerID)] = end
	}
	return base, code
}

// stable is the LastStableOffset.
func (p *fakePartition) stable() int64 {
	lso := p.end
	for _, first := range p.open {
		lso = min(lso, first)
	}
	return lso
}

// appendBatch follows ProducerAppendInfo: five batches are remembered, a new epoch begins at zero, gaps are refused.
func (b *fakeBroker) appendBatch(p *fakePartition, bytes []byte) (int64, int16) {
	if p.leader != int32(b.id) {
		return -1, int16(core.ErrNotLeaderOrFollower)
	}
	summary, refusal := record.Check(bytes, record.Limits{}, new(record.Codecs))
	if !refusal.OK() {
		return -1, int16(refusal.Code)
	}
	if b.kafka.maxSize > 0 && len(bytes) > b.kafka.maxSize {
		return -1, int16(core.ErrMessageTooLarge)
	}
	base := p.end
	if summary.ProducerID >= 0 {
		s := p.producers[int64(summary.ProducerID)]
		if s == nil {
			s = &fakeProducer{epoch: int16(summary.ProducerEpoch), next: summary.FirstSequence}
			p.producers[int64(summary.ProducerID)] = s
		}
		if int16(summary.ProducerEpoch) < s.epoch {
			return -1, int16(core.ErrInvalidProducerEpoch)
		}
		if int16(summary.ProducerEpoch) > s.epoch {
			*s = fakeProducer{epoch: int16(summary.ProducerEpoch)}
		}
		for _, a := range s.last {
			if a.first == summary.FirstSequence && a.count == summary.RecordCount {
				return a.base, 0
			}
		}
		if summary.FirstSequence != s.next {
			return -1, int16(core.ErrOutOfOrderSequenceNumber)
		}
		s.next += summary.RecordCount
		s.last = append(s.last, fakeAppend{summary.FirstSequence, summary.RecordCount, base})
		s.last = s.last[max(0, len(s.last)-5):]
	}
	p.append(bytes)
	return base, 0
}

func (b *fakeBroker) fetch(r *kmsg.FetchRequest, resp *kmsg.FetchResponse, reply func(kmsg.Response)) {
	s, code := b.session(r, resp)
	if code != core.ErrNone {
		resp.ErrorCode = int16(code)
		reply(resp)
		return
	}
	answered := false
	try := func(last bool) {
		if answered {
			return
		}
		if n := b.collect(s, resp, r); n > 0 || last {
			answered = true
			reply(resp)
		}
	}
	try(false)
	if answered {
		return
	}
	for i, p := range s.parts {
		if t := b.kafka.find(s.names[i].Topic, s.names[i].TopicID); t != nil {
			part := t.parts[p.Partition]
			part.waiters = append(part.waiters, func() { try(false) })
		}
	}
	b.kafka.world.after(core.Millis(int64(r.MaxWaitMillis)), func() { try(true) })
}

// session follows KIP-227.
func (b *fakeBroker) session(r *kmsg.FetchRequest, resp *kmsg.FetchResponse) (*fakeSession, core.ErrorCode) {
	if r.SessionEpoch <= 0 {
		delete(b.sessions, r.SessionID)
		s := &fakeSession{epoch: 1}
		s.add(r.Topics)
		if r.SessionEpoch == 0 && !b.noCache {
			b.nextID++
			b.sessions[b.nextID], resp.SessionID = s, b.nextID
		}
		return s, core.ErrNone
	}
	s := b.sessions[r.SessionID]
	if s == nil {
		return nil, core.ErrFetchSessionIDNotFound
	}
	if s.epoch != r.SessionEpoch {
		return nil, core.ErrInvalidFetchSessionEpoch
	}
	s.epoch++
	resp.SessionID = r.SessionID
	s.add(r.Topics)
	for _, f := range r.ForgottenTopics {
		for _, p := range f.Partitions {
			for i := range s.parts {
				if s.parts[i].Partition == p && s.names[i].Topic == f.Topic && s.names[i].TopicID == f.TopicID {
					s.parts, s.names = slices.Delete(s.parts, i, i+1), slices.Delete(s.names, i, i+1)
					break
				}
			}
		}
	}
	return s, core.ErrNone
}

func (s *fakeSession) add(topics []kmsg.FetchRequestTopic) {
	for _, t := range topics {
		for _, p := range t.Partitions {
			at := -1
			for i := range s.parts {
				if s.parts[i].Partition == p.Partition && s.names[i].Topic == t.Topic && s.names[i].TopicID == t.TopicID {
					at = i
				}
			}
			if at < 0 {
				s.parts = append(s.parts, p)
				s.names = append(s.names, kmsg.FetchRequestTopic{Topic: t.Topic, TopicID: t.TopicID})
			} else {
				s.parts[at] = p
			}
		}
	}
}

// collect fills a response and returns how much there is to tell.
func (b *fakeBroker) collect(s *fakeSession, resp *kmsg.FetchResponse, r *kmsg.FetchRequest) (n int) {
	resp.Topics = nil
	for i, want := range s.parts {
		row := kmsg.NewFetchResponseTopicPartition()
		row.Partition = want.Partition
		t := b.kafka.find(s.names[i].Topic, s.names[i].TopicID)
		if t == nil {
			row.ErrorCode = int16(core.ErrUnknownTopicID)
		} else {
			b.read(t.parts[want.Partition], want, r, &row)
		}
		if row.ErrorCode != 0 || len(row.RecordBatches) > 0 || row.PreferredReadReplica >= 0 || r.SessionEpoch <= 0 {
			topic := kmsg.NewFetchResponseTopic()
			topic.Topic, topic.TopicID = s.names[i].Topic, s.names[i].TopicID
			topic.Partitions = append(topic.Partitions, row)
			resp.Topics = append(resp.Topics, topic)
		}
		n += len(row.RecordBatches) + int(row.ErrorCode)*int(row.ErrorCode) + int(row.PreferredReadReplica+1)
	}
	return n
}

func (b *fakeBroker) read(p *fakePartition, want kmsg.FetchRequestTopicPartition, r *kmsg.FetchRequest,
	row *kmsg.FetchResponseTopicPartition) {
	switch {
	case p.leader != int32(b.id) && p.readFrom != int32(b.id):
		row.ErrorCode = int16(core.ErrNotLeaderOrFollower)
		return
	case want.CurrentLeaderEpoch >= 0 && want.CurrentLeaderEpoch < p.epoch:
		row.ErrorCode = int16(core.ErrFencedLeaderEpoch)
		return
	case want.CurrentLeaderEpoch > p.epoch:
		row.ErrorCode = int16(core.ErrUnknownLeaderEpoch)
		return
	case want.FetchOffset < p.start || want.FetchOffset > p.end:
		row.ErrorCode = int16(core.ErrOffsetOutOfRange)
		return
	}
	row.HighWatermark, row.LastStableOffset, row.LogStartOffset = p.end, p.stable(), p.start
	if r.Rack != "" && p.readFrom >= 0 && p.readFrom != int32(b.id) {
		row.PreferredReadReplica = p.readFrom
		return
	}
	if r.IsolationLevel == 1 {
		row.AbortedTransactions = p.aborted
	}
	for _, batch := range p.batches {
		if int64(batch.NextOffset()) <= want.FetchOffset {
			continue
		}
		if r.IsolationLevel == 1 && int64(batch.BaseOffset()) >= p.stable() {
			break
		}
		if left := int(want.PartitionMaxBytes) - len(row.RecordBatches); len(row.RecordBatches) > 0 && left < len(batch) {
			row.RecordBatches = append(row.RecordBatches, batch[:max(left, 0)]...) // cut off, as sendfile does
			break
		}
		row.RecordBatches = append(row.RecordBatches, batch...)
	}
}

func (b *fakeBroker) listOffsets(r *kmsg.ListOffsetsRequest, resp *kmsg.ListOffsetsResponse) {
	for _, t := range r.Topics {
		row := kmsg.NewListOffsetsResponseTopic()
		row.Topic = t.Topic
		for _, q := range t.Partitions {
			pr := kmsg.NewListOffsetsResponseTopicPartition()
			pr.Partition = q.Partition
			p := b.kafka.find(t.Topic, core.TopicID{}).parts[q.Partition]
			switch {
			case p.leader != int32(b.id):
				pr.ErrorCode = int16(core.ErrNotLeaderOrFollower)
			case q.CurrentLeaderEpoch >= 0 && q.CurrentLeaderEpoch < p.epoch:
				pr.ErrorCode = int16(core.ErrFencedLeaderEpoch)
			case q.Timestamp == -1:
				pr.Offset, pr.LeaderEpoch = p.end, p.epoch
			case q.Timestamp == -2:
				pr.Offset, pr.LeaderEpoch = p.start, 0
			default:
				pr.Offset = -1
				for i := p.end - 1; i >= p.start && 1000+i >= q.Timestamp; i-- {
					pr.Offset, pr.Timestamp = i, 1000+i
				}
			}
			row.Partitions = append(row.Partitions, pr)
		}
		resp.Topics = append(resp.Topics, row)
	}
}

func (b *fakeBroker) offsetForEpoch(r *kmsg.OffsetForLeaderEpochRequest, resp *kmsg.OffsetForLeaderEpochResponse) {
	for _, t := range r.Topics {
		row := kmsg.NewOffsetForLeaderEpochResponseTopic()
		row.Topic = t.Topic
		for _, q := range t.Partitions {
			pr := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			pr.Partition = q.Partition
			p := b.kafka.find(t.Topic, core.TopicID{}).parts[q.Partition]
			if p.leader != int32(b.id) {
				pr.ErrorCode = int16(core.ErrNotLeaderOrFollower)
			}
			pr.LeaderEpoch, pr.EndOffset = -1, -1
			for _, batch := range p.batches {
				if e := int32(batch.PartitionLeaderEpoch()); e <= q.LeaderEpoch {
					pr.LeaderEpoch, pr.EndOffset = e, int64(batch.NextOffset())
				}
			}
			row.Partitions = append(row.Partitions, pr)
		}
		resp.Topics = append(resp.Topics, row)
	}
}
