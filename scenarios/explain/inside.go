package explain

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// name learns a topic's name.
func (r *recorder) name(id core.TopicID, name string) {
	if name == "" || id.IsZero() || r.names[id] != "" {
		return
	}
	r.names[id] = name
	r.t.Names = append(r.t.Names, TopicName{id, name})
}

func procOf(id core.NodeID) int32 { return int32(id) - 1 }

// state is what a node is known to hold of a log.
func (r *recorder) state(proc int32, k history.Key) *State {
	s := r.cur[replicaKey{proc, k}]
	if s == nil {
		s = &State{Proc: proc, Key: k, Durable: core.NoOffset, Leader: core.NoNode, Voted: core.NoNode, HW: core.NoOffset}
		r.cur[replicaKey{proc, k}] = s
	}
	return s
}

// changed adds an event that leaves a state behind.
func (r *recorder) changed(e Event, s *State) {
	e.State = int32(len(r.t.States))
	kept := *s
	kept.ISR, kept.Proposed = slices.Clone(s.ISR), slices.Clone(s.Proposed)
	r.t.States = append(r.t.States, kept)
	r.add(e)
}

// Up implements [history.Witness]; the trace tells of starts.
func (r *recorder) Up(core.Mono, core.NodeID) {}

// Down implements [history.Witness]; the trace tells of ends, but not that a disk is lost.
func (r *recorder) Down(at core.Mono, id core.NodeID, wiped bool) {
	if r.done || !wiped {
		return
	}
	e := plain(at, Truncated, procOf(id), "its disk is lost, with every log")
	e.Bad = true
	r.add(e)
	for k := range r.t.logs { //det:unordered each is deleted or kept by itself
		if k.proc == procOf(id) {
			delete(r.t.logs, k)
		}
	}
}

// LogOpened implements [history.Witness].
func (r *recorder) LogOpened(at core.Mono, o history.Opening) {
	if r.done {
		return
	}
	r.name(o.Key.TopicID, o.Name.Topic)
	proc := procOf(o.Node)
	s := r.state(proc, o.Key)
	s.Start, s.End, s.Durable, s.Role = o.Start, o.End, o.End, ""
	e := plain(at, Recovered, proc, fmt.Sprintf("opens %s: its disk has offsets %s", r.t.Name(o.Key), offsets(o.Start, o.End))).
		about(o.Key, o.Start, o.End)
	if had := r.t.Stored(proc, o.Key); len(had) > 0 && had[len(had)-1].Last >= o.End {
		end := had[len(had)-1].Last + 1
		e.Bad, e.From, e.To = true, o.End, end
		e.Text += fmt.Sprintf("; before, it had %s: %s gone", offsets(had[0].Base, end), are(o.End, end))
	}
	log := slices.Clone(o.Batches)
	r.t.logs[replicaKey{proc, o.Key}] = &log
	r.changed(e, s)
}

// offsets writes [from, to) as people do.
func offsets(from, to core.Offset) string {
	switch {
	case to <= from:
		return fmt.Sprintf("none (it begins at %d)", from)
	case to == from+1:
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d..%d", from, to-1)
}

// LogChanged implements [history.Witness].
func (r *recorder) LogChanged(at core.Mono, e history.LogEntry) {
	if r.done {
		return
	}
	proc, name := procOf(e.Node), r.t.Name(e.Key)
	s := r.state(proc, e.Key)
	log := r.t.logs[replicaKey{proc, e.Key}]
	if log == nil {
		log = new([]history.Stored)
		r.t.logs[replicaKey{proc, e.Key}] = log
	}
	switch e.Kind {
	case history.Appended:
		*log = append(*log, e.Stored)
		s.End = e.Last + 1
		r.changed(plain(at, Appended, proc, fmt.Sprintf("appends %s to %s (epoch %d)", offsets(e.Base, e.Last+1), name, e.Epoch)).
			about(e.Key, e.Base, e.Last+1), s)
	case history.Truncated:
		text := fmt.Sprintf("cuts %s at %d: %s gone", name, e.Base, are(e.Base, s.End))
		ev := plain(at, Truncated, proc, text).about(e.Key, e.Base, s.End)
		for len(*log) > 0 && (*log)[len(*log)-1].Last >= e.Base {
			*log = (*log)[:len(*log)-1]
		}
		s.End = e.Base
		r.changed(ev, s)
	case history.Restarted:
		*log = nil
		ev := plain(at, Truncated, proc, fmt.Sprintf("throws %s away and begins at %d", name, e.Base)).about(e.Key, s.Start, max(s.End, s.Start))
		s.Start, s.End = e.Base, e.Base
		r.changed(ev, s)
	}
}

func are(from, to core.Offset) string {
	if to <= from {
		return "nothing is"
	}
	if to == from+1 {
		return fmt.Sprintf("%d is", from)
	}
	return offsets(from, to) + " are"
}

// LogClosed implements [history.Witness].
func (r *recorder) LogClosed(at core.Mono, id core.NodeID, k history.Key) {
	if r.done {
		return
	}
	delete(r.cur, replicaKey{procOf(id), k})
	e := plain(at, Role, procOf(id), "its log of "+r.t.Name(k)+" is closed: offline, or to be opened anew").about(k, core.NoOffset, core.NoOffset)
	e.Bad = true
	r.add(e)
}

// Durable implements [history.Witness].
func (r *recorder) Durable(id core.NodeID, k history.Key, o core.Offset) {
	if !r.done {
		r.state(procOf(id), k).Durable = o
	}
}

// Committed implements [history.Witness]; nobody asks.
func (r *recorder) Committed(history.Key) core.Offset { return 0 }

// Replica implements [history.Witness].
func (r *recorder) Replica(at core.Mono, v history.ReplicaLook) {
	if r.done {
		return
	}
	proc, name := procOf(v.Node), r.t.Name(v.Key)
	s := r.state(proc, v.Key)
	was := *s
	s.Role, s.Epoch, s.HW, s.Start = "follower", v.Epoch, v.HighWatermark, v.LogStartOffset
	s.ISR, s.Proposed = nil, nil
	if v.Leader {
		s.Role, s.Leader = "leader", v.Node
		s.ISR = v.ISR
		if !slices.Equal(v.ISR, v.MaximalISR) {
			s.Proposed = v.MaximalISR
		}
	}
	if was.Role != s.Role || was.Epoch != s.Epoch {
		verb := "follows in " + name
		if v.Leader {
			verb = "leads " + name
		}
		r.changed(plain(at, Role, proc, fmt.Sprintf("%s, epoch %d", verb, v.Epoch)).about(v.Key, core.NoOffset, core.NoOffset), s)
	}
	if v.Leader && (!slices.Equal(was.ISR, s.ISR) || !slices.Equal(was.Proposed, s.Proposed)) {
		text := fmt.Sprintf("has ISR %v of %s", s.ISR, name)
		if s.Proposed != nil {
			text += fmt.Sprintf(", and counts on %v until the controller has answered", s.Proposed)
		}
		r.changed(plain(at, ISR, proc, text).about(v.Key, core.NoOffset, core.NoOffset), s)
	}
	r.moved(at, s, was.HW, name)
	if was.Start < s.Start && was.Role != "" {
		r.changed(plain(at, Truncated, proc, fmt.Sprintf("%s begins at %d now, no longer at %d", name, s.Start, was.Start)).
			about(v.Key, was.Start, s.Start), s)
	}
}

// moved tells of a HighWatermark that moved.
func (r *recorder) moved(at core.Mono, s *State, was core.Offset, name string) {
	if s.HW == was || s.HW == core.NoOffset {
		return
	}
	text := fmt.Sprintf("HighWatermark of %s: %d", name, s.HW)
	if was != core.NoOffset {
		text = fmt.Sprintf("HighWatermark of %s: %d -> %d", name, was, s.HW)
	}
	e := plain(at, Mark, s.Proc, text).about(s.Key, max(was, 0), s.HW)
	if s.HW < was {
		e.Bad, e.From, e.To = true, s.HW, was
		e.Text += ", back"
	}
	r.changed(e, s)
}

// Partition implements [history.Witness].
func (r *recorder) Partition(at core.Mono, p history.PartitionState) {
	if r.done {
		return
	}
	r.name(p.Key.TopicID, p.Name.Topic)
	text := fmt.Sprintf("committed: %s is deleted", r.t.Name(p.Key))
	if !p.Gone {
		leader := fmt.Sprintf("leader %d", p.Leader)
		if p.Leader < 0 {
			leader = "no leader"
		}
		text = fmt.Sprintf("committed: %s has %s, leader epoch %d, ISR %v", r.t.Name(p.Key), leader, p.LeaderEpoch, p.ISR)
		if len(p.ELR) > 0 {
			text += fmt.Sprintf(", ELR %v", p.ELR)
		}
		if len(p.Adding)+len(p.Removing) > 0 {
			text += fmt.Sprintf(", adding %v, removing %v", p.Adding, p.Removing)
		}
		text += fmt.Sprintf(" (partition epoch %d)", p.PartitionEpoch)
	}
	r.add(plain(at, Committed, r.turn, text).about(p.Key, core.NoOffset, core.NoOffset))
}

// Broker implements [history.Witness].
func (r *recorder) Broker(at core.Mono, b history.BrokerState) {
	if r.done {
		return
	}
	text := "unfenced"
	switch {
	case b.Gone:
		text = "unregistered"
	case b.InControlledShutdown:
		text = "about to shut down"
	case b.Fenced:
		text = "fenced"
	}
	r.add(plain(at, Broker, r.turn, fmt.Sprintf("committed: broker %d is %s (broker epoch %d)", b.ID, text, b.Epoch)))
}

// ImageSeen implements [history.Witness].
func (r *recorder) ImageSeen(core.Mono, core.Offset) {}

// Applied implements [history.Witness].
func (r *recorder) Applied(core.Mono, core.NodeID, core.Offset, core.BrokerEpoch) {}

// Voters implements history.Witness; which voters a leader counts by, its look says.
func (r *recorder) Voters(core.NodeID, history.VoterSet) {}

// Accepted implements history.Witness; the answer itself is a message.
func (r *recorder) Accepted(core.Mono, history.Acceptance) {}

// Acked implements [history.Witness]; the history tells of clients.
func (r *recorder) Acked(core.Mono, history.Key, core.Offset) {}

// Told implements [history.Witness].
func (r *recorder) Told(core.Mono, history.Key, core.Offset, core.Offset) {}

// Deleted implements [history.Witness].
func (r *recorder) Deleted(core.Mono, history.Key, core.Offset) {}

// Broken implements [history.Witness].
func (r *recorder) Broken() bool { return false }

// Waiting implements [history.Witness].
func (r *recorder) Waiting(core.Mono, history.Core) []history.Owed { return nil }

// Quorum implements [history.Witness].
func (r *recorder) Quorum(at core.Mono, v history.QuorumLook) {
	if r.done {
		return
	}
	k := history.Key{TopicID: core.MetadataTopicID}
	s := r.state(procOf(v.Node), k)
	was := *s
	s.Epoch, s.HW, s.Start, s.End, s.Leader, s.Voted = v.Current, v.HighWatermark, v.LogStartOffset, v.LogEndOffset, v.Leader, v.Voted
	text := ""
	switch {
	case v.Leads:
		s.Role, text = "leader", fmt.Sprintf("leads the quorum in epoch %d, its log ends at %d", v.Current, v.LogEndOffset)
	case v.Leader >= 0:
		s.Role, text = "follower", fmt.Sprintf("follows %d in epoch %d of the quorum", v.Leader, v.Current)
	default:
		s.Role, text = "voter", fmt.Sprintf("knows no leader of the quorum in epoch %d", v.Current)
	}
	if v.Leads {
		s.ISR = v.Voters
	}
	if s.Role != was.Role || s.Epoch != was.Epoch || s.Leader != was.Leader {
		r.changed(plain(at, Role, s.Proc, text).about(k, core.NoOffset, core.NoOffset), s)
	}
	if s.Voted != was.Voted && s.Voted >= 0 {
		r.changed(plain(at, Role, s.Proc, fmt.Sprintf("its disk says that it votes for %d in epoch %d", v.Voted, v.Epoch)).
			about(k, core.NoOffset, core.NoOffset), s)
	}
	r.moved(at, s, was.HW, "the metadata log")
}
