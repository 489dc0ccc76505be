package oracle_test

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// unknownID is a topic id that nobody handed out.
func unknownID() [16]byte { return [16]byte{0xee, 15: 1} }

// named is something with a name.
type named[T any] struct {
	name string
	what T
}

// sorted puts cases in the order of their names, so that every run asks in the same order.
func sorted[T any](cases map[string]T) []named[T] {
	var list []named[T]
	for name, what := range cases {
		list = append(list, named[T]{name, what})
	}
	slices.SortFunc(list, func(a, b named[T]) int { return strings.Compare(a.name, b.name) })
	return list
}

// newTopic describes a topic to create.
func newTopic(name string, partitions int32, replicas int16, configs ...string) kmsg.CreateTopicsRequestTopic {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, partitions, replicas
	for i := 0; i+1 < len(configs); i += 2 {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = configs[i], &configs[i+1]
		t.Configs = append(t.Configs, c)
	}
	return t
}

// assigned describes a topic by the replicas of each partition.
func assigned(name string, replicas map[int32][]int32) kmsg.CreateTopicsRequestTopic {
	t := newTopic(name, -1, -1)
	for p := range int32(10) {
		if nodes, has := replicas[p]; has {
			a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
			a.Partition, a.Replicas = p, nodes
			t.ReplicaAssignment = append(t.ReplicaAssignment, a)
		}
	}
	return t
}

func create(topics ...kmsg.CreateTopicsRequestTopic) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		r := kmsg.NewPtrCreateTopicsRequest()
		r.TimeoutMillis, r.Topics = 20000, topics
		return r
	}
}

func validate(topics ...kmsg.CreateTopicsRequestTopic) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		r := create(topics...)(s).(*kmsg.CreateTopicsRequest)
		r.ValidateOnly = true
		return r
	}
}

func topicSteps() []step {
	nullValue := newTopic("null-config", 1, 1, "retention.ms", "")
	nullValue.Configs[0].Value = nil
	mixed := assigned("mixed", map[int32][]int32{0: {1}})
	mixed.NumPartitions = 1
	steps := []step{
		// The batches are of 2023: with the default retention they would be gone when one of the two looks for what is old.
		{name: "good", make: create(newTopic("data", 2, 1, "retention.ms", "-1"), newTopic("small", 1, 1, "max.message.bytes", "1000"),
			newTopic("stamped", 1, 1, "message.timestamp.type", "LogAppendTime"),
			newTopic("compacted", 1, 1, "cleanup.policy", "compact"),
			newTopic("timely", 1, 1, "message.timestamp.after.max.ms", "1000", "message.timestamp.before.max.ms", "1000"))},
		{name: "defaults", make: create(newTopic("defaults", -1, -1))},
		{name: "assigned", make: create(assigned("assigned", map[int32][]int32{0: {1}, 1: {1}}))},
		{name: "validate only", make: validate(newTopic("not-made", 3, 1, "retention.ms", "5"), newTopic("data", 1, 1)), from: 2, to: 7},
		{name: "validate defaults", make: validate(newTopic("not-made", -1, -1)), from: 2, to: 7},
	}
	for _, c := range sorted(map[string]kmsg.CreateTopicsRequestTopic{
		"exists": newTopic("data", 1, 1), "no name": newTopic("", 1, 1), "a slash": newTopic("a/b", 1, 1),
		"a dot": newTopic(".", 1, 1), "two dots": newTopic("..", 1, 1), "a space": newTopic("a b", 1, 1),
		"250 letters": newTopic(strings.Repeat("n", 250), 1, 1), "249 letters": newTopic(strings.Repeat("n", 249), 1, 1),
		"no partitions": newTopic("none", 0, 1), "-2 partitions": newTopic("none", -2, 1),
		"no replicas": newTopic("none", 1, 0), "2 replicas": newTopic("none", 1, 2), "-2 replicas": newTopic("none", 1, -2),
		"unknown config": newTopic("none", 1, 1, "no.such.config", "1"), "config of brokers": newTopic("none", 1, 1, "log.dirs", "x"),
		"config not a number": newTopic("none", 1, 1, "retention.ms", "soon"), "config too small": newTopic("none", 1, 1, "segment.bytes", "1"),
		"config no choice": newTopic("none", 1, 1, "cleanup.policy", "burn"), "config null": nullValue,
		"no replica of partition": assigned("none", map[int32][]int32{0: {}}), "gap": assigned("none", map[int32][]int32{0: {1}, 2: {1}}),
		"not from 0": assigned("none", map[int32][]int32{1: {1}}), "unknown broker": assigned("none", map[int32][]int32{0: {9}}),
		"same broker twice": assigned("none", map[int32][]int32{0: {1, 1}}), "negative broker": assigned("none", map[int32][]int32{0: {-1}}),
		"assignment and number": mixed, "uneven": assigned("none", map[int32][]int32{0: {1}, 1: {1, 9}}),
		"internal name": newTopic("__consumer_offsets", 1, 1), "collides": newTopic("da_ta", 1, 1), "collides too": newTopic("da.ta", 1, 1),
		"bad codec": newTopic("none", 1, 1, "compression.type", "rar"), "min insync 0": newTopic("none", 1, 1, "min.insync.replicas", "0"),
		"empty policy": newTopic("none", 1, 1, "cleanup.policy", ""), "remote": newTopic("none", 1, 1, "remote.storage.enable", "true"),
	}) {
		steps = append(steps, step{name: c.name, make: validate(c.what)})
	}
	return append(steps,
		step{name: "twice in one request", make: create(newTopic("twice", 1, 1), newTopic("twice", 2, 1), newTopic("once", 1, 1)), from: 7, to: 7},
		step{name: "nothing", make: create(), from: 2, to: 7},
		step{name: "older", make: create(newTopic("data", 1, 1), newTopic("bad name", 1, 1)), from: 2, to: 7},
	)
}

// asked is a topic of a Metadata request.
func asked(name string, id [16]byte) kmsg.MetadataRequestTopic {
	t := kmsg.NewMetadataRequestTopic()
	t.TopicID = id
	if name != "" {
		t.Topic = &name
	}
	return t
}

func metadata(change func(s *side, r *kmsg.MetadataRequest)) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		r := kmsg.NewPtrMetadataRequest()
		change(s, r)
		return r
	}
}

func metadataSteps() []step {
	byName := func(names ...string) func(*side, *kmsg.MetadataRequest) {
		return func(_ *side, r *kmsg.MetadataRequest) {
			r.Topics = []kmsg.MetadataRequestTopic{}
			for _, n := range names {
				r.Topics = append(r.Topics, asked(n, [16]byte{}))
			}
		}
	}
	const to = 13
	return []step{
		{name: "all", make: metadata(func(_ *side, r *kmsg.MetadataRequest) { r.Topics = nil }), from: 1, to: to},
		{name: "none", make: metadata(byName()), from: 0, to: to},
		{name: "some", make: metadata(byName("data", "absent", "stamped")), from: 0, to: to},
		{name: "bad names", make: metadata(byName("a b", "..", strings.Repeat("n", 250))), from: 0, to: to},
		{name: "twice", make: metadata(byName("data", "data")), from: 0, to: to},
		{name: "auto", make: metadata(func(s *side, r *kmsg.MetadataRequest) {
			byName("absent")(s, r)
			r.AllowAutoTopicCreation = true
		}), from: 4, to: to},
		{name: "operations", make: metadata(func(s *side, r *kmsg.MetadataRequest) {
			byName("data")(s, r)
			r.IncludeTopicAuthorizedOperations, r.IncludeClusterAuthorizedOperations = true, true
		}), from: 8, to: to},
		{name: "by id", make: metadata(func(s *side, r *kmsg.MetadataRequest) {
			r.Topics = append(r.Topics, asked("", s.id("data")), asked("", unknownID()))
		}), from: 10, to: to},
		{name: "by id and name", make: metadata(func(s *side, r *kmsg.MetadataRequest) {
			r.Topics = append(r.Topics, asked("data", s.id("data")), asked("data", s.id("stamped")))
		}), from: 12, to: to},
		{name: "by nothing", make: metadata(func(_ *side, r *kmsg.MetadataRequest) {
			r.Topics = append(r.Topics, asked("", [16]byte{}))
		}), from: 12, to: to},
	}
}

// describe asks for configs of one resource; no names are all of them.
func describe(kind kmsg.ConfigResourceType, resource string, all bool, names ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		r := kmsg.NewPtrDescribeConfigsRequest()
		r.IncludeSynonyms, r.IncludeDocumentation = all, all
		wanted := kmsg.NewDescribeConfigsRequestResource()
		wanted.ResourceType, wanted.ResourceName, wanted.ConfigNames = kind, resource, names
		r.Resources = append(r.Resources, wanted)
		return r
	}
}

// change is one alteration of a config: SET, DELETE, APPEND or SUBTRACT.
func change(op kmsg.IncrementalAlterConfigOp, name, value string) kmsg.IncrementalAlterConfigsRequestResourceConfig {
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Op, c.Name, c.Value = op, name, &value
	return c
}

func alter(kind kmsg.ConfigResourceType, resource string, changes ...kmsg.IncrementalAlterConfigsRequestResourceConfig) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		r := kmsg.NewPtrIncrementalAlterConfigsRequest()
		wanted := kmsg.NewIncrementalAlterConfigsRequestResource()
		wanted.ResourceType, wanted.ResourceName, wanted.Configs = kind, resource, changes
		r.Resources = append(r.Resources, wanted)
		return r
	}
}

func configSteps() []step {
	const topic, broker = kmsg.ConfigResourceTypeTopic, kmsg.ConfigResourceTypeBroker
	const set, remove, add, subtract = kmsg.IncrementalAlterConfigOpSet, kmsg.IncrementalAlterConfigOpDelete,
		kmsg.IncrementalAlterConfigOpAppend, kmsg.IncrementalAlterConfigOpSubtract
	null := change(set, "retention.ms", "")
	null.Value = nil
	steps := []step{
		{name: "topic", make: describe(topic, "small", false), from: 1, to: 4},
		{name: "topic, all", make: describe(topic, "small", true), from: 1, to: 4},
		{name: "topic, some", make: describe(topic, "small", false, "retention.ms", "max.message.bytes", "no.such"), from: 1, to: 4},
		{name: "broker", make: describe(broker, "1", false), from: 1, to: 4},
		{name: "broker, all", make: describe(broker, "1", true)},
		{name: "brokers", make: describe(broker, "", false), from: 1, to: 4},
		{name: "absent topic", make: describe(topic, "absent", false), from: 1, to: 4},
		{name: "bad topic", make: describe(topic, "a b", false)},
		{name: "no topic", make: describe(topic, "", false)},
		{name: "absent broker", make: describe(broker, "9", false)},
		{name: "bad broker", make: describe(broker, "one", false)},
		{name: "unknown kind", make: describe(77, "x", false)},
		{name: "broker logger", make: describe(kmsg.ConfigResourceTypeBrokerLogger, "1", false, "root")},
	}
	for _, c := range sorted(map[string]func(*side) kmsg.Request{
		"set": alter(topic, "data", change(set, "retention.bytes", "123456789")), "set and delete": alter(topic, "data",
			change(set, "flush.messages", "7"), change(remove, "retention.bytes", "")),
		"set twice": alter(topic, "data", change(set, "flush.ms", "7"), change(set, "flush.ms", "8")),
		"null":      alter(topic, "data", null), "unknown": alter(topic, "data", change(set, "no.such", "1")),
		"delete unknown": alter(topic, "data", change(remove, "no.such", "")), "bad value": alter(topic, "data", change(set, "retention.ms", "x")),
		"out of range": alter(topic, "data", change(set, "min.insync.replicas", "0")),
		"append":       alter(topic, "defaults", change(add, "cleanup.policy", "compact")), "append again": alter(topic, "compacted", change(add, "cleanup.policy", "compact")),
		"append to number": alter(topic, "data", change(add, "retention.ms", "1")), "subtract": alter(topic, "once", change(subtract, "cleanup.policy", "delete")),
		"subtract what is not": alter(topic, "data", change(subtract, "cleanup.policy", "compact")),
		"absent":               alter(topic, "absent", change(set, "retention.ms", "1")), "no changes": alter(topic, "data"),
		"unknown op": alter(topic, "data", change(9, "retention.ms", "1")), "broker": alter(broker, "1", change(set, "log.retention.ms", "77777777")),
		"brokers": alter(broker, "", change(set, "message.max.bytes", "2000000")), "read only": alter(broker, "1", change(set, "log.dirs", "/x")),
		"absent broker": alter(broker, "9", change(set, "log.retention.ms", "1")), "unknown kind": alter(77, "data", change(set, "retention.ms", "1")),
		"bad broker": alter(broker, "one", change(set, "log.retention.ms", "1")), "broker unknown": alter(broker, "1", change(set, "no.such", "1")),
	}) {
		steps = append(steps, step{name: c.name, make: c.what, from: 0, to: 1})
	}
	return append(steps,
		step{name: "data afterwards", make: describe(topic, "data", true)}, step{name: "defaults afterwards", make: describe(topic, "defaults", true)},
		step{name: "once afterwards", make: describe(topic, "once", true)}, step{name: "broker afterwards", make: describe(broker, "1", true)},
		step{name: "brokers afterwards", make: describe(broker, "", true)},
		step{name: "undone", make: alter(broker, "1", change(remove, "log.retention.ms", ""))},
		step{name: "all undone", make: alter(broker, "", change(remove, "message.max.bytes", ""))},
	)
}

func grow(topics ...kmsg.CreatePartitionsRequestTopic) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		r := kmsg.NewPtrCreatePartitionsRequest()
		r.TimeoutMillis, r.Topics = 20000, topics
		return r
	}
}

func growTo(name string, count int32, replicas ...[]int32) kmsg.CreatePartitionsRequestTopic {
	t := kmsg.NewCreatePartitionsRequestTopic()
	t.Topic, t.Count = name, count
	for _, nodes := range replicas {
		a := kmsg.NewCreatePartitionsRequestTopicAssignment()
		a.Replicas = nodes
		t.Assignment = append(t.Assignment, a)
	}
	return t
}

func clusterSteps() []step {
	return []step{
		{name: "grow", make: grow(growTo("once", 2)), from: 0, to: 0},
		{name: "same", make: grow(growTo("once", 2)), from: 0, to: 3},
		{name: "shrink", make: grow(growTo("once", 1)), from: 0, to: 3},
		{name: "to none", make: grow(growTo("once", 0))},
		{name: "to -1", make: grow(growTo("once", -1))},
		{name: "absent", make: grow(growTo("absent", 3))},
		{name: "twice", make: grow(growTo("once", 3), growTo("once", 4))},
		{name: "too few assigned", make: grow(growTo("once", 4, []int32{1}))},
		{name: "too many assigned", make: grow(growTo("once", 3, []int32{1}, []int32{1}))},
		{name: "unknown broker", make: grow(growTo("once", 3, []int32{9}))},
		{name: "no broker", make: grow(growTo("once", 3, []int32{}))},
		{name: "assigned", make: grow(growTo("once", 3, []int32{1}))},
		{name: "", make: func(*side) kmsg.Request { return kmsg.NewPtrDescribeClusterRequest() }, from: 0, to: 2},
		{name: "controllers", make: func(*side) kmsg.Request {
			return &kmsg.DescribeClusterRequest{EndpointType: 7}
		}, from: 1, to: 2},
		{name: "", make: func(*side) kmsg.Request { return kmsg.NewPtrApiVersionsRequest() }, from: 0, to: 2},
		{name: "named", make: func(*side) kmsg.Request {
			return &kmsg.ApiVersionsRequest{ClientSoftwareName: "interop", ClientSoftwareVersion: "1"}
		}, from: 3, to: 5},
		{name: "ill named", make: func(*side) kmsg.Request {
			return &kmsg.ApiVersionsRequest{ClientSoftwareName: "-interop", ClientSoftwareVersion: "1"}
		}, from: 3, to: 5},
		{name: "", make: func(*side) kmsg.Request { return kmsg.NewPtrDescribeLogDirsRequest() }, from: 1, to: 5},
		{name: "data", make: func(*side) kmsg.Request {
			r := kmsg.NewPtrDescribeLogDirsRequest()
			r.Topics = []kmsg.DescribeLogDirsRequestTopic{{Topic: "data", Partitions: []int32{0, 1, 7}}, {Topic: "absent", Partitions: []int32{0}}}
			return r
		}, from: 1, to: 5},
		{name: "some", make: topicPartitions(0, "data", "absent", "once")},
		{name: "none", make: topicPartitions(0)},
		{name: "limited", make: topicPartitions(1, "data", "once")},
	}
}

func topicPartitions(limit int32, names ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		r := kmsg.NewPtrDescribeTopicPartitionsRequest()
		if limit > 0 {
			r.ResponsePartitionLimit = limit
		}
		for _, n := range names {
			r.Topics = append(r.Topics, kmsg.DescribeTopicPartitionsRequestTopic{Topic: n})
		}
		return r
	}
}

func deleteSteps() []step {
	remove := func(change func(s *side, r *kmsg.DeleteTopicsRequest)) func(*side) kmsg.Request {
		return func(s *side) kmsg.Request {
			r := kmsg.NewPtrDeleteTopicsRequest()
			r.TimeoutMillis = 20000
			change(s, r)
			return r
		}
	}
	byName := func(names ...string) func(*side) kmsg.Request {
		return remove(func(_ *side, r *kmsg.DeleteTopicsRequest) {
			r.TopicNames = names
			for _, n := range names {
				r.Topics = append(r.Topics, kmsg.DeleteTopicsRequestTopic{Topic: &n})
			}
		})
	}
	byID := func(name string, id [16]byte) func(*side) kmsg.Request {
		return remove(func(_ *side, r *kmsg.DeleteTopicsRequest) {
			t := kmsg.DeleteTopicsRequestTopic{TopicID: id}
			if name != "" {
				t.Topic = &name
			}
			r.Topics = append(r.Topics, t)
		})
	}
	return []step{
		{name: "absent", make: byName("absent"), from: 1, to: 6},
		{name: "nothing", make: byName(), from: 1, to: 6},
		{name: "good", make: byName("assigned"), from: 1, to: 1},
		{name: "twice", make: byName("twice", "twice"), from: 1, to: 6},
		{name: "unknown id", make: byID("", unknownID())},
		{name: "no name, no id", make: byID("", [16]byte{})},
		{name: "name and id", make: byID("data", unknownID())},
		{name: "bad name", make: byName("a b")},
		{name: "by id", make: remove(func(s *side, r *kmsg.DeleteTopicsRequest) {
			r.Topics = append(r.Topics, kmsg.DeleteTopicsRequestTopic{TopicID: s.id("timely")})
		})},
	}
}
