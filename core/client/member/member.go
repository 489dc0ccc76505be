package member

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
)

// noGeneration is the generation and member epoch of who is in no group.
const noGeneration = assignor.NoGeneration

// Member is a client's membership in its group. Make one with [New].
type Member struct {
	opts Options
	cl   *cluster.Cluster
	k    *consumer.Consumer
	rand *prng.Rand

	state State
	// round counts everything that makes the answers under way meaningless: a lost membership, leaving.
	round      uint64
	leftRound  uint64 // Leave has come so far in this round
	memberID   string
	generation int32 // with KIP-848 the member epoch; noGeneration if there is none
	rejoin     bool  // another rebalance is wanted once this one is over

	// the subscription
	topics  []string // sorted; with a pattern what matches now
	pattern *regexp.Regexp
	seen    int64 // metadata version at which topics and the leader's counts were looked at

	coordinator core.NodeID
	finding     bool
	failures    int // of finding and of control requests since one succeeded
	retryAt     core.Mono
	control     bool // a join or sync is in flight
	beating     bool // a heartbeat is in flight
	beatAt      core.Mono

	lead    *leading          // classic: this member is the group's leader
	using   assignor.Assignor // classic: the group's choice
	last    lastAssignment    // classic: what sticky assignors are told
	modern  modern
	lineage lineage // classic

	claims   *ordmap.Map[core.TopicPartition, *claim]
	claimed  uint64 // claims ever made
	giving   giving
	parting  *parting // a LeaveGroup that is to be sent, or is under way
	polledAt core.Mono
	asleep   bool // the application has not polled for too long, and the member is out of the group

	fetching  bool // an OffsetFetch is in flight
	fetchAt   core.Mono
	fetchFail int
	rewinds   int       // calls of Rewind
	commits   []*commit // unfinished; the first may be in flight
	autoAt    core.Mono

	settled  Metadata // see [Member.Metadata]
	tag      int64
	proof    int64 // tag of the last heartbeat of KIP-848 that was accepted in this membership
	events   []Event
	results  []Commit
	dirty    bool
	closed   bool
	deadline core.Mono
}

// New makes a member that is in no group yet. Options must be valid and have their defaults.
func New(opts Options, cl *cluster.Cluster, k *consumer.Consumer, r *prng.Rand) *Member {
	return &Member{opts: opts, cl: cl, k: k, rand: r, generation: noGeneration, coordinator: core.NoNode, deadline: cluster.Never,
		claims: ordmap.New[core.TopicPartition, *claim](core.TopicPartition.Compare)}
}

// Subscribe joins the group, if the member is in none, to read the named topics; else it changes what it reads. Any manual
// assignment of the client's consumer is the caller's business.
func (m *Member) Subscribe(now core.Now, topics []string) {
	list := slices.Clone(topics)
	slices.Sort(list)
	m.pattern = nil
	m.cl.WantAll(false)
	m.subscribe(now, slices.Compact(list))
}

// SubscribePattern is Subscribe to all topics whose whole name matches a regular expression (RE2), those to come included.
// Kafka's own topics are left out. The error is that of the expression.
func (m *Member) SubscribePattern(now core.Now, pattern string) error {
	p, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return fmt.Errorf("member: %w", err)
	}
	m.pattern = p
	m.modern.pattern = pattern
	m.cl.WantAll(true)
	m.subscribe(now, nil)
	m.seen = -1
	return nil
}

func (m *Member) subscribe(now core.Now, topics []string) {
	m.dirty = true
	for _, t := range topics {
		m.cl.Want(t)
	}
	m.topics = topics
	switch m.state {
	case Off, Failed:
		m.polledAt, m.asleep = now.Mono, false
		m.autoAt = now.Mono.Add(m.opts.AutoCommitInterval)
		m.reset()
		m.state = Preparing
	case Leaving: // leaves first
	case Preparing, Joining, Syncing, Stable:
		m.rejoin = true
	}
}

// Leave commits, if commits are automatic, gives everything up and leaves the group; EventLeft tells when. The caller says by
// it that what was handed out is done with. A static member stays in the group until its session ends (KIP-345).
func (m *Member) Leave(now core.Now) {
	switch m.state {
	case Off, Failed, Leaving:
		return
	case Preparing, Joining, Syncing, Stable:
	}
	m.dirty = true
	m.finished()
	m.state = Leaving
	m.rejoin = false
	m.revoke(now, m.claims.Keys())
	m.giving.told, m.giving.agreed = true, true
}

// State is where the member is in the protocol.
func (m *Member) State() State { return m.state }

// Identity is the member id and the generation, or the member epoch with KIP-848, of the present membership; -1 if there is
// none.
func (m *Member) Identity() (memberID string, generation int32) { return m.memberID, m.generation }

// Tag sets what commits and requests that begin from now on carry.
func (m *Member) Tag(tag int64) { m.tag = tag }

// Membership numbers the times that the member has begun anew, and tells the tag of the last heartbeat that the coordinator took as a
// member's of this membership: it was one then, and had everything that it has held since before. 0 if there was none, and with the
// classic protocol.
func (m *Member) Membership() (number uint64, proof int64) { return m.round, m.proof }

// Leads reports whether this member assigns for its classic group.
func (m *Member) Leads() bool { return m.lead != nil }

// Coordinator is the broker that coordinates the group, core.NoNode if it is not known.
func (m *Member) Coordinator() core.NodeID { return m.coordinator }

// Owned appends the partitions that the member has not given up, those that are being revoked included, to dst.
func (m *Member) Owned(dst []core.TopicPartition) []core.TopicPartition {
	return append(dst, m.claims.Keys()...)
}

// Revoking reports whether the member is to give a partition up and has not done so yet.
func (m *Member) Revoking(tp core.TopicPartition) bool {
	c := m.claims.At(tp)
	return c != nil && c.revoking
}

// Events appends what happened since the last call to dst. What it tells of revocations the next Poll agrees to.
func (m *Member) Events(dst []Event) []Event {
	dst = append(dst, m.events...)
	clear(m.events)
	m.events = m.events[:0]
	m.giving.told = true
	return dst
}

func (m *Member) event(e Event) { m.events = append(m.events, e) }

// Close forgets everything without a word to the group, whose session it was ends by itself.
func (m *Member) Close() {
	for _, c := range m.commits {
		m.finish(c, core.ErrNetworkException)
	}
	m.commits = nil
	m.state, m.closed, m.dirty, m.deadline = Off, true, false, cluster.Never
}

// EndTurn goes on with the protocol.
func (m *Member) EndTurn(now core.Now, out *step.Effects) {
	m.dirty = false
	m.deadline = cluster.Never
	if m.closed || m.state == Off || m.state == Failed {
		return
	}
	m.confirm()
	m.checkPolls(now)
	m.look(now)
	m.autoCommit(now)
	m.release(now, out)
	m.proceed(now, out)
	m.fetchOffsets(now, out)
	m.sendCommit(now, out)
}

// NextDeadline is when the member must be looked at again; [cluster.Never] if it waits for events only.
func (m *Member) NextDeadline() core.Mono {
	if m.dirty {
		return 0
	}
	return m.deadline
}

// wakeAt makes the member be looked at at an instant that is to come.
func (m *Member) wakeAt(now core.Now, at core.Mono) {
	if at > now.Mono {
		m.deadline = min(m.deadline, at)
	}
}

// proceed takes the next step of the protocol that the state and the application allow.
func (m *Member) proceed(now core.Now, out *step.Effects) {
	if m.state == Stable && m.rejoin && m.opts.Protocol == Classic {
		m.prepare(now)
	}
	if m.state == Preparing && !m.giving.active && !m.asleep && m.parting == nil && (m.pattern == nil || m.known()) {
		m.state = Joining
	}
	switch m.state {
	case Joining:
		if m.opts.Protocol == Classic {
			m.join(now, out)
		}
	case Syncing:
		m.sync(now, out)
	case Leaving:
		m.leave(now)
	case Off, Preparing, Stable, Failed:
	}
	m.part(now, out)
	if m.opts.Protocol == Consumer {
		m.beatModern(now, out)
	} else {
		m.beat(now, out)
	}
}

// known reports whether the topics that match the pattern are known.
func (m *Member) known() bool {
	_, ok := m.cl.Topics()
	return ok || m.opts.Protocol == Consumer
}

// look compares the metadata with what the group was told: new topics match the pattern, or, in a classic group's leader,
// a topic of the group has another number of partitions.
func (m *Member) look(now core.Now) {
	if v := m.cl.MetadataVersion(); v == m.seen {
		return
	} else {
		m.seen = v
	}
	if all, ok := m.cl.Topics(); ok && m.pattern != nil {
		m.match(all)
	}
	if m.lead != nil && m.state == Stable && m.lead.changed(m.cl) {
		m.rejoin = true
	}
	if m.opts.Protocol == Consumer {
		m.reconcile(now)
	}
}

// match brings the subscription up to the topics that there are.
func (m *Member) match(all []cluster.TopicName) {
	var list []string
	for _, t := range all {
		if !t.Internal && m.pattern.MatchString(t.Name) {
			list = append(list, t.Name)
		}
	}
	if slices.Equal(list, m.topics) {
		return
	}
	m.topics = list
	for _, t := range list {
		m.cl.Want(t)
	}
	if m.state != Preparing {
		m.rejoin = true
	}
}

// checkPolls takes the member out of the group if the application does not poll (KIP-62): it may hang, and its partitions
// would be read by nobody.
func (m *Member) checkPolls(now core.Now) {
	limit := m.polledAt.Add(m.opts.RebalanceTimeout)
	if m.asleep || m.state == Leaving {
		return
	}
	if now.Mono < limit {
		m.wakeAt(now, limit)
		return
	}
	m.depart(now)
	m.lose(core.ErrNone, "the application did not poll for max.poll.interval.ms")
	m.asleep = true
	m.state = Preparing
}

// reset forgets the membership, but for the member id.
func (m *Member) reset() {
	m.round++
	m.proof = 0
	m.generation = noGeneration
	m.settled = Metadata{Group: m.opts.Group, Generation: noGeneration}
	m.lineage.blurred = m.lineage.blurred || m.control // nobody will hear the answer
	m.control, m.beating, m.fetching = false, false, false
	m.lead, m.rejoin = nil, false
	m.modern.reset()
}

// expelled takes the coordinator's word that this membership is over, and begins another one.
func (m *Member) expelled(now core.Now, why core.ErrorCode) {
	m.lose(why, "the coordinator does not know this member or generation any more")
	if why == core.ErrUnknownMemberID && m.opts.Protocol == Classic {
		m.memberID = "" // the coordinator makes another (KIP-394)
	}
	if m.state != Leaving {
		m.state = Preparing
	}
	m.backOff(now)
}

// fail ends the membership for good.
func (m *Member) fail(code core.ErrorCode, detail string) {
	m.lose(code, detail)
	m.state = Failed
	m.memberID = ""
	m.event(Event{Kind: EventFailed, Err: code, Detail: detail})
	for _, c := range m.commits {
		m.finish(c, code)
	}
	m.commits = nil
}

// Topics are the names that the member is subscribed to, sorted; with a pattern those that match now. Read it only.
func (m *Member) Topics() []string { return m.topics }
