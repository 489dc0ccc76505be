package sim

import (
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
)

// insight is the process' machine as a node of a cluster; nil while it is down, for clients, and for machines that cannot
// be looked into.
func (p *process) insight() Node {
	if !p.up {
		return nil
	}
	n, _ := p.machine.(Node)
	return n
}

// HostsClusters reports whether the machine that this program was built with can be one node of several.
func HostsClusters() bool {
	_, ok := any(machine(nil)).(Node)
	return ok
}

// seer keeps what the world must remember to tell a witness of changes alone.
type seer struct {
	witness history.Witness
	image   core.Offset                        // of the newest committed image told
	told    map[history.Key]toldState          // of partitions
	brokers map[core.NodeID]*metadata.Broker   // told
	open    map[replicaKey]bool                // logs that were told to be ready
	looks   map[core.NodeID]history.QuorumLook // the last told
	acks    int                                // events of the history looked at
}

// replicaKey is one node's log.
type replicaKey struct {
	node core.NodeID
	key  history.Key
}

// toldState is which state of a partition was told. The ELR can be cleared without a new partition epoch.
type toldState struct {
	epoch    core.PartitionEpoch
	min, elr int
}

func newSeer(w history.Witness) *seer {
	return &seer{
		witness: w, image: core.NoOffset, told: make(map[history.Key]toldState),
		brokers: make(map[core.NodeID]*metadata.Broker), open: make(map[replicaKey]bool), looks: make(map[core.NodeID]history.QuorumLook),
	}
}

// witnessed tells the witness what a turn of a node has changed, in the order that history.Witness asks for.
func (r *run) witnessed(p *process) {
	n := p.insight()
	if r.seer == nil || n == nil {
		return
	}
	id := nodeID(p.id)
	touched := n.Touched()
	r.logs(p, n, id, touched)
	r.seer.images(r.w.now, n.Image(), r.defaultMinISR(p))
	r.seer.witness.Applied(r.w.now, id, n.Image().Offset(), n.BrokerEpoch())
	for i := range touched {
		r.looked(p, n, id, &touched[i])
	}
	r.quorumLooked(p, n, id)
	r.acknowledged()
	r.refer(false)
}

// logs tells of what became ready, and then of what the turn did to logs.
func (r *run) logs(p *process, n Node, id core.NodeID, touched []ReplicaLook) {
	s, now := r.seer, r.w.now
	fresh := make(map[history.Key]core.Offset) // where the disk ends, of logs that were opened in this turn
	for i := range touched {
		v := &touched[i]
		k := history.Key{TopicID: v.TopicID, Partition: v.TP.Partition}
		rk := replicaKey{id, k}
		switch {
		case v.Opening || v.Offline != "":
			if s.open[rk] {
				delete(s.open, rk)
				s.witness.LogClosed(now, id, k)
			}
		case !s.open[rk]:
			s.open[rk] = true
			fresh[k] = r.opened(p, id, v.TP, k, v.LogStartOffset)
		}
	}
	meta := replicaKey{id, metadataKey()}
	if q, ok := n.Quorum(); ok && !s.open[meta] {
		s.open[meta] = true
		fresh[meta.key] = r.opened(p, id, core.TopicPartition{Topic: metadataTopic}, meta.key, q.LogStartOffset)
	}
	for _, e := range n.Journal() {
		k := history.Key{TopicID: e.TopicID, Partition: e.TP.Partition}
		if end, ok := fresh[k]; ok && JournalKind(e.Kind) == JournalAppended && e.Base < end {
			continue // the disk had it already
		}
		if s.open[replicaKey{id, k}] && e.Kind >= JournalAppended && e.Kind <= JournalRestarted {
			s.witness.LogChanged(now, history.LogEntry{Node: id, Key: k, Kind: history.LogChange(e.Kind),
				Stored: history.Stored{Base: e.Base, Last: e.Last, Epoch: e.Epoch, CRC: e.CRC}})
		}
	}
}

// metadataTopic is the name of the metadata log.
const metadataTopic = "__cluster_metadata"

func metadataKey() history.Key { return history.Key{TopicID: core.MetadataTopicID} }

// opened reads a log off the disk and tells of it; it returns where it ends.
func (r *run) opened(p *process, id core.NodeID, tp core.TopicPartition, k history.Key, start core.Offset) core.Offset {
	o := history.Opening{Node: id, Name: tp, Key: k, Start: start, End: start}
	r.eachBatch(p, tp, func(b record.Batch) {
		if b.LastOffset() < start {
			return
		}
		h := b.Header()
		o.Batches = append(o.Batches, history.Stored{Base: b.BaseOffset(), Last: b.LastOffset(), Epoch: b.PartitionLeaderEpoch(), CRC: h.CRC})
		o.End = b.LastOffset() + 1
	})
	r.seer.witness.LogOpened(r.w.now, o)
	return o.End
}

// eachBatch reads a log's segments from the beginning, as far as they parse.
func (r *run) eachBatch(p *process, tp core.TopicPartition, do func(record.Batch)) {
	for _, name := range p.disk.Names(tp.String()) { // sorted: names are offsets of equal length
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		data, _ := p.disk.Content(tp.String() + "/" + name)
		for len(data) > 0 {
			b, rest, err := record.ParseBatch(data)
			if err != nil {
				return
			}
			do(b)
			data = rest
		}
	}
}

// looked tells of one replica. Before a HighWatermark rises, every node says what it has fsynced.
func (r *run) looked(p *process, n Node, id core.NodeID, v *ReplicaLook) {
	s := r.seer
	k := history.Key{TopicID: v.TopicID, Partition: v.TP.Partition}
	if !s.open[replicaKey{id, k}] {
		return
	}
	look := history.ReplicaLook{Node: id, Key: k, Leader: v.Leader, Epoch: v.Epoch, LogStartOffset: v.LogStartOffset, HighWatermark: v.HighWatermark}
	if v.Leader {
		look.ISR, look.MaximalISR, look.HWKnown = v.ISR, v.MaximalISR, v.HWKnown
		if state := n.Image().Partition(v.TopicID, v.TP.Partition); state != nil && elrOn(n.Image()) {
			look.MinISR = minISR(n.Image(), v.TP.Topic, state, r.defaultMinISR(p))
		}
		if v.HighWatermark > s.witness.Committed(k) {
			r.durable(v.TP, k)
		}
	}
	s.witness.Replica(r.w.now, look)
}

// durable asks every running node how much of a partition it has fsynced.
func (r *run) durable(tp core.TopicPartition, k history.Key) {
	for _, p := range r.brokers {
		n := p.insight()
		if n == nil || !r.seer.open[replicaKey{nodeID(p.id), k}] {
			continue
		}
		if v, ok := n.View(tp); ok && v.TopicID == k.TopicID && !v.Opening && v.Offline == "" {
			r.seer.witness.Durable(nodeID(p.id), k, v.DurableOffset)
		}
	}
}

// quorumLooked tells of a node's part of the quorum, if it is news.
func (r *run) quorumLooked(p *process, n Node, id core.NodeID) {
	q, ok := n.Quorum()
	s := r.seer
	if !ok {
		return
	}
	v := history.QuorumLook{
		Node: id, Leads: q.Role == "leader", Epoch: q.Epoch, Leader: q.Leader, Voted: q.Voted, Directory: q.Directory,
		Voters: q.Voters, HighWatermark: q.HighWatermark, EpochStart: q.EpochStart, LogStartOffset: q.LogStartOffset, SnapshotEnd: q.SnapshotEnd,
	}
	if was, told := s.looks[id]; told && sameLook(&was, &v) {
		return
	}
	s.looks[id] = v
	if v.Leads && v.HighWatermark > s.witness.Committed(metadataKey()) {
		for _, other := range r.brokers {
			if m := other.insight(); m != nil {
				if oq, ok := m.Quorum(); ok {
					s.witness.Durable(nodeID(other.id), metadataKey(), oq.DurableOffset)
				}
			}
		}
	}
	s.witness.Quorum(r.w.now, v)
}

func sameLook(a, b *history.QuorumLook) bool {
	if len(a.Voters) != len(b.Voters) {
		return false
	}
	for i := range a.Voters {
		if a.Voters[i] != b.Voters[i] {
			return false
		}
	}
	return a.Leads == b.Leads && a.Epoch == b.Epoch && a.Leader == b.Leader && a.Voted == b.Voted && a.Directory == b.Directory &&
		a.HighWatermark == b.HighWatermark && a.EpochStart == b.EpochStart && a.LogStartOffset == b.LogStartOffset && a.SnapshotEnd == b.SnapshotEnd
}

// acknowledged tells of what clients were told since the last turn of a node.
func (r *run) acknowledged() {
	for ; r.seer.acks < r.history.Len(); r.seer.acks++ {
		op, body := r.history.At(r.seer.acks)
		s, ok := body.(*history.Send)
		if !ok || op.Outcome != history.OK || s.Acks != -1 || s.Promise != history.Durable {
			continue
		}
		id := r.history.Topic(s.Topic).ID
		if n := len(s.Records); n > 0 && !id.IsZero() && s.Records[n-1].Offset != core.NoOffset {
			r.seer.witness.Acked(r.w.now, history.Key{TopicID: id, Partition: s.Partition}, s.Records[n-1].Offset)
		}
	}
}

// wiped tells of a lost disk.
func (r *run) wiped(p *process) {
	if r.seer != nil {
		r.seer.witness.Down(r.w.now, nodeID(p.id), true)
	}
}

// started and ended tell of a process' life.
func (r *run) started(p *process) {
	if r.seer != nil {
		r.seer.witness.Up(r.w.now, nodeID(p.id))
	}
}

func (r *run) ended(p *process) {
	if r.seer == nil {
		return
	}
	id := nodeID(p.id)
	delete(r.seer.looks, id)
	for k := range r.seer.open { //det:unordered each is deleted or kept by itself
		if k.node == id {
			delete(r.seer.open, k)
		}
	}
	r.seer.witness.Down(r.w.now, id, false)
}
