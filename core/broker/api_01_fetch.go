package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/fetch"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/log/txindex"
	"github.com/klamm-log/klamm/core/purgatory"
	"github.com/klamm-log/klamm/core/replica"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Fetch (key 1).
//
// Behavior: partitions are served in the session's order until max_bytes is used up; the first batch of the first
// partition with data is returned whole, however large (KIP-74). Nothing at or past the HighWatermark is returned,
// nothing at or past the LastStableOffset to read_committed, which is told the aborted transactions that overlap what it gets. The answer comes at once if there are min_bytes, an
// error, or max_wait is 0; else the fetch is parked. Records are named as spans, never read here; only where the
// position of an offset is not known exactly a few bytes of the file are read first.
//
// A new leader whose HighWatermark has not reached its epoch's start lets consumers wait; after max_wait it answers
// NOT_LEADER_OR_FOLLOWER, and never a HighWatermark below one that was told before.
//
// Version notes: 6 knows KAFKA_STORAGE_ERROR (KIP-112), 7 sessions (KIP-227), 9 leader epoch check (KIP-320), 11 rack (KIP-392),
// 12 last fetched epoch (KIP-595), 13 topic ids (KIP-516), 15 replica state (KIP-903).

// fetchTable parks fetches that wait for bytes.
type fetchTable = purgatory.Table[fetchWait]

// fetchWait is a pointer so that a fetch keeps its identity between the table and reads of the disk.
type fetchWait = *fetching

// fetching is one Fetch being served.
type fetching struct {
	req     *step.Request
	body    *kmsg.FetchRequest
	ctx     fetch.Context
	parts   []fetchPart // parallel to ctx.Partitions
	at      int         // the part being located; those before it are decided
	budget  int64       // bytes that may still be returned
	bytes   int64       // bytes found
	urgent  bool        // something must be told at once
	news    bool        // a follower is to be told of a HighWatermark, soon
	tellAt  core.Mono   // when, 0 if there was nothing to tell so far
	expired bool
	expires core.Mono
	query   log.Query // of the part at, while its read is outstanding
	need    log.ReadRequest
	parked  *purgatory.Parked[fetchWait]

	// follower is the broker that fetches to replicate, NoNode for a consumer; brokerEpoch is the epoch under which it is
	// registered (KIP-903), -1 if it does not say.
	follower    core.NodeID
	brokerEpoch core.BrokerEpoch
	refused     []core.ErrorCode // parallel to parts, for a follower whose incarnation does not count; nil if it does
}

// fetchPart is the answer for one partition.
type fetchPart struct {
	p         *partition
	code      core.ErrorCode
	span      step.Span
	hw, lso   core.Offset
	logStart  core.Offset
	divergesE core.LeaderEpoch // diverging epoch and its end, if diverging (KIP-595)
	divergesO core.Offset
	diverging bool
	preferred core.NodeID   // replica to read from instead, or NoNode (KIP-392)
	aborted   []txindex.Txn // that a reader of committed records must know of, by first offset
	// unsettled says that a new leader does not know yet how far its predecessor has committed (KIP-207).
	unsettled bool
}

func (b *Broker) fetch(now core.Now, r *step.Request, req *kmsg.FetchRequest, out *step.Effects) {
	f := &fetching{req: r, body: req, expires: now.Mono.Add(core.Millis(int64(max(0, req.MaxWaitMillis))))}
	f.follower, f.brokerEpoch = core.NodeID(req.ReplicaID), -1
	if r.Version >= 15 {
		f.follower, f.brokerEpoch = core.NodeID(req.ReplicaState.ID), core.BrokerEpoch(req.ReplicaState.Epoch)
	}
	f.follower = max(f.follower, core.NoNode) // -2 is a debugging consumer
	asked := fetch.Request{
		SessionID: req.SessionID, SessionEpoch: req.SessionEpoch, ByID: r.Version >= 13, Follower: f.follower != core.NoNode,
	}
	if r.Version < 7 {
		asked.SessionEpoch = fetch.FinalEpoch
	}
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			asked.Partitions = append(asked.Partitions, fetch.Partition{
				Key:         fetch.Key{ID: t.TopicID, Topic: t.Topic, Partition: p.Partition},
				FetchOffset: core.Offset(p.FetchOffset), LogStartOffset: core.Offset(p.LogStartOffset),
				// Every negative epoch is none here; in ListOffsets and OffsetForLeaderEpoch only -1 is, as in Kafka.
				CurrentLeaderEpoch: max(core.NoLeaderEpoch, core.LeaderEpoch(p.CurrentLeaderEpoch)),
				LastFetchedEpoch:   core.LeaderEpoch(p.LastFetchedEpoch), MaxBytes: p.PartitionMaxBytes,
			})
		}
	}
	for i := range req.ForgottenTopics {
		t := &req.ForgottenTopics[i]
		for _, p := range t.Partitions {
			asked.Forgotten = append(asked.Forgotten, fetch.Key{ID: t.TopicID, Topic: t.Topic, Partition: p})
		}
	}
	f.ctx = b.sessions.Begin(now.Mono, &asked)
	if f.ctx.Err != core.ErrNone {
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		resp.ErrorCode = int16(f.ctx.Err)
		reply(r, resp, out)
		return
	}
	f.parts = make([]fetchPart, len(f.ctx.Partitions))
	f.expired = req.MaxWaitMillis <= 0
	if f.follower != core.NoNode {
		b.followerProgress(now, f)
	}
	b.evaluate(now, f, out)
}

// followerProgress notes how far the follower has got: what it asks for next it holds durably up to there. Partitions that
// its session does not repeat are where they were, which is news too: the follower is still caught up at this instant.
func (b *Broker) followerProgress(now core.Now, f *fetching) {
	for i, asked := range f.ctx.Partitions {
		p, code := b.lookup(asked.ID, asked.Topic, asked.Partition)
		if code != core.ErrNone || p.AdmitFollower(f.follower, f.brokerEpoch, asked.CurrentLeaderEpoch) != core.ErrNone {
			continue // the evaluation says so to the follower
		}
		if _, _, diverging := p.Divergence(asked.LastFetchedEpoch, asked.FetchOffset); diverging {
			continue
		}
		// Of a partition at rest with everybody in sync nothing can come of it: it costs no settling.
		restless := p.HighWatermark() < p.Log.LogEndOffset() || len(p.ISR()) < p.copies
		code = p.FollowerFetched(now, b.image(), replica.FollowerFetch{
			ID: f.follower, LeaderEpoch: asked.CurrentLeaderEpoch, BrokerEpoch: f.brokerEpoch, FetchOffset: asked.FetchOffset,
			LastFetchedEpoch: asked.LastFetchedEpoch, LogStartOffset: asked.LogStartOffset, HighWatermark: core.NoOffset,
		})
		if code == core.ErrNotLeaderOrFollower || code == core.ErrUnknownLeaderEpoch { // an incarnation that is dead, or nobody's
			if f.refused == nil {
				f.refused = make([]core.ErrorCode, len(f.ctx.Partitions))
			}
			f.refused[i] = code
		}
		if restless {
			b.touch(p)
		}
	}
}

// evaluate looks at all partitions from the beginning.
func (b *Broker) evaluate(now core.Now, f *fetching, out *step.Effects) {
	f.at, f.bytes, f.urgent, f.news = 0, 0, false, false
	f.budget = int64(min(f.body.MaxBytes, b.cfg.FetchMaxBytes))
	b.locate(now, f, out)
}

// locate goes on with the part at, until a read is needed or all parts are decided.
func (b *Broker) locate(now core.Now, f *fetching, out *step.Effects) {
	for ; f.at < len(f.parts); f.at++ {
		if !b.admitFetch(now, f) {
			continue
		}
		if !b.located(f, f.parts[f.at].p.Log.Locate(f.query), out) {
			return
		}
	}
	b.decide(now, f, out)
}

// admitFetch checks the part at and sets its query; false means that the part is decided without one.
func (b *Broker) admitFetch(now core.Now, f *fetching) bool {
	asked, part := f.ctx.Partitions[f.at], &f.parts[f.at]
	*part = fetchPart{hw: core.NoOffset, lso: core.NoOffset, logStart: core.NoOffset, preferred: core.NoNode}
	p, code := b.lookup(asked.ID, asked.Topic, asked.Partition)
	if code == core.ErrNotLeaderOrFollower && f.follower == core.NoNode && b.mayReadFromFollower(f.req.Version, p) {
		code = core.ErrNone
	}
	part.p = p
	switch {
	case code != core.ErrNone:
	case f.follower != core.NoNode:
		code = p.AdmitFollower(f.follower, f.brokerEpoch, asked.CurrentLeaderEpoch)
		if code == core.ErrNone && f.refused != nil {
			code = f.refused[f.at]
		}
	default:
		code = p.CheckEpoch(asked.CurrentLeaderEpoch)
	}
	if code != core.ErrNone {
		part.code, f.urgent = code, true
		return false
	}
	part.hw, part.lso, part.logStart = p.HighWatermark(), p.LastStableOffset(), p.Log.LogStartOffset()
	if epoch, end, diverging := p.Divergence(asked.LastFetchedEpoch, asked.FetchOffset); diverging {
		part.diverging, part.divergesE, part.divergesO, f.urgent = true, epoch, end, true
		return false
	}
	if asked.FetchOffset < part.logStart || asked.FetchOffset > p.Log.LogEndOffset() {
		part.code, f.urgent = core.ErrOffsetOutOfRange, true
		return false
	}
	if part.unsettled = f.follower == core.NoNode && p.Leading() && !p.HWKnown(); part.unsettled {
		return false
	}
	if b.redirect(f, asked, part) {
		return false
	}
	bound := b.readable(f, part)
	if asked.FetchOffset >= bound || f.budget <= 0 && f.bytes > 0 {
		return false
	}
	f.query = log.Query{
		Offset: asked.FetchOffset, MaxBytes: min(int64(asked.MaxBytes), f.budget),
		MinOneBatch: f.bytes == 0, UpperBound: bound,
	}
	return true
}

// readable is the end of what may be returned: to followers what the leader has in its files, synced or not, to
// consumers what is committed, taken once per answer (KAFKA-9835).
func (b *Broker) readable(f *fetching, part *fetchPart) core.Offset {
	switch {
	case f.follower != core.NoNode:
		f.news = f.news || part.p.NeedsHW(f.follower)
		return part.p.FollowerBound()
	case f.committed():
		return part.lso
	}
	return part.hw
}

// committed reports whether the fetch is a consumer's with isolation.level=read_committed (KIP-98).
func (f *fetching) committed() bool { return f.body.IsolationLevel == 1 && f.follower == core.NoNode }

// mayReadFromFollower reports whether a consumer may be served by a replica that does not lead: one that is ready and
// follows in the current epoch, for clients that know of it (KIP-392).
func (b *Broker) mayReadFromFollower(version int16, p *partition) bool {
	return version >= 11 && p != nil && p.ServingReads() == core.ErrNone
}

// redirect tells a consumer of a rack the replica that is nearest to it.
func (b *Broker) redirect(f *fetching, asked *fetch.Partition, part *fetchPart) bool {
	if !b.cfg.ReplicaSelectorRackAware || f.follower != core.NoNode || f.body.Rack == "" || part.p.Leader() != b.cfg.NodeID {
		return false
	}
	to := part.p.PreferredReader(b.image(), f.body.Rack, asked.FetchOffset)
	if to == core.NoNode || to == b.cfg.NodeID {
		return false
	}
	part.preferred, f.urgent = to, true
	return true
}

// located takes what a lookup answered for the part at; false means that bytes must be read first.
func (b *Broker) located(f *fetching, at log.Located, out *step.Effects) bool {
	if at.Need.Len > 0 {
		out.Reachable("fetch.position-read", nil)
		f.need = at.Need
		p := f.parts[f.at].p
		b.reads.start(b, at.Need, pendingRead{p: p, log: p.Log, fetch: f}, out)
		return false
	}
	part := &f.parts[f.at]
	part.code, part.span = at.Code, at.Span
	if f.committed() && at.Span.Len > 0 {
		part.aborted = part.p.Log.Aborted(nil, f.query.Offset, at.Span, f.query.UpperBound)
	}
	f.urgent = f.urgent || at.Code != core.ErrNone
	f.bytes += at.Span.Len
	f.budget -= at.Span.Len
	return true
}

// resumeFetch goes on with a fetch whose read has completed. The partition may have changed meanwhile: the part is
// admitted anew, and what was read is used only if the question is still the same.
func (b *Broker) resumeFetch(now core.Now, f *fetching, d *step.DiskDone, out *step.Effects) {
	asked, before := f.query, f.parts[f.at].p
	if !b.admitFetch(now, f) {
		f.at++
		b.locate(now, f, out)
		return
	}
	var at log.Located
	switch {
	case d.Err != step.DiskOK:
		at.Code = core.ErrKafkaStorageError
	case before != f.parts[f.at].p || asked != f.query:
		at = f.parts[f.at].p.Log.Locate(f.query)
	default:
		at = before.Log.ResolveLocate(f.query, f.need, d.Data)
	}
	if b.located(f, at, out) {
		f.at++
		b.locate(now, f, out)
	}
}

// patienceForRecords is how long a follower waits for the news of a HighWatermark, if there are no records to take it along.
// Whoever waits for an answer before it writes the next record has written it by then. An answer of its own would cost a
// turn and a connection's writer and reader on both sides, and the record would find no fetch to answer. Kafka tells at once.
const patienceForRecords = 5 * core.Millisecond

// decide answers a fetch that has been evaluated whole, or parks it.
func (b *Broker) decide(now core.Now, f *fetching, out *step.Effects) {
	// More than the response may hold is never waited for, as in Kafka.
	least := min(int64(f.body.MinBytes), f.budget+f.bytes)
	enough := f.bytes > 0 && f.bytes >= least || f.body.MinBytes <= 0
	until := f.expires
	if f.news {
		if f.tellAt == 0 {
			f.tellAt = now.Mono.Add(patienceForRecords)
		}
		until = min(until, f.tellAt)
	}
	if enough || f.urgent || f.expired || len(f.parts) == 0 || until <= now.Mono {
		if f.tellAt > now.Mono && f.bytes > 0 {
			out.Reachable("fetch.news-goes-with-records", nil)
		}
		b.answerFetch(f, out)
		return
	}
	c := b.conns[f.req.Conn]
	if c == nil {
		return // closed while the disk was read: nobody would take it out of the table, and max_wait may be weeks
	}
	out.Reachable("fetch.parked", nil)
	f.parked = b.fetches.Park(f, until)
	for i := range f.parts {
		b.fetches.Watch(f.parked, f.parts[i].p.slot)
	}
	c.fetches = append(c.fetches, f)
}

// offerFetch looks again at a parked fetch. It always leaves the table, and parks itself anew if it has to: while it
// reads it must not be offered again.
func (b *Broker) offerFetch(now core.Now, f *fetching, expired bool, out *step.Effects) bool {
	b.unpark(f)
	f.expired = expired
	b.evaluate(now, f, out)
	return true
}

// unpark forgets that a fetch is parked.
func (b *Broker) unpark(f *fetching) {
	f.parked = nil
	if c := b.conns[f.req.Conn]; c != nil {
		c.drop(f)
	}
}

// dropFetches forgets the parked fetches of a connection that has closed.
func (b *Broker) dropFetches(c *connection) {
	for _, f := range c.fetches {
		b.fetches.Cancel(f.parked)
		f.parked = nil
	}
	c.fetches = nil
}

// answerFetch sends the response.
func (b *Broker) answerFetch(f *fetching, out *step.Effects) {
	resp := f.body.ResponseKind().(*kmsg.FetchResponse)
	resp.SessionID = f.ctx.SessionID
	rep := answer(f.req, resp)
	for i, asked := range f.ctx.Partitions {
		part := &f.parts[i]
		if part.unsettled {
			// A HighWatermark that falls would be told, as Kafka does. The fetch has waited for a better one all it could.
			part.code, part.hw, part.lso = core.ErrNotLeaderOrFollower, core.NoOffset, core.NoOffset
		}
		if f.follower != core.NoNode && part.code == core.ErrNone {
			part.p.Sent(f.follower, part.hw)
		}
		if !f.ctx.Include(asked, fetch.Answer{
			Err: part.code, HighWatermark: part.hw, LogStartOffset: part.logStart,
			Bytes: part.span.Len, Diverging: part.diverging, Redirected: part.preferred != core.NoNode,
		}) {
			continue
		}
		t := lastTopic(resp, asked)
		t.Partitions = append(t.Partitions, part.response(asked.Partition, f.req.Version, f.committed()))
		if f.follower != core.NoNode && part.p != nil && part.p.cfg.Compact {
			wire.SetEverywhere(&t.Partitions[len(t.Partitions)-1], int64(part.p.Everywhere()))
		}
		rep.Spans = append(rep.Spans, part.span)
		out.Sometimes(part.preferred != core.NoNode, "fetch.sent-to-nearer-replica", nil)
		out.Sometimes(f.follower == core.NoNode && part.span.Len > 0 && part.p.Leader() != b.cfg.NodeID, "fetch.served-by-follower", nil)
	}
	f.ctx.Finish()
	if f.follower == core.NoNode {
		b.plane.HintFetch(b.listenerOf(f.req), f.req, resp)
	}
	out.Replies = append(out.Replies, rep)
}

// lastTopic is the response's topic entry for a partition: the last one if it is the same topic, else a new one.
func lastTopic(resp *kmsg.FetchResponse, asked *fetch.Partition) *kmsg.FetchResponseTopic {
	if n := len(resp.Topics); n > 0 && resp.Topics[n-1].Topic == asked.Topic && resp.Topics[n-1].TopicID == asked.ID {
		return &resp.Topics[n-1]
	}
	resp.Topics = append(resp.Topics, kmsg.FetchResponseTopic{Topic: asked.Topic, TopicID: asked.ID})
	return &resp.Topics[len(resp.Topics)-1]
}

func (part *fetchPart) response(index int32, version int16, committed bool) kmsg.FetchResponseTopicPartition {
	rp := kmsg.NewFetchResponseTopicPartition()
	rp.Partition, rp.ErrorCode = index, int16(part.code)
	if version <= 5 && part.code == core.ErrKafkaStorageError {
		rp.ErrorCode = int16(core.ErrNotLeaderOrFollower) // KIP-112: which the client knows, and looks for another leader
	}
	rp.HighWatermark, rp.LastStableOffset, rp.LogStartOffset = int64(part.hw), int64(part.lso), int64(part.logStart)
	if committed { // null says that nobody asked
		rp.AbortedTransactions = make([]kmsg.FetchResponseTopicPartitionAbortedTransaction, len(part.aborted))
		for i, t := range part.aborted {
			rp.AbortedTransactions[i].ProducerID, rp.AbortedTransactions[i].FirstOffset = int64(t.ProducerID), int64(t.First)
		}
	}
	rp.PreferredReadReplica = int32(part.preferred)
	if part.diverging {
		rp.DivergingEpoch.Epoch, rp.DivergingEpoch.EndOffset = int32(part.divergesE), int64(part.divergesO)
	}
	return rp
}
