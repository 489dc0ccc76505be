package group

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group/classic"
	"github.com/klamm-log/klamm/core/group/modern"
	"github.com/klamm-log/klamm/core/group/offsets"
	"github.com/klamm-log/klamm/core/group/records"
)

// consumerGroup is a group of KIP-848 in the registry.
type consumerGroup struct{ *modern.Group }

func (g consumerGroup) Kind() Kind           { return Consumer }
func (g consumerGroup) ProtocolType() string { return "consumer" }

func (g consumerGroup) CheckCommit(c *Committer) core.ErrorCode {
	if m := g.Member(c.MemberID); c.Old && m != nil && m.Classic == nil {
		return core.ErrUnsupportedVersion // a client that speaks the new protocol has the version
	}
	code, _ := g.Group.CheckCommit(c.MemberID, c.InstanceID, c.Generation, c.Txn)
	return code
}

// checkPartition decides about one offset of a commit that as a whole was not refused (KIP-1251).
func (g consumerGroup) checkPartition(c *Committer, o *Commit) core.ErrorCode {
	code, perPartition := g.Group.CheckCommit(c.MemberID, c.InstanceID, c.Generation, c.Txn)
	if code != core.ErrNone || !perPartition {
		return code
	}
	return g.CheckPartition(c.MemberID, c.Generation, modern.Partition{Topic: o.TopicID, Index: o.Partition})
}

// Committed does nothing: KIP-848 keeps sessions alive by heartbeats alone.
func (g consumerGroup) Committed(core.Now, string) {}

// CheckOffsetDelete permits it in any state; what members subscribe to is refused topic by topic.
func (g consumerGroup) CheckOffsetDelete() core.ErrorCode { return core.ErrNone }

// ExpiryBase implements KIP-211 as Kafka has it for these groups: every offset counts for itself, and the caller spares those
// of topics that somebody subscribes to.
func (g consumerGroup) ExpiryBase(c *offsets.Committed) (core.Wall, bool) { return c.Committed, true }

// Deserted reports whether the group has no members.
func (g consumerGroup) Deserted() bool { return g.CheckDelete() == core.ErrNone }

// newConsumers is what all consumer groups share.
func newConsumers(opts *Options, timers *coord.Timers) modern.Env {
	return modern.Env{Config: consumerConfig(&opts.Config), Rand: opts.Rand, Log: opts.Log, Timers: timers, Topics: opts.Topics}
}

func consumerConfig(cfg *config.Groups) modern.Config {
	return modern.Config{
		SessionTimeoutMs: cfg.ConsumerSessionTimeoutMs, HeartbeatIntervalMs: cfg.ConsumerHeartbeatIntervalMs,
		MaxSize: cfg.ConsumerMaxSize, Assignors: cfg.ConsumerAssignors, Downgrade: cfg.ConsumerDowngrade, ClassicMaxSize: cfg.MaxSize,
	}
}

// ConsumerGroup finds a consumer group; nil if there is none, or one of another kind.
func (c *Coordinator) ConsumerGroup(id string) *modern.Group {
	if g, ok := c.groups.At(id).(consumerGroup); ok {
		return g.Group
	}
	return nil
}

// replayConsumer applies a record of a consumer group.
func (c *Coordinator) replayConsumer(e *coord.Entry) error {
	key, err := modern.ParseKey(e.Key)
	if err != nil {
		return err
	}
	g := c.ConsumerGroup(key.Group)
	if g == nil {
		if e.Value == nil {
			return nil // of a group that is gone; compaction leaves such tombstones for a while
		}
		// A classic group of the same id has been given up by an earlier record, or had nothing in the log.
		g = modern.New(&c.consumers, key.Group)
		c.groups.Set(key.Group, consumerGroup{g})
	}
	if err := g.Replay(key, e.Value); err != nil {
		return err
	}
	if e.Value == nil && g.Shell() {
		c.groups.Delete(key.Group)
		if c.active && c.offsets.Has(key.Group) {
			c.ensure(key.Group, e.Timestamp)
		}
	}
	return nil
}

// ConsumerHeartbeat handles a ConsumerGroupHeartbeat. The first one of a group makes it; a classic group that nobody is in
// gives way to it and leaves it its offsets. Whoever was told a member id there and has not joined yet will join here.
func (c *Coordinator) ConsumerHeartbeat(now core.Now, groupID string, r *modern.HeartbeatRequest) modern.HeartbeatResult {
	if code, message := r.Check(&c.consumers.Config); code != core.ErrNone {
		return modern.HeartbeatResult{Code: code, Message: message}
	}
	g := c.ConsumerGroup(groupID)
	if g == nil {
		other := c.lookup(groupID)
		switch {
		case r.MemberEpoch != modern.JoinEpoch && other != nil && other.ProtocolType() == classic.ConsumerProtocol:
			// The group has become a classic one since this member was in it. It is to join anew, and can.
			return modern.HeartbeatResult{Code: core.ErrUnknownMemberID, Message: "Member " + r.MemberID + " is not a member of group " + groupID + "."}
		case r.MemberEpoch != modern.JoinEpoch:
			return modern.HeartbeatResult{Code: core.ErrGroupIDNotFound, Message: "Group " + groupID + " is not a consumer group."}
		case other != nil && other.CheckDelete() != core.ErrNone:
			if code, message := c.upgrade(now, groupID, r.InstanceID); code != core.ErrNone {
				return modern.HeartbeatResult{Code: code, Message: message}
			}
			g = c.ConsumerGroup(groupID)
		default:
			if code := c.vacateForConsumers(now, groupID); code != core.ErrNone {
				return modern.HeartbeatResult{Code: coord.AppendError(code)}
			}
			if g = c.ConsumerGroup(groupID); g == nil {
				g = modern.New(&c.consumers, groupID)
				c.groups.Set(groupID, consumerGroup{g})
			}
		}
	}
	result := g.Heartbeat(now, r)
	c.takeDowngraded(now)
	if c.ConsumerGroup(groupID) == g && g.Shell() { // the log has not taken it
		c.groups.Delete(groupID)
		if c.offsets.Has(groupID) {
			c.ensure(groupID, now.Wall)
		}
	}
	return result
}

// vacateForConsumers removes a classic group that nobody is in, so that a consumer group can take its id, and go on with its
// generation: in a group none comes twice. Kafka begins anew.
func (c *Coordinator) vacateForConsumers(now core.Now, groupID string) core.ErrorCode {
	var successor []coord.Record
	if old := c.classicGroup(groupID); old != nil && old.Generation() > 0 {
		successor = modern.Successor(groupID, old.Generation())
	}
	return c.vacate(now, groupID, successor)
}

// vacateForClassic is the other way round.
func (c *Coordinator) vacateForClassic(now core.Now, old *modern.Group) core.ErrorCode {
	var successor []coord.Record
	if old.Epoch() > 0 {
		v := records.GroupValue{ProtocolType: classic.ConsumerProtocol, Generation: old.Epoch(), Since: now.Wall}
		successor = []coord.Record{{Key: groupKey(old.ID()), Value: v.AppendTo(nil)}}
	}
	code := c.vacate(now, old.ID(), successor)
	if g := c.classicGroup(old.ID()); g != nil && code == core.ErrNone {
		g.Restore(now)
	}
	return code
}

// vacate writes the tombstones of a group that nobody is in together with the records of its successor. Its offsets stay.
func (c *Coordinator) vacate(now core.Now, groupID string, successor []coord.Record) core.ErrorCode {
	old := c.lookup(groupID)
	if old == nil {
		return core.ErrNone
	}
	var recs []coord.Record
	for _, key := range old.Tombstones(nil) {
		recs = append(recs, coord.Record{Key: key})
	}
	if recs = append(recs, successor...); len(recs) > 0 {
		if code := c.opts.Log.Propose(now, recs); code != core.ErrNone {
			return code
		}
	}
	if g, ok := old.(classicGroup); ok {
		g.Kill()
	}
	if c.lookup(groupID) == old {
		c.groups.Delete(groupID)
	}
	return core.ErrNone
}

// upgrade makes a consumer group of a classic one that has members (KIP-848, online upgrade): they stay, with all that they have,
// and go on by their own protocol. It is one batch. While the group is between two generations nobody knows what its members
// have; whoever asks is told to ask again. Kafka converts it then, too, and sends all members back to join. instance is the instance id
// of who asks, nil if it is dynamic: it may take the place of one of them.
func (c *Coordinator) upgrade(now core.Now, groupID string, instance *string) (core.ErrorCode, string) {
	if !c.opts.Config.ConsumerUpgrade {
		return core.ErrGroupIDNotFound, "Group " + groupID + " is not a consumer group, and group.consumer.migration.policy does not let it become one."
	}
	old := c.classicGroup(groupID)
	if old == nil || old.ProtocolType() != classic.ConsumerProtocol {
		return core.ErrGroupIDNotFound, "Group " + groupID + " is not a consumer group."
	}
	if old.State() != classic.Stable {
		return core.ErrCoordinatorLoadInProgress, "Group " + groupID + " is rebalancing."
	}
	room := int64(c.opts.Config.ConsumerMaxSize) - int64(len(old.Hard().Members))
	if instance != nil && slices.ContainsFunc(old.Hard().Members, func(m records.Member) bool {
		return m.InstanceID != nil && *m.InstanceID == *instance
	}) {
		room++
	}
	recs, possible := modern.FromClassic(c.opts.Topics, groupID, old.Hard())
	switch {
	case !possible:
		return core.ErrGroupIDNotFound, "Group " + groupID + " cannot become a consumer group."
	case room < 1:
		return core.ErrGroupMaxSizeReached, "The group has reached the maximum capacity of consumer groups."
	}
	recs = append([]coord.Record{{Key: groupKey(groupID)}}, recs...)
	if code := c.opts.Log.Propose(now, recs); code != core.ErrNone {
		return coord.AppendError(code), ""
	}
	old.Kill()
	c.ConsumerGroup(groupID).Restore(now)
	c.upgraded = true
	return core.ErrNone, ""
}

// takeDowngraded lets the members of groups that have become classic ones begin the generation in which they get what the last
// member of the new protocol had.
func (c *Coordinator) takeDowngraded(now core.Now) {
	for _, id := range c.consumers.Downgraded {
		if g := c.classicGroup(id); g != nil {
			g.Restore(now)
			c.downgraded = true
		}
	}
	c.consumers.Downgraded = nil
}

// joinConsumers lets a classic member join a consumer group.
func (c *Coordinator) joinConsumers(now core.Now, g *modern.Group, r *classic.JoinRequest) {
	j := modern.ClassicJoin{
		MemberID: r.MemberID, InstanceID: r.InstanceID, ClientID: r.ClientID, ClientHost: r.ClientHost, RequireMemberID: r.RequireMemberID,
		SessionTimeoutMs: r.SessionTimeoutMs, RebalanceTimeoutMs: r.RebalanceTimeoutMs, ProtocolType: r.ProtocolType,
	}
	for i := range r.Protocols {
		j.Protocols = append(j.Protocols, modern.ClassicProtocol(r.Protocols[i]))
	}
	got := g.JoinClassic(now, &j)
	result := classic.JoinResult{Code: got.Code, MemberID: got.MemberID, Generation: got.Generation}
	if got.Code == core.ErrNone {
		result.ProtocolType, result.Protocol = &r.ProtocolType, &got.Protocol
		// It may have taken the place of the last member of the new protocol. If the log does not take that, the next one to join or to
		// leave tries again.
		if done, _ := g.Downgrade(now); done {
			c.takeDowngraded(now)
		}
	}
	c.env.Answers = append(c.env.Answers, classic.Answer{Ticket: r.Ticket, Join: &result})
}

// syncConsumers tells a classic member of a consumer group its assignment.
func (c *Coordinator) syncConsumers(now core.Now, g *modern.Group, r *classic.SyncRequest) {
	assignment, code := g.SyncClassic(now, r.MemberID, r.InstanceID, r.Generation, r.ProtocolType, r.Protocol)
	result := classic.SyncResult{Code: code, Assignment: assignment}
	if code == core.ErrNone {
		result.ProtocolType, result.Protocol = r.ProtocolType, r.Protocol
	}
	c.env.Answers = append(c.env.Answers, classic.Answer{Ticket: r.Ticket, Sync: &result})
}

// CheckFetch decides whether offsets may be read by a member (OffsetFetch 9, KIP-848). Classic groups do not ask.
func (c *Coordinator) CheckFetch(groupID, memberID string, epoch int32) core.ErrorCode {
	if g := c.ConsumerGroup(groupID); g != nil {
		return g.CheckFetch(memberID, epoch)
	}
	return core.ErrNone
}

// ConsumerConfig is the configuration of consumer groups; read it only.
func (c *Coordinator) ConsumerConfig() *modern.Config { return &c.consumers.Config }
