package group

import (
	"math"
	"slices"
	"unicode/utf8"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group/offsets"
	"github.com/klamm-log/klamm/core/group/records"
)

// Committer says who commits offsets.
type Committer struct {
	MemberID   string
	InstanceID *string
	// Generation is the generation, or the member epoch of a consumer group (KIP-848); negative for who is no member.
	Generation int32
	Txn        bool
	Old        bool // OffsetCommit before version 9, which knows of generations alone
}

// Commit is one offset that is to be committed.
type Commit struct {
	Topic       string
	TopicID     core.TopicID // zero if not known
	Partition   int32
	Offset      core.Offset
	LeaderEpoch core.LeaderEpoch
	Metadata    string
}

// CommitOffsets commits offsets, all in one batch. The first code is the refusal of all of them; else there is one per commit.
// A group that is not there is made if nobody claims to be a member of it: a simple consumer, or an administrator. retentionMs
// is -1, or what clients older than KIP-211 ask for.
func (c *Coordinator) CommitOffsets(
	now core.Now, groupID string, who *Committer, commits []Commit, retentionMs int64,
) ([]core.ErrorCode, core.ErrorCode) {
	return c.commit(groupID, who, commits, now, retentionMs, func(recs []coord.Record) core.ErrorCode {
		return c.opts.Log.Propose(now, recs)
	})
}

// CommitTxnOffsets commits offsets within a transaction: they take effect when it commits (KIP-447).
func (c *Coordinator) CommitTxnOffsets(
	now core.Now, groupID string, who *Committer, p coord.Producer, commits []Commit,
) ([]core.ErrorCode, core.ErrorCode) {
	return c.commit(groupID, who, commits, now, -1, func(recs []coord.Record) core.ErrorCode {
		return c.opts.Log.ProposeTxn(now, p, recs)
	})
}

func (c *Coordinator) commit(
	groupID string, who *Committer, commits []Commit, now core.Now, retentionMs int64, propose func([]coord.Record) core.ErrorCode,
) ([]core.ErrorCode, core.ErrorCode) {
	g := c.lookup(groupID)
	if g == nil {
		if who.Generation >= 0 {
			return nil, core.ErrGroupIDNotFound
		}
	} else if code := g.CheckCommit(who); code != core.ErrNone {
		return nil, code
	}
	if g != nil && !who.Txn {
		g.Committed(now, who.MemberID)
	}
	expires := core.NoTimestamp
	if retentionMs >= 0 {
		expires = now.Wall + min(core.Wall(retentionMs), math.MaxInt64-now.Wall) // "for ever" is not in the past
	}
	codes := make([]core.ErrorCode, len(commits))
	recs := make([]coord.Record, 0, len(commits))
	for i := range commits {
		o := &commits[i]
		if codes[i] = c.checkMetadata(o.Metadata); codes[i] != core.ErrNone {
			continue
		}
		if g, ok := g.(consumerGroup); ok {
			if codes[i] = g.checkPartition(who, o); codes[i] != core.ErrNone {
				continue
			}
		}
		key := records.OffsetKey{Group: groupID, Topic: o.Topic, Partition: o.Partition}
		value := records.OffsetValue{
			Offset: o.Offset, LeaderEpoch: o.LeaderEpoch, Metadata: o.Metadata, Committed: now.Wall, Expires: expires, TopicID: o.TopicID,
		}
		recs = append(recs, coord.Record{Key: key.AppendTo(nil), Value: value.AppendTo(nil)})
	}
	if code := propose(recs); code != core.ErrNone {
		return nil, coord.AppendError(code)
	}
	return codes, core.ErrNone
}

// checkMetadata bounds what a client stores with an offset. Kafka counts UTF-16 units.
func (c *Coordinator) checkMetadata(s string) core.ErrorCode {
	most := int(c.opts.Config.OffsetMetadataMaxBytes)
	if len(s) > records.MaxString || len(s) > most && utf16Len(s) > most {
		return core.ErrOffsetMetadataTooLarge
	}
	return core.ErrNone
}

func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff && r <= utf8.MaxRune {
			n++
		}
	}
	return n
}

// Fetched is the answer for one partition of an OffsetFetch.
type Fetched struct {
	offsets.Committed
	Found bool
	// Unstable: a transaction that has not ended has an offset for the partition, and the client wants to wait for it.
	Unstable bool
}

// Confirm writes a record that says nothing, a tombstone of no group's offset. An answer that waits for it proves that this was the
// coordinator when the request came: the replicas in sync acknowledge nothing to a leader that they know to be replaced. One
// record serves all that is asked at one moment.
func (c *Coordinator) Confirm(now core.Now) core.ErrorCode {
	if c.confirmed == now.Mono {
		return core.ErrNone
	}
	code := c.opts.Log.Propose(now, []coord.Record{{Key: records.OffsetKey{Partition: -1}.AppendTo(nil)}})
	if code != core.ErrNone {
		return coord.AppendError(code)
	}
	c.confirmed = now.Mono
	return core.ErrNone
}

// FetchOffset is what a group has committed for a partition. A group that is not there has committed nothing: no error. An
// offset that belongs to an earlier incarnation of the topic is none; id may be zero if the current one is not known.
func (c *Coordinator) FetchOffset(groupID string, tp core.TopicPartition, id core.TopicID, requireStable bool) Fetched {
	if requireStable && c.offsets.Pending(groupID, tp) {
		return Fetched{Unstable: true}
	}
	o, found := c.offsets.Get(groupID, tp)
	if found && !id.IsZero() && !o.TopicID.IsZero() && id != o.TopicID {
		found = false
	}
	return Fetched{Committed: o, Found: found}
}

// Offsets is the store of committed offsets; read it only.
func (c *Coordinator) Offsets() *offsets.Store { return c.offsets }

// DeleteOffsets deletes committed offsets. The first code is the refusal of all of them; else there is one per partition. That nothing
// has to be deleted is confirmed like a fetched offset: a coordinator that has been replaced does not know what was committed since.
func (c *Coordinator) DeleteOffsets(now core.Now, groupID string, tps []core.TopicPartition) ([]core.ErrorCode, core.ErrorCode) {
	g := c.lookup(groupID)
	if g == nil {
		return nil, core.ErrGroupIDNotFound
	}
	if code := g.CheckOffsetDelete(); code != core.ErrNone {
		return nil, code
	}
	codes := make([]core.ErrorCode, len(tps))
	var keys [][]byte
	for i, tp := range tps {
		if g.SubscribedTo(tp.Topic) {
			codes[i] = core.ErrGroupSubscribedToTopic
			continue
		}
		if _, committed := c.offsets.Get(groupID, tp); committed || c.offsets.Pending(groupID, tp) {
			keys = append(keys, offsetKey(groupID, tp))
		}
	}
	code := coord.AppendError(c.tombstones(now, keys))
	if len(keys) == 0 && slices.Contains(codes, core.ErrNone) {
		code = c.Confirm(now)
	}
	if code != core.ErrNone {
		return nil, code
	}
	c.tidy(groupID)
	return codes, core.ErrNone
}
