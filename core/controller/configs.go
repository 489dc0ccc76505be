package controller

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
)

// ConfigOp is what an incremental change does to one key (KIP-339), numbered as on the wire.
type ConfigOp int8

// The operations.
const (
	ConfigSet      ConfigOp = iota
	ConfigDelete            // back to the layer below
	ConfigAppend            // add elements to a list
	ConfigSubtract          // take elements off a list
)

// ConfigChange is one key's part of an incremental change. Only a ConfigDelete may have a nil Value.
type ConfigChange struct {
	Name  string
	Op    ConfigOp
	Value *string
}

// IncrementalAlterConfigs makes the records that change some keys of a resource and leave the others alone. One refused
// key refuses the resource.
func (c *Controller) IncrementalAlterConfigs(res metadata.ConfigResource, changes []ConfigChange) (Refusal, []metadata.Record) {
	names := make([]string, len(changes))
	for i, ch := range changes {
		names[i] = ch.Name
		if ch.Op != ConfigDelete && ch.Value == nil {
			return refusef(core.ErrInvalidRequest, "configuration %q has no value", ch.Name), nil
		}
	}
	if r := c.checkResource(res, names); !r.OK() {
		return r, nil
	}
	wished := maps.Collect(c.image.Configs(res))
	for _, ch := range changes {
		if r := applyChange(res, wished, ch); !r.OK() {
			return r, nil
		}
	}
	return c.alter(res, names, wished)
}

// AlterConfigs makes the records that give a resource exactly the keys of entries: others are removed.
func (c *Controller) AlterConfigs(res metadata.ConfigResource, entries []ConfigEntry) (Refusal, []metadata.Record) {
	names := make([]string, len(entries))
	wished := make(map[string]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
		if e.Value == nil {
			return refusef(core.ErrInvalidRequest, "configuration %q has no value", e.Name), nil
		}
		wished[e.Name] = *e.Value
	}
	if r := c.checkResource(res, names); !r.OK() {
		return r, nil
	}
	return c.alter(res, names, wished)
}

// alter checks the values that are wished under names and makes the records that lead from the image to wished.
func (c *Controller) alter(res metadata.ConfigResource, names []string, wished map[string]string) (Refusal, []metadata.Record) {
	for _, name := range names {
		if value, ok := wished[name]; ok {
			if r := checkValue(res, name, value); !r.OK() {
				return r, nil
			}
		}
	}
	if res.Type == metadata.ResourceTopic {
		get := func(name string) (string, bool) { v, ok := wished[name]; return v, ok }
		if err := config.CheckTopicTogether(get); err != nil {
			return refusef(core.ErrInvalidConfig, "%v", err), nil
		}
		// As Kafka: whether the topic exists is asked last.
		if c.image.Topic(res.Name) == nil {
			return refusef(core.ErrUnknownTopicOrPartition, "there is no topic %q", res.Name), nil
		}
	}
	var recs []metadata.Record
	for name := range c.image.Configs(res) {
		if _, keep := wished[name]; !keep {
			recs = append(recs, configRecord(res, name, nil))
		}
	}
	if r := c.checkElrConfig(res, names, wished); !r.OK() {
		return r, nil
	}
	recs = append(c.elrRetreat(res, wished), recs...) // before the new minimum counts
	for _, name := range slices.Sorted(maps.Keys(wished)) {
		value := wished[name]
		if old, ok := c.image.Config(res, name); !ok || old != value {
			recs = append(recs, configRecord(res, name, &value))
		}
	}
	return Refusal{}, recs
}

// checkElrConfig refuses what would let controller and brokers differ about min.insync.replicas while ELR is on: a value
// of a single broker, and no value for the cluster (KIP-966).
func (c *Controller) checkElrConfig(res metadata.ConfigResource, names []string, wished map[string]string) Refusal {
	if !c.elrOn() || res.Type != metadata.ResourceBroker {
		return Refusal{}
	}
	_, set := wished[minISRKey]
	_, was := c.image.Config(res, minISRKey)
	switch {
	case res == clusterDefault() && was && !set:
		return refusef(core.ErrInvalidConfig, "the cluster's %s cannot be removed while eligible leader replicas are on", minISRKey)
	case res != clusterDefault() && slices.Contains(names, minISRKey):
		return refusef(core.ErrInvalidConfig, "a single broker's %s cannot be changed while eligible leader replicas are on", minISRKey)
	}
	return Refusal{}
}

// elrRetreat makes the records that empty the ELRs which a resource's wished configuration makes unsafe.
//
// While ISR = {A} is below min.insync.replicas, ELR = {C} has all that is committed. With a lower minimum A alone is
// enough: the HighWatermark moves on without C. A partition with an empty ISR keeps its ELR: nothing moves there, and
// Kafka, which empties all with a ClearElrRecord, leaves it without anyone to lead it.
func (c *Controller) elrRetreat(res metadata.ConfigResource, wished map[string]string) (recs []metadata.Record) {
	text, set := wished[minISRKey]
	if old, had := c.image.Config(res, minISRKey); !c.elrOn() || set == had && text == old {
		return nil
	}
	if !set {
		text = c.static[minISRKey]
		if v, ok := c.image.Config(clusterDefault(), minISRKey); ok && res != clusterDefault() {
			text = v
		}
	}
	least := parseMinISR(text)
	if res.Type == metadata.ResourceTopic {
		return emptyElrs(c.image.Topic(res.Name), least, nil)
	}
	for t := range c.image.Topics() {
		own := metadata.ConfigResource{Type: metadata.ResourceTopic, Name: t.Name}
		if _, overridden := c.image.Config(own, minISRKey); !overridden {
			recs = emptyElrs(t, least, recs)
		}
	}
	return recs
}

// emptyElrs makes the records that empty the ELRs of a topic's partitions which have enough in sync, as of a new
// minimum.
func emptyElrs(t *metadata.Topic, least int, recs []metadata.Record) []metadata.Record {
	for _, p := range t.Partitions() {
		enough := len(p.ISR) > 0 && len(p.ISR) >= effectiveMinISR(least, len(p.Replicas))
		if enough && len(p.EligibleLeaderReplicas) > 0 {
			rec := metadata.NewPartitionChange(t.ID, p.ID)
			rec.EligibleLeaderReplicas = []core.NodeID{}
			recs = append(recs, rec)
		}
	}
	return recs
}

func configRecord(res metadata.ConfigResource, name string, value *string) *metadata.ConfigRecord {
	return &metadata.ConfigRecord{ResourceType: res.Type, ResourceName: res.Name, Name: name, Value: value}
}

// checkResource refuses resources that have no configuration here, and keys that come twice.
func (c *Controller) checkResource(res metadata.ConfigResource, names []string) Refusal {
	names = slices.Sorted(slices.Values(names))
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			return refusef(core.ErrInvalidRequest, "configuration %q comes twice", names[i])
		}
	}
	switch res.Type {
	case metadata.ResourceTopic:
		if res.Name == "" {
			return refusef(core.ErrInvalidRequest, "topics have no default resource; the brokers' defaults are set at the brokers")
		}
		return CheckTopicName(res.Name)
	case metadata.ResourceBroker:
		return c.checkBroker(res.Name)
	case metadata.ResourceClientMetrics, metadata.ResourceGroup:
	}
	return refusef(core.ErrInvalidRequest, "resources of type %d have no configuration here", res.Type)
}

// checkBroker refuses resource names that are neither empty, the cluster's default, nor a registered broker's id.
func (c *Controller) checkBroker(name string) Refusal {
	if name == "" {
		return Refusal{}
	}
	id, err := strconv.ParseInt(name, 10, 32)
	switch {
	case err != nil || strconv.FormatInt(id, 10) != name: // "+1" and "01" would be other resources than "1"
		return refusef(core.ErrInvalidRequest, "%q is no broker id", name)
	case c.image.Broker(core.NodeID(id)) == nil:
		return refusef(core.ErrInvalidRequest, "broker %d is not registered", id)
	}
	return Refusal{}
}

// checkValue refuses a value that a key cannot have.
func checkValue(res metadata.ConfigResource, name, value string) Refusal {
	if res.Type == metadata.ResourceTopic {
		if err := config.CheckTopic(name, value); err != nil {
			return refusef(core.ErrInvalidConfig, "%v", err)
		}
		return Refusal{}
	}
	// KAFKA-13609: for brokers Kafka says INVALID_REQUEST where INVALID_CONFIG is meant, and keeps it for its clients.
	if err := config.CheckBroker(name, value); err != nil {
		return refusef(core.ErrInvalidRequest, "%v", err)
	}
	if d, _ := config.BrokerDef(name); d.Update == config.ReadOnly {
		return refusef(core.ErrInvalidRequest, "%s cannot be changed while the broker runs", name)
	}
	return Refusal{}
}

// applyChange brings one change into the wished configuration.
func applyChange(res metadata.ConfigResource, wished map[string]string, ch ConfigChange) Refusal {
	switch ch.Op {
	case ConfigSet:
		wished[ch.Name] = *ch.Value
	case ConfigDelete:
		delete(wished, ch.Name)
	case ConfigAppend, ConfigSubtract:
		d, ok := config.TopicDef(ch.Name)
		if res.Type == metadata.ResourceBroker {
			d, ok = config.BrokerDef(ch.Name)
		}
		if !ok || d.Type != config.ListOf {
			return refusef(core.ErrInvalidConfig, "%s is no list: nothing can be appended or subtracted", ch.Name)
		}
		old, set := wished[ch.Name]
		if !set {
			old = d.Default // as Kafka: the definition's default, not the layer below
		}
		wished[ch.Name] = changeList(config.SplitList(old), ch)
	default:
		return refusef(core.ErrInvalidRequest, "%q: operation %d is unknown", ch.Name, ch.Op)
	}
	return Refusal{}
}

// changeList adds the elements that a list does not have, or takes off those that it has: of equal ones the first, once for
// each time that it is named.
func changeList(list []string, ch ConfigChange) string {
	times := make(map[string]int) // that the list has an element, or that it is to be taken off
	named := config.SplitList(*ch.Value)
	if ch.Op == ConfigSubtract {
		for _, e := range named {
			times[e]++
		}
		left := slices.DeleteFunc(list, func(e string) bool { times[e]--; return times[e] >= 0 })
		return strings.Join(left, ",")
	}
	for _, e := range list {
		times[e]++
	}
	for _, e := range named {
		if times[e]++; times[e] == 1 {
			list = append(list, e)
		}
	}
	return strings.Join(list, ",")
}
