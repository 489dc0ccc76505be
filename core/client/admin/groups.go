package admin

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// group is several requests with one reply.
type group struct {
	reply Reply
	left  int
	due   core.Mono // of DescribeLogDirs, while the brokers are not known
	body  *kmsg.DescribeLogDirsRequest
}

// OffsetAsk is one partition of ListOffsets or DeleteRecords.
type OffsetAsk struct {
	core.TopicPartition
	Timestamp core.Wall   // ListOffsets: a special one or milliseconds
	Offset    core.Offset // DeleteRecords: the new log start, core.NoOffset for the high watermark
}

// ListOffsets looks offsets up by timestamp, with readCommitted up to the last stable offset. Each partition's leader
// is asked.
func (a *Admin) ListOffsets(now core.Now, asks []OffsetAsk, readCommitted bool, token uint64) {
	a.perPartition(now, asks, token, func(q OffsetAsk) kmsg.Request {
		req := kmsg.NewPtrListOffsetsRequest()
		req.ReplicaID = -1
		if readCommitted {
			req.IsolationLevel = 1
		}
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = q.Partition, int64(q.Timestamp)
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic, t.Partitions = q.Topic, append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		return req
	})
}

// inEpoch is a lookup that names the leader epoch that the client knows (KIP-320), other requests as they are. Java's admin client
// names none and believes a leader of any epoch; then what it is told may be older than what it, or a consumer beside it, has seen.
// A leads in epoch 4 and is cut off, B leads in epoch 5. B, asked for its end because it led in epoch 3, too, says 184; the next
// metadata speak of epoch 4, and A says 183. The request is copied, for an earlier attempt may still be on its way.
func inEpoch(req kmsg.Request, epoch core.LeaderEpoch) kmsg.Request {
	lookup, ok := req.(*kmsg.ListOffsetsRequest)
	if !ok {
		return req
	}
	named := *lookup
	named.Topics = slices.Clone(lookup.Topics)
	t := &named.Topics[0]
	t.Partitions = slices.Clone(t.Partitions)
	t.Partitions[0].CurrentLeaderEpoch = int32(epoch)
	return &named
}

// DeleteRecords moves log starts forward (KIP-107). Each partition's leader is asked.
func (a *Admin) DeleteRecords(now core.Now, asks []OffsetAsk, token uint64) {
	a.perPartition(now, asks, token, func(q OffsetAsk) kmsg.Request {
		req := kmsg.NewPtrDeleteRecordsRequest()
		req.TimeoutMillis = a.timeoutMillis()
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Partition, p.Offset = q.Partition, int64(q.Offset)
		t := kmsg.NewDeleteRecordsRequestTopic()
		t.Topic, t.Partitions = q.Topic, append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		return req
	})
}

func (a *Admin) perPartition(now core.Now, asks []OffsetAsk, token uint64, request func(OffsetAsk) kmsg.Request) {
	g := &group{reply: Reply{Token: token, Node: core.NoNode}, left: len(asks)}
	g.reply.Offsets = make([]PartitionOffset, len(asks))
	if len(asks) == 0 {
		a.replies = append(a.replies, g.reply)
	}
	for i, q := range asks {
		g.reply.Offsets[i].TopicPartition = q.TopicPartition
		a.add(&op{req: request(q), route: Route{Kind: PartitionLeader, Topic: q.Topic, Partition: q.Partition},
			due: now.Mono.Add(a.opts.Timeout), group: g, index: i})
	}
}

// DescribeLogDirs asks every broker about its log directories: of all replicas if topics is nil. Each broker answers
// for its own replicas only.
func (a *Admin) DescribeLogDirs(now core.Now, topics []kmsg.DescribeLogDirsRequestTopic, token uint64) {
	body := kmsg.NewPtrDescribeLogDirsRequest()
	body.Topics = topics
	a.dirty = true
	a.unsplit = append(a.unsplit, &group{reply: Reply{Token: token, Node: core.NoNode}, body: body,
		due: now.Mono.Add(a.opts.Timeout)})
	if !a.closed {
		a.cl.Refresh()
	}
}

// splitReady sends the requests of groups that waited for the list of brokers.
func (a *Admin) splitReady(now core.Now) {
	if len(a.unsplit) == 0 {
		return
	}
	nodes := a.cl.Nodes()
	kept := a.unsplit[:0]
	for _, g := range a.unsplit {
		switch {
		case a.closed, now.Mono >= g.due:
			g.reply.Err = core.ErrRequestTimedOut
			a.replies = append(a.replies, g.reply)
		case len(nodes) == 0:
			a.cl.Refresh()
			a.deadline = min(a.deadline, g.due)
			kept = append(kept, g)
		default:
			g.left = len(nodes)
			g.reply.LogDirs = make([]LogDir, len(nodes))
			for i, id := range nodes {
				g.reply.LogDirs[i].Node = id
				a.ops = append(a.ops, &op{req: copyOf(g.body), route: Route{Kind: Broker, Node: id}, due: g.due, group: g, index: i})
			}
		}
	}
	clear(a.unsplit[len(kept):])
	a.unsplit = kept
}

// merge puts the outcome of one request into its group's reply.
func (a *Admin) merge(o *op) {
	g, err := o.group, o.reply.Err
	g.reply.Ambiguous = g.reply.Ambiguous || o.reply.Ambiguous
	if g.reply.LogDirs != nil {
		d := &g.reply.LogDirs[o.index]
		d.Body, _ = o.reply.Body.(*kmsg.DescribeLogDirsResponse)
		d.Err = err
		if d.Body == nil && err == core.ErrNone {
			d.Err = core.ErrUnknownServerError
		}
	} else {
		r := &g.reply.Offsets[o.index]
		r.Offset, r.Timestamp, r.LeaderEpoch, r.Err = core.NoOffset, core.NoTimestamp, core.NoLeaderEpoch, err
		if err == core.ErrNone {
			r.read(o.reply.Body)
		}
	}
	if g.left--; g.left == 0 {
		a.replies = append(a.replies, g.reply)
	}
}

// read takes the only row of a response.
func (r *PartitionOffset) read(body kmsg.Response) {
	r.Err = core.ErrUnknownServerError // until a row is found
	switch resp := body.(type) {
	case *kmsg.ListOffsetsResponse:
		if len(resp.Topics) == 1 && len(resp.Topics[0].Partitions) == 1 {
			row := &resp.Topics[0].Partitions[0]
			r.Err, r.Offset = core.ErrorCode(row.ErrorCode), core.Offset(row.Offset)
			r.Timestamp, r.LeaderEpoch = core.Wall(row.Timestamp), core.LeaderEpoch(row.LeaderEpoch)
		}
	case *kmsg.DeleteRecordsResponse:
		if len(resp.Topics) == 1 && len(resp.Topics[0].Partitions) == 1 {
			row := &resp.Topics[0].Partitions[0]
			r.Err, r.Offset = core.ErrorCode(row.ErrorCode), core.Offset(row.LowWatermark)
		}
	}
}

// verdict collects the error codes of a response.
type verdict struct {
	code  core.ErrorCode // a retriable one
	final bool           // some row succeeded, or failed for good
}

func (v *verdict) row(code int16) {
	if c := core.ErrorCode(code); c.Retriable() {
		v.code = c
	} else {
		v.final = true
	}
}

// refusal is the retriable error with which a broker refused a whole request, if it did. A response in which one row is
// settled is not to be repeated: what succeeded would then fail.
func refusal(body kmsg.Response) core.ErrorCode {
	var v verdict
	if code, known := nodeRefusal(body); known {
		v.row(code)
	}
	coordinatorRefusal(body, &v)
	switch resp := body.(type) {
	case *kmsg.CreateTopicsResponse:
		for i := range resp.Topics {
			v.row(resp.Topics[i].ErrorCode)
		}
	case *kmsg.DeleteTopicsResponse:
		for i := range resp.Topics {
			v.row(unlessUnknown(resp.Topics[i].ErrorCode))
		}
	case *kmsg.CreatePartitionsResponse:
		for i := range resp.Topics {
			v.row(unlessUnknown(resp.Topics[i].ErrorCode))
		}
	case *kmsg.DescribeConfigsResponse:
		for i := range resp.Resources {
			v.row(unlessUnknown(resp.Resources[i].ErrorCode))
		}
	case *kmsg.IncrementalAlterConfigsResponse:
		for i := range resp.Resources {
			v.row(unlessUnknown(resp.Resources[i].ErrorCode))
		}
	case *kmsg.ListOffsetsResponse:
		for i := range resp.Topics {
			for j := range resp.Topics[i].Partitions {
				v.row(resp.Topics[i].Partitions[j].ErrorCode)
			}
		}
	case *kmsg.DeleteRecordsResponse:
		for i := range resp.Topics {
			for j := range resp.Topics[i].Partitions {
				v.row(resp.Topics[i].Partitions[j].ErrorCode)
			}
		}
	case *kmsg.DescribeClusterResponse:
		v.row(resp.ErrorCode)
	case *kmsg.DescribeLogDirsResponse:
		v.row(resp.ErrorCode)
	}
	if v.final {
		return core.ErrNone
	}
	return v.code
}

// unlessUnknown makes "no such topic" final for requests that name topics: it is the answer, not a state that passes.
func unlessUnknown(code int16) int16 {
	switch core.ErrorCode(code) {
	case core.ErrUnknownTopicOrPartition, core.ErrUnknownTopicID:
		return int16(core.ErrInvalidTopic)
	}
	return code
}
