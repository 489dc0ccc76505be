package sim

import (
	"slices"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/raft"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/klamm-log/klamm/sim/said"
)

// Properties of what a node says and hands to its disk. A node may believe what is wrong for a moment and harm nobody; what
// has left it is out.
const (
	// VoteDurable: a vote, or an epoch, was told to another node before the disk would keep it in a power loss (KIP-595; raft, 5.2).
	VoteDurable = "R-VOTE-DURABLE"
	// ControllerAnswer: an answer of the controller contradicts what is committed: a heartbeat of a registration that is no
	// more was taken (KIP-631), or a topic was reported to exist that never was committed.
	ControllerAnswer = "CTRL-ANSWER"
	// StoredIntact: a node handed its disk a batch whose checksum is wrong: it came so over the network, and nobody looked (KAFKA-14104).
	StoredIntact = "STORED-INTACT"
)

// ears hear what one node is asked, what it says, and what it hands to its disk.
type ears struct {
	r      *run
	logs   map[step.FileID]bool // open segments; true: of the metadata log
	codecs record.Codecs
	// of the turn under way
	acks   []said.Acknowledged
	exist  []string // topics that were reported to exist
	voters []history.VoterSet
	// written is the end of what the metadata log has handed to the disk: an append may wait for a new segment.
	written core.Offset
}

// asked is what must be remembered of a request to judge its answer.
type asked struct {
	seq     uint64
	acksAll bool
	vote    said.Vote
	voting  bool
	beat    said.Beat
	stale   bool // beat names an incarnation that this node knew to be gone
	wishes  []said.Wish
}

// hears takes a request that is about to be delivered.
func (e *ears) hears(p *process, s *served, req *step.Request) {
	a := asked{seq: req.Seq, acksAll: said.AcksAll(req.Body)}
	a.vote, a.voting = said.VoteAsked(req.Body)
	if beat, ok := said.BeatOf(req.Body); ok {
		a.beat = beat
		if n := p.insight(); n != nil && n.Quorum() != nil {
			b := n.Image().Broker(beat.Broker)
			a.stale = b != nil && b.Epoch > beat.Epoch
		}
	}
	a.wishes = said.Wishes(req.Body)
	if a.acksAll || a.voting || a.stale || len(a.wishes) > 0 {
		s.asked = append(s.asked, a)
	}
}

// says judges an answer that is about to leave. What needs the state that the turn has left is kept for [ears.judge].
func (e *ears) says(p *process, s *served, r *step.Reply) {
	said.TopicsExist(r.Body, func(name string) { e.exist = append(e.exist, name) })
	i := slices.IndexFunc(s.asked, func(a asked) bool { return a.seq == r.Seq })
	if i < 0 {
		return
	}
	a := s.asked[i]
	s.asked = slices.Delete(s.asked, i, i+1)
	for _, w := range a.wishes {
		if said.Granted(r.Body, w.Topic) {
			e.r.ref.granted = append(e.r.ref.granted, granted{w, p.name, e.r.w.now})
		}
	}
	switch {
	case a.acksAll:
		if k, ok := said.ProduceAnswer(r.Body); ok {
			e.acks = append(e.acks, k)
		}
	case a.stale && said.BeatTaken(r.Body):
		e.r.ref.find(ControllerAnswer, "%s took a heartbeat of broker %d by epoch %d, and knew when it came of a newer registration (at %d ns)",
			p.name, a.beat.Broker, a.beat.Epoch, e.r.w.now)
	case a.voting:
		epoch, granted, ok := said.VoteAnswer(r.Body)
		if !ok {
			return
		}
		kept, voted := p.election()
		switch {
		case epoch > kept:
			e.r.ref.find(VoteDurable, "%s answers a request for a vote in epoch %d, and its disk would keep epoch %d (at %d ns)",
				p.name, epoch, kept, e.r.w.now)
		case granted && !a.vote.Pre:
			e.voted(p, a.vote.Epoch, a.vote.Candidate, kept, voted)
		}
	}
}

// voted judges a vote that leaves. In a higher epoch nobody can be given it again, nor where the leader is known.
func (e *ears) voted(p *process, epoch core.LeaderEpoch, candidate core.NodeID, kept core.LeaderEpoch, voted core.NodeID) {
	if kept > epoch || kept == epoch && (voted == candidate || voted == core.NoNode && p.state.Leader != core.NoNode) {
		return
	}
	e.r.ref.find(VoteDurable, "%s votes for %d in epoch %d, and its disk would keep epoch %d and a vote for %d (-1: nobody; at %d ns)",
		p.name, candidate, epoch, kept, voted, e.r.w.now)
}

// asks judges a request that is about to leave: a candidate asks for votes once its own is durable.
func (e *ears) asks(p *process, body wire.Request) {
	if v, ok := said.VoteAsked(body); ok && !v.Pre {
		kept, voted := p.election()
		e.voted(p, v.Epoch, v.Candidate, kept, voted)
	}
}

// submits looks at what is handed to the disk: the batches of segments.
func (e *ears) submits(p *process, op *step.DiskOp) {
	switch op.Kind {
	case step.Open:
		if strings.HasSuffix(op.Path, ".log") {
			e.logs[op.File] = strings.HasPrefix(op.Path, raft.Dir+"/")
		}
	case step.Close:
		delete(e.logs, op.File)
	case step.Append:
		meta, is := e.logs[op.File]
		for rest := op.Data; is && len(rest) > 0; {
			b, behind, err := record.ParseBatch(rest)
			if err != nil {
				return // an append may end within a batch
			}
			rest = behind
			if err := b.VerifyCRC(); err != nil {
				e.r.ref.find(StoredIntact, "%s appends the batch at offset %d: %v (at %d ns)", p.name, b.BaseOffset(), err, e.r.w.now)
				return
			}
			if meta {
				e.written = b.NextOffset()
				e.voters = e.configured(e.voters, b)
			}
		}
	default: // nothing else writes records
	}
}

// configured appends the voter sets of a control batch.
func (e *ears) configured(dst []history.VoterSet, b record.Batch) []history.VoterSet {
	if !b.Attributes().Control() {
		return dst
	}
	var it record.Iterator
	if it.Reset(b, &e.codecs, record.DefaultMaxDecompressed) != nil {
		return dst // the node will say so itself
	}
	var rec record.Record
	for it.Next(&rec) {
		if len(rec.Key) < 4 || metadata.ControlType(int16(rec.Key[2])<<8|int16(rec.Key[3])) != metadata.ControlVoters {
			continue
		}
		m, err := metadata.ParseControl(metadata.ControlVoters, rec.Value)
		if set, ok := m.(*metadata.VotersRecord); err == nil && ok {
			v := history.VoterSet{Offset: rec.Offset, Epoch: b.PartitionLeaderEpoch()}
			for i := range set.Voters {
				v.Voters = append(v.Voters, set.Voters[i].ID)
			}
			slices.Sort(v.Voters)
			dst = append(dst, v)
		}
	}
	return dst
}

// reconfigured tells of the voter sets that the turn has appended; the changes of the log have been told.
func (r *run) reconfigured(p *process, id core.NodeID) {
	for _, v := range p.ears.voters {
		r.seer.witness.Voters(id, v)
	}
	p.ears.voters = p.ears.voters[:0]
}

// judge judges what was said in the turn by what the turn has left. The witness still has the look of before it, and the
// images have been told.
func (e *ears) judge(p *process, n machine, id core.NodeID) {
	for _, name := range e.exist {
		if e.r.seer.names[name] {
			continue
		}
		// It may have come and gone within one image.
		if e.r.refer(true); !e.r.ref.pruned && !e.r.ref.names[name] {
			e.r.ref.find(ControllerAnswer, "%s reports that topic %q exists, and its creation was never committed (at %d ns)", p.name, name, e.r.w.now)
		}
	}
	for i := range e.acks {
		e.acknowledges(p, n, id, &e.acks[i])
	}
	e.exist, e.acks = e.exist[:0], e.acks[:0]
}

func (e *ears) acknowledges(p *process, n machine, id core.NodeID, a *said.Acknowledged) {
	name := a.Topic
	if t := n.Image().TopicByID(a.TopicID); t != nil {
		name = t.Name
	}
	v, ok := n.View(core.TopicPartition{Topic: name, Partition: a.Partition})
	if !ok || !v.Leader || v.Opening || v.Offline != "" {
		return
	}
	if state := n.Image().Partition(v.TopicID, v.TP.Partition); state != nil {
		e.r.seer.witness.Accepted(e.r.w.now, history.Acceptance{Node: id, Key: history.Key{TopicID: v.TopicID, Partition: v.TP.Partition},
			Epoch: v.Epoch, Base: a.Base, ISR: v.ISR, Least: minISR(n.Image(), name, state, e.r.defaultMinISR(p))})
	}
}
