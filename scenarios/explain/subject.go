package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Subject is what a violation is about.
type Subject struct {
	// Key is the partition; About is false if it is about none.
	Key   history.Key
	About bool
	// Offset is where, NoOffset if it names none.
	Offset core.Offset
	// Quorum says that the metadata quorum's elections and log matter.
	Quorum bool
	// Members says that consumer groups matter: who holds the partition, and what is committed of it.
	Members bool
	// Procs are the processes whose state was compared, or which the finding names.
	Procs []int32

	domain string // prefix of the points that matter
}

// Subject is what the tape's violation is about.
func (t *Tape) Subject() Subject {
	s := Subject{Offset: t.Found.Offset}
	property := string(t.Found.Property)
	text := t.placeText() + " " + t.Found.Message
	switch {
	case t.Found.Partition.Topic != "":
		s.Key, s.About = history.Key{TopicID: t.Found.TopicID, Partition: t.Found.Partition.Partition}, true
		switch {
		case t.Found.Partition.Topic == "__cluster_metadata":
			s.Key.TopicID = core.MetadataTopicID
		case s.Key.TopicID.IsZero():
			s.Key.TopicID = t.idOf(t.Found.Partition.Topic)
		}
	default:
		s.Key, s.About = t.partitionIn(text)
	}
	s.Quorum = s.About && s.Key.TopicID == core.MetadataTopicID || strings.HasPrefix(property, "R-") ||
		property == "L-STABLE-LEADER" || property == "L-META" || t.panicIn("core/raft")
	if s.Quorum && !s.About {
		s.Key, s.About = history.Key{TopicID: core.MetadataTopicID}, true
	}
	s.Procs = t.named(text)
	if t.Broke != None && t.Events[t.Broke].Proc != None {
		s.add(t.Events[t.Broke].Proc)
	}
	if s.About {
		for i := range t.States {
			if t.States[i].Key == s.Key {
				s.add(t.States[i].Proc)
			}
		}
	}
	s.Members = strings.HasPrefix(property, "G-") || property == "AT-LEAST-ONCE" || property == "L-GROUP-STABLE"
	switch s.domain = "replica."; {
	case s.Quorum:
		s.domain = "raft."
	case s.Members:
		s.domain = "groups."
	}
	return s
}

func (s *Subject) add(proc int32) {
	if !slices.Contains(s.Procs, proc) {
		s.Procs = append(s.Procs, proc)
		slices.Sort(s.Procs)
	}
}

// placeText is the place as the verdict writes it.
func (t *Tape) placeText() string {
	if len(t.Verdict.Violations) == 0 {
		return ""
	}
	return t.Verdict.Violations[0].Place
}

// panicIn reports whether the finding is a panic in a package.
func (t *Tape) panicIn(pkg string) bool {
	return len(t.Verdict.Result.Panics) > 0 && strings.Contains(t.Verdict.Result.Panics[0].Stack, pkg+"/") ||
		len(t.Verdict.Result.Panics) > 0 && strings.Contains(t.Verdict.Result.Panics[0].Stack, pkg+".")
}

// partitionIn finds a partition's name in a text.
func (t *Tape) partitionIn(text string) (history.Key, bool) {
	for i := range t.States {
		if k := t.States[i].Key; k.TopicID != core.MetadataTopicID && hasWord(text, t.Name(k)) {
			return k, true
		}
	}
	return history.Key{}, false
}

// hasWord reports whether a word stands in a text, and not as a part of a longer one.
func hasWord(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(word)
		if (i == 0 || !wordly(text[i-1])) && (end == len(text) || !wordly(text[end])) {
			return true
		}
		from = end
	}
}

func wordly(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_'
}

// named are the processes that a text names: by name, or as "node 3", "broker 3", "leader 3".
func (t *Tape) named(text string) []int32 {
	var out []int32
	for i := range t.Procs {
		p := &t.Procs[i]
		hit := hasWord(text, p.Name)
		if p.Node != core.NoNode {
			for _, word := range []string{"node ", "broker ", "leader ", "controller ", "voter ", "replica "} {
				hit = hit || hasWord(text, word+strconv.Itoa(int(p.Node)))
			}
		}
		if hit {
			out = append(out, int32(i))
		}
	}
	return out
}

// Covers reports whether [from, to) has the subject's offset in it, or begins there.
func (s *Subject) Covers(from, to core.Offset) bool {
	return s.Offset != core.NoOffset && from != core.NoOffset && from <= s.Offset && (to > s.Offset || to == core.NoOffset && from == s.Offset)
}

// Of reports whether an event is about the subject's partition.
func (t *Tape) Of(s *Subject, e *Event) bool {
	if e.Msg != None {
		_, ok := t.PartOf(&t.Messages[e.Msg], s.Key)
		return s.About && ok
	}
	return s.About && e.About && e.Key == s.Key
}

// Weights of events, from what must be told to what repeats by the thousand.
const (
	Decisive   = 95
	Important  = 80
	Relevant   = 60
	Background = 30
	Routine    = 10
	Noise      = 2
)

// Weight says how much an event has to do with a subject: 0 to 100. It does not look at whether the event lies in the
// violation's past.
func (t *Tape) Weight(s *Subject, e *Event) int {
	mine := e.Proc == None || slices.Contains(s.Procs, e.Proc)
	if e.Kind != Broke && t.isEvidence(e) {
		return Decisive
	}
	switch e.Kind {
	case Broke:
		return 100
	case Panicked:
		return Decisive
	case Sent, Arrived:
		return t.messageWeight(s, e)
	case Truncated, Recovered, Committed, Role, ISR, Appended, Mark:
		return t.stateWeight(s, e, mine)
	case Crashed, Halted:
		return pick(mine && t.isNode(e.Proc), Important, Routine)
	case Started:
		return pick(mine && t.isNode(e.Proc), Relevant, Routine)
	case FaultBegan:
		return pick(mine && !t.EndsByCrash(e), Important-5, Background)
	case FaultEnded:
		return pick(mine && !t.EndsByCrash(e), Background+15, Noise)
	case Phase:
		return Relevant
	case Broker:
		return pick(s.Quorum && s.About, Background, Background+20)
	case Disk:
		switch {
		case e.Bad && mine:
			return Important
		case mine && t.ofDirectory(s, e):
			return Background + 5
		}
		return Noise
	case Point:
		return pick(mine && strings.HasPrefix(e.Text, s.domain), Background+10, Background-5)
	case Op:
		switch {
		case e.Member:
			return pick(s.Members && t.Of(s, e), Important, Noise)
		case t.Of(s, e) && s.Covers(e.From, e.To):
			return Important
		case t.Of(s, e):
			return Routine + 10
		}
		return Routine
	default:
		return Noise
	}
}

// stateWeight weighs changes of logs and of what nodes believe.
func (t *Tape) stateWeight(s *Subject, e *Event, mine bool) int {
	of := t.Of(s, e)
	hit := of && s.Covers(e.From, e.To)
	switch e.Kind {
	case Truncated:
		switch {
		case hit || of && e.Bad || !e.About && mine:
			return Decisive
		case of && e.To > e.From:
			return Important
		}
		return pick(of, Relevant, Routine)
	case Committed, ISR:
		return pick(of, Important+5, pick(!s.About && e.Kind == Committed, Relevant, Routine+5))
	case Role:
		switch {
		case of && s.Quorum:
			return pick(e.State != None && t.States[e.State].Role == "leader", Important+5, Relevant+10)
		case of:
			return Important + 5
		case s.Quorum && mine && !e.About:
			return Relevant
		case e.Key.TopicID == core.MetadataTopicID:
			return Background + 5
		}
		return Routine
	case Recovered:
		return pick(of && e.Bad, Decisive, pick(of, Relevant+5, Routine))
	case Appended:
		return pick(hit, Important+5, pick(of, Routine+10, Noise+3))
	default: // a HighWatermark
		switch {
		case of && e.Bad:
			return Decisive
		case hit:
			return Important + 3
		}
		return pick(of, Routine+5, Noise)
	}
}

// messageWeight weighs messages. A message that arrived is weighed where it arrives; one that never did, where it was sent.
func (t *Tape) messageWeight(s *Subject, e *Event) int {
	m := &t.Messages[e.Msg]
	if e.Kind == Sent && m.Arrived != None {
		return Noise
	}
	p, of := t.PartOf(m, s.Key)
	of = of && s.About
	quorum := s.Quorum && p.TopicID == core.MetadataTopicID
	switch {
	case of && quorum && isElection(m.Key):
		return Important
	case of && isAlter(m.Key):
		return Relevant + 5
	case of && !m.Idle && m.IsResponse && s.Covers(p.From, p.To):
		return Relevant + 12
	case of && strings.Contains(m.Text, "the logs part"):
		return Important + 5
	case of && p.Error != core.ErrNone:
		return Background + 10
	case of && !m.Idle:
		return Routine + 10
	case m.Idle:
		return Noise
	}
	return Routine
}

// isElection and isAlter tell the requests that decide: Vote, BeginQuorumEpoch, EndQuorumEpoch, FetchSnapshot (KIP-595,
// KIP-630), AlterPartition (KIP-497), by their keys.
func isElection(key int16) bool { return key == 52 || key == 53 || key == 54 || key == 59 }
func isAlter(key int16) bool    { return key == 56 }

func pick[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}

func (t *Tape) isNode(proc int32) bool { return proc >= 0 && t.Procs[proc].Node != core.NoNode }

// EndsByCrash reports whether a fault's effect has events of its own: starts and crashes.
func (t *Tape) EndsByCrash(e *Event) bool {
	if e.Fault == None {
		return false
	}
	switch t.Plan.Faults[e.Fault].Kind {
	case "crash", "power-loss", "crash-loop", "crash-dirty", "wipe":
		return true
	default:
		return false
	}
}

func (t *Tape) isEvidence(e *Event) bool {
	return slices.ContainsFunc(t.Evidence, func(i int) bool { return &t.Events[i] == e })
}

// ofDirectory reports whether a disk operation makes records of the subject's partition durable, or writes them.
func (t *Tape) ofDirectory(s *Subject, e *Event) bool {
	dir := " " + t.Name(s.Key) + "/"
	return s.About && (strings.HasPrefix(e.Text, "sync"+dir) || strings.HasPrefix(e.Text, "append"+dir)) && strings.Contains(e.Text, ".log")
}
