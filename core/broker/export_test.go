package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/purgatory"
	"github.com/klamm-log/klamm/core/step"
)

// AssignAway lets the broker hear that a partition of its own lies on other brokers now. What the image says it still does, so the
// partition comes back as soon as it is gone.
func (b *Broker) AssignAway(now core.Now, tp core.TopicPartition) {
	t := b.image().Topic(tp.Topic)
	b.applyPartition(now, tp.Topic, t.ID, &metadata.Partition{ID: tp.Partition, Replicas: []core.NodeID{99}}, new(step.Effects))
}

// BeginAnew empties a replica's log, which begins at an offset then, as a follower's does after an unclean election.
func (b *Broker) BeginAnew(now core.Now, tp core.TopicPartition, at core.Offset) {
	p := b.byName[tp]
	p.Log.TruncateFullyAndStartAt(now, at, new(step.Effects)) // it waits for the checkpoints first
	b.touch(p)
}

// Kept is the number of replicas of a topic that the broker keeps in mind.
func (b *Broker) Kept(topic string) int { return len(b.byTopic[b.image().Topic(topic).ID]) }

// Deletions is the number of DeleteRecords that are not answered.
func (b *Broker) Deletions() int { return len(b.deletions) }

// ParkedFetches is the number of fetches that wait.
func (b *Broker) ParkedFetches() (n int) {
	b.fetches.All(func(*purgatory.Parked[fetchWait]) { n++ })
	return n
}
