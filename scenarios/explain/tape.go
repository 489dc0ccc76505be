package explain

import (
	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/wire/facts"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simnet"
)

// Kind says what an [Event] was.
type Kind uint8

// Kinds of events.
const (
	Sent       Kind = iota + 1 // a message left its process
	Arrived                    // the whole message is at its receiver
	Opened                     // a connection, at the end that is the event's process
	Closed                     // likewise
	Disk                       // an operation took effect, or failed
	FaultBegan                 // the process is the fault's target
	FaultEnded
	Started   // a process
	Crashed   // likewise
	Halted    // a node ended itself
	Panicked  // a machine's invariant broke; a crash follows
	Point     // a rare and interesting place that a machine passed
	Role      // a replica or a voter leads, follows, changes its epoch or votes
	ISR       // a leader's ISR changed, or what it proposes
	Mark      // a HighWatermark moved
	Appended  // a batch, to a log
	Truncated // a log was cut, or thrown away
	Recovered // a log was opened
	Committed // the controller's committed state of a partition changed
	Broker    // a registration changed
	Op        // an operation of a client ended
	Phase     // of the run
	Broke     // the violation
)

const kindWords = "? sent arrived opened closed disk fault-began fault-ended started crashed halted panicked point role isr mark appended " +
	"truncated recovered committed broker op phase violation"

// String is the kind as one word.
func (k Kind) String() string { return wordOf(kindWords, int(k)) }

// None is an index that points nowhere.
const None = -1

// Event is one thing that happened.
type Event struct {
	At    core.Mono
	Kind  Kind
	Bad   bool  // an error, a failure, a loss
	Proc  int32 // index into Tape.Procs; None is the world
	Msg   int32 // index into Tape.Messages of Sent and Arrived, else None
	State int32 // index into Tape.States of what the process held then, else None
	Fault int32 // index into the plan's faults of FaultBegan and FaultEnded, else None
	Begin core.Mono
	// Key is the partition that it is about, if About is set; From and To are the offsets [From, To), NoOffset if none.
	Key      history.Key
	About    bool
	From, To core.Offset
	Member   bool   // a step of a consumer group's member: what it holds, what is committed
	Text     string // in a few words, without the process and without the message's ends
}

// Proc is one process: a lane of the picture.
type Proc struct {
	Name   string
	Node   core.NodeID // of a broker or controller; core.NoNode for clients
	Client int32       // the plan's id of a client, 0 for nodes
}

// Message is one request or response.
type Message struct {
	facts.Message
	Conn          simnet.Conn
	From, To      int32 // processes
	Sent, Arrived int32 // events; None: it never arrived
	Answers       int32 // the request's index, None for requests and for answers to nothing
	Size          int64 // bytes, with the length field
}

// Packet is what arrived at one end of a connection at one instant, for those who want bytes.
type Packet struct {
	At    core.Mono
	Net   sim.TraceNetwork // its bytes are the tape's own
	Proc  int32
	Event int32 // None, or the event of Opened and Closed
}

// State is what one node held and believed of one log after a change.
type State struct {
	Proc     int32
	Key      history.Key
	Role     string // "leader", "follower", "candidate" ..., "" if not known, "down"
	Epoch    core.LeaderEpoch
	Leader   core.NodeID
	Start    core.Offset
	End      core.Offset
	Durable  core.Offset // NoOffset if not known
	HW       core.Offset
	ISR      []core.NodeID
	Proposed []core.NodeID // the maximal ISR, where it differs
	Voted    core.NodeID
}

// Tape is a recorded run.
type Tape struct {
	Plan     sim.Plan
	Verdict  scenarios.Verdict
	Procs    []Proc
	Events   []Event
	Messages []Message
	Packets  []Packet
	States   []State
	// Names are the topics' names; the metadata log has one, too.
	Names []TopicName
	// Broke is the event at which the first violation could be seen; None if nothing was violated.
	Broke int
	// Evidence are the events of clients and brokers by which a checker of histories found it.
	Evidence []int
	// Found is that violation.
	Found   checkers.Violation
	Present []checkers.Violation // all of them
	End     core.Mono

	logs map[replicaKey]*[]history.Stored
}

// TopicName is one incarnation of a topic.
type TopicName struct {
	ID   core.TopicID
	Name string
}

// replicaKey is one node's log.
type replicaKey struct {
	proc int32
	key  history.Key
}

// Name is a partition's name: topic-0.
func (t *Tape) Name(k history.Key) string {
	for _, n := range t.Names {
		if n.ID == k.TopicID {
			return facts.PartName(n.Name, k.TopicID, k.Partition)
		}
	}
	return facts.PartName("", k.TopicID, k.Partition)
}

// ProcName is a process' name; "" of the world.
func (t *Tape) ProcName(i int32) string {
	if i < 0 || int(i) >= len(t.Procs) {
		return ""
	}
	return t.Procs[i].Name
}

// Stored is what one node's log of a partition held when the recording ended, oldest first.
func (t *Tape) Stored(proc int32, k history.Key) []history.Stored {
	if log := t.logs[replicaKey{proc, k}]; log != nil {
		return *log
	}
	return nil
}

// Store sets what one node's log held when the recording ended; for tapes that are written by hand.
func (t *Tape) Store(proc int32, k history.Key, batches ...history.Stored) {
	if t.logs == nil {
		t.logs = make(map[replicaKey]*[]history.Stored)
	}
	t.logs[replicaKey{proc, k}] = &batches
}

// StateAt is what a process held of a partition after an event; nil if nothing is known.
func (t *Tape) StateAt(event int, proc int32, k history.Key) *State {
	for i := min(event, len(t.Events)-1); i >= 0; i-- {
		e := &t.Events[i]
		switch {
		case e.Proc != proc:
		case e.Kind == Crashed:
			return nil
		case e.State != None && t.States[e.State].Key == k:
			return &t.States[e.State]
		}
	}
	return nil
}

// wordOf is the i-th word of words, "?" beyond the last.
func wordOf(words string, i int) string {
	start := 0
	for j := 0; j <= len(words); j++ {
		if j < len(words) && words[j] != ' ' {
			continue
		}
		if i == 0 {
			return words[start:j]
		}
		i, start = i-1, j+1
	}
	return "?"
}
