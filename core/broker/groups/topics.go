package groups

import (
	"iter"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// topics is the cluster's image as consumer groups see it. It implements modern.Topics.
type topics struct{ p *Plane }

// Version changes whenever a topic is created, deleted, or gets partitions.
func (t topics) Version() int64 { return t.p.topicsVersion }

// Topic is a topic by name.
func (t topics) Topic(name string) (core.TopicID, int32, bool) {
	if topic := t.p.host.Image().Topic(name); topic != nil {
		return topic.ID, int32(len(topic.Partitions())), true
	}
	return core.TopicID{}, 0, false
}

// Name is a topic by id.
func (t topics) Name(id core.TopicID) (string, bool) {
	if topic := t.p.host.Image().TopicByID(id); topic != nil {
		return topic.Name, true
	}
	return "", false
}

// Names are the names of all topics, ascending.
func (t topics) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for topic := range t.p.host.Image().Topics() {
			if !yield(topic.Name) {
				return
			}
		}
	}
}

// noteTopics counts what happened to topics. A version that is left behind for other reasons (an image that was replaced by a
// snapshot brings its changes here, too) would only cost a look.
func (p *Plane) noteTopics(changes []metadata.Change) {
	for i := range changes {
		switch changes[i].Kind {
		case metadata.TopicCreated, metadata.TopicDeleted, metadata.PartitionCreated:
			p.topicsVersion++
			return
		case metadata.PartitionChanged, metadata.BrokerChanged, metadata.ControllerChanged, metadata.ConfigChanged,
			metadata.FeatureChanged, metadata.QuotaChanged, metadata.ProducerIDsChanged, metadata.AclChanged,
			metadata.ScramChanged, metadata.TokenChanged:
		}
	}
}
