package control

import (
	"strconv"

	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
)

// NodeName is this node's name as a configuration resource.
func (p *Plane) NodeName() string { return strconv.FormatInt(int64(p.cfg.NodeID), 10) }

// Layers gives access to the values that are set, in the committed image and in the file. topic is nil for a broker.
func (p *Plane) Layers(topic func(name string) (string, bool)) config.Layers {
	return config.Layers{
		Topic: topic, Static: p.opts.Static,
		Broker: p.SetFor(metadata.ResourceBroker, p.NodeName()), Cluster: p.SetFor(metadata.ResourceBroker, ""),
	}
}

// SetFor looks up what is set for one resource.
func (p *Plane) SetFor(kind metadata.ResourceType, name string) func(key string) (string, bool) {
	res := metadata.ConfigResource{Type: kind, Name: name}
	return func(key string) (string, bool) { return p.image.Config(res, key) }
}

// TopicConfig resolves a topic's configuration over all layers of the committed image: the topic's override, then the
// broker's dynamic value, the cluster's dynamic default and the static file under the broker's name for it.
func (p *Plane) TopicConfig(topic string) config.Topic {
	return config.ResolveTopic(func(name, synonym string) (string, bool) {
		if v, ok := p.image.Config(metadata.ConfigResource{Type: metadata.ResourceTopic, Name: topic}, name); ok {
			return v, true
		}
		if synonym == "" {
			return "", false
		}
		for _, res := range []string{p.NodeName(), ""} {
			if v, ok := p.image.Config(metadata.ConfigResource{Type: metadata.ResourceBroker, Name: res}, synonym); ok {
				return v, true
			}
		}
		v, ok := p.opts.Static[synonym]
		return v, ok
	})
}

// Shown is a key's value as clients may see it: secrets are null.
func Shown(e *config.Entry) *string {
	if e.Null || e.Sensitive {
		return nil
	}
	return &e.Value
}
