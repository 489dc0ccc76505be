package config

// Groups is what a broker's configuration says about group coordination. Times are in milliseconds, sizes in bytes.
type Groups struct {
	InitialRebalanceDelayMs int64 // group.initial.rebalance.delay.ms
	MaxSize                 int32 // group.max.size
	MinSessionTimeoutMs     int64 // group.min.session.timeout.ms
	MaxSessionTimeoutMs     int64 // group.max.session.timeout.ms

	ConsumerSessionTimeoutMs    int32    // group.consumer.session.timeout.ms (KIP-848)
	ConsumerHeartbeatIntervalMs int32    // group.consumer.heartbeat.interval.ms
	ConsumerMaxSize             int32    // group.consumer.max.size
	ConsumerAssignors           []string // group.consumer.assignors; the first is the default
	ConsumerUpgrade             bool     // group.consumer.migration.policy: a classic group can become a consumer group
	ConsumerDowngrade           bool     // and the other way round

	OffsetMetadataMaxBytes int32 // offset.metadata.max.bytes: characters, whatever the name says
	CommitTimeoutMs        int64 // offsets.commit.timeout.ms
	LoadBufferBytes        int32 // offsets.load.buffer.size
	RetentionCheckMs       int64 // offsets.retention.check.interval.ms
	RetentionMs            int64 // offsets.retention.minutes

	TopicPartitions   int32 // offsets.topic.num.partitions
	TopicReplication  int16 // offsets.topic.replication.factor
	TopicSegmentBytes int32 // offsets.topic.segment.bytes
	TopicCodec        int8  // offsets.topic.compression.codec: Kafka's number of the codec
}

// brokerDefsGroups are the keys of the group coordinator and of the topic that it keeps its state in.
func brokerDefsGroups() []Def {
	return []Def{
		{Name: "group.consumer.assignors", Type: ListOf, Default: "uniform,range", Values: []string{"range", "uniform"},
			Doc: "Server assignors that consumer groups (KIP-848) can ask for; the first is the default."},
		{Name: "group.consumer.heartbeat.interval.ms", Type: Int, Default: "5000", Min: 1, Max: unbound,
			Doc: "Time between two heartbeats of a member of a consumer group."},
		{Name: "group.consumer.max.size", Type: Int, Default: "2147483647", Min: 1, Max: unbound,
			Doc: "Most members of a consumer group."},
		{Name: "group.consumer.migration.policy", Type: String, Default: "bidirectional",
			Values: []string{"bidirectional", "disabled", "downgrade", "upgrade"},
			Doc:    "How groups that are in use may change their protocol: from the classic one to that of consumer groups, back, both, or not."},
		{Name: "group.consumer.session.timeout.ms", Type: Int, Default: "45000", Min: 1, Max: unbound,
			Doc: "Time after which a silent member of a consumer group is removed."},
		{Name: "group.initial.rebalance.delay.ms", Type: Int, Default: "3000", Max: unbound,
			Doc: "Time for which a group that was empty waits for more members before its first rebalance ends."},
		{Name: "group.max.session.timeout.ms", Type: Int, Default: "1800000", Max: unbound,
			Doc: "Longest session timeout that a member of a classic group may ask for."},
		{Name: "group.max.size", Type: Int, Default: "2147483647", Min: 1, Max: unbound,
			Doc: "Most members of a classic group."},
		{Name: "group.min.session.timeout.ms", Type: Int, Default: "6000", Max: unbound,
			Doc: "Shortest session timeout that a member of a classic group may ask for."},
		{Name: "offset.metadata.max.bytes", Type: Int, Default: "4096", Max: unbound,
			Doc: "Most characters of the metadata that a client stores with an offset."},
		{Name: "offsets.commit.timeout.ms", Type: Int, Default: "5000", Min: 1, Max: unbound,
			Doc: "Time for which an answer of the group coordinator waits until its records are replicated."},
		{Name: "offsets.load.buffer.size", Type: Int, Default: "5242880", Min: 1, Max: unbound,
			Doc: "Bytes of the offsets topic per read when a coordinator loads. A first batch that is larger comes all the same."},
		{Name: "offsets.retention.check.interval.ms", Type: Long, Default: "600000", Min: 1, Max: longestMs,
			Doc: "Time between two looks for committed offsets that have expired."},
		{Name: "offsets.retention.minutes", Type: Int, Default: "10080", Min: 1, Max: unbound,
			Doc: "Time for which offsets are kept after the group became empty, or after the last commit if it never had members (KIP-211)."},
		{Name: "offsets.topic.compression.codec", Type: Int, Default: "0", Max: 4,
			Doc: "Compression of what the coordinator writes: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd."},
		{Name: "offsets.topic.num.partitions", Type: Int, Default: "50", Min: 1, Max: unbound,
			Doc: "Partitions of the offsets topic when it is created."},
		{Name: "offsets.topic.replication.factor", Type: Short, Default: "3", Min: 1, Max: 32767,
			Doc: "Replicas of the offsets topic when it is created. With fewer brokers it is not created, and no group is served."},
		{Name: "offsets.topic.segment.bytes", Type: Int, Default: "104857600", Min: 1, Max: unbound,
			Doc: "Segment size of the offsets topic when it is created."},
	}
}

// groups reads the group coordinator's keys.
func (r *brokerReader) groups() Groups {
	policy := r.text("group.consumer.migration.policy")
	g := Groups{
		InitialRebalanceDelayMs:     r.number("group.initial.rebalance.delay.ms"),
		MaxSize:                     int32(r.number("group.max.size")),
		MinSessionTimeoutMs:         r.number("group.min.session.timeout.ms"),
		MaxSessionTimeoutMs:         r.number("group.max.session.timeout.ms"),
		ConsumerSessionTimeoutMs:    int32(r.number("group.consumer.session.timeout.ms")),
		ConsumerHeartbeatIntervalMs: int32(r.number("group.consumer.heartbeat.interval.ms")),
		ConsumerMaxSize:             int32(r.number("group.consumer.max.size")),
		ConsumerAssignors:           SplitList(r.text("group.consumer.assignors")),
		ConsumerUpgrade:             policy == "bidirectional" || policy == "upgrade",
		ConsumerDowngrade:           policy == "bidirectional" || policy == "downgrade",
		OffsetMetadataMaxBytes:      int32(r.number("offset.metadata.max.bytes")),
		CommitTimeoutMs:             r.number("offsets.commit.timeout.ms"),
		LoadBufferBytes:             int32(r.number("offsets.load.buffer.size")),
		RetentionCheckMs:            r.number("offsets.retention.check.interval.ms"),
		RetentionMs:                 60_000 * r.number("offsets.retention.minutes"),
		TopicPartitions:             int32(r.number("offsets.topic.num.partitions")),
		TopicReplication:            int16(r.number("offsets.topic.replication.factor")),
		TopicSegmentBytes:           int32(r.number("offsets.topic.segment.bytes")),
		TopicCodec:                  int8(r.number("offsets.topic.compression.codec")),
	}
	if g.MinSessionTimeoutMs > g.MaxSessionTimeoutMs {
		r.failf("group.min.session.timeout.ms: %d is more than group.max.session.timeout.ms, %d, so that nobody could join",
			g.MinSessionTimeoutMs, g.MaxSessionTimeoutMs)
	}
	if len(g.ConsumerAssignors) == 0 {
		r.failf("group.consumer.assignors: it names none")
	}
	return g
}
