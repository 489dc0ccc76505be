package txn

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/step"
)

// The levels of the feature transaction.version that change what a client does (KIP-890).
const (
	featureName           = "transaction.version"
	v2              int16 = 2
	lastProduceOfV1 int16 = 11 // from 12 on a Produce adds its partitions by itself
	lastCommitOfV1  int16 = 4  // TxnOffsetCommit likewise
	lastEndOfV1     int16 = 4  // EndTxn answers with the next epoch from 5 on
)

// Manager is a client's side of its transactions. Make one with [New].
type Manager struct {
	opts Options
	cl   *cluster.Cluster

	state State
	txns  *seat // the transaction coordinator
	group *seat // of the group that offsets are sent for

	id    core.ProducerID
	epoch core.ProducerEpoch
	given bool // id and epoch were given, and the present epoch is to be raised by the next InitProducerId
	level int16

	// Of the open transaction.
	commit    bool // Ending: the wish
	started   bool // a coordinator, or a leader, may have heard of it
	doubt     bool // something of it may arrive late
	undecided bool // an EndTxn that commits may have been executed
	confirmed bool // a coordinator has said that something is in it
	why       core.ErrorCode
	members   *ordmap.Map[core.TopicPartition, bool] // true: added; false: to be added, or asked for
	pending   int                                    // members that are not added
	offsets   []*sending                             // to be sent, in order

	inflight *request
	inits    Inits
	events   []Event
	dirty    bool
	closed   bool
	deadline core.Mono
}

// sending is one SendOffsets.
type sending struct {
	group   Group
	offsets []Offset
	added   bool // AddOffsetsToTxn is done, or not needed
}

// New makes a manager. Options must be valid and have their defaults.
func New(opts Options, cl *cluster.Cluster) *Manager {
	m := &Manager{opts: opts, cl: cl, deadline: cluster.Never, id: core.NoProducerID, epoch: core.NoProducerEpoch,
		members: ordmap.New[core.TopicPartition, bool](core.TopicPartition.Compare)}
	m.txns = &seat{kind: cluster.TxnCoordinator, key: opts.ID, node: core.NoNode}
	m.group = &seat{kind: cluster.GroupCoordinator, node: core.NoNode}
	if opts.ID != "" {
		m.state = Starting
		m.dirty = true
	}
	return m
}

// On reports whether there is a transactional id.
func (m *Manager) On() bool { return m.state != Off }

// ID is the transactional id.
func (m *Manager) ID() string { return m.opts.ID }

// State is where the manager is.
func (m *Manager) State() State { return m.state }

// Why is the error that made the state Abortable or Fatal.
func (m *Manager) Why() core.ErrorCode { return m.why }

// V2 reports whether transactions are of version 2 (KIP-890 part 2).
func (m *Manager) V2() bool { return m.level >= v2 }

// Inits counts the InitProducerIds that have left, and those that were answered. One that is neither answered nor on its way may be
// executed later, and fence whoever has the transactional id by then.
func (m *Manager) Inits() Inits { return m.inits }

// Identity is the producer id and epoch to write under; false while there is none.
func (m *Manager) Identity() (core.ProducerID, core.ProducerEpoch, bool) {
	return m.id, m.epoch, m.id != core.NoProducerID && m.state != Starting
}

// ProduceVersions bounds the version of the Produce requests of a transaction; 0 is no bound.
func (m *Manager) ProduceVersions() (least, most int16) {
	if m.V2() {
		return lastProduceOfV1 + 1, 0
	}
	return 3, lastProduceOfV1
}

// Begin opens a transaction. It is false, and nothing happens, unless the state is Ready.
func (m *Manager) Begin(core.Now) bool {
	if m.state != Ready {
		return false
	}
	m.forget()
	m.state = Open
	return true
}

// forget clears what belongs to one transaction.
func (m *Manager) forget() {
	m.commit, m.started, m.confirmed, m.doubt, m.undecided, m.why = false, false, false, false, false, core.ErrNone
	for _, tp := range m.members.Keys() {
		m.members.Delete(tp)
	}
	m.pending = 0
	m.offsets = nil
}

// Admit reports whether a batch for a partition may be sent now; with version 1 the coordinator must know the partition first, or the
// markers would not reach it. The first question makes it be added.
func (m *Manager) Admit(tp core.TopicPartition) bool {
	if m.state != Open && !(m.state == Ending && m.commit) {
		return false
	}
	if m.V2() {
		return true
	}
	added, known := m.members.Get(tp)
	if !known {
		m.members.Set(tp, false)
		m.pending++
		m.dirty = true
	}
	return added
}

// Wrote tells that a Produce with records of the transaction is leaving: from now on it must be ended by a coordinator.
func (m *Manager) Wrote() { m.started = true }

// Failed tells that a record of the transaction could not be written, or perhaps not. The transaction must be aborted then: it would be
// committed without the record.
func (m *Manager) Failed(code core.ErrorCode) {
	m.doubt = true
	if m.state != Open && !(m.state == Ending && m.commit) {
		return
	}
	if doomsProducer(code) {
		m.fail(code)
		return
	}
	m.doom(code)
}

// Doubt tells that a request of the transaction was lost on its way: it may arrive when the transaction is over.
func (m *Manager) Doubt() { m.doubt = true }

// Doomed reports whether nothing more of the transaction is to be written, and why.
func (m *Manager) Doomed() (core.ErrorCode, bool) {
	switch {
	case m.state == Abortable, m.state == Fatal:
		return m.why, true
	case m.state == Ending && !m.commit, m.state == Ready, m.state == Starting:
		return core.ErrInvalidTxnState, true
	}
	return core.ErrNone, false
}

// Flushing reports whether what lingers must be sent: a commit waits for it.
func (m *Manager) Flushing() bool { return m.state == Ending }

// SendOffsets makes a group's offsets part of the transaction (KIP-98, KIP-447). It is false, and nothing happens, unless a transaction
// is open.
func (m *Manager) SendOffsets(_ core.Now, group Group, offsets []Offset) bool {
	if m.state != Open || group.ID == "" {
		return false
	}
	if len(offsets) > 0 {
		m.offsets = append(m.offsets, &sending{group: group, offsets: offsets})
		m.dirty = true
	}
	return true
}

// Commit ends the transaction, once all its records are written and its offsets stored. EventEnded or EventAbortable tells what has
// become of it. It is false, and nothing happens, unless a transaction is open.
func (m *Manager) Commit(core.Now) bool {
	if m.state != Open {
		return false
	}
	m.state, m.commit, m.dirty = Ending, true, true
	return true
}

// Abort ends the transaction; records that have not left fail. It is false, and nothing happens, unless one is open or abortable.
func (m *Manager) Abort(core.Now) bool {
	if m.state != Open && m.state != Abortable {
		return false
	}
	m.state, m.commit, m.dirty = Ending, false, true
	m.offsets = nil
	return true
}

// Restart begins anew after a fatal error, as a new producer of the same transactional id: it fences all others.
func (m *Manager) Restart(core.Now) bool {
	if m.state != Fatal {
		return false
	}
	m.forget()
	m.state, m.dirty = Starting, true
	m.id, m.epoch, m.given = core.NoProducerID, core.NoProducerEpoch, false
	return true
}

// Events appends what happened since the last call to dst.
func (m *Manager) Events(dst []Event) []Event {
	dst = append(dst, m.events...)
	m.events = m.events[:0]
	return dst
}

// Close forgets everything; a transaction that is open ends by its timeout. What is told of an end that was asked for is that it is
// not known.
func (m *Manager) Close() {
	if m.state == Ending {
		m.events = append(m.events, Event{Kind: EventEnded, Commit: m.commit, Err: core.ErrNetworkException, Ambiguous: m.commit && m.maybe()})
	}
	if m.state != Off {
		m.state = Fatal
	}
	m.closed, m.dirty, m.deadline = true, false, cluster.Never
}

// maybe reports whether a commit may have been, or may yet be, executed.
func (m *Manager) maybe() bool { return m.undecided || m.inflight != nil && m.inflight.kind == endTxn }

// doom makes the transaction abortable. A commit that was asked for is refused by it; the abort is the application's to ask for.
func (m *Manager) doom(code core.ErrorCode) {
	switch {
	case m.state == Ending && m.commit && m.maybe():
		// An earlier attempt may have committed. Nothing can be aborted, and nothing be said: the producer begins anew, and the
		// coordinator finishes what it has decided first.
		m.fail(code)
	case m.state == Open, m.state == Ending && m.commit:
		m.state, m.why, m.dirty = Abortable, code, true
		m.events = append(m.events, Event{Kind: EventAbortable, Err: code})
	case m.state == Ending, m.state == Starting:
		m.fail(code) // even the abort is refused
	default: // nothing is open
	}
}

// fail ends the producer, and what is open with it.
func (m *Manager) fail(code core.ErrorCode) {
	if m.state == Fatal || m.state == Off {
		return
	}
	switch m.state {
	case Open, Ending, Abortable:
		commit := m.state == Ending && m.commit
		m.events = append(m.events, Event{Kind: EventEnded, Commit: commit, Err: code, Ambiguous: commit && m.maybe()})
	default: // nothing was open
	}
	m.state, m.why, m.dirty = Fatal, code, true
	m.offsets = nil
	m.events = append(m.events, Event{Kind: EventFatal, Err: code})
}

// ended tells the end of the transaction that was wished for. Where its epoch may still be used by something late, the next transaction
// takes another. So does the first of version 2 (KIP-890): what version 1 has left under the epoch, a leader would take for the
// beginning of the next transaction, which needs no coordinator's word any more.
func (m *Manager) ended() {
	m.events = append(m.events, Event{Kind: EventEnded, Commit: m.commit})
	was, doubt := m.V2(), m.doubt && m.started
	m.forget()
	m.learn()
	bump := !was && (doubt || m.V2())
	m.dirty = true
	if bump {
		m.state, m.given = Starting, true
		return
	}
	m.ready()
}

func (m *Manager) ready() {
	m.state, m.given = Ready, false
	m.events = append(m.events, Event{Kind: EventReady})
}

// learn looks up the version of the protocol; only while nothing is open, so that one transaction is of one version.
func (m *Manager) learn() { m.level = m.cl.Feature(featureName) }

// EndTurn goes on. quiet says that the producer has nothing under way and nothing to send.
func (m *Manager) EndTurn(now core.Now, quiet bool, out *step.Effects) {
	m.dirty = false
	m.deadline = cluster.Never
	if m.closed || m.state == Off || m.inflight != nil {
		return
	}
	switch {
	case m.state == Starting:
		m.init(now, out)
	case m.state == Open, m.state == Ending && m.commit:
		switch {
		case m.pending > 0:
			m.addPartitions(now, out)
		case len(m.offsets) > 0:
			m.sendOffsets(now, out)
		case m.state == Ending && quiet:
			m.end(now, out)
		}
	case m.state == Ending && quiet:
		m.end(now, out)
	}
}

// NextDeadline is when the manager must be looked at again; [cluster.Never] if it waits for events only.
func (m *Manager) NextDeadline() core.Mono {
	if m.dirty {
		return 0
	}
	return m.deadline
}

func (m *Manager) wakeAt(now core.Now, at core.Mono) {
	if at > now.Mono {
		m.deadline = min(m.deadline, at)
	}
}
