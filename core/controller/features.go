package controller

import (
	"maps"
	"slices"
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// bootstrap makes the records that the log of a new cluster begins with, none for an old one. Kafka formats the log
// with the features' levels first: how to read what follows depends on them (KIP-778).
func (c *Controller) bootstrap() []metadata.Record {
	if c.image.MetadataVersion() != 0 {
		return nil
	}
	recs := []metadata.Record{
		&metadata.FeatureLevelRecord{Name: metadata.MetadataVersionFeature, FeatureLevel: metadata.MetadataVersionMax},
	}
	for _, name := range []string{metadata.EligibleLeaderReplicasFeature, metadata.GroupVersionFeature, metadata.TransactionVersionFeature} {
		recs = append(recs, &metadata.FeatureLevelRecord{
			Name: name, FeatureLevel: metadata.DefaultFeatureLevel(name, metadata.MetadataVersionMax),
		})
	}
	return append(recs, c.elrConfigs()...)
}

// elrConfigs makes the records without which ELR is not safe (KIP-966): controller and brokers must go by the same
// min.insync.replicas, so there is one for the cluster, and none for single brokers.
func (c *Controller) elrConfigs() (recs []metadata.Record) {
	if _, ok := c.image.Config(clusterDefault(), minISRKey); !ok {
		v := c.static[minISRKey]
		recs = append(recs, configRecord(clusterDefault(), minISRKey, &v))
	}
	for _, res := range c.image.ConfigResources() {
		if res.Type != metadata.ResourceBroker || res == clusterDefault() {
			continue
		}
		if _, ok := c.image.Config(res, minISRKey); ok {
			recs = append(recs, configRecord(res, minISRKey, nil))
		}
	}
	return recs
}

// checkFeatures refuses a broker that does not support every finalized level, or every level that recs will finalize
// (KIP-584). A feature that the broker does not name it supports at level 0 only.
func (c *Controller) checkFeatures(supported []metadata.SupportedFeature, recs []metadata.Record) Refusal {
	levels := maps.Collect(c.image.Features())
	for _, r := range recs {
		if f, ok := r.(*metadata.FeatureLevelRecord); ok {
			levels[f.Name] = f.FeatureLevel
		}
	}
	b := metadata.Broker{Features: supported}
	for _, name := range slices.Sorted(maps.Keys(levels)) {
		lowest, highest := b.Feature(name)
		if level := levels[name]; level < lowest || level > highest {
			return refusef(core.ErrUnsupportedVersion, "the cluster runs at %s %d, the broker supports %d to %d", name, level, lowest, highest)
		}
	}
	return Refusal{}
}

// UpgradeType says which way a feature may move, numbered as on the wire (KIP-778).
type UpgradeType int8

// The upgrade types.
const (
	Upgrade         UpgradeType = 1
	SafeDowngrade   UpgradeType = 2 // only if no metadata is lost
	UnsafeDowngrade UpgradeType = 3
)

// FeatureUpdate wishes one feature at one level; level 0 turns it off.
type FeatureUpdate struct {
	Name  string
	Level metadata.FeatureLevel
	Type  UpgradeType
}

// UpdateFeatures makes the records that finalize levels: all of them, or none and INVALID_UPDATE_VERSION. With
// validateOnly there is only the refusal.
//
// A level must be supported by this software and by all registered brokers and controllers. metadata.version never
// falls, since records of the higher level may be in the log.
func (c *Controller) UpdateFeatures(updates []FeatureUpdate, validateOnly bool) (Refusal, []metadata.Record) {
	mv := c.image.MetadataVersion()
	for _, u := range updates {
		if u.Name == metadata.MetadataVersionFeature {
			mv = max(mv, u.Level)
		}
	}
	var recs []metadata.Record
	for i, u := range updates {
		if slices.ContainsFunc(updates[:i], func(o FeatureUpdate) bool { return o.Name == u.Name }) {
			return refusef(core.ErrInvalidUpdateVersion, "feature %q comes twice", u.Name), nil
		}
		if why := c.checkUpdate(u, mv); !why.OK() {
			return why, nil
		}
		if u.Level == c.image.FeatureLevel(u.Name) {
			continue
		}
		if u.Name == metadata.EligibleLeaderReplicasFeature {
			recs = append(recs, c.switchElr(u.Level)...)
		}
		recs = append(recs, &metadata.FeatureLevelRecord{Name: u.Name, FeatureLevel: u.Level})
	}
	// How to write the others depends on metadata.version, so it goes first.
	slices.SortStableFunc(recs, func(a, b metadata.Record) int { return boolCompare(isVersion(a), isVersion(b)) })
	if validateOnly {
		recs = nil
	}
	return Refusal{}, recs
}

func isVersion(r metadata.Record) bool {
	f, ok := r.(*metadata.FeatureLevelRecord)
	return ok && f.Name == metadata.MetadataVersionFeature
}

// boolCompare orders true before false.
func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// checkUpdate refuses one level of one feature in a cluster whose metadata.version will be mv.
func (c *Controller) checkUpdate(u FeatureUpdate, mv metadata.FeatureLevel) Refusal {
	refuse := func(format string, args ...any) Refusal {
		r := refusef(core.ErrInvalidUpdateVersion, format, args...)
		r.Why = "feature " + u.Name + ": " + r.Why
		return r
	}
	now := c.image.FeatureLevel(u.Name)
	lowest, highest, known := metadata.SupportedRange(u.Name)
	switch {
	case u.Type < Upgrade || u.Type > UnsafeDowngrade:
		return refuse("upgrade type %d is unknown", u.Type)
	case !known:
		return refuse("it is unknown")
	case u.Level < lowest || u.Level > highest:
		return refuse("level %d is not between %d and %d", u.Level, lowest, highest)
	case u.Level < now && u.Type == Upgrade:
		return refuse("level %d is lower than %d, and no downgrade was asked for", u.Level, now)
	case u.Level > now && u.Type != Upgrade:
		return refuse("level %d is higher than %d, and a downgrade was asked for", u.Level, now)
	case u.Level < now && u.Name == metadata.MetadataVersionFeature:
		return refuse("it never falls")
	}
	if why := c.unsupported(u); why != "" {
		return refuse("%s does not support level %d", why, u.Level)
	}
	if u.Name == metadata.EligibleLeaderReplicasFeature {
		if u.Level > 0 && !mv.HasElr() {
			return refuse("metadata.version %d has no place for it", mv)
		}
		if u.Level == 0 && c.anyWithoutISR() {
			// Without ELR nothing would say who may lead these partitions.
			return refuse("there are partitions whose ISR is empty")
		}
	}
	return Refusal{}
}

// unsupported names a node that does not support a level, or is empty. As in Kafka, a level of zero needs support too:
// a node may have dropped it.
func (c *Controller) unsupported(u FeatureUpdate) string {
	lacks := func(features []metadata.SupportedFeature) bool {
		lowest, highest := (&metadata.Broker{Features: features}).Feature(u.Name)
		return u.Level < lowest || u.Level > highest
	}
	for b := range c.image.Brokers() {
		if lacks(b.Features) {
			return "broker " + strconv.Itoa(int(b.ID))
		}
	}
	for n := range c.image.Controllers() {
		if lacks(n.Features) {
			return "controller " + strconv.Itoa(int(n.ID))
		}
	}
	return ""
}

// switchElr makes the records that go before ELR is switched on or off: one min.insync.replicas for all, or no ELR left.
func (c *Controller) switchElr(level metadata.FeatureLevel) (recs []metadata.Record) {
	if level > 0 {
		return c.elrConfigs()
	}
	for t := range c.image.Topics() {
		for _, p := range t.Partitions() {
			g := c.change(t, p)
			g.elrOn = false
			if rec := g.record(); rec != nil {
				recs = append(recs, rec)
			}
		}
	}
	return recs
}

// anyWithoutISR reports whether a partition has an empty ISR.
func (c *Controller) anyWithoutISR() bool {
	for topic, id := range c.index.leaderless.all() {
		if len(c.image.Partition(topic, id).ISR) == 0 {
			return true
		}
	}
	return false
}
