package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
)

const (
	opSet      = kmsg.IncrementalAlterConfigOpSet
	opDelete   = kmsg.IncrementalAlterConfigOpDelete
	opAppend   = kmsg.IncrementalAlterConfigOpAppend
	opSubtract = kmsg.IncrementalAlterConfigOpSubtract
)

type change struct {
	key   string
	op    kmsg.IncrementalAlterConfigOp
	value string // "-" is null
}

func alterResource(kind kmsg.ConfigResourceType, name string, changes ...change) kmsg.IncrementalAlterConfigsRequestResource {
	res := kmsg.IncrementalAlterConfigsRequestResource{ResourceType: kind, ResourceName: name}
	for _, c := range changes {
		row := kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: c.key, Op: c.op}
		if c.value != "-" {
			row.Value = &c.value
		}
		res.Configs = append(res.Configs, row)
	}
	return res
}

// alter sends one resource's changes and returns the answer's code.
func (r *rig) alter(kind kmsg.ConfigResourceType, name string, changes ...change) core.ErrorCode {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Resources = append(req.Resources, alterResource(kind, name, changes...))
	row := ask[*kmsg.IncrementalAlterConfigsResponse](r, 1, req).Resources[0]
	require.Equal(r.t, row.ErrorCode == 0, row.ErrorMessage == nil)
	require.Equal(r.t, []any{kind, name}, []any{row.ResourceType, row.ResourceName})
	return code(row.ErrorCode)
}

func TestIncrementalAlterTopic(t *testing.T) {
	const topic = kmsg.ConfigResourceTypeTopic
	r := newRig(t)
	r.create(newTopic("a", 1))
	value := func(key string) any { return valueOf(r.describe(topic, "a"), key)[0] }
	require.Equal(t, core.ErrNone, r.alter(topic, "a", change{"retention.ms", opSet, "5"}, change{"cleanup.policy", opAppend, "compact"}))
	require.Equal(t, []any{"5", "delete,compact"}, []any{value("retention.ms"), value("cleanup.policy")}, "appended to the default")
	require.Equal(t, core.ErrNone, r.alter(topic, "a", change{"cleanup.policy", opAppend, "compact"}))
	require.Equal(t, "delete,compact", value("cleanup.policy"), "no element twice")
	require.Equal(t, core.ErrNone, r.alter(topic, "a", change{"cleanup.policy", opSubtract, "delete,other"}))
	require.Equal(t, "compact", value("cleanup.policy"))
	require.Equal(t, core.ErrNone, r.alter(topic, "a", change{"retention.ms", opDelete, "-"}, change{"cleanup.policy", opDelete, "-"}))
	require.Equal(t, []any{"604800000", kmsg.ConfigSourceDefaultConfig}, valueOf(r.describe(topic, "a"), "retention.ms"))
	require.Equal(t, core.ErrNone, r.alter(topic, "a", change{"no.such", opDelete, "-"}), "deleting what is not set changes nothing")
	require.Equal(t, core.ErrNone, r.alter(topic, "a"))

	for _, c := range []struct {
		changes []change
		wants   core.ErrorCode
	}{
		{[]change{{"retention.ms", opAppend, "5"}}, core.ErrInvalidConfig},
		{[]change{{"retention.ms", opSubtract, "5"}}, core.ErrInvalidConfig},
		{[]change{{"no.such", opAppend, "5"}}, core.ErrInvalidConfig},
		{[]change{{"no.such", opSet, "5"}}, core.ErrInvalidConfig},
		{[]change{{"retention.ms", opSet, "x"}}, core.ErrInvalidConfig},
		{[]change{{"segment.bytes", opSet, "1048576"}, {"retention.ms", opSet, "x"}}, core.ErrInvalidConfig},
		{[]change{{"retention.ms", opSet, "-"}}, core.ErrInvalidRequest},
		{[]change{{"retention.ms", opSet, "1"}, {"retention.ms", opDelete, "-"}}, core.ErrInvalidRequest},
		{[]change{{"retention.ms", 7, "1"}}, core.ErrInvalidRequest},
		{[]change{{"min.compaction.lag.ms", opSet, "9"}, {"max.compaction.lag.ms", opSet, "1"}}, core.ErrInvalidConfig},
	} {
		require.Equal(t, c.wants, r.alter(topic, "a", c.changes...), "%v", c.changes)
	}
	require.Equal(t, "1073741824", value("segment.bytes"), "a resource fails as a whole")
	require.Equal(t, core.ErrUnknownTopicOrPartition, r.alter(topic, "none", change{"retention.ms", opSet, "5"}))
	require.Equal(t, core.ErrInvalidConfig, r.alter(topic, "none", change{"retention.ms", opSet, "x"}), "values first, as Kafka")
	require.Equal(t, core.ErrInvalidTopic, r.alter(topic, "a b", change{"retention.ms", opSet, "5"}))
	require.Equal(t, core.ErrInvalidRequest, r.alter(topic, "", change{"retention.ms", opSet, "5"}))
	require.Equal(t, core.ErrInvalidRequest, r.alter(kmsg.ConfigResourceTypeBrokerLogger, "1", change{"root", opSet, "INFO"}))
}

func TestIncrementalAlterBroker(t *testing.T) {
	const topic, broker = kmsg.ConfigResourceTypeTopic, kmsg.ConfigResourceTypeBroker
	r := newRig(t, "log.retention.ms", "4")
	r.create(newTopic("a", 1))
	shown := func() []any { return valueOf(r.describe(topic, "a"), "retention.ms") }
	require.Equal(t, []any{"4", kmsg.ConfigSourceStaticBrokerConfig}, shown())
	require.Equal(t, core.ErrNone, r.alter(broker, "", change{"log.retention.ms", opSet, "3"}))
	require.Equal(t, []any{"3", kmsg.ConfigSourceDynamicDefaultBrokerConfig}, shown())
	require.Equal(t, core.ErrNone, r.alter(broker, "1", change{"log.retention.ms", opSet, "2"}))
	require.Equal(t, []any{"2", kmsg.ConfigSourceDynamicBrokerConfig}, shown())
	require.Equal(t, core.ErrNone, r.alter(topic, "a", change{"retention.ms", opSet, "1"}))
	require.Equal(t, []any{"1", kmsg.ConfigSourceDynamicTopicConfig}, shown())

	var chain []string
	for _, s := range r.describe(topic, "a")["retention.ms"].ConfigSynonyms {
		chain = append(chain, *s.Value)
	}
	require.Equal(t, []string{"1", "2", "3", "4", "168"}, chain)
	defaults := r.describe(broker, "")
	require.Equal(t, []any{"3", kmsg.ConfigSourceDynamicDefaultBrokerConfig}, valueOf(defaults, "log.retention.ms"))
	require.Len(t, defaults, 2, "min.insync.replicas is there from the beginning (KIP-966)")

	for _, c := range []struct {
		name  string
		ch    change
		wants core.ErrorCode
	}{
		{"1", change{"log.retention.ms", opSet, "x"}, core.ErrInvalidRequest},
		{"1", change{"log.retention.ms", opSet, "0"}, core.ErrInvalidRequest},
		{"1", change{"no.such", opSet, "1"}, core.ErrInvalidRequest},
		{"1", change{"num.partitions", opSet, "5"}, core.ErrInvalidRequest},
		{"1", change{"log.retention.hours", opSet, "5"}, core.ErrInvalidRequest},
		{"1", change{"log.retention.ms", opAppend, "5"}, core.ErrInvalidConfig},
		{"2", change{"log.retention.ms", opSet, "5"}, core.ErrInvalidRequest},
		{"01", change{"log.retention.ms", opSet, "5"}, core.ErrInvalidRequest},
		{"x", change{"log.retention.ms", opSet, "5"}, core.ErrInvalidRequest},
	} {
		require.Equal(t, c.wants, r.alter(broker, c.name, c.ch), "%+v", c)
	}
}

func TestIncrementalAlterEachByItself(t *testing.T) {
	const topic = kmsg.ConfigResourceTypeTopic
	r := newRig(t)
	r.create(newTopic("a", 1), newTopic("b", 1))
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	five := change{"retention.ms", opSet, "5"}
	req.Resources = append(req.Resources, alterResource(topic, "a", five), alterResource(topic, "b", five),
		alterResource(topic, "none", five), alterResource(topic, "b", five))
	req.ValidateOnly = true
	for _, validate := range []bool{true, false} {
		req.ValidateOnly = validate
		var codes []core.ErrorCode
		for _, row := range ask[*kmsg.IncrementalAlterConfigsResponse](r, 1, req).Resources {
			codes = append(codes, code(row.ErrorCode))
		}
		require.Equal(t, []core.ErrorCode{0, core.ErrInvalidRequest, core.ErrUnknownTopicOrPartition, core.ErrInvalidRequest}, codes)
		want := map[bool]string{true: "604800000", false: "5"}[validate]
		require.Equal(t, want, valueOf(r.describe(topic, "a"), "retention.ms")[0])
	}
}

func TestAlterConfigsReplacesAll(t *testing.T) {
	const topic = kmsg.ConfigResourceTypeTopic
	r := newRig(t)
	r.create(newTopic("a", 1, "retention.ms", "5", "segment.bytes", "1048576"))
	alter := func(v int16, validate bool, kv ...string) core.ErrorCode {
		req := kmsg.NewPtrAlterConfigsRequest()
		req.ValidateOnly = validate
		res := kmsg.AlterConfigsRequestResource{ResourceType: topic, ResourceName: "a"}
		for i := 0; i < len(kv); i += 2 {
			row := kmsg.AlterConfigsRequestResourceConfig{Name: kv[i]}
			if kv[i+1] != "-" {
				row.Value = &kv[i+1]
			}
			res.Configs = append(res.Configs, row)
		}
		req.Resources = append(req.Resources, res)
		return code(ask[*kmsg.AlterConfigsResponse](r, v, req).Resources[0].ErrorCode)
	}
	set := func() (keys []string) {
		for _, c := range r.describe(topic, "a") {
			if c.Source == kmsg.ConfigSourceDynamicTopicConfig {
				keys = append(keys, c.Name+"="+*c.Value)
			}
		}
		return keys
	}
	require.Equal(t, core.ErrNone, alter(2, true, "retention.bytes", "9"))
	require.Len(t, set(), 2, "only validated")
	for v := int16(0); v <= 2; v++ {
		require.Equal(t, core.ErrNone, alter(v, false, "retention.ms", "6"))
		require.Equal(t, []string{"retention.ms=6"}, set())
	}
	require.Equal(t, core.ErrInvalidConfig, alter(2, false, "retention.ms", "x"))
	require.Equal(t, core.ErrInvalidRequest, alter(2, false, "retention.ms", "-"))
	require.Equal(t, core.ErrInvalidRequest, alter(2, false, "retention.ms", "1", "retention.ms", "2"))
	require.Equal(t, []string{"retention.ms=6"}, set())
	require.Equal(t, core.ErrNone, alter(2, false))
	require.Empty(t, set())
}
