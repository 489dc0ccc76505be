package consumer

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ask is one ListOffsets or OffsetForLeaderEpoch request.
type ask struct {
	call     cluster.Call
	node     core.NodeID
	validate bool
	parts    []asked
}

// asked is a partition in an ask, as it was then.
type asked struct {
	p     *partition
	moved uint32
	epoch core.LeaderEpoch // of the leader that was asked
}

// The special timestamps of ListOffsets.
const (
	timestampLatest   = -1
	timestampEarliest = -2
)

// askPositions asks leaders for the positions that are looked for or doubted, one request per leader and kind.
func (c *Consumer) askPositions(now core.Now, out *step.Effects) {
	c.asks = c.asks[:0]
	for _, p := range c.assigned {
		if p.state != locating && p.state != validating || p.asked || now.Mono < p.retryAt {
			continue
		}
		if p.state == locating && p.at.Kind == SeekReset && c.opts.Reset == ResetNone {
			c.stop(p, core.ErrOffsetOutOfRange, core.NoOffset, "no position, and the reset policy is none")
			continue
		}
		leader, epoch := p.meta.Leader(p.index)
		if leader == core.NoNode || p.state == validating && p.ahead(epoch) {
			c.cl.Refresh()
			continue
		}
		a := c.askOf(leader, p.state == validating)
		a.parts = append(a.parts, asked{p, p.moved, epoch})
	}
	for _, a := range c.asks {
		l := c.cl.Link(now, a.node, cluster.Main, out)
		if l == nil {
			continue
		}
		a.call = cluster.Call{Owner: cluster.Consumer, Ref: a}
		if a.validate {
			a.call.Body, a.call.MinVersion = c.epochRequest(a), 3 // below it the answer is meant for replicas (KIP-320)
		} else {
			a.call.Body, a.call.MinVersion = c.offsetsRequest(a), 1
		}
		if c.cl.Call(now, l, &a.call, out) {
			for _, q := range a.parts {
				q.p.asked = true
			}
			continue
		}
		c.cannotAsk(a)
	}
}

// ahead reports whether the position is of a later epoch than a leader. Such a leader is none any more, and the metadata that name it are
// old: it knows nothing of that epoch, and by its answer the position would be lost (KIP-320; Kafka's client remembers the epoch of a
// committed offset for the same reason).
func (p *partition) ahead(leader core.LeaderEpoch) bool { return p.position.epochPlusOne > leader+1 }

func (c *Consumer) askOf(node core.NodeID, validate bool) *ask {
	for _, a := range c.asks {
		if a.node == node && a.validate == validate {
			return a
		}
	}
	a := &ask{node: node, validate: validate}
	c.asks = append(c.asks, a)
	return a
}

// cannotAsk goes on with a broker that is too old: positions stay unvalidated, as in Java.
func (c *Consumer) cannotAsk(a *ask) {
	for _, q := range a.parts {
		if a.validate {
			q.p.leaderEpoch, q.p.state = q.epoch, fetching
		} else {
			c.stop(q.p, core.ErrUnsupportedVersion, core.NoOffset, "ListOffsets")
		}
	}
}

func (c *Consumer) offsetsRequest(a *ask) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	req.IsolationLevel = int8(c.opts.Isolation)
	req.TimeoutMillis = int32(min(c.cl.Options().RequestTimeout/core.Millisecond, 1<<31-1))
	for _, q := range a.parts {
		rp := kmsg.NewListOffsetsRequestTopicPartition()
		rp.Partition, rp.CurrentLeaderEpoch = q.p.index, int32(q.epoch)
		rp.Timestamp = c.timestamp(q.p.at)
		if n := len(req.Topics); n == 0 || req.Topics[n-1].Topic != q.p.meta.Name {
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = q.p.meta.Name
			req.Topics = append(req.Topics, t)
		}
		t := &req.Topics[len(req.Topics)-1]
		t.Partitions = append(t.Partitions, rp)
	}
	return req
}

func (c *Consumer) timestamp(at Start) int64 {
	switch {
	case at.Kind == SeekBeginning, at.Kind == SeekReset && c.opts.Reset == ResetEarliest:
		return timestampEarliest
	case at.Kind == SeekTimestamp && at.Timestamp >= 0:
		return int64(at.Timestamp)
	case at.Kind == SeekTimestamp: // negative numbers are special to the broker
		return 0
	}
	return timestampLatest
}

func (c *Consumer) epochRequest(a *ask) *kmsg.OffsetForLeaderEpochRequest {
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.ReplicaID = -1
	for _, q := range a.parts {
		rp := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		rp.Partition, rp.CurrentLeaderEpoch = q.p.index, int32(q.epoch)
		rp.LeaderEpoch = int32(q.p.position.epochPlusOne - 1)
		if n := len(req.Topics); n == 0 || req.Topics[n-1].Topic != q.p.meta.Name {
			t := kmsg.NewOffsetForLeaderEpochRequestTopic()
			t.Topic = q.p.meta.Name
			req.Topics = append(req.Topics, t)
		}
		t := &req.Topics[len(req.Topics)-1]
		t.Partitions = append(t.Partitions, rp)
	}
	return req
}

// told takes the answer to an ask.
func (c *Consumer) told(now core.Now, a *ask, done *cluster.Completion) {
	for _, q := range a.parts {
		if q.p.moved != q.moved || !q.p.assigned {
			continue
		}
		q.p.asked = false
		switch resp := done.Resp.(type) {
		case *kmsg.ListOffsetsResponse:
			c.located(now, q, findOffset(resp, q.p))
		case *kmsg.OffsetForLeaderEpochResponse:
			c.validated(now, q, findEpoch(resp, q.p))
		default:
			c.refused(now, q.p, core.ErrNetworkException)
		}
	}
}

func findOffset(resp *kmsg.ListOffsetsResponse, p *partition) *kmsg.ListOffsetsResponseTopicPartition {
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			if r := &resp.Topics[i].Partitions[j]; resp.Topics[i].Topic == p.meta.Name && r.Partition == p.index {
				return r
			}
		}
	}
	return nil
}

func findEpoch(resp *kmsg.OffsetForLeaderEpochResponse, p *partition) *kmsg.OffsetForLeaderEpochResponseTopicPartition {
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			if r := &resp.Topics[i].Partitions[j]; resp.Topics[i].Topic == p.meta.Name && r.Partition == p.index {
				return r
			}
		}
	}
	return nil
}

// located takes the offset that was looked for.
func (c *Consumer) located(now core.Now, q asked, r *kmsg.ListOffsetsResponseTopicPartition) {
	p := q.p
	switch {
	case r == nil:
		c.refused(now, p, core.ErrUnknownServerError)
	case r.ErrorCode != 0:
		c.refused(now, p, core.ErrorCode(r.ErrorCode))
	case r.Offset < 0 && p.at.Kind == SeekTimestamp: // no record that young: the end
		p.locate(Start{Kind: SeekEnd})
	case r.Offset < 0:
		c.refused(now, p, core.ErrOffsetNotAvailable)
	default:
		to := position{core.Offset(r.Offset), plusOne(core.LeaderEpoch(r.LeaderEpoch))}
		if p.lostAt.offset != core.NoOffset {
			c.event(p, Event{Kind: EventReset, From: p.lostAt.offset, To: to.offset, Err: core.ErrOffsetOutOfRange})
			p.lostAt.offset = core.NoOffset
		}
		p.moveTo(to)
		p.leaderEpoch, p.state = q.epoch, fetching
		p.works()
	}
}

// validated takes the end of the position's epoch in the log of the present leader (KIP-320).
func (c *Consumer) validated(now core.Now, q asked, r *kmsg.OffsetForLeaderEpochResponseTopicPartition) {
	p := q.p
	switch {
	case r == nil:
		c.refused(now, p, core.ErrUnknownServerError)
		return
	case r.ErrorCode != 0:
		c.refused(now, p, core.ErrorCode(r.ErrorCode))
		return
	}
	p.leaderEpoch = q.epoch
	p.works()
	end := core.Offset(r.EndOffset)
	switch {
	case end < 0 || r.LeaderEpoch < 0: // the leader has nothing of that epoch or an earlier one
		c.lose(p, core.ErrOffsetOutOfRange, "the leader knows no epoch up to the position's")
	case end >= p.position.offset:
		p.state = fetching
	case c.opts.Reset == ResetNone:
		c.stop(p, core.ErrOffsetOutOfRange, end, "the log was truncated below the position")
	default:
		from := p.position.offset
		p.moveTo(position{end, core.LeaderEpoch(r.LeaderEpoch) + 1})
		p.state = fetching
		c.event(p, Event{Kind: EventTruncated, From: from, To: end})
	}
}

// refused treats an error of a request about positions.
func (c *Consumer) refused(now core.Now, p *partition, err core.ErrorCode) {
	switch {
	case err.Retriable(): // elections, mostly: nothing to tell
		c.cl.Refresh()
		p.failures++
		p.retryAt = c.cl.RetryAfter(now.Mono, p.failures)
	case err == core.ErrUnknownServerError:
		c.trouble(now, p, err, "looking for or validating the position")
	default:
		c.stop(p, err, core.NoOffset, "looking for or validating the position")
	}
}
