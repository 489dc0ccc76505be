package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
)

func describeRequest(kind kmsg.ConfigResourceType, name string, keys ...string) *kmsg.DescribeConfigsRequest {
	req := kmsg.NewPtrDescribeConfigsRequest()
	res := kmsg.DescribeConfigsRequestResource{ResourceType: kind, ResourceName: name, ConfigNames: keys}
	req.Resources = append(req.Resources, res)
	return req
}

// describe is all keys of a resource that must exist.
func (r *rig) describe(kind kmsg.ConfigResourceType, name string) map[string]kmsg.DescribeConfigsResponseResourceConfig {
	req := describeRequest(kind, name)
	req.IncludeSynonyms, req.IncludeDocumentation = true, true
	res := ask[*kmsg.DescribeConfigsResponse](r, 4, req).Resources[0]
	require.Equal(r.t, core.ErrNone, code(res.ErrorCode))
	require.Equal(r.t, []any{kind, name}, []any{res.ResourceType, res.ResourceName})
	configs := make(map[string]kmsg.DescribeConfigsResponseResourceConfig)
	for _, c := range res.Configs {
		configs[c.Name] = c
	}
	return configs
}

// valueOf is a key's value and the layer that it comes from.
func valueOf(configs map[string]kmsg.DescribeConfigsResponseResourceConfig, key string) []any {
	c := configs[key]
	if c.Value == nil {
		return []any{nil, c.Source}
	}
	return []any{*c.Value, c.Source}
}

func TestDescribeTopicConfigs(t *testing.T) {
	r := newRig(t, "log.retention.hours", "2", "log.segment.bytes", "2000000")
	r.create(newTopic("a", 1, "retention.bytes", "7"))
	configs := r.describe(kmsg.ConfigResourceTypeTopic, "a")
	require.Len(t, configs, len(config.TopicDefs()), "all keys, set or not")
	require.Equal(t, []any{"7", kmsg.ConfigSourceDynamicTopicConfig}, valueOf(configs, "retention.bytes"))
	require.Equal(t, []any{"7200000", kmsg.ConfigSourceStaticBrokerConfig}, valueOf(configs, "retention.ms"))
	require.Equal(t, []any{"delete", kmsg.ConfigSourceDefaultConfig}, valueOf(configs, "cleanup.policy"))
	require.Equal(t, kmsg.ConfigTypeList, configs["cleanup.policy"].ConfigType)
	require.Equal(t, kmsg.ConfigTypeDouble, configs["min.cleanable.dirty.ratio"].ConfigType)
	for _, c := range configs {
		require.NotEmpty(t, *c.Documentation, c.Name)
		require.False(t, c.ReadOnly || c.IsSensitive, c.Name)
	}
	require.Equal(t, []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{
		{Name: "log.segment.bytes", Value: kmsg.StringPtr("2000000"), Source: kmsg.ConfigSourceStaticBrokerConfig},
		{Name: "log.segment.bytes", Value: kmsg.StringPtr("1073741824"), Source: kmsg.ConfigSourceDefaultConfig},
	}, configs["segment.bytes"].ConfigSynonyms)
}

func TestDescribeConfigsVersions(t *testing.T) {
	r := newRig(t)
	r.create(newTopic("a", 1))
	for v := int16(1); v <= 4; v++ {
		plain := ask[*kmsg.DescribeConfigsResponse](r, v, describeRequest(kmsg.ConfigResourceTypeTopic, "a", "segment.bytes", "no.such")).Resources[0]
		require.Len(t, plain.Configs, 1, "filtered")
		require.Empty(t, plain.Configs[0].ConfigSynonyms, "not asked for")
		require.Nil(t, plain.Configs[0].Documentation, "not asked for")
		require.Equal(t, v >= 3, plain.Configs[0].ConfigType == kmsg.ConfigTypeInt)
		empty := describeRequest(kmsg.ConfigResourceTypeTopic, "a")
		empty.Resources[0].ConfigNames = []string{}
		require.Len(t, ask[*kmsg.DescribeConfigsResponse](r, v, empty).Resources[0].Configs, len(config.TopicDefs()), "empty is no filter")
	}
}

func TestDescribeBrokerConfigs(t *testing.T) {
	r := newRig(t, "ssl.key.password", "secret")
	configs := r.describe(kmsg.ConfigResourceTypeBroker, "1")
	require.Equal(t, []any{"2", kmsg.ConfigSourceStaticBrokerConfig}, valueOf(configs, "num.partitions"))
	require.Equal(t, []any{"commit", kmsg.ConfigSourceDefaultConfig}, valueOf(configs, "klamm.durability"))
	require.Equal(t, []any{nil, kmsg.ConfigSourceDefaultConfig}, valueOf(configs, "log.retention.ms"))
	require.Equal(t, []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{
		{Name: "log.retention.hours", Value: kmsg.StringPtr("168"), Source: kmsg.ConfigSourceDefaultConfig},
	}, configs["log.retention.hours"].ConfigSynonyms, "its own default, though log.retention.ms goes before it")
	require.Empty(t, configs["log.retention.ms"].ConfigSynonyms)
	for _, key := range []string{"listeners", "advertised.listeners", "controller.listener.names", "log.dir", "log.dirs"} {
		require.Equal(t, kmsg.ConfigTypeList, configs[key].ConfigType, key)
	}
	require.True(t, configs["num.partitions"].ReadOnly)
	require.False(t, configs["log.retention.ms"].ReadOnly)
	require.Equal(t, []any{nil, kmsg.ConfigSourceStaticBrokerConfig}, valueOf(configs, "ssl.key.password"))
	require.True(t, configs["ssl.key.password"].IsSensitive, "nobody knows the key, so it may be a secret")
	require.Len(t, configs, len(config.BrokerDefs())+1)
	defaults := r.describe(kmsg.ConfigResourceTypeBroker, "")
	require.Len(t, defaults, 1, "a new cluster says what eligible leader replicas rest on (KIP-966), and nothing else")
	require.Equal(t, []any{"1", kmsg.ConfigSourceDynamicDefaultBrokerConfig}, valueOf(defaults, "min.insync.replicas"))
}

func TestDescribeConfigsOncePerResource(t *testing.T) {
	r := newRig(t)
	req := describeRequest(kmsg.ConfigResourceTypeBroker, "1")
	req.Resources = append(req.Resources, req.Resources[0], describeRequest(kmsg.ConfigResourceTypeBroker, "").Resources[0])
	require.Len(t, ask[*kmsg.DescribeConfigsResponse](r, 4, req).Resources, 2)
	for _, name := range []string{"01", "+1", "-0", "0001"} {
		row := ask[*kmsg.DescribeConfigsResponse](r, 4, describeRequest(kmsg.ConfigResourceTypeBroker, name)).Resources[0]
		require.Equal(t, core.ErrInvalidRequest, code(row.ErrorCode), "%q", name)
		require.Empty(t, row.Configs)
	}
}

func TestDescribeConfigsRefusals(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		kind  kmsg.ConfigResourceType
		name  string
		wants core.ErrorCode
	}{
		{kmsg.ConfigResourceTypeTopic, "none", core.ErrUnknownTopicOrPartition},
		{kmsg.ConfigResourceTypeTopic, "a b", core.ErrInvalidTopic},
		{kmsg.ConfigResourceTypeTopic, "", core.ErrInvalidTopic},
		{kmsg.ConfigResourceTypeBroker, "2", core.ErrInvalidRequest},
		{kmsg.ConfigResourceTypeBroker, "x", core.ErrInvalidRequest},
		{kmsg.ConfigResourceTypeBrokerLogger, "1", core.ErrInvalidRequest},
		{kmsg.ConfigResourceTypeUnknown, "1", core.ErrInvalidRequest},
	} {
		res := ask[*kmsg.DescribeConfigsResponse](r, 4, describeRequest(c.kind, c.name)).Resources[0]
		require.Equal(t, c.wants, code(res.ErrorCode), "%v %q", c.kind, c.name)
		require.NotEmpty(t, *res.ErrorMessage)
		require.Empty(t, res.Configs)
	}
}
