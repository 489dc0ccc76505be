package sim

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/raft"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
)

// insight is the process' machine if it is a node that runs; nil otherwise.
func (p *process) insight() machine {
	if !p.up {
		return nil
	}
	n, _ := p.machine.(machine)
	return n
}

// quorum is a node's part of the metadata quorum, nil before it has one or recovery is over.
func (p *process) quorum() *raft.Quorum {
	n := p.insight()
	if n == nil {
		return nil
	}
	if q := n.Quorum(); q != nil && q.Role() != "none" {
		return q
	}
	return nil
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
	names   map[string]bool                    // topics that any committed image has had
	changed map[history.Key]bool               // logs that this turn of the node has changed
	codecs  record.Codecs                      // of batches on the disk
	iter    record.Iterator
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
		names: make(map[string]bool), changed: make(map[history.Key]bool),
	}
}

// witnessed tells the witness what a turn of a node has changed, in the order that history.Witness asks for.
func (r *run) witnessed(p *process) {
	n := p.insight()
	if r.seer == nil || n == nil || !p.stepped {
		return
	}
	id := nodeID(p.id)
	touched := n.Moved()
	clear(r.seer.changed)
	r.logs(p, n, id, touched)
	r.reconfigured(p, id)
	r.images(n.Image(), r.defaultMinISR(p))
	applied := core.NoOffset
	if q := n.Quorum(); q != nil {
		applied = q.Applied().Offset
	}
	r.seer.witness.Applied(r.w.now, id, applied, n.BrokerEpoch())
	p.ears.judge(p, n, id)
	for i := range touched {
		r.looked(p, n, id, &touched[i])
	}
	r.quorumLooked(p, id)
	r.acknowledged()
	r.refer(false)
}

// logs tells of what became ready, and then of what the turn did to logs.
func (r *run) logs(p *process, n machine, id core.NodeID, touched []broker.ReplicaView) {
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
				if v.Offline == "" && v.HighWatermark > s.witness.Committed(k) { // the turn holds a rise before the end, and the last checkpoint tells of it
					r.durable(v.TP, k)
					s.witness.Durable(id, k, v.DurableOffset)
					s.witness.Replica(now, history.ReplicaLook{Node: id, Key: k, Epoch: v.Epoch, HighWatermark: v.HighWatermark})
				}
				s.witness.LogClosed(now, id, k)
			}
		case !s.open[rk]:
			s.open[rk] = true
			fresh[k] = r.opened(p, id, v.TP, k, v.LogStartOffset)
			s.changed[k] = true
		}
	}
	meta := replicaKey{id, metadataKey()}
	if q := p.quorum(); q != nil && !s.open[meta] {
		s.open[meta] = true
		fresh[meta.key] = r.opened(p, id, core.TopicPartition{Topic: metadataTopic}, meta.key, q.Log().LogStartOffset())
	}
	for _, e := range n.Journal() {
		k := history.Key{TopicID: e.TopicID, Partition: e.TP.Partition}
		if end, ok := fresh[k]; ok && e.Kind == log.EntryAppended && e.Base < end {
			continue // the disk had it already
		}
		r.compacted(p, id, &e, touched)
		s.changed[k] = true
		if w, ok := s.witness.(history.ProducerWitness); ok && e.Kind == log.EntryForgotten {
			w.Forgotten(now, id, k, e.Producer.ProducerID)
		}
		if kind, tells := logChange(e.Kind); tells && s.open[replicaKey{id, k}] {
			s.witness.LogChanged(now, history.LogEntry{Node: id, Key: k, Kind: kind,
				Stored: history.Stored{Base: e.Base, Last: e.Last, Epoch: e.Epoch, CRC: e.CRC, Produced: produced(&e.Producer)}})
		}
	}
}

// logChange is an entry's kind in the witness' words; false for entries that change no batch.
func logChange(k log.EntryKind) (history.LogChange, bool) {
	switch k {
	case log.EntryAppended:
		return history.Appended, true
	case log.EntryTruncated:
		return history.Truncated, true
	case log.EntryRestarted:
		return history.Restarted, true
	case log.EntryOpened, log.EntryStartRaised, log.EntryCleaned, log.EntryForgotten:
	}
	return 0, false
}

// metadataTopic is the name of the metadata log.
const metadataTopic = "__cluster_metadata"

func metadataKey() history.Key { return history.Key{TopicID: core.MetadataTopicID} }

// opened reads a log off the disk and tells of it; it returns where it ends.
func (r *run) opened(p *process, id core.NodeID, tp core.TopicPartition, k history.Key, start core.Offset) core.Offset {
	o := history.Opening{Node: id, Name: tp, Key: k, Start: start, End: start, Swapped: p.swaps[tp.String()]}
	var voters []history.VoterSet
	r.eachBatch(p, tp, func(b record.Batch) {
		if b.LastOffset() < start {
			return
		}
		h := b.Header()
		o.Batches = append(o.Batches, history.Stored{Base: b.BaseOffset(), Last: b.LastOffset(), Epoch: b.PartitionLeaderEpoch(), CRC: h.CRC,
			Produced: r.seer.producedBy(b, &h)})
		o.End = b.LastOffset() + 1
		if tp.Topic == metadataTopic {
			voters = p.ears.configured(voters, b)
		}
	})
	r.seer.witness.LogOpened(r.w.now, o)
	if tp.Topic == metadataTopic {
		p.ears.written = o.End
	}
	for _, v := range voters {
		r.seer.witness.Voters(id, v)
	}
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
func (r *run) looked(p *process, n machine, id core.NodeID, v *broker.ReplicaView) {
	s := r.seer
	k := history.Key{TopicID: v.TopicID, Partition: v.TP.Partition}
	if !s.open[replicaKey{id, k}] {
		return
	}
	look := history.ReplicaLook{Node: id, Key: k, Leader: v.Leader, Epoch: v.Epoch, LogStartOffset: v.LogStartOffset, HighWatermark: v.HighWatermark}
	if v.Leader {
		look.ISR, look.MaximalISR, look.HWKnown = v.ISR, v.MaximalISR, v.HWKnown
		if state := n.Image().Partition(v.TopicID, v.TP.Partition); state != nil {
			look.Least = minISR(n.Image(), v.TP.Topic, state, r.defaultMinISR(p))
			if elrOn(n.Image()) {
				look.MinISR = look.Least
			}
		}
		if v.HighWatermark > s.witness.Committed(k) {
			r.durable(v.TP, k)
		}
	}
	s.witness.Replica(r.w.now, look)
	r.producersLooked(id, k, v)
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
func (r *run) quorumLooked(p *process, id core.NodeID) {
	q := p.insight().Quorum()
	s := r.seer
	was, told := s.looks[id]
	if q == nil || q.Role() == "none" && !told {
		return // recovery; a quorum that closes has no role either, and may have committed in its last turn
	}
	s.witness.Durable(id, metadataKey(), q.Log().DurableOffset()) // each turn: a voter that dies right after it has acknowledged counts
	v := history.QuorumLook{
		Node: id, Leads: q.Role() == "leader", HighWatermark: q.HighWatermark(), LogStartOffset: q.Log().LogStartOffset(),
		LogEndOffset: q.Log().LogEndOffset(), Directory: [16]byte{byte(p.wipes)}, Current: q.Epoch(),
	}
	p.ears.written = min(p.ears.written, v.LogEndOffset) // it may have been cut
	v.Told = p.ears.written
	v.Leader, _ = q.Leader()
	v.Epoch, v.Voted = p.election()
	if v.Voters, v.SnapshotEnd = was.Voters, was.SnapshotEnd; told && sameLook(&was, &v) {
		return
	}
	v.SnapshotEnd = newestSnapshot(p)
	if v.Leads {
		v.Voters = nil
		for _, m := range q.View(p.Now()).Voters {
			v.Voters = append(v.Voters, m.ID)
		}
		slices.Sort(v.Voters)
	}
	s.looks[id] = v
	s.witness.Quorum(r.w.now, v)
}

// election is the epoch and the vote that a node's disk would have kept if it lost its power now.
func (p *process) election() (core.LeaderEpoch, core.NodeID) {
	data, ok := p.disk.DurableContent(raft.StateFile)
	if !ok {
		return 0, core.NoNode
	}
	if string(data) != p.stateFile {
		p.stateFile = string(data)
		p.state = struct {
			Epoch  core.LeaderEpoch `json:"leaderEpoch"`
			Voted  core.NodeID      `json:"votedId"`
			Leader core.NodeID      `json:"leaderId"`
		}{0, core.NoNode, core.NoNode}
		if err := json.Unmarshal(data, &p.state); err != nil {
			return 0, core.NoNode // the node will say so itself
		}
	}
	return p.state.Epoch, p.state.Voted
}

// newestSnapshot is the end offset of the newest complete snapshot on a node's disk, 0 if there is none.
func newestSnapshot(p *process) core.Offset {
	end := core.Offset(0)
	for _, name := range p.disk.Names(raft.Dir) {
		if base, ok := strings.CutSuffix(name, ".checkpoint"); ok && len(base) > 20 {
			if n, err := strconv.ParseInt(base[:20], 10, 64); err == nil {
				end = max(end, core.Offset(n))
			}
		}
	}
	return end
}

func sameLook(a, b *history.QuorumLook) bool {
	return a.Leads == b.Leads && a.Epoch == b.Epoch && a.Current == b.Current && a.Leader == b.Leader && a.Voted == b.Voted &&
		a.Directory == b.Directory && a.HighWatermark == b.HighWatermark && a.LogStartOffset == b.LogStartOffset && a.LogEndOffset == b.LogEndOffset && a.Told == b.Told
}

// acknowledged tells of what clients were told since the last turn of a node.
func (r *run) acknowledged() {
	for ; r.seer.acks < r.history.Len(); r.seer.acks++ {
		op, body := r.history.At(r.seer.acks)
		place, ok := history.PlaceOf(body)
		if !ok || op.Outcome != history.OK {
			continue
		}
		k := history.Key{TopicID: r.history.Topic(place.Topic).ID, Partition: place.Partition}
		if k.TopicID.IsZero() {
			continue
		}
		switch b := body.(type) {
		case *history.Send:
			if n := len(b.Records); n > 0 && b.Acks == -1 && b.Promise == history.Durable && b.Records[n-1].Offset != core.NoOffset {
				r.seer.witness.Acked(r.w.now, k, b.Records[n-1].Offset)
			}
		case *history.DeleteRecords:
			r.seer.witness.Deleted(r.w.now, k, b.LowWatermark)
		case *history.Poll:
			end := b.HighWatermark
			if n := len(b.Records); n > 0 {
				end = max(end, b.Records[n-1].Offset+1)
			}
			r.seer.witness.Told(r.w.now, k, end, b.LastStableOffset)
		case *history.ListOffsets:
			r.seer.witness.Told(listed(r.w.now, k, b))
		default: // the others promise nothing that only the inside can tell
		}
	}
}

// listed is what the answer of a look-up says to be committed and decided.
func listed(at core.Mono, k history.Key, b *history.ListOffsets) (core.Mono, history.Key, core.Offset, core.Offset) {
	switch {
	case b.Spec == history.SpecEarliest || b.Spec == history.SpecLocalStart || b.Offset == core.NoOffset:
		return at, k, core.NoOffset, core.NoOffset
	case b.Spec != history.SpecLatest: // the record that was found
		return at, k, b.Offset + 1, core.NoOffset
	case b.Isolation == history.ReadCommitted:
		return at, k, b.Offset, b.Offset
	}
	return at, k, b.Offset, core.NoOffset
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
		*p.ears = ears{r: r, logs: make(map[step.FileID]bool)}
		p.findSwaps()
		r.seer.witness.Up(r.w.now, nodeID(p.id))
	}
}

// findSwaps notes the logs whose swap of the cleaner was begun before the node went down: recovery finishes it, and whether the
// swap was told of depends on when that was.
func (p *process) findSwaps() {
	for _, dir := range p.disk.Names(".") {
		for _, name := range p.disk.Names(dir) {
			if strings.HasSuffix(name, ".log.swap") {
				p.swaps[dir] = true
			}
		}
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
