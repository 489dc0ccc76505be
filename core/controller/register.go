package controller

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// BrokerRegistration is what a broker says of itself when it starts (KIP-631).
type BrokerRegistration struct {
	ID          core.NodeID
	Incarnation metadata.IncarnationID
	Endpoints   []metadata.Endpoint
	Features    []metadata.SupportedFeature
	Rack        *string // nil: none
	LogDirs     []metadata.DirectoryID
	// PreviousBrokerEpoch is the epoch of the broker's last life, as proof that it still has all that it acknowledged in
	// it; -1 without proof (KIP-966). In Kafka a clean shutdown writes the proof, and the next start destroys it first.
	PreviousBrokerEpoch core.BrokerEpoch
}

// RegisterBroker registers an incarnation of a broker. nextOffset is where the first of the records will stand.
//
// Another incarnation of the broker is refused with DUPLICATE_BROKER_REGISTRATION as long as the old one has a session
// (BUGS I2): two processes with one id would answer for each other. Without a session, the new incarnation is registered
// fenced, and its epoch is the offset of its registration. The same incarnation, which repeats itself because it did not
// get the answer, keeps its epoch and its fence.
//
// A new incarnation leaves all ISRs. If it cannot prove that it has everything it had, it leaves all ELRs too
// (KIP-966): it has lost what it had not synced, and one such broker must not make min.insync.replicas copies moot.
//
// INVALID_REGISTRATION: the registration contradicts itself or another broker's. UNSUPPORTED_VERSION: the broker cannot
// run at a level that the cluster has finalized.
func (c *Controller) RegisterBroker(now core.Now, r BrokerRegistration, nextOffset core.Offset) (Refusal, core.BrokerEpoch, []metadata.Record) {
	old := c.image.Broker(r.ID)
	same := old != nil && old.IncarnationID == r.Incarnation
	if old != nil && !same && c.soft.alive(old, now) {
		return refusef(core.ErrDuplicateBrokerRegistration, "another process is registered as broker %d", r.ID), 0, nil
	}
	if why := c.checkRegistration(&r); !why.OK() {
		return why, 0, nil
	}
	recs := c.bootstrap()
	if why := c.checkFeatures(r.Features, recs); !why.OK() {
		return why, 0, nil
	}
	rec := &metadata.RegisterBrokerRecord{
		BrokerID: r.ID, IncarnationID: r.Incarnation, Endpoints: r.Endpoints, Features: r.Features, Rack: r.Rack,
		LogDirs: r.LogDirs, Fenced: true,
	}
	if same {
		rec.BrokerEpoch, rec.Fenced, rec.InControlledShutdown = old.Epoch, old.Fenced, old.InControlledShutdown
		c.soft.touch(r.ID, now)
		return Refusal{}, old.Epoch, append(recs, rec)
	}
	recs = append(recs, c.succeed(old, &r)...)
	rec.BrokerEpoch = core.BrokerEpoch(nextOffset) + core.BrokerEpoch(len(recs))
	return Refusal{}, rec.BrokerEpoch, append(recs, rec)
}

// succeed makes the records by which a new incarnation takes over from the old one; nil if the broker was not registered.
// That it was unregistered has taken it out of all ISRs and ELRs, but its replicas are assigned to it still.
func (c *Controller) succeed(old *metadata.Broker, r *BrokerRegistration) []metadata.Record {
	if old == nil {
		return c.succeedEmptyHanded(r, false)
	}
	if slices.ContainsFunc(old.LogDirs, r.lacks) {
		return c.succeedEmptyHanded(r, true)
	}
	if r.PreviousBrokerEpoch == old.Epoch {
		return c.retreat(old.ID)
	}
	return c.forsake(old.ID)
}

// lacks reports whether a directory is none that the broker has any more. The reserved ids name none.
func (r *BrokerRegistration) lacks(d metadata.DirectoryID) bool {
	return !d.Reserved() && !slices.Contains(r.LogDirs, d)
}

// succeedEmptyHanded is succeed for a broker that comes back without a directory, after its disk was replaced, say. Its
// replicas there are empty: it leaves ISRs and ELRs whatever it proves, those of its other replicas too if it is in any,
// it is no last known leader of them any more, and they are assigned to where they will be made anew, without which KIP-858
// would hold them for offline for ever. These are the registrations that cost a walk over all partitions.
func (c *Controller) succeedEmptyHanded(r *BrokerRegistration, others bool) []metadata.Record {
	next := defaultDirectory(&metadata.Broker{LogDirs: r.LogDirs})
	held := func(yield func(core.TopicID, int32) bool) {
		for t := range c.image.Topics() {
			for _, p := range t.Partitions() {
				d, replica := p.Directory(r.ID)
				if replica && (others || r.lacks(d)) && !yield(t.ID, p.ID) {
					return
				}
			}
		}
	}
	return c.update(nil, held, func(g *change) {
		g.gone, g.unclean, g.isr = r.ID, r.ID, without(g.isr, r.ID)
		if d, _ := g.was.Directory(r.ID); r.lacks(d) {
			g.moved, g.movedTo = r.ID, next
			g.forget = slices.Contains(g.was.LastKnownElr, r.ID) || g.was.Leader == r.ID
		}
	})
}

// checkRegistration refuses what contradicts itself or the other brokers.
func (c *Controller) checkRegistration(r *BrokerRegistration) Refusal {
	if r.ID < 0 {
		return refusef(core.ErrInvalidRegistration, "%d is no broker id", r.ID)
	}
	if why := checkNames(r.Endpoints, r.Features); !why.OK() {
		return why
	}
	if len(r.LogDirs) == 0 {
		return refusef(core.ErrInvalidRegistration, "broker %d names no log directory", r.ID)
	}
	for i, d := range r.LogDirs {
		switch {
		case d.Reserved():
			return refusef(core.ErrInvalidRegistration, "log directory id %s is reserved", d)
		case slices.Contains(r.LogDirs[:i], d):
			return refusef(core.ErrInvalidRegistration, "log directory id %s comes twice", d)
		}
	}
	for b := range c.image.Brokers() {
		for _, d := range b.LogDirs {
			// A copied disk: its replicas would count twice.
			if b.ID != r.ID && slices.Contains(r.LogDirs, d) {
				return refusef(core.ErrInvalidRegistration, "log directory %s belongs to broker %d", d, b.ID)
			}
		}
	}
	return Refusal{}
}

// checkNames refuses listeners and features that come twice, which no record can hold.
func checkNames(endpoints []metadata.Endpoint, features []metadata.SupportedFeature) Refusal {
	for i, e := range endpoints {
		if slices.ContainsFunc(endpoints[:i], func(o metadata.Endpoint) bool { return o.Name == e.Name }) {
			return refusef(core.ErrInvalidRegistration, "listener %q comes twice", e.Name)
		}
	}
	for i, f := range features {
		if slices.ContainsFunc(features[:i], func(o metadata.SupportedFeature) bool { return o.Name == f.Name }) {
			return refusef(core.ErrInvalidRegistration, "feature %q comes twice", f.Name)
		}
	}
	return Refusal{}
}

// UnregisterBroker makes the records that forget a broker. Its replicas stay assigned to it until they are reassigned,
// but whoever registers under its id next proves nothing about them.
//
// BROKER_ID_NOT_REGISTERED if there is none. A broker that runs may be unregistered, as in Kafka; its next heartbeat
// tells it.
func (c *Controller) UnregisterBroker(id core.NodeID) (Refusal, []metadata.Record) {
	b := c.image.Broker(id)
	if b == nil {
		return refusef(core.ErrBrokerIDNotRegistered, "broker %d is not registered", id), nil
	}
	return Refusal{}, append(c.forsake(id), &metadata.UnregisterBrokerRecord{BrokerID: id, BrokerEpoch: b.Epoch})
}

// ControllerRegistration is what a controller says of itself (KIP-919).
type ControllerRegistration struct {
	ID          core.NodeID
	Incarnation metadata.IncarnationID
	Endpoints   []metadata.Endpoint
	Features    []metadata.SupportedFeature
}

// RegisterController makes the record of a controller's registration, which replaces an earlier one.
// UNSUPPORTED_VERSION before metadata.version 15, INVALID_REGISTRATION if names come twice.
func (c *Controller) RegisterController(r ControllerRegistration) (Refusal, []metadata.Record) {
	recs := c.bootstrap()
	if !c.MetadataVersion(recs).HasControllerRegistration() {
		return refusef(core.ErrUnsupportedVersion, "metadata.version %d does not know controllers' registrations",
			c.image.MetadataVersion()), nil
	}
	if why := checkNames(r.Endpoints, r.Features); !why.OK() {
		return why, nil
	}
	return Refusal{}, append(recs, &metadata.RegisterControllerRecord{
		ControllerID: r.ID, IncarnationID: r.Incarnation, Endpoints: r.Endpoints, Features: r.Features,
	})
}
