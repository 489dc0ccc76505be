package group

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group/classic"
	"github.com/klamm-log/klamm/core/group/offsets"
)

// Kind is the protocol that a group speaks.
type Kind uint8

// The kinds of group.
const (
	Classic  Kind = iota
	Consumer      // KIP-848
)

// String is the kind as ListGroups spells it (KIP-848): in lower case, unlike Kafka's own admin client.
func (k Kind) String() string {
	switch k {
	case Classic:
		return "classic"
	case Consumer:
		return "consumer"
	}
	return "Unknown"
}

// Group is what the registry asks of a group of any kind.
type Group interface {
	ID() string
	Kind() Kind
	// StateName is the state as ListGroups and DescribeGroups spell it.
	StateName() string
	ProtocolType() string
	// CheckCommit decides whether somebody may commit offsets for the group.
	CheckCommit(c *Committer) core.ErrorCode
	// Committed notes that a member has committed: in the classic protocol that is as good as a heartbeat.
	Committed(now core.Now, memberID string)
	// CheckDelete and CheckOffsetDelete decide whether the group, or offsets of it, can be deleted.
	CheckDelete() core.ErrorCode
	CheckOffsetDelete() core.ErrorCode
	// SubscribedTo reports whether a member may consume the topic.
	SubscribedTo(topic string) bool
	// ExpiryBase is the instant from which an offset's retention counts, and whether it expires at all.
	ExpiryBase(c *offsets.Committed) (core.Wall, bool)
	// Tombstones appends the keys of all records that the log has of the group, for its deletion.
	Tombstones(dst [][]byte) [][]byte
	// Deserted reports whether the group has no members and nobody is about to join.
	Deserted() bool
	// Shell reports whether nothing would be lost if the group were forgotten. Offsets are not its concern.
	Shell() bool
}

// classicGroup is a classic group in the registry.
type classicGroup struct{ *classic.Group }

func (g classicGroup) Kind() Kind        { return Classic }
func (g classicGroup) StateName() string { return g.State().String() }

func (g classicGroup) CheckCommit(c *Committer) core.ErrorCode {
	return g.Group.CheckCommit(c.MemberID, c.InstanceID, c.Generation, c.Txn)
}

// ExpiryBase implements KIP-211.
func (g classicGroup) ExpiryBase(c *offsets.Committed) (core.Wall, bool) {
	switch {
	case g.ProtocolType() == "":
		return c.Committed, true // a simple consumer says that it is there by committing, and by nothing else
	case g.State() == classic.Empty:
		if g.Since() == core.NoTimestamp {
			return c.Committed, true
		}
		return g.Since(), true // the group may come back as long as it was not empty for the whole retention time
	case g.State() == classic.Stable && g.KnowsTopics():
		return c.Committed, true // topics that nobody subscribes to any more; the caller spares the others
	}
	return 0, false
}

func (g classicGroup) Tombstones(dst [][]byte) [][]byte {
	if g.Hard() == nil {
		return dst
	}
	return append(dst, groupKey(g.ID()))
}

// lookup finds a group.
func (c *Coordinator) lookup(id string) Group { return c.groups.At(id) }

// classicGroup finds a classic group; a group of another kind is none.
func (c *Coordinator) classicGroup(id string) *classic.Group {
	if g, ok := c.groups.At(id).(classicGroup); ok {
		return g.Group
	}
	return nil
}

// ensure is the classic group of an id, made if there is no group at all; nil if there is one of another kind.
func (c *Coordinator) ensure(id string, now core.Wall) *classic.Group {
	if !c.groups.Has(id) {
		c.groups.Set(id, classicGroup{classic.New(&c.env, id, now)})
	}
	return c.classicGroup(id)
}

// tidy forgets a group of which there is nothing to know, so that ids that somebody tried out take no memory.
func (c *Coordinator) tidy(id string) {
	if g := c.groups.At(id); g != nil && g.Shell() && !c.offsets.Has(id) {
		c.groups.Delete(id)
	}
}
