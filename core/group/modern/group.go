package modern

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/prng"
)

// Env is what the groups of one coordinator share.
type Env struct {
	Config Config
	Rand   *prng.Rand // member ids
	Log    coord.Proposer
	Timers *coord.Timers
	Topics Topics
	// Downgraded collects the ids of groups that have become classic ones; the owner takes them after each call.
	Downgraded []string
}

// Group is one group. It belongs to the [Env] that it was made with.
type Group struct {
	env *Env
	id  string

	// Hard state: assigned by Replay alone.
	written     bool                             // the log has a group epoch
	epoch       int32                            // group epoch
	hash        int64                            // of the subscribed topics when epoch was last raised
	targetEpoch int32                            // assignment epoch
	targetTime  core.Wall                        // when the target was computed
	members     *ordmap.Map[string, *Member]     // by member id
	targets     *ordmap.Map[string, []Partition] // by member id
	regexes     *ordmap.Map[string, *Resolved]   // by expression

	// What hard state says, indexed.
	holder map[Partition]string // the member that has a partition, assigned or to be revoked
	static map[string]string    // member id by instance id

	// Soft state.
	timers map[string]*memberTimers
	seen   int64 // version of Topics for which hash and regexes are true
	looked bool  // seen means something
	// assignedAt is when this coordinator computed a target last; 0 if it has not.
	assignedAt core.Mono
}

// New is a group of which the log knows nothing.
func New(env *Env, id string) *Group {
	return &Group{
		env: env, id: id,
		members: ordmap.Ordered[string, *Member](), targets: ordmap.Ordered[string, []Partition](),
		regexes: ordmap.Ordered[string, *Resolved](),
		holder:  make(map[Partition]string), static: make(map[string]string), timers: make(map[string]*memberTimers),
	}
}

// ID is the group's id.
func (g *Group) ID() string { return g.id }

// Epoch is the group epoch.
func (g *Group) Epoch() int32 { return g.epoch }

// AssignmentEpoch is the epoch of the target assignment.
func (g *Group) AssignmentEpoch() int32 { return g.targetEpoch }

// Members are the members by id; read them only.
func (g *Group) Members() []*Member {
	list := make([]*Member, 0, g.members.Len())
	for _, m := range g.members.All() {
		list = append(list, m)
	}
	return list
}

// Member is a member by id, nil if there is none; read it only.
func (g *Group) Member(id string) *Member { return g.members.At(id) }

// Target is a member's target assignment, ascending; read it only.
func (g *Group) Target(memberID string) []Partition { return g.targets.At(memberID) }

// StateName is the state as ListGroups and ConsumerGroupDescribe spell it.
func (g *Group) StateName() string {
	switch {
	case g.members.Len() == 0:
		return "Empty"
	case g.epoch > g.targetEpoch:
		return "Assigning"
	}
	for _, m := range g.members.All() {
		if m.State != Stable || m.Epoch != g.targetEpoch {
			return "Reconciling"
		}
	}
	return "Stable"
}

// AssignorName is the server assignor that the group uses: the one that most members prefer, of those with equally many the
// first by name, or the default.
func (g *Group) AssignorName() string { return g.preferredAssignor(nil) }

// preferredAssignor counts with one member as it will be.
func (g *Group) preferredAssignor(updated *Member) string {
	votes := ordmap.Ordered[string, int]()
	for m := range g.with(updated) {
		if m.ServerAssignor != nil {
			votes.Set(*m.ServerAssignor, votes.At(*m.ServerAssignor)+1)
		}
	}
	best, most := g.env.Config.Assignors[0], 0
	for name, n := range votes.All() {
		if n > most {
			best, most = name, n
		}
	}
	return best
}

// with yields the members by id, one of them as it will be; nil for all as they are.
func (g *Group) with(updated *Member) func(yield func(*Member) bool) {
	return func(yield func(*Member) bool) {
		pending := updated
		for _, m := range g.members.All() {
			if pending != nil && pending.ID <= m.ID {
				if !yield(pending) {
					return
				}
				if pending.ID == m.ID {
					pending = nil
					continue
				}
				pending = nil
			}
			if !yield(m) {
				return
			}
		}
		if pending != nil {
			yield(pending)
		}
	}
}

// SubscribedTo reports whether a member subscribes to a topic, by name or by expression.
func (g *Group) SubscribedTo(topic string) bool {
	for _, m := range g.members.All() {
		if slices.Contains(m.Topics, topic) {
			return true
		}
		if m.Regex == "" {
			continue
		}
		if v := g.regexes.At(m.Regex); v != nil {
			if _, found := slices.BinarySearch(v.Topics, topic); found {
				return true
			}
		}
	}
	return false
}

// Shell reports whether neither the log nor a member knows of the group.
func (g *Group) Shell() bool {
	return !g.written && g.members.Len() == 0 && g.targets.Len() == 0 && g.regexes.Len() == 0 && g.targetEpoch == 0
}

// CheckDelete is the answer to DeleteGroups.
func (g *Group) CheckDelete() core.ErrorCode {
	if g.members.Len() > 0 {
		return core.ErrNonEmptyGroup
	}
	return core.ErrNone
}

// Tombstones appends the keys of all records that the log has of the group, in the order in which they may be removed: a
// prefix that alone survives leaves a group that can be removed again.
func (g *Group) Tombstones(dst [][]byte) [][]byte {
	key := func(kind Kind, name string) {
		dst = append(dst, Key{Kind: kind, Group: g.id, Name: name}.AppendTo(nil))
	}
	for id := range g.members.All() {
		key(KindCurrentOf, id)
	}
	for id := range g.targets.All() {
		key(KindTargetOf, id)
	}
	key(KindTarget, "")
	for id := range g.members.All() {
		key(KindMember, id)
	}
	for expression := range g.regexes.All() {
		key(KindRegex, expression)
	}
	key(KindTopics, "") // what Kafka before 4.1 wrote
	key(KindGroup, "")
	return dst
}

// CheckCommit decides whether somebody may commit offsets. With perPartition each partition must pass [Group.CheckPartition],
// too.
func (g *Group) CheckCommit(memberID string, instanceID *string, epoch int32, txn bool) (code core.ErrorCode, perPartition bool) {
	switch {
	case epoch < 0 && g.members.Len() == 0:
		return core.ErrNone, false // an administrator, or a consumer that only commits
	case txn && epoch == -1 && memberID == "" && instanceID == nil:
		return core.ErrNone, false // KIP-447 lets producers that know of no member commit
	}
	m := g.members.At(memberID)
	switch {
	case m == nil:
		return core.ErrUnknownMemberID, false
	case epoch == m.Epoch:
		return core.ErrNone, false
	case epoch > m.Epoch || epoch < 0:
		return m.staleCode(), false
	}
	// KIP-1251: the member may not have heard of its new epoch yet. What it has had since before the epoch that it names is
	// still its own, and nobody else can have committed for it.
	return core.ErrNone, true
}

// staleCode refuses an epoch, in the words of the member's protocol.
func (m *Member) staleCode() core.ErrorCode {
	if m.Classic != nil {
		return core.ErrIllegalGeneration
	}
	return core.ErrStaleMemberEpoch
}

// CheckPartition decides whether a member may commit a partition's offset under an epoch older than its own: if it has had the
// partition since that epoch or before. Otherwise somebody else may have had it in between.
func (g *Group) CheckPartition(memberID string, epoch int32, p Partition) core.ErrorCode {
	m := g.members.At(memberID)
	if m == nil {
		return core.ErrUnknownMemberID
	}
	for _, list := range [][]Held{m.Assigned, m.Revoking} {
		if at, found := findHeld(list, p); found && epoch >= list[at].Since {
			return core.ErrNone
		}
	}
	return m.staleCode()
}

// CheckFetch decides whether somebody may read offsets as a member (OffsetFetch 9); others pass an empty id and a negative
// epoch.
func (g *Group) CheckFetch(memberID string, epoch int32) core.ErrorCode {
	if memberID == "" && epoch < 0 {
		return core.ErrNone
	}
	m := g.members.At(memberID)
	switch {
	case m == nil:
		return core.ErrUnknownMemberID
	case m.Epoch != epoch:
		return m.staleCode()
	}
	return core.ErrNone
}

func findHeld(list []Held, p Partition) (int, bool) {
	return slices.BinarySearchFunc(list, p, func(h Held, p Partition) int { return h.Compare(p) })
}

// assignorOf is the assignor of a name of group.consumer.assignors.
func assignorOf(name string) assignor.Assignor {
	a, known := assignor.ByName(name)
	invariant.Check(known && (a == assignor.Uniform || a == assignor.Range), "group.consumer.assignors has %q", name)
	return a
}
