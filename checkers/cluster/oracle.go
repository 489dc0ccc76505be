package cluster

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Oracle is a [history.Witness] that judges. The zero value is not usable; make one with [New].
type Oracle struct {
	parts  map[history.Key]*partition
	order  []*partition // in the order of appearance
	nodes  map[core.NodeID]*node
	ids    []core.NodeID // of nodes, ascending
	quorum quorum
	image  core.Offset // of the newest committed image

	brokers  map[core.NodeID]*history.BrokerState
	lives    map[life][16]byte
	changed  []*partition // committed states to be judged at ImageSeen
	restated bool         // a registration changed
	kept     []checkers.Violation
	broken   bool
}

// life is one registration of a broker; each is of one incarnation (KIP-631).
type life struct {
	id    core.NodeID
	epoch core.BrokerEpoch
}

// node is one process.
type node struct {
	id      core.NodeID
	up      bool
	epoch   core.BrokerEpoch // of this incarnation's registration as the node knows it; -1: none yet
	applied core.Offset      // end of what it has applied of the metadata log
	quorum  history.QuorumLook
	seen    bool               // quorum holds something of this incarnation
	voters  []history.VoterSet // in its metadata log, ascending
	judged  core.Offset        // voter sets of its own leadership are judged up to here
}

// partition is what is known of one partition of one topic incarnation, or of the metadata log.
type partition struct {
	key      history.Key
	name     core.TopicPartition
	replicas []*replica // by node

	committed ledger
	hw        core.Offset // the true HighWatermark: the highest that any leader has shown
	acked     core.Offset // behind the last record acknowledged with acks=all
	stable    core.Offset // the highest LastStableOffset that any replica has had
	deleted   deletion
	shown     []shown // HighWatermarks exposed by leaders, by epoch
	leaders   map[core.LeaderEpoch]core.NodeID
	contents  map[content]history.Stored

	compacted bool // some replica's log has been compacted: batches differ, and offsets have holes

	state history.PartitionState
	known bool // state holds something

	deposed []Span // see [Oracle.Deposed]
	gone    bool
}

// deletion is what DeleteRecords has promised to be gone, and the highest epoch that was known when it did.
type deletion struct {
	before core.Offset
	epoch  core.LeaderEpoch
}

// shown is the highest HighWatermark exposed in an epoch.
type shown struct {
	epoch core.LeaderEpoch
	hw    core.Offset
}

// content is a place that one leader alone can write.
type content struct {
	epoch core.LeaderEpoch
	base  core.Offset
}

// replica is one node's log of a partition.
type replica struct {
	node    *node
	log     ledger
	open    bool        // recovery is over, and the log is not offline
	durable core.Offset // fsynced, when last asked
	checked core.Offset // compared with the committed ledger up to here
	// producers is the fold over log, as far as it is not below the log's beginning.
	producers producers
	view      history.ReplicaLook
	viewed    bool
	stale     bool // it leads by its own account, and another one by the controller's, since then
	since     core.Mono
	lost      *replica // of the metadata log: what the last disk held that this node has lost
}

// New is an oracle that has seen nothing. It stops judging at the first violation, because what follows one is noise.
func New() *Oracle {
	return &Oracle{
		parts: make(map[history.Key]*partition), nodes: make(map[core.NodeID]*node),
		brokers: make(map[core.NodeID]*history.BrokerState), lives: make(map[life][16]byte), image: core.NoOffset,
		quorum: quorum{leaders: make(map[core.LeaderEpoch]core.NodeID), votes: make(map[directory]history.QuorumLook)},
	}
}

// Broken implements [history.Witness].
func (o *Oracle) Broken() bool { return o.broken }

// Violations is the first finding, if there is one.
func (o *Oracle) Violations() []checkers.Violation { return o.kept }

// report keeps the first finding: what follows the first wrong step is noise. p is nil for one about no partition.
func (o *Oracle) report(at core.Mono, prop checkers.Property, p *partition, off core.Offset, format string, args ...any) {
	if o.broken {
		return
	}
	o.broken = true
	v := checkers.Violation{Property: prop, Offset: off, Message: fmt.Sprintf(format, args...) + fmt.Sprintf(" (at %d ns)", at)}
	if p != nil {
		v.Partition, v.TopicID = p.name, p.key.TopicID
	}
	o.kept = append(o.kept, v)
}

// node is the state of a process, made when first seen.
func (o *Oracle) node(id core.NodeID) *node {
	n := o.nodes[id]
	if n == nil {
		n = &node{id: id, applied: core.NoOffset, epoch: -1}
		o.nodes[id] = n
		at, _ := slices.BinarySearch(o.ids, id)
		o.ids = slices.Insert(o.ids, at, id)
	}
	return n
}

// part is the state of a partition, made when first seen.
func (o *Oracle) part(k history.Key) *partition {
	p := o.parts[k]
	if p == nil {
		p = &partition{
			key: k, name: core.TopicPartition{Topic: k.TopicID.String(), Partition: k.Partition},
			leaders: make(map[core.LeaderEpoch]core.NodeID), contents: make(map[content]history.Stored),
		}
		if k.TopicID == core.MetadataTopicID {
			p.name.Topic = "__cluster_metadata"
		}
		o.parts[k] = p
		o.order = append(o.order, p)
	}
	return p
}

// replica is a node's log of a partition, nil if none was ever seen.
func (p *partition) replica(id core.NodeID) *replica {
	for _, r := range p.replicas {
		if r.node.id == id {
			return r
		}
	}
	return nil
}

func (o *Oracle) replicaOf(p *partition, id core.NodeID) *replica {
	r := p.replica(id)
	if r == nil {
		r = &replica{node: o.node(id)}
		p.replicas = append(p.replicas, r)
		slices.SortFunc(p.replicas, func(a, b *replica) int { return cmp.Compare(a.node.id, b.node.id) })
	}
	return r
}

// raft reports whether the partition is the metadata log, whose replicas the quorum rules bind.
func (p *partition) raft() bool { return p.key.TopicID == core.MetadataTopicID }

// Up implements [history.Witness].
func (o *Oracle) Up(_ core.Mono, id core.NodeID) {
	n := o.node(id)
	n.up, n.epoch, n.seen, n.applied = true, -1, false, core.NoOffset
}

// Down implements [history.Witness].
func (o *Oracle) Down(at core.Mono, id core.NodeID, wiped bool) {
	n := o.node(id)
	n.up, n.epoch, n.seen = false, -1, false
	for _, p := range o.order {
		r := p.replica(id)
		if r == nil {
			continue
		}
		r.open, r.viewed, r.view = false, false, history.ReplicaLook{}
		p.reign(at)
		if wiped && p.raft() {
			r.lost = &replica{log: ledger{start: r.log.start, batches: slices.Clone(r.log.batches)}, durable: r.durable}
		}
		if wiped {
			r.log.restart(0)
			r.durable, r.checked = 0, 0
		}
	}
}

// LogOpened implements [history.Witness].
func (o *Oracle) LogOpened(at core.Mono, op history.Opening) {
	p := o.part(op.Key)
	if op.Name.Topic != "" {
		p.name = op.Name
	}
	r := o.replicaOf(p, op.Node)
	r.open, r.checked, r.durable = true, 0, op.End
	p.compacted = p.compacted || op.Swapped
	if p.raft() {
		r.node.voters, r.node.judged = nil, op.End
	}
	r.log.restart(op.Start)
	for _, b := range op.Batches {
		if b.Last < op.Start {
			continue
		}
		if !p.append(r, b) {
			o.report(at, LogMatch, p, b.Base, "node %d recovered a log whose batch at %d does not follow what ends at %d",
				op.Node, b.Base, r.log.end())
			return
		}
		o.unique(at, p, op.Node, b)
	}
	r.fold()
	o.judgeReplica(at, p, r)
}

// LogClosed implements [history.Witness].
func (o *Oracle) LogClosed(at core.Mono, id core.NodeID, k history.Key) {
	if r := o.part(k).replica(id); r != nil {
		r.open, r.viewed, r.view = false, false, history.ReplicaLook{}
		o.part(k).reign(at)
	}
}

// LogChanged implements [history.Witness].
func (o *Oracle) LogChanged(at core.Mono, e history.LogEntry) {
	p := o.part(e.Key)
	r := o.replicaOf(p, e.Node)
	switch e.Kind {
	case history.Appended:
		if !p.append(r, e.Stored) {
			o.report(at, LogMatch, p, e.Base, "node %d appended a batch at %d to a log that ends at %d", e.Node, e.Base, r.log.end())
			return
		}
		o.unique(at, p, e.Node, e.Stored)
		o.fenced(at, p, r, &e.Stored)
		r.producers.apply(&e.Stored)
		return // an append makes nothing incomplete; what it must agree with is compared when a HighWatermark passes it
	case history.Truncated:
		o.cutsCommitted(at, p, r, e.Base)
		r.log.cut(e.Base)
		if p.raft() {
			r.node.cutVoters(e.Base)
		}
	case history.Restarted:
		r.log.restart(e.Base)
		if p.raft() {
			r.node.voters = nil
		}
	}
	r.fold()
	end := r.log.end()
	r.durable, r.checked = min(r.durable, end), min(r.checked, end)
	o.judgeReplica(at, p, r)
}

// Durable implements [history.Witness].
func (o *Oracle) Durable(id core.NodeID, k history.Key, off core.Offset) {
	if r := o.part(k).replica(id); r != nil {
		r.durable = off
	}
}

// Committed implements [history.Witness].
func (o *Oracle) Committed(k history.Key) core.Offset {
	if p := o.parts[k]; p != nil {
		return p.hw
	}
	return 0
}

// Applied implements [history.Witness]. A node that has learnt of its registration runs from now on, and what it holds of
// ISRs and ELRs is judged.
func (o *Oracle) Applied(at core.Mono, id core.NodeID, off core.Offset, epoch core.BrokerEpoch) {
	n := o.node(id)
	n.applied = off
	if n.epoch == epoch {
		return
	}
	n.epoch = epoch
	for _, p := range o.order {
		if r := p.replica(id); r != nil && !p.raft() {
			o.complete(at, p, r)
		}
	}
}

// unique checks that an (epoch, offset) has one content ever.
func (o *Oracle) unique(at core.Mono, p *partition, by core.NodeID, b history.Stored) {
	k := content{b.Epoch, b.Base}
	have, ok := p.contents[k]
	if p.compacted { // followers get what the cleaner has left
		return
	}
	if !ok {
		p.contents[k] = b
		return
	}
	if have == b {
		return
	}
	prop := EpochUnique
	if p.raft() {
		prop = RaftLogMatch
	}
	o.report(at, prop, p, b.Base, "epoch %d has two contents at offset %d: %d..%d with checksum %08x, and on node %d %d..%d with %08x",
		b.Epoch, b.Base, have.Base, have.Last, have.CRC, by, b.Base, b.Last, b.CRC)
}

// lead checks that an epoch has one leader ever.
func (o *Oracle) lead(at core.Mono, p *partition, epoch core.LeaderEpoch, leader core.NodeID, says string) {
	have, ok := p.leaders[epoch]
	if !ok {
		p.leaders[epoch] = leader
		return
	}
	if have != leader {
		o.report(at, EpochUnique, p, core.NoOffset, "epoch %d had leader %d, and %s %d", epoch, have, says, leader)
	}
}
