package config

// Topic is the configuration of one topic, resolved over all layers. Names in comments are Kafka's.
type Topic struct {
	Compact               bool   // cleanup.policy contains compact
	Delete                bool   // cleanup.policy contains delete
	MayHaveHoles          bool   // it is compacted, or has a cleanup.policy of its own, hence may have been: offsets may be missing
	MinCleanableRatio     int64  // min.cleanable.dirty.ratio, in millionths
	CompressionType       string // compression.type; "producer" keeps what the producer chose
	DeleteRetentionMs     int64  // delete.retention.ms
	Flushed               bool   // flush.messages or flush.ms is set: flushed before it counts, whatever klamm.durability
	FileDeleteDelayMs     int64  // file.delete.delay.ms
	IndexIntervalBytes    int32  // index.interval.bytes
	MaxCompactionLagMs    int64  // max.compaction.lag.ms
	MaxMessageBytes       int32  // max.message.bytes
	LogAppendTime         bool   // message.timestamp.type is LogAppendTime
	TimestampAfterMaxMs   int64  // message.timestamp.after.max.ms
	TimestampBeforeMaxMs  int64  // message.timestamp.before.max.ms
	MinCompactionLagMs    int64  // min.compaction.lag.ms
	MinInsyncReplicas     int32  // min.insync.replicas
	RetentionBytes        int64  // retention.bytes; -1 unlimited
	RetentionMs           int64  // retention.ms; -1 unlimited
	SegmentBytes          int32  // segment.bytes
	SegmentIndexBytes     int32  // segment.index.bytes
	SegmentJitterMs       int64  // segment.jitter.ms
	SegmentMs             int64  // segment.ms
	UncleanLeaderElection bool   // unclean.leader.election.enable
}
