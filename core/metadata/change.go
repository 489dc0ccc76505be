package metadata

import "github.com/klamm-log/klamm/core"

// ChangeKind says which part of the image one [Change] touched.
type ChangeKind uint8

// The kinds of change, with the fields of Change that each fills.
const (
	_                  ChangeKind = iota
	TopicCreated                  // Topic, TopicID
	TopicDeleted                  // Topic, TopicID; partitions and configuration go with it, the latter reported too
	PartitionCreated              // Topic, TopicID, After
	PartitionChanged              // Topic, TopicID, Before, After
	BrokerChanged                 // Node; BrokerBefore is nil when it is new, BrokerAfter when it is gone
	ControllerChanged             // Node
	ConfigChanged                 // Resource, Key; an empty Key means every key of the resource is gone
	FeatureChanged                // Key: the feature's name
	QuotaChanged                  // Key: the quota's name
	ProducerIDsChanged            // nothing: see Image.NextProducerID
	AclChanged                    // nothing
	ScramChanged                  // Key: the user
	TokenChanged                  // Key: the token id
)

// Change is one consequence of a replayed record. A broker collects the changes of a batch and acts on them; the
// image already holds the new state. Before and After are values that never change, so a Change may be kept.
type Change struct {
	Kind     ChangeKind
	Topic    string
	TopicID  core.TopicID
	Node     core.NodeID
	Resource ConfigResource
	Key      string

	Before, After             *Partition
	BrokerBefore, BrokerAfter *Broker
}

// changes appends to a caller's list, or to nothing.
type changes struct{ out *[]Change }

func (c changes) add(ch Change) {
	if c.out != nil {
		*c.out = append(*c.out, ch)
	}
}
