package assignor

import "github.com/klamm-log/klamm/core"

// NoGeneration is the generation of a member that has no assignment from an earlier one: Kafka's DEFAULT_GENERATION.
const NoGeneration int32 = -1

// Member is one consumer of the group, as its subscription describes it.
type Member struct {
	ID         string                // member.id, unique in the group
	InstanceID string                // group.instance.id (KIP-345); empty for a dynamic member
	Rack       string                // client.rack (KIP-881); empty if unknown
	Topics     []string              // subscribed topics; duplicates and unknown ones are ignored
	Owned      []core.TopicPartition // sticky assignors: what it has, or on the server what its target was
	Generation int32                 // classic sticky assignors: the generation in which it got Owned, or NoGeneration
}

// Topic is one topic that may be assigned.
type Topic struct {
	Name       string
	Partitions int32
	// Racks lists for each partition the racks of its replicas; replicas without a known rack are left out. It is nil or
	// shorter than Partitions where nothing is known. All replicas count, live or not: members do not rebalance when an ISR
	// changes, and a rack should not lose its consumers' locality over a restart (KIP-881).
	Racks [][]string
}

// Assignor is one way to divide partitions among members.
type Assignor uint8

// The assignors, with Kafka's names in group protocols and heartbeats.
const (
	Range             Assignor = iota // range, on clients and on the server
	RoundRobin                        // roundrobin
	Sticky                            // sticky
	CooperativeSticky                 // cooperative-sticky
	Uniform                           // uniform, on the server only
)

// Name is Kafka's name: what JoinGroup lists as a protocol, and ConsumerGroupHeartbeat as a server assignor.
func (a Assignor) Name() string {
	switch a {
	case Range:
		return "range"
	case RoundRobin:
		return "roundrobin"
	case Sticky:
		return "sticky"
	case CooperativeSticky:
		return "cooperative-sticky"
	case Uniform:
		return "uniform"
	}
	return "unknown"
}

// ByName is the assignor with Kafka's name; ok is false if there is none.
func ByName(name string) (a Assignor, ok bool) {
	for a := Range; a <= Uniform; a++ {
		if a.Name() == name {
			return a, true
		}
	}
	return Range, false
}

// Assign divides the partitions of topics among members. The result has one list per member, in the order in which the
// members were given, each sorted by topic and partition. Member ids and topic names must be unique. Rack-aware
// assignors use racks where they are known: leave Racks empty for an assignment without.
func (a Assignor) Assign(members []Member, topics []Topic) [][]core.TopicPartition {
	if len(members) == 0 {
		return nil
	}
	g := newGroup(members, topics)
	var owner []int32
	switch a {
	case Range:
		owner = g.assignRange()
	case RoundRobin:
		owner = g.assignRoundRobin()
	case Sticky:
		owner = g.assignSticky()
	case CooperativeSticky:
		owner = g.assignCooperative()
	case Uniform:
		owner = g.assignUniform()
	}
	return g.result(owner)
}
