package workload

import (
	"slices"
	"strconv"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Topic is what the recorder must know about the topics of one name before the run begins.
type Topic struct {
	Name string
	// Compacted, Gaps, Retained and Replicated are history.Topic's. See [RetentionIsPlanned] for Retained, [IsReplicated]
	// for Replicated.
	Compacted, Gaps, Retained, Replicated bool
	// RetentionMs and Dawn are history.Topic's. See [RetentionMs].
	RetentionMs, Dawn core.Wall
	// Churned says that the name may be deleted and created again during the run, see [IsChurned].
	Churned bool
	// Internal says that brokers write it, so that nobody knows what to find there: clients leave it alone.
	Internal bool
	// AcksAll and AcksLeader are what the settings promise to sends with acks -1 and 1. Acks 0 promises nothing.
	AcksAll, AcksLeader history.Promise
}

// Topics is the registry that all clients of a run share: which topics there are, and under which number each
// incarnation stands in the history.
type Topics struct {
	log  *history.Log
	list []topicState // in order of declaration
}

type topicState struct {
	Topic
	refs  []incarnationRef
	vague []vague
}

// vague is a deletion by name. An attempt of it that was lost, the client's or that of a broker that passed it on, may be executed
// at any time from then on, and meet an incarnation that did not exist when the client was answered.
type vague struct {
	process history.Process
	start   core.Mono
}

// deletedByName notes a deletion by name that may still be executed.
func (t *Topics) deletedByName(name string, by history.Process, start core.Mono) {
	if s := t.find(name); s != nil {
		s.vague = append(s.vague, vague{by, start})
	}
}

// Finish tells the history which incarnations a deletion by name may have met late. Call it once, at the end of a run.
func (t *Topics) Finish(at core.Mono) {
	for i := range t.list {
		for _, v := range t.list[i].vague {
			for _, r := range t.list[i].refs {
				if !r.id.IsZero() {
					t.log.DeleteTopic(history.Op{Process: v.process, Start: v.start, End: at, Outcome: history.Info}, history.DeleteTopic{Topic: r.ref})
				}
			}
		}
	}
}

// incarnationRef is one topic id of a name.
type incarnationRef struct {
	id  core.TopicID
	ref history.TopicRef
}

// NewTopics is an empty registry.
func NewTopics(log *history.Log) *Topics { return &Topics{log: log} }

// Declare adds a name. A name that is declared again gets the new settings for incarnations not seen yet.
func (t *Topics) Declare(d Topic) {
	if s := t.find(d.Name); s != nil {
		s.Topic = d
		return
	}
	t.list = append(t.list, topicState{Topic: d})
}

// Names are the declared names, in order of declaration.
func (t *Topics) Names() []string {
	names := make([]string, len(t.list))
	for i := range t.list {
		names[i] = t.list[i].Name
	}
	return names
}

// Settings are a name's; a name that was never declared has the zero settings, which promise all and excuse nothing.
func (t *Topics) Settings(name string) Topic {
	if s := t.find(name); s != nil {
		return s.Topic
	}
	return Topic{Name: name}
}

// Ref is the number of an incarnation in the history; a zero id is "whichever".
func (t *Topics) Ref(name string, id core.TopicID) history.TopicRef {
	s := t.find(name)
	if s == nil {
		t.Declare(Topic{Name: name})
		s = t.find(name)
	}
	for i := range s.refs {
		if s.refs[i].id == id {
			return s.refs[i].ref
		}
	}
	ref := t.log.AddTopic(history.Topic{Name: name, ID: id, Compacted: s.Compacted, Gaps: s.Gaps, Retained: s.Retained,
		Replicated: s.Replicated, RetentionMs: s.RetentionMs, Dawn: s.Dawn})
	s.refs = append(s.refs, incarnationRef{id, ref})
	return ref
}

// Incarnations are the topic ids seen of a name, oldest first.
func (t *Topics) Incarnations(name string) []core.TopicID {
	var ids []core.TopicID
	if s := t.find(name); s != nil {
		for _, r := range s.refs {
			if !r.id.IsZero() {
				ids = append(ids, r.id)
			}
		}
	}
	return ids
}

func (t *Topics) find(name string) *topicState {
	for i := range t.list {
		if t.list[i].Name == name {
			return &t.list[i]
		}
	}
	return nil
}

// promise is what a send with these acks is promised.
func (t *Topics) promise(name string, acks int8) history.Promise {
	s := t.Settings(name)
	switch acks {
	case -1:
		return s.AcksAll
	case 1:
		return s.AcksLeader
	}
	return history.None
}

// IsChurned reports whether some plan deletes the topic, so that the name may come to mean another one.
func IsChurned(plans []Plan, topic string) bool {
	return anyOp(plans, func(op *Op) bool { return op.Kind == DeleteTopic && op.Topic == topic })
}

// RetentionIsPlanned reports whether some plan gives the topic a retention, so that its log start may rise by itself.
func RetentionIsPlanned(plans []Plan, topic string) bool {
	return anyOp(plans, func(op *Op) bool {
		return op.Topic == topic && slices.ContainsFunc(op.Configs, func(c Config) bool {
			return (c.Name == "retention.ms" || c.Name == "retention.bytes") && c.Value != "-1"
		})
	})
}

// RetentionMs is the least retention.ms that a topic can have in a run, the broker's default included; 0 where its size counts, too.
func RetentionMs(plans []Plan, topic string) core.Wall {
	least := core.Wall(7 * 24 * 3600 * 1000)
	sized := anyOp(plans, func(op *Op) bool {
		return op.Topic == topic && slices.ContainsFunc(op.Configs, func(c Config) bool {
			if n, err := strconv.ParseInt(c.Value, 10, 64); c.Name == "retention.ms" && err == nil && n >= 0 {
				least = min(least, core.Wall(n))
			}
			return c.Name == "retention.bytes" && c.Value != "-1"
		})
	})
	if sized {
		return 0
	}
	return least
}

// IsReplicated reports whether several nodes may come to hold the topic: it is created so, or moved.
func IsReplicated(plans []Plan, topic string) bool {
	return anyOp(plans, func(op *Op) bool {
		return op.Topic == topic && (op.Kind == CreateTopic && op.Replication > 1 || op.Kind == Reassign)
	})
}

// IsTransactional reports whether somebody writes to the topic in transactions: then offsets are taken by markers, and by what was
// aborted.
func IsTransactional(plans []Plan, topic string) bool {
	for i := range plans {
		if t := plans[i].Txn; t != nil && t.Out == topic {
			return true
		}
	}
	return anyOp(plans, func(op *Op) bool { return op.Kind == Transact && slices.Contains(op.Topics, topic) })
}

// HasMembers reports whether some client is in a group.
func HasMembers(plans []Plan) bool {
	return slices.ContainsFunc(plans, func(p Plan) bool { return p.Group != nil })
}

// Writers are the transactional ids that plans use, ascending.
func Writers(plans []Plan) []int32 {
	var out []int32
	for i := range plans {
		if t := plans[i].Txn; t != nil && !slices.Contains(out, t.Writer) {
			out = append(out, t.Writer)
		}
	}
	slices.Sort(out)
	return out
}

// HasFinalReads reports whether some client reads everything in the end. Without one nothing can be said of records
// that nobody read, and the run has no final reads to announce.
func HasFinalReads(plans []Plan) bool {
	return slices.ContainsFunc(plans, func(p Plan) bool { return p.Consumer != nil && p.Consumer.FinalReads })
}

func anyOp(plans []Plan, f func(*Op) bool) bool {
	for i := range plans {
		for j := range plans[i].Ops {
			if f(&plans[i].Ops[j]) {
				return true
			}
		}
	}
	return false
}

// seen are the names of which some incarnation is known to have existed.
func (t *Topics) seen() []string {
	var names []string
	for i := range t.list {
		for _, r := range t.list[i].refs {
			if !r.id.IsZero() && !t.list[i].Internal {
				names = appendNew(names, t.list[i].Name)
			}
		}
	}
	return names
}

// expected are the names that have existed and that nobody deletes: they must be there.
func (t *Topics) expected() []string {
	var names []string
	for _, name := range t.seen() {
		if !t.Settings(name).Churned {
			names = append(names, name)
		}
	}
	return names
}
