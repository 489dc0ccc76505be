package classic

import (
	"maps"
	"slices"

	"github.com/klamm-log/klamm/core/assignor/protocol"
	"github.com/klamm-log/klamm/core/coord/coding"
)

// subscribedTopics are the topics that the members want by the metadata of the current protocol, or nil if that cannot be
// known: another protocol type, or metadata that is none of the consumer's.
func (g *Group) subscribedTopics() map[string]bool {
	if g.protocolType != ConsumerProtocol {
		return nil
	}
	topics := make(map[string]bool)
	if g.members.Len() == 0 {
		return topics
	}
	if g.protocol == nil {
		return nil
	}
	for _, m := range g.members.All() {
		if !parseSubscription(m.metadata(g.protocol), topics) {
			return nil
		}
	}
	return topics
}

// parseSubscription adds the topics of a ConsumerProtocolSubscription. All versions begin as version 0 does: a version and the
// topics. What follows is for the leader.
func parseSubscription(metadata []byte, into map[string]bool) bool {
	r := coding.Reader{Buf: metadata}
	if version := r.Int16(); version < 0 {
		return false
	}
	const least = 2 // bytes of the smallest topic
	n := r.Len(least)
	for range n {
		into[r.Str()] = true
	}
	return r.Err() == nil
}

// readsOthers reports whether who takes a static member's place wants other topics than that one did. Told the old assignment in the old
// generation it would hold nothing of what is new to it, nobody else would either, and no rebalance is due. Kafka lets that happen.
func (g *Group) readsOthers(old *member, protocols []Protocol) bool {
	if g.protocolType != ConsumerProtocol {
		return false
	}
	next := member{protocols: protocols}
	had, wants := make(map[string]bool), make(map[string]bool)
	return parseSubscription(old.metadata(g.protocol), had) && parseSubscription(next.metadata(g.protocol), wants) && !maps.Equal(had, wants)
}

// mustRevoke reports whether a member of the current generation came to it with partitions that it was not given again. With a
// cooperative assignor it gives them up and joins once more, and only the generation that this begins gives them to somebody
// else (KIP-429). A process that takes its static place knows nothing of them: were it told the old assignment in the old
// generation, as KIP-345 would have it, nobody would join, and nobody consume them. Kafka lets that happen.
func (g *Group) mustRevoke(m *member) bool {
	if g.protocolType != ConsumerProtocol {
		return false
	}
	s, _, err := protocol.ParseSubscription(m.metadata(g.protocol))
	if err != nil || len(s.Owned) == 0 {
		return false
	}
	a, _, err := protocol.ParseAssignment(m.assignment)
	if err != nil {
		return false
	}
	for _, owned := range s.Owned {
		if !slices.Contains(a.Partitions, owned) {
			return true
		}
	}
	return false
}
