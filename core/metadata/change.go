package metadata

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/ordmap"
)

// ChangeKind says which part of the image one [Change] touched.
type ChangeKind uint8

// The kinds of change, with the fields of Change that each fills.
const (
	_                  ChangeKind = iota
	TopicCreated                  // Topic, TopicID
	TopicDeleted                  // Topic, TopicID, Gone; partitions and configuration go with it, the latter reported too
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

	Gone []*Partition // the deleted topic's partitions as they were; read only
}

// changes appends to a caller's list, or to nothing.
type changes struct{ out *[]Change }

func (c changes) add(ch Change) {
	if c.out != nil {
		*c.out = append(*c.out, ch)
	}
}

// ChangesSince lists what a broker must hear of when it has loaded m from a snapshot in place of old: the changes
// that the records in between, which it will never see, would have made. Deletions come before creations, so that a
// topic deleted and created again under its name is both, in that order.
func (m *Image) ChangesSince(old *Image) []Change {
	var list []Change
	ch := changes{&list}
	for t := range old.Topics() {
		if m.TopicByID(t.ID) == nil {
			ch.add(Change{Kind: TopicDeleted, Topic: t.Name, TopicID: t.ID, Gone: t.partitions})
		}
	}
	for t := range m.Topics() {
		t.changesSince(old.TopicByID(t.ID), ch)
	}
	compareMaps(old.brokers, m.brokers, func(a, b *Broker) bool { return sameRecord(a.record(), b.record()) },
		func(id core.NodeID) {
			ch.add(Change{Kind: BrokerChanged, Node: id, BrokerBefore: old.Broker(id), BrokerAfter: m.Broker(id)})
		})
	compareMaps(old.controllers, m.controllers,
		func(a, b *Controller) bool { return sameRecord(a.record(), b.record()) },
		func(id core.NodeID) { ch.add(Change{Kind: ControllerChanged, Node: id}) })
	compareMaps(old.features, m.features, same[FeatureLevel],
		func(name string) { ch.add(Change{Kind: FeatureChanged, Key: name}) })
	m.configChangesSince(old, ch)
	compareMaps(old.scram, m.scram, sameRecords[*UserScramCredentialRecord],
		func(k ScramKey) { ch.add(Change{Kind: ScramChanged, Key: k.User}) })
	compareMaps(old.tokens, m.tokens, sameRecords[*DelegationTokenRecord],
		func(id string) { ch.add(Change{Kind: TokenChanged, Key: id}) })
	compareMaps(old.acls, m.acls, sameRecords[*AccessControlEntryRecord],
		func(AclID) { ch.add(Change{Kind: AclChanged}) })
	if m.nextProducerID != old.nextProducerID {
		ch.add(Change{Kind: ProducerIDsChanged})
	}
	return list
}

// changesSince compares one topic with its earlier state, nil when there was none. Partitions are never removed.
func (t *Topic) changesSince(old *Topic, ch changes) {
	if old == nil {
		ch.add(Change{Kind: TopicCreated, Topic: t.Name, TopicID: t.ID})
		old = &Topic{}
	}
	for _, p := range t.partitions {
		before := old.Partition(p.ID)
		switch {
		case before == nil:
			ch.add(Change{Kind: PartitionCreated, Topic: t.Name, TopicID: t.ID, After: p})
		case before != p && !sameRecord(before.record(t, true), p.record(t, true)):
			ch.add(Change{Kind: PartitionChanged, Topic: t.Name, TopicID: t.ID, Before: before, After: p})
		}
	}
}

// configChangesSince compares configurations and quotas key by key.
func (m *Image) configChangesSince(old *Image, ch changes) {
	none := ordmap.Ordered[string, string]()
	keys := func(res ConfigResource, a, b *ordmap.Map[string, string]) {
		compareMaps(a, b, same[string], func(key string) {
			ch.add(Change{Kind: ConfigChanged, Resource: res, Key: key})
		})
	}
	for res, was := range old.configs.All() {
		if now := m.configs.At(res); now != nil {
			keys(res, was, now)
		} else {
			ch.add(Change{Kind: ConfigChanged, Resource: res})
		}
	}
	for res, now := range m.configs.All() {
		if !old.configs.Has(res) {
			keys(res, none, now)
		}
	}
	values := func(e *quotaEntry) *ordmap.Map[string, QuotaValue] {
		if e == nil {
			return ordmap.Ordered[string, QuotaValue]()
		}
		return e.values
	}
	compareMaps(old.quotas, m.quotas, func(*quotaEntry, *quotaEntry) bool { return false }, func(id string) {
		compareMaps(values(old.quotas.At(id)), values(m.quotas.At(id)), same[QuotaValue], func(key string) {
			ch.add(Change{Kind: QuotaChanged, Key: key})
		})
	})
}

// compareMaps calls differs for each key whose value is not the same in both, those of a first.
func compareMaps[K comparable, V any](a, b *ordmap.Map[K, V], same func(x, y V) bool, differs func(K)) {
	for k, was := range a.All() {
		if now, ok := b.Get(k); !ok || !same(was, now) {
			differs(k)
		}
	}
	for k := range b.All() {
		if !a.Has(k) {
			differs(k)
		}
	}
}

func same[V comparable](a, b V) bool { return a == b }

func sameRecords[R Record](a, b R) bool { return sameRecord(a, b) }
