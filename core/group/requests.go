package group

import (
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/group/classic"
	"github.com/klamm-log/klamm/core/group/records"
)

func groupKey(id string) []byte { return records.GroupKey{Group: id}.AppendTo(nil) }

// Join handles a JoinGroup; the answer comes through [Coordinator.TakeAnswers].
func (c *Coordinator) Join(now core.Now, groupID string, r *classic.JoinRequest) {
	refuse := func(code core.ErrorCode) {
		c.env.Answers = append(c.env.Answers, classic.Answer{
			Ticket: r.Ticket, Join: &classic.JoinResult{Code: code, MemberID: r.MemberID, Generation: -1},
		})
	}
	cfg := &c.opts.Config
	switch session := int64(r.SessionTimeoutMs); {
	case session < cfg.MinSessionTimeoutMs || session > cfg.MaxSessionTimeoutMs:
		refuse(core.ErrInvalidSessionTimeout)
		return
	case !recordable(r):
		refuse(core.ErrInvalidRequest)
		return
	}
	if !c.groups.Has(groupID) && r.MemberID != "" {
		refuse(core.ErrUnknownMemberID) // a member of what was here once
		return
	}
	if old := c.ConsumerGroup(groupID); old != nil && old.CheckDelete() == core.ErrNone {
		// A consumer group that nobody is in gives way, as in Kafka; but not to somebody who will not be in its successor either.
		switch {
		case r.ProtocolType == "" || len(r.Protocols) == 0:
			refuse(core.ErrInconsistentGroupProtocol)
			return
		case r.MemberID != "":
			refuse(core.ErrUnknownMemberID)
			return
		}
		if code := c.vacateForClassic(now, old); code != core.ErrNone {
			refuse(coord.AppendError(code))
			return
		}
	}
	if g := c.ConsumerGroup(groupID); g != nil {
		c.joinConsumers(now, g, r)
		return
	}
	g := c.ensure(groupID, now.Wall)
	g.Join(now, r)
	c.tidy(groupID)
}

// recordable reports whether the member can be written to the log: the strings of a record have 15 bits of length, those of a
// request have more since KIP-482. Kafka finds out when it writes the generation, and answers UNKNOWN_SERVER_ERROR to all. More
// protocols than anybody could support are refused, too.
func recordable(r *classic.JoinRequest) bool {
	const uuid = 37 // what a member id adds to the client's id
	if len(r.Protocols) > maxProtocols {
		return false
	}
	fits := func(s string) bool { return len(s) <= records.MaxString }
	ok := fits(r.MemberID) && fits(r.ProtocolType) && fits(r.ClientHost) && len(r.ClientID) <= records.MaxString-uuid &&
		(r.InstanceID == nil || len(*r.InstanceID) <= records.MaxString-uuid)
	for i := range r.Protocols {
		ok = ok && fits(r.Protocols[i].Name)
	}
	return ok
}

// maxProtocols bounds what is compared, member by member, to find a protocol in common. Clients name one to three.
const maxProtocols = 256

// Sync handles a SyncGroup; the answer comes through [Coordinator.TakeAnswers].
func (c *Coordinator) Sync(now core.Now, groupID string, r *classic.SyncRequest) {
	if g := c.ConsumerGroup(groupID); g != nil {
		c.syncConsumers(now, g, r)
		return
	}
	g := c.classicGroup(groupID)
	if g == nil {
		c.env.Answers = append(c.env.Answers, classic.Answer{Ticket: r.Ticket, Sync: &classic.SyncResult{Code: core.ErrUnknownMemberID}})
		return
	}
	g.Sync(now, r)
}

// Heartbeat handles a Heartbeat.
func (c *Coordinator) Heartbeat(now core.Now, groupID, memberID string, instance *string, generation int32) core.ErrorCode {
	if g := c.ConsumerGroup(groupID); g != nil {
		return g.HeartbeatClassic(now, memberID, instance, generation)
	}
	g := c.classicGroup(groupID)
	if g == nil {
		return core.ErrUnknownMemberID
	}
	return g.Heartbeat(now, memberID, instance, generation)
}

// Leave handles a LeaveGroup and answers a code per member.
func (c *Coordinator) Leave(now core.Now, groupID string, leavers []classic.Leaver) []core.ErrorCode {
	if g := c.ConsumerGroup(groupID); g != nil {
		var codes []core.ErrorCode
		for len(codes) < len(leavers) && c.ConsumerGroup(groupID) == g {
			l := &leavers[len(codes)]
			codes = append(codes, g.LeaveClassic(now, l.MemberID, l.InstanceID))
		}
		c.takeDowngraded(now)
		if rest := leavers[len(codes):]; len(rest) > 0 {
			codes = append(codes, c.Leave(now, groupID, rest)...)
		}
		return codes
	}
	g := c.classicGroup(groupID)
	if g == nil {
		codes := make([]core.ErrorCode, len(leavers))
		for i := range codes {
			codes[i] = core.ErrUnknownMemberID
		}
		return codes
	}
	codes := g.Leave(now, leavers)
	c.tidy(groupID)
	return codes
}

// Describe is a classic group, nil if there is none of the id.
func (c *Coordinator) Describe(groupID string) *classic.Group { return c.classicGroup(groupID) }

// List are the groups in any of the states and of any of the kinds, by id.
func (c *Coordinator) List(states, kinds Filter) []Group {
	var list []Group
	for _, g := range c.groups.All() {
		if states.pass(g.StateName()) && kinds.pass(g.Kind().String()) {
			list = append(list, g)
		}
	}
	return list
}

// Filter lets some names of states or kinds pass, without regard to case. Nil lets all pass.
type Filter map[string]bool

// NewFilter lets the names pass; all, if there are none. A request, which may name a million, has it made once for all coordinators.
func NewFilter(names []string) Filter {
	var f Filter
	if len(names) > 0 {
		f = make(Filter)
	}
	for _, name := range names {
		f[strings.ToLower(strings.TrimSpace(name))] = true
	}
	return f
}

func (f Filter) pass(name string) bool { return f == nil || f[strings.ToLower(name)] }

// Delete deletes a group with all its offsets.
func (c *Coordinator) Delete(now core.Now, groupID string) core.ErrorCode {
	g := c.lookup(groupID)
	if g == nil {
		return core.ErrGroupIDNotFound
	}
	if code := g.CheckDelete(); code != core.ErrNone {
		return code
	}
	if code := c.bury(now, g, true); code != core.ErrNone {
		return coord.AppendError(code)
	}
	return core.ErrNone
}

// bury writes the tombstones of a group, and first of its offsets if withOffsets: so a part of it that is lost leaves the
// group there, and the deletion can be repeated.
func (c *Coordinator) bury(now core.Now, g Group, withOffsets bool) core.ErrorCode {
	id := g.ID()
	var keys [][]byte
	if withOffsets {
		for tp := range c.offsets.Group(id) {
			keys = append(keys, offsetKey(id, tp))
		}
		for tp := range c.offsets.PendingOf(id) {
			if _, committed := c.offsets.Get(id, tp); !committed {
				keys = append(keys, offsetKey(id, tp))
			}
		}
	}
	if code := c.tombstones(now, g.Tombstones(keys)); code != core.ErrNone {
		return code
	}
	if g, ok := g.(classicGroup); ok {
		g.Kill()
	}
	c.groups.Delete(id)
	return core.ErrNone
}

// tombstones writes tombstones, in batches that the default max.message.bytes takes, and in smaller ones where it is less.
func (c *Coordinator) tombstones(now core.Now, keys [][]byte) core.ErrorCode {
	const most = 256 << 10 // bytes of keys in a batch
	for len(keys) > 0 {
		var recs []coord.Record
		for size := 0; len(recs) < len(keys) && size < most; {
			key := keys[len(recs)]
			recs = append(recs, coord.Record{Key: key})
			size += len(key)
		}
		code := c.opts.Log.Propose(now, recs)
		for len(recs) > 1 && (code == core.ErrMessageTooLarge || code == core.ErrRecordListTooLarge) {
			recs = recs[:len(recs)/2]
			code = c.opts.Log.Propose(now, recs)
		}
		if code != core.ErrNone {
			return code
		}
		keys = keys[len(recs):]
	}
	return core.ErrNone
}

func offsetKey(groupID string, tp core.TopicPartition) []byte {
	return records.OffsetKey{Group: groupID, Topic: tp.Topic, Partition: tp.Partition}.AppendTo(nil)
}
