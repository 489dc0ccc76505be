package controller

import (
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
)

// The topic configurations that the controller itself goes by.
const (
	minISRKey  = "min.insync.replicas"
	uncleanKey = "unclean.leader.election.enable"
)

// elrOn reports whether eligible leader replicas are kept (KIP-966).
func (c *Controller) elrOn() bool { return elrOn(c.image) }

func elrOn(m *metadata.Image) bool {
	return m.FeatureLevel(metadata.EligibleLeaderReplicasFeature) > 0 && m.MetadataVersion().HasElr()
}

// proven reports whether a leader is known to go by the present min.insync.replicas. It has applied what its last
// heartbeat said, and its own registration, or it would not have been unfenced.
func (c *Controller) proven(leader *metadata.Broker) bool {
	applied := max(c.soft.sessions.At(leader.ID).offset, core.Offset(leader.Epoch))
	return applied >= c.image.RulesOffset()
}

// minISR is a topic's min.insync.replicas as configured.
//
// The controller may never hold a larger minimum than the leader: it would take replicas for eligible while the leader's
// HighWatermark moves without them. It cannot see the brokers' own files and does not look at their own dynamic
// values, so while ELR is on there is a value for the cluster above the former, and the latter are refused
// ([Controller.elrConfigs]).
func (c *Controller) minISR(topic string) int {
	return parseMinISR(c.topicSetting(topic, minISRKey, false))
}

// parseMinISR reads a value. One that does not parse was written by another version of the software and counts as not
// set, as config.ResolveTopic has it.
func parseMinISR(text string) int {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil || n < 1 {
		return 1
	}
	return int(n)
}

// uncleanAllowed reports whether a topic would rather lose records than be offline.
func (c *Controller) uncleanAllowed(topic string) bool {
	return strings.EqualFold(strings.TrimSpace(c.topicSetting(topic, uncleanKey, true)), "true")
}

// topicSetting is a topic's setting through its layers: the topic's own, this controller's if node is set, the
// cluster's, the file's, Kafka's. Both keys it is used for have the same name in all layers.
func (c *Controller) topicSetting(topic, key string, node bool) string {
	if v, ok := c.image.Config(metadata.ConfigResource{Type: metadata.ResourceTopic, Name: topic}, key); ok {
		return v
	}
	if node {
		id := strconv.Itoa(int(c.cfg.NodeID))
		if v, ok := c.image.Config(metadata.ConfigResource{Type: metadata.ResourceBroker, Name: id}, key); ok {
			return v
		}
	}
	if v, ok := c.image.Config(clusterDefault(), key); ok {
		return v
	}
	return c.static[key]
}

// staticSettings is the lowest layers of the settings that the controller goes by: the file's value, or Kafka's default.
// They are resolved once, because the whole table of definitions is built to find one, and a fencing asks for each
// partition.
func staticSettings(file map[string]string) map[string]string {
	out := make(map[string]string, 2)
	for _, key := range []string{minISRKey, uncleanKey} {
		d, _ := config.TopicDef(key)
		out[key] = d.Default
		if v, ok := file[key]; ok {
			out[key] = v
		}
	}
	return out
}

// clusterDefault is the resource of the brokers' dynamic defaults.
func clusterDefault() metadata.ConfigResource {
	return metadata.ConfigResource{Type: metadata.ResourceBroker}
}
