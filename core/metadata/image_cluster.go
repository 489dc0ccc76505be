package metadata

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/klamm-log/klamm/core"
)

// Broker is a broker's registration. Values never change once the image has handed them out.
type Broker struct {
	ID                   core.NodeID
	Epoch                core.BrokerEpoch
	IncarnationID        IncarnationID
	Endpoints            []Endpoint         // sorted by listener name
	Features             []SupportedFeature // sorted by name
	Rack                 *string            // nil: none
	Fenced               bool               // may lead nothing and be in no ISR
	InControlledShutdown bool               // may not become leader or join an ISR any more
	IsMigratingZkBroker  bool
	LogDirs              []DirectoryID // online, sorted; empty: the broker reports none
	CordonedLogDirs      []DirectoryID // sorted; nil: not reported yet
}

// Active reports whether the broker may lead partitions and join their ISRs (KIP-841).
func (b *Broker) Active() bool { return !b.Fenced && !b.InControlledShutdown }

// Endpoint is the broker's address on a listener, and whether it has that listener.
func (b *Broker) Endpoint(listener string) (Endpoint, bool) {
	i, ok := slices.BinarySearchFunc(b.Endpoints, listener, func(e Endpoint, name string) int {
		return cmp.Compare(e.Name, name)
	})
	if !ok {
		return Endpoint{}, false
	}
	return b.Endpoints[i], true
}

// Feature is the range of levels of a feature that the broker supports; not listed means 0 to 0 (KIP-584).
func (b *Broker) Feature(name string) (lowest, highest FeatureLevel) {
	for _, f := range b.Features {
		if f.Name == name {
			return f.Min, f.Max
		}
	}
	return 0, 0
}

// HasOnlineDir reports whether a replica in dir is served, as KIP-858 defines it: unassigned and migrating
// replicas count as online, lost ones never, and a broker that reports no directories has all of them.
func (b *Broker) HasOnlineDir(dir DirectoryID) bool {
	switch {
	case dir == DirUnassigned || dir == DirMigrating:
		return true
	case dir == DirLost:
		return false
	case len(b.LogDirs) == 0:
		return true
	}
	_, ok := slices.BinarySearchFunc(b.LogDirs, dir, DirectoryID.Compare)
	return ok
}

// Compare orders ids by their big-endian value.
func (d DirectoryID) Compare(other DirectoryID) int { return bytes.Compare(d[:], other[:]) }

// Controller is a controller's registration (KIP-919).
type Controller struct {
	ID               core.NodeID
	IncarnationID    IncarnationID
	ZkMigrationReady bool
	Endpoints        []Endpoint         // sorted by listener name
	Features         []SupportedFeature // sorted by name
}

// registerBroker replaces the registration as a whole: nothing of an earlier incarnation survives, neither its
// fence nor its directories (KIP-631).
func (m *Image) registerBroker(r *RegisterBrokerRecord, ch changes) error {
	before := m.brokers.At(r.BrokerID)
	// The epoch is the offset of the registration, or the old one when the same incarnation registers again.
	if before != nil && r.BrokerEpoch < before.Epoch {
		return contradiction("broker %d is registered with epoch %d, the record has the older %d",
			r.BrokerID, before.Epoch, r.BrokerEpoch)
	}
	endpoints, features, err := sortedNames(r.BrokerID, r.Endpoints, r.Features)
	if err != nil {
		return err
	}
	after := &Broker{
		ID:                   r.BrokerID,
		Epoch:                r.BrokerEpoch,
		IncarnationID:        r.IncarnationID,
		Endpoints:            endpoints,
		Features:             features,
		Rack:                 r.Rack,
		Fenced:               r.Fenced,
		InControlledShutdown: r.InControlledShutdown,
		IsMigratingZkBroker:  r.IsMigratingZkBroker,
		LogDirs:              sortedDirs(r.LogDirs),
		CordonedLogDirs:      sortedDirs(r.CordonedLogDirs),
	}
	m.setBroker(before, after, ch)
	return nil
}

// setBroker replaces a registration; after is nil to remove it.
func (m *Image) setBroker(before, after *Broker, ch changes) {
	var id core.NodeID
	if after != nil {
		id = after.ID
		m.brokers.Set(id, after)
	} else {
		id = before.ID
		m.brokers.Delete(id)
	}
	ch.add(Change{Kind: BrokerChanged, Node: id, BrokerBefore: before, BrokerAfter: after})
}

// registered is the broker that a record speaks of, if the record means its current registration. A record about an
// older incarnation must not reach the new one: it would, say, unfence a broker that has not caught up.
func (m *Image) registered(id core.NodeID, epoch core.BrokerEpoch) (*Broker, error) {
	b := m.brokers.At(id)
	if b == nil {
		return nil, contradiction("broker %d is not registered", id)
	}
	if b.Epoch != epoch {
		return nil, contradiction("broker %d is registered with epoch %d, the record means %d", id, b.Epoch, epoch)
	}
	return b, nil
}

// unregisterBroker forgets a broker. Partitions keep it among their replicas; the controller must have taken it out of
// every ISR and leadership first.
func (m *Image) unregisterBroker(r *UnregisterBrokerRecord, ch changes) error {
	before, err := m.registered(r.BrokerID, r.BrokerEpoch)
	if err != nil {
		return err
	}
	m.setBroker(before, nil, ch)
	return nil
}

// changeBroker applies the parts of the record that are not at "keep". An unknown value is refused: ignoring it could
// leave a broker leading that the controller has fenced.
func (m *Image) changeBroker(r *BrokerRegistrationChangeRecord, ch changes) error {
	before, err := m.registered(r.BrokerID, r.BrokerEpoch)
	if err != nil {
		return err
	}
	after := *before
	switch r.Fenced {
	case FenceKeep:
	case Fence:
		after.Fenced = true
	case Unfence:
		after.Fenced = false
	default:
		return contradiction("unknown fence change %d", r.Fenced)
	}
	switch r.InControlledShutdown {
	case ShutdownKeep:
	case ShutdownEnter:
		after.InControlledShutdown = true
	default:
		return contradiction("unknown controlled-shutdown change %d", r.InControlledShutdown)
	}
	if len(r.LogDirs) > 0 {
		after.LogDirs = sortedDirs(r.LogDirs)
	}
	if r.CordonedLogDirs != nil {
		after.CordonedLogDirs = sortedDirs(r.CordonedLogDirs)
	}
	m.setBroker(before, &after, ch)
	return nil
}

// registerController replaces the registration as a whole (KIP-919).
func (m *Image) registerController(r *RegisterControllerRecord, ch changes) error {
	endpoints, features, err := sortedNames(r.ControllerID, r.Endpoints, r.Features)
	if err != nil {
		return err
	}
	m.controllers.Set(r.ControllerID, &Controller{
		ID:               r.ControllerID,
		IncarnationID:    r.IncarnationID,
		ZkMigrationReady: r.ZkMigrationReady,
		Endpoints:        endpoints,
		Features:         features,
	})
	ch.add(Change{Kind: ControllerChanged, Node: r.ControllerID})
	return nil
}

// unregisterController forgets a controller; it says nothing about the voter set.
func (m *Image) unregisterController(r *UnregisterControllerRecord, ch changes) error {
	if !m.controllers.Has(r.ControllerID) {
		return contradiction("controller %d is not registered", r.ControllerID)
	}
	m.controllers.Delete(r.ControllerID)
	ch.add(Change{Kind: ControllerChanged, Node: r.ControllerID})
	return nil
}

// sortedNames copies and sorts a registration's endpoints and features; the names are keys in Kafka's schemas.
func sortedNames(node core.NodeID, e []Endpoint, f []SupportedFeature) ([]Endpoint, []SupportedFeature, error) {
	e, f = slices.Clone(e), slices.Clone(f)
	slices.SortFunc(e, func(a, b Endpoint) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(f, func(a, b SupportedFeature) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(e); i++ {
		if e[i].Name == e[i-1].Name {
			return nil, nil, contradiction("node %d has the listener %q twice", node, e[i].Name)
		}
	}
	for i := 1; i < len(f); i++ {
		if f[i].Name == f[i-1].Name {
			return nil, nil, contradiction("node %d has the feature %q twice", node, f[i].Name)
		}
	}
	return e, f, nil
}

// sortedDirs is a sorted copy that keeps the difference between nil and empty.
func sortedDirs(dirs []DirectoryID) []DirectoryID {
	dirs = slices.Clone(dirs)
	slices.SortFunc(dirs, DirectoryID.Compare)
	return dirs
}
