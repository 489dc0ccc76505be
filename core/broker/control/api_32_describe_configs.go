package control

import (
	"slices"
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeConfigs (key 32).
//
// Behavior: all keys of a topic or of this broker, each with its value, the layer that it comes from, and whether it
// can be changed; the names in the request filter them, null and empty being no filter. Every layer's value
// ("synonyms") comes in order of precedence if asked for. The broker resource with the empty name is the cluster's
// dynamic default: only what is set there. Values that may be secrets are null. Another broker's id is
// INVALID_REQUEST: clients send to the broker that they mean. A resource that comes twice is described once, as first
// asked for (Kafka repeats it, and so lets a small request make an answer without bounds). Loggers, client metrics and
// groups have no configuration here yet: INVALID_REQUEST.
//
// Version notes: 1 layers, 3 types and documentation (KIP-569).
func (p *Plane) DescribeConfigs(r *step.Request, req *kmsg.DescribeConfigsRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
	seen := make(map[metadata.ConfigResource]bool, len(req.Resources))
	for i := range req.Resources {
		res := &req.Resources[i]
		key := ConfigResource(res.ResourceType, res.ResourceName)
		if seen[key] {
			continue
		}
		seen[key] = true
		row := kmsg.NewDescribeConfigsResponseResource()
		row.ResourceType, row.ResourceName = res.ResourceType, res.ResourceName
		entries, refusal := p.describeResource(res)
		row.ErrorCode, row.ErrorMessage = int16(refusal.Code), Words(refusal)
		for j := range entries {
			e := &entries[j]
			if len(res.ConfigNames) == 0 || slices.Contains(res.ConfigNames, e.Name) {
				row.Configs = append(row.Configs, describedConfig(e, res.ResourceType, req))
			}
		}
		resp.Resources = append(resp.Resources, row)
	}
	p.reply(r, resp, out)
}

func (p *Plane) describeResource(res *kmsg.DescribeConfigsRequestResource) ([]config.Entry, controller.Refusal) {
	refuse := func(code core.ErrorCode, why string) ([]config.Entry, controller.Refusal) {
		return nil, controller.Refusal{Code: code, Why: why}
	}
	switch res.ResourceType {
	case kmsg.ConfigResourceTypeTopic:
		if r := controller.CheckTopicName(res.ResourceName); !r.OK() {
			return nil, r
		}
		if p.image.Topic(res.ResourceName) == nil {
			return refuse(core.ErrUnknownTopicOrPartition, "there is no topic of that name")
		}
		return config.DescribeTopic(p.Layers(p.SetFor(metadata.ResourceTopic, res.ResourceName))), controller.Refusal{}
	case kmsg.ConfigResourceTypeBroker:
		id, err := strconv.ParseInt(res.ResourceName, 10, 32)
		switch {
		case res.ResourceName == "":
			return p.clusterDefaults(), controller.Refusal{}
		case err != nil || strconv.FormatInt(id, 10) != res.ResourceName: // each of "+1" and "01" would be another description
			return refuse(core.ErrInvalidRequest, "the name of a broker resource is the broker's id, or empty for the cluster's default")
		case core.NodeID(id) != p.cfg.NodeID:
			return refuse(core.ErrInvalidRequest, "this is broker "+p.NodeName()+"; each broker describes itself")
		}
		return config.DescribeBroker(p.Layers(nil)), controller.Refusal{}
	default:
		return refuse(core.ErrInvalidRequest, "resources of that type have no configuration here")
	}
}

// clusterDefaults are the keys that are set for all brokers.
func (p *Plane) clusterDefaults() []config.Entry {
	var out []config.Entry
	for name, value := range p.image.Configs(metadata.ConfigResource{Type: metadata.ResourceBroker}) {
		d, known := config.BrokerDef(name)
		if !known { // written by another version: nobody can say whether it is a secret
			d = config.Def{Name: name, Sensitive: true}
		}
		set := config.LayerValue{Name: name, Value: value, Source: config.SourceClusterDefault}
		out = append(out, config.Entry{
			Def: d, Value: value, Null: d.Sensitive, Source: config.SourceClusterDefault, Layers: []config.LayerValue{set},
		})
	}
	return out
}

// describedConfig is one key's row.
func describedConfig(e *config.Entry, res kmsg.ConfigResourceType, req *kmsg.DescribeConfigsRequest) kmsg.DescribeConfigsResponseResourceConfig {
	row := kmsg.NewDescribeConfigsResponseResourceConfig()
	row.Name, row.Value, row.IsSensitive = e.Name, Shown(e), e.Sensitive
	row.ReadOnly = res == kmsg.ConfigResourceTypeBroker && e.Update == config.ReadOnly
	row.Source, row.ConfigType = kmsg.ConfigSource(e.Source), kmsg.ConfigType(e.Type)
	if req.IncludeSynonyms {
		for i := range e.Layers {
			l := &e.Layers[i]
			value := &l.Value
			if e.Sensitive {
				value = nil
			}
			row.ConfigSynonyms = append(row.ConfigSynonyms, kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{
				Name: l.Name, Value: value, Source: kmsg.ConfigSource(l.Source),
			})
		}
	}
	if req.IncludeDocumentation && e.Doc != "" {
		row.Documentation = &e.Doc
	}
	return row
}
