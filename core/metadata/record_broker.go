package metadata

import (
	"github.com/klamm-log/klamm/core"
)

// IncarnationID identifies one start of a broker or controller process (KIP-631). The process draws it at random; the
// controller uses it to tell a retried registration from a restarted broker.
type IncarnationID [16]byte

// Endpoint is one listener of a broker or controller.
type Endpoint struct {
	Name             string // the listener's name, a key among the endpoints of a node
	Host             string // as advertised, not as bound
	Port             uint16
	SecurityProtocol int16 // 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL
}

func (e *Endpoint) walk(c *coder) {
	c.str(&e.Name)
	c.str(&e.Host)
	num16(c, &e.Port)
	num16(c, &e.SecurityProtocol)
	c.noTags()
}

// SupportedFeature is the range of levels of one feature that a node can run with (KIP-584). The controller finalizes
// only levels that every registered node supports.
type SupportedFeature struct {
	Name string       // a key among the features of a node
	Min  FeatureLevel // inclusive
	Max  FeatureLevel // inclusive
}

func (f *SupportedFeature) walk(c *coder) {
	c.str(&f.Name)
	num16(c, &f.Min)
	num16(c, &f.Max)
	c.noTags()
}

// Smallest encodings of the elements above: what length checks divide by.
const (
	leastEndpoint = 1 + 1 + 2 + 2 + 1
	leastFeature  = 1 + 2 + 2 + 1
)

// RegisterBrokerRecord registers a broker incarnation, or replaces the registration of an earlier one (KIP-631). The
// controller writes it when a BrokerRegistration request is granted, with Fenced set: the broker is unfenced by a
// later record, once its heartbeats show that it has caught up with the metadata log. Schema versions 0-4.
type RegisterBrokerRecord struct {
	BrokerID            core.NodeID
	IsMigratingZkBroker bool // version 2+; a ZooKeeper broker in the middle of a migration (KIP-866)
	IncarnationID       IncarnationID
	// BrokerEpoch is the offset at which the incarnation registered first. It fences requests of earlier lives.
	BrokerEpoch          core.BrokerEpoch
	Endpoints            []Endpoint
	Features             []SupportedFeature
	Rack                 *string       // nil: none
	Fenced               bool          // may lead nothing and be in no ISR
	InControlledShutdown bool          // version 1+; is moving its leaderships away (KIP-841)
	LogDirs              []DirectoryID // version 3+, online directories (KIP-858)
	CordonedLogDirs      []DirectoryID // version 4+, nil until the broker has reported them (KIP-1066)
}

// APIKey implements [Record].
func (*RegisterBrokerRecord) APIKey() RecordKey { return KeyRegisterBroker }

func (r *RegisterBrokerRecord) walk(c *coder) {
	num32(c, &r.BrokerID)
	if c.since(2, r.IsMigratingZkBroker, "IsMigratingZkBroker") {
		c.boolean(&r.IsMigratingZkBroker)
	}
	uuid(c, &r.IncarnationID)
	num64(c, &r.BrokerEpoch)
	array(c, &r.Endpoints, leastEndpoint, func(c *coder, e *Endpoint) { e.walk(c) })
	array(c, &r.Features, leastFeature, func(c *coder, f *SupportedFeature) { f.walk(c) })
	c.nullableStr(&r.Rack)
	c.boolean(&r.Fenced)
	if c.since(1, r.InControlledShutdown, "InControlledShutdown") {
		c.boolean(&r.InControlledShutdown)
	}
	t := newTags(c)
	if c.since(3, len(r.LogDirs) > 0, "LogDirs") {
		t.field(0, len(r.LogDirs) > 0, func(c *coder) { array(c, &r.LogDirs, 16, uuid[DirectoryID]) })
	}
	if c.since(4, r.CordonedLogDirs != nil, "CordonedLogDirs") {
		t.field(1, r.CordonedLogDirs != nil, func(c *coder) {
			nullableArray(c, &r.CordonedLogDirs, 16, uuid[DirectoryID])
		})
	}
	t.end()
}

// UnregisterBrokerRecord removes a broker's registration, when an administrator has asked for it (UnregisterBroker).
// Brokers that merely stop stay registered and fenced.
type UnregisterBrokerRecord struct {
	BrokerID    core.NodeID
	BrokerEpoch core.BrokerEpoch // of the registration that is removed
}

// APIKey implements [Record].
func (*UnregisterBrokerRecord) APIKey() RecordKey { return KeyUnregisterBroker }

func (r *UnregisterBrokerRecord) walk(c *coder) {
	num32(c, &r.BrokerID)
	num64(c, &r.BrokerEpoch)
	c.noTags()
}

// FenceBrokerRecord fences a broker: it may lead nothing and be in no ISR. Kafka 3.3 and later write
// [BrokerRegistrationChangeRecord] instead.
type FenceBrokerRecord struct {
	ID    core.NodeID
	Epoch core.BrokerEpoch
}

// APIKey implements [Record].
func (*FenceBrokerRecord) APIKey() RecordKey { return KeyFenceBroker }

func (r *FenceBrokerRecord) walk(c *coder) {
	num32(c, &r.ID)
	num64(c, &r.Epoch)
	c.noTags()
}

// UnfenceBrokerRecord lifts a fence. Kafka 3.3 and later write [BrokerRegistrationChangeRecord] instead.
type UnfenceBrokerRecord struct {
	ID    core.NodeID
	Epoch core.BrokerEpoch
}

// APIKey implements [Record].
func (*UnfenceBrokerRecord) APIKey() RecordKey { return KeyUnfenceBroker }

func (r *UnfenceBrokerRecord) walk(c *coder) {
	num32(c, &r.ID)
	num64(c, &r.Epoch)
	c.noTags()
}

// FenceChange is what a [BrokerRegistrationChangeRecord] does to the fence.
type FenceChange int8

// The fence changes; the zero value leaves it alone.
const (
	FenceKeep FenceChange = 0
	Fence     FenceChange = 1
	Unfence   FenceChange = -1
)

// ShutdownChange is what a [BrokerRegistrationChangeRecord] does to the controlled-shutdown flag. A broker
// leaves that state only by registering again.
type ShutdownChange int8

// The controlled-shutdown changes; the zero value leaves the flag alone.
const (
	ShutdownKeep  ShutdownChange = 0
	ShutdownEnter ShutdownChange = 1
)

// BrokerRegistrationChangeRecord changes parts of a live registration (KIP-841): the controller writes it when
// heartbeats stop or resume, when a broker asks for a controlled shutdown, and when log directories fail or are
// cordoned. All its payload is in tagged fields, so a change of one thing costs few bytes. Schema versions 0-3.
type BrokerRegistrationChangeRecord struct {
	BrokerID             core.NodeID
	BrokerEpoch          core.BrokerEpoch
	Fenced               FenceChange
	InControlledShutdown ShutdownChange // version 1+
	LogDirs              []DirectoryID  // version 2+, empty: no change
	CordonedLogDirs      []DirectoryID  // version 3+, nil: no change
}

// APIKey implements [Record].
func (*BrokerRegistrationChangeRecord) APIKey() RecordKey { return KeyBrokerRegistrationChange }

func (r *BrokerRegistrationChangeRecord) walk(c *coder) {
	num32(c, &r.BrokerID)
	num64(c, &r.BrokerEpoch)
	t := newTags(c)
	t.field(0, r.Fenced != FenceKeep, func(c *coder) { num8(c, &r.Fenced) })
	if c.since(1, r.InControlledShutdown != ShutdownKeep, "InControlledShutdown") {
		t.field(1, r.InControlledShutdown != ShutdownKeep, func(c *coder) { num8(c, &r.InControlledShutdown) })
	}
	if c.since(2, len(r.LogDirs) > 0, "LogDirs") {
		t.field(2, len(r.LogDirs) > 0, func(c *coder) { array(c, &r.LogDirs, 16, uuid[DirectoryID]) })
	}
	if c.since(3, r.CordonedLogDirs != nil, "CordonedLogDirs") {
		t.field(3, r.CordonedLogDirs != nil, func(c *coder) {
			nullableArray(c, &r.CordonedLogDirs, 16, uuid[DirectoryID])
		})
	}
	t.end()
}

// lowestVersion is the first schema version that has the fields which this record sets.
func (r *BrokerRegistrationChangeRecord) lowestVersion() int16 {
	switch {
	case r.CordonedLogDirs != nil:
		return 3
	case len(r.LogDirs) > 0:
		return 2
	case r.InControlledShutdown != ShutdownKeep:
		return 1
	}
	return 0
}

// RegisterControllerRecord registers a controller incarnation (KIP-919), so that clients can find the controllers'
// endpoints and the active one knows which features all of them support. Written from metadata.version 15 on.
type RegisterControllerRecord struct {
	ControllerID     core.NodeID
	IncarnationID    IncarnationID
	ZkMigrationReady bool
	Endpoints        []Endpoint
	Features         []SupportedFeature
}

// APIKey implements [Record].
func (*RegisterControllerRecord) APIKey() RecordKey { return KeyRegisterController }

func (r *RegisterControllerRecord) walk(c *coder) {
	num32(c, &r.ControllerID)
	uuid(c, &r.IncarnationID)
	c.boolean(&r.ZkMigrationReady)
	array(c, &r.Endpoints, leastEndpoint, func(c *coder, e *Endpoint) { e.walk(c) })
	array(c, &r.Features, leastFeature, func(c *coder, f *SupportedFeature) { f.walk(c) })
	c.noTags()
}

// UnregisterControllerRecord removes a controller's registration. Written from metadata.version 33 on.
type UnregisterControllerRecord struct {
	ControllerID core.NodeID
}

// APIKey implements [Record].
func (*UnregisterControllerRecord) APIKey() RecordKey { return KeyUnregisterController }

func (r *UnregisterControllerRecord) walk(c *coder) {
	num32(c, &r.ControllerID)
	c.noTags()
}
