package classic

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/group/records"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/prng"
)

// ConsumerProtocol is the protocol type of Kafka's consumers: the one whose metadata the coordinator can read.
const ConsumerProtocol = "consumer"

// newMemberTimeout is how long a member that is new may wait for its first generation. It does not know its id or sends no
// heartbeats yet, and its connection is not read while JoinGroup is parked, so that its death cannot be seen (Kafka's
// classicGroupNewMemberJoinTimeoutMs).
const newMemberTimeout = 5 * core.Minute

// State is where a group stands.
type State uint8

// The states, by Kafka's names.
const (
	Empty               State = iota // no members; perhaps offsets
	PreparingRebalance               // members are asked to join again
	CompletingRebalance              // they have joined; the leader's assignment is awaited
	Stable                           // assigned
	Dead                             // deleted; nobody finds the group any more
)

// String is the state as DescribeGroups and ListGroups spell it.
func (s State) String() string {
	switch s {
	case Empty:
		return "Empty"
	case PreparingRebalance:
		return "PreparingRebalance"
	case CompletingRebalance:
		return "CompletingRebalance"
	case Stable:
		return "Stable"
	case Dead:
	}
	return "Dead"
}

// Env is what the groups of one coordinator share.
type Env struct {
	Config config.Groups
	Rand   *prng.Rand // member ids
	Log    coord.Proposer
	Timers *coord.Timers
	// Answers collects what waiting requests get; the owner takes them after each call.
	Answers []Answer
	// Idle collects groups that have become empty shells: the owner may forget them.
	Idle []*Group
}

// Group is one group. It belongs to the [Env] that it was made with.
type Group struct {
	env *Env
	id  string

	hard *records.GroupValue // as last replayed; nil if the log has no generation of the group

	state, previous State
	since           core.Wall // when the group came into state
	generation      int32
	protocolType    string  // "" until the first member has joined
	protocol        *string // of the generation; nil without members
	leader          string  // member id; "" without members

	members *ordmap.Map[string, *member]
	static  map[string]*member        // by group.instance.id
	pending map[string]*pendingMember // have been told their id and have not joined with it yet (KIP-394)
	// supported counts, per protocol, the members that support it.
	supported map[string]int
	joining   int // members whose JoinGroup waits
	unsynced  int // members of the generation whose SyncGroup is missing

	topics map[string]bool // that the members subscribe to; nil if that is not known
	// moreJoined: somebody came while the initial delay ran, so that it is drawn out (KIP-134).
	moreJoined bool
	joinPhase  joinTimer
	syncPhase  syncTimer
	unsaved    bool // the log could not take the empty generation; the join timer tries again
}

// New is an Empty group of which the log knows nothing.
func New(env *Env, id string, now core.Wall) *Group {
	g := &Group{
		env: env, id: id, since: now, members: ordmap.Ordered[string, *member](),
		static: make(map[string]*member), pending: make(map[string]*pendingMember), supported: make(map[string]int),
	}
	g.joinPhase.g, g.syncPhase.g = g, g
	return g
}

// SetHard takes a replayed generation. It is the only place that assigns hard state.
func (g *Group) SetHard(v *records.GroupValue) { g.hard = v }

// Hard is the generation that the log has; nil if none. Read it only.
func (g *Group) Hard() *records.GroupValue { return g.hard }

// Restore makes the soft state of the hard one: what a new coordinator knows. Every member gets a whole session timeout to
// be heard in.
func (g *Group) Restore(now core.Now) {
	v := g.hard
	if v == nil {
		return
	}
	g.protocolType, g.generation, g.protocol, g.since = v.ProtocolType, v.Generation, v.Protocol, v.Since
	for i := range v.Members {
		g.restoreMember(now, &v.Members[i])
	}
	if g.members.Len() == 0 {
		g.topics = g.subscribedTopics()
		return
	}
	g.state = Stable
	sound := g.members.Len() == len(v.Members) && g.protocol != nil && v.Leader != nil && g.members.Has(*v.Leader)
	if sound {
		g.leader = *v.Leader
	}
	g.topics = g.subscribedTopics()
	// A log that another program has written may say what no group can be. And group.max.size may have been lowered. In both
	// cases members get the chance to commit and to come back, as far as there is room.
	if !sound || int64(g.members.Len()) > int64(g.env.Config.MaxSize) {
		g.prepare(now)
	}
}

// restoreMember takes up one member of the log's generation.
func (g *Group) restoreMember(now core.Now, v *records.Member) {
	if g.members.Has(v.ID) || v.InstanceID != nil && g.static[*v.InstanceID] != nil {
		return
	}
	m := &member{
		g: g, id: v.ID, instance: v.InstanceID, clientID: v.ClientID, clientHost: v.ClientHost,
		sessionTimeoutMs: v.SessionTimeoutMs, rebalanceTimeoutMs: v.RebalanceTimeoutMs, assignment: v.Assignment,
	}
	if m.rebalanceTimeoutMs == -1 { // before KIP-62
		m.rebalanceTimeoutMs = m.sessionTimeoutMs
	}
	// Only the metadata of the chosen protocol is in the log. The others come back with the member's next JoinGroup.
	if g.protocol != nil {
		m.protocols = []Protocol{{Name: *g.protocol, Metadata: v.Subscription}}
	}
	g.insert(m)
	g.arm(now, m, m.session())
}

// Kill ends a group that is deleted: nobody waits for it any more.
func (g *Group) Kill() {
	for _, m := range g.members.All() {
		g.remove(m)
	}
	for id := range g.pending { //det:unordered cancelling timers commutes
		g.unpend(id)
	}
	g.cancelJoinTimer()
	g.cancelSyncTimer()
	g.state = Dead
}

// ID is the group's id.
func (g *Group) ID() string { return g.id }

// State is where the group stands.
func (g *Group) State() State { return g.state }

// Since is when the group came into its state; [core.NoTimestamp] if that is not known.
func (g *Group) Since() core.Wall { return g.since }

// Generation is the current generation; 0 before the first.
func (g *Group) Generation() int32 { return g.generation }

// ProtocolType is what kind of client the group is for; empty if it never had members.
func (g *Group) ProtocolType() string { return g.protocolType }

// Protocol is the protocol of the current generation; nil without members.
func (g *Group) Protocol() *string { return g.protocol }

// Leader is the id of the member that assigns; empty without members.
func (g *Group) Leader() string { return g.leader }

// Size is the number of members.
func (g *Group) Size() int { return g.members.Len() }

// Deserted reports whether the group has no members and nobody is about to join.
func (g *Group) Deserted() bool { return g.state == Empty && len(g.pending) == 0 }

// Shell reports whether nothing would be lost with the group: no members, nobody about to join, nothing in the log.
func (g *Group) Shell() bool {
	return g.Deserted() && g.hard == nil && !g.unsaved
}

// SubscribedTo reports whether a member may consume the topic: certainly, or because the metadata cannot be read.
func (g *Group) SubscribedTo(topic string) bool {
	if g.topics == nil {
		return g.protocolType == ConsumerProtocol
	}
	return g.topics[topic]
}

// KnowsTopics reports whether the subscriptions of the members are known.
func (g *Group) KnowsTopics() bool { return g.topics != nil }

// transition moves the group into a state.
func (g *Group) transition(now core.Now, s State) {
	g.previous, g.state, g.since = g.state, s, now.Wall
	if g.Shell() {
		g.env.Idle = append(g.env.Idle, g)
	}
}

// canRebalance reports whether a rebalance can begin, or has begun already.
func (g *Group) canRebalance() bool { return g.state != PreparingRebalance && g.state != Dead }

// allJoined reports whether nobody is missing in the join phase.
func (g *Group) allJoined() bool { return g.joining == g.members.Len() && len(g.pending) == 0 }

// rebalanceTimeout is how long the group waits for its members: as long as the slowest wants.
func (g *Group) rebalanceTimeout() core.Mono {
	most := int32(0)
	for _, m := range g.members.All() {
		most = max(most, m.rebalanceTimeoutMs)
	}
	return core.Millis(int64(most))
}

// supports reports whether somebody with these protocols can be a member beside the others: the type is the same, and one
// protocol is supported by all.
func (g *Group) supports(protocolType string, protocols []Protocol) bool {
	if g.state == Empty {
		return protocolType != "" && len(protocols) > 0
	}
	if protocolType != g.protocolType {
		return false
	}
	for i := range protocols {
		if g.supported[protocols[i].Name] == g.members.Len() {
			return true
		}
	}
	return false
}

// selectProtocol chooses a protocol that all members support: each votes for the one that it lists first. Of equally many
// votes Kafka takes any; here the leader's preference decides, so that a run can be repeated.
//
// With a candidate it is what would be chosen if that took the place of the member instead.
func (g *Group) selectProtocol(instead *member, candidate []Protocol) *string {
	protocolsOf := func(m *member) []Protocol {
		if m == instead {
			return candidate
		}
		return m.protocols
	}
	common := func(name string) bool {
		n := g.supported[name]
		if instead != nil {
			if instead.supportsProtocol(name) {
				n--
			}
			if has(candidate, name) {
				n++
			}
		}
		return n == g.members.Len()
	}
	votes := make(map[string]int)
	for _, m := range g.members.All() {
		for _, p := range protocolsOf(m) {
			if common(p.Name) {
				votes[p.Name]++
				break
			}
		}
	}
	var best *string
	leader := g.members.At(g.leader)
	if leader == nil {
		return nil
	}
	for _, p := range protocolsOf(leader) {
		if n := votes[p.Name]; n > 0 && (best == nil || n > votes[*best]) {
			name := p.Name
			best = &name
		}
	}
	return best
}

func has(protocols []Protocol, name string) bool {
	for i := range protocols {
		if protocols[i].Name == name {
			return true
		}
	}
	return false
}

// value is the generation as a record has it.
func (g *Group) value() *records.GroupValue {
	v := &records.GroupValue{ProtocolType: g.protocolType, Generation: g.generation, Protocol: g.protocol, Since: g.since}
	if g.leader != "" {
		leader := g.leader
		v.Leader = &leader
	}
	for _, m := range g.members.All() {
		v.Members = append(v.Members, records.Member{
			ID: m.id, InstanceID: m.instance, ClientID: m.clientID, ClientHost: m.clientHost,
			RebalanceTimeoutMs: m.rebalanceTimeoutMs, SessionTimeoutMs: m.sessionTimeoutMs,
			Subscription: m.metadata(g.protocol), Assignment: m.assignment,
		})
	}
	return v
}

// save writes a generation to the log; its replay is the new hard state.
func (g *Group) save(now core.Now, v *records.GroupValue) core.ErrorCode {
	return g.env.Log.Propose(now, []coord.Record{{
		Key: records.GroupKey{Group: g.id}.AppendTo(nil), Value: v.AppendTo(nil),
	}})
}

// joinTimer ends the wait for members in PreparingRebalance.
type joinTimer struct {
	g      *Group
	handle deadline.Handle
	armed  bool
	// initial: the group was Empty, and the timer gives others the time to come (KIP-134).
	initial          bool
	delay, remaining core.Mono
}

// syncTimer ends the wait for SyncGroup requests of a generation.
type syncTimer struct {
	g      *Group
	handle deadline.Handle
	armed  bool
}

func (g *Group) armJoinTimer(now core.Now, after core.Mono) {
	g.cancelJoinTimer()
	g.joinPhase.handle, g.joinPhase.armed = g.env.Timers.Add(now.Mono.Add(after), &g.joinPhase), true
}

func (g *Group) cancelJoinTimer() {
	g.env.Timers.Cancel(g.joinPhase.handle)
	g.joinPhase.armed = false
}

func (g *Group) armSyncTimer(now core.Now, after core.Mono) {
	g.cancelSyncTimer()
	g.syncPhase.handle, g.syncPhase.armed = g.env.Timers.Add(now.Mono.Add(after), &g.syncPhase), true
}

func (g *Group) cancelSyncTimer() {
	g.env.Timers.Cancel(g.syncPhase.handle)
	g.syncPhase.armed = false
}
