package config

import (
	"cmp"
	"math"
	"slices"
)

const (
	minuteMs = 60 * 1000
	hourMs   = 60 * minuteMs
	unbound  = math.MaxInt64
)

// Reasons why values are refused. docs/DIVERGENCE.md lists them.
const (
	noRecompression = "this broker stores batches as producers compressed them"
	noJitter        = "segments roll without jitter"
	noPreallocation = "segment files are not preallocated"
	noThrottling    = "replication is not throttled"
	noTiering       = "there is no tiered storage"
)

// synonym is the usual case: one broker key in the same unit.
func synonym(name string) []Synonym { return []Synonym{{name, 1}} }

// TopicDefs are all topic keys, by name.
//
// Not as in Kafka, and therefore in docs/DIVERGENCE.md:
//   - refused values: compression.type other than producer, preallocate=true, remote.storage.enable=true,
//     remote.log.copy.disable=true, remote.log.delete.on.disable=true, segment.jitter.ms other than 0, local.retention.*
//     other than -2, any throttled replicas;
//   - file.delete.delay.ms counts for files that compaction has replaced, and for memory only: the names go at once. The
//     files of a segment that retention deletes go as soon as nobody reads them;
//   - compression.*.level only matters where the broker compresses, which it does not;
//   - flush.messages and flush.ms: under klamm.durability=commit every record is flushed before it is acknowledged,
//     sooner than either could ask for; under os, setting either gives the topic what commit gives.
func TopicDefs() []Def { return slices.Clone(topicDefs) }

// Both tables are made once: every configuration is resolved by them.
var (
	topicDefs  = sorted(topicDefsFirst(), topicDefsRest()) //nolint:gochecknoglobals // a table that nothing changes
	brokerDefs = gatherBrokerDefs()                        //nolint:gochecknoglobals // a table that nothing changes
)

func sorted(parts ...[]Def) []Def {
	defs := slices.Concat(parts...)
	slices.SortFunc(defs, func(a, b Def) int { return cmp.Compare(a.Name, b.Name) })
	return defs
}

func topicDefsFirst() []Def {
	return []Def{
		{Name: "cleanup.policy", Type: ListOf, Default: "delete", Values: []string{"compact", "delete"},
			Synonyms: synonym("log.cleanup.policy"),
			Doc: "What happens to old segments: delete drops them by age and size, compact keeps the latest record of each key. " +
				"Both may be combined."},
		{Name: "compression.gzip.level", Type: Int, Default: "-1", Min: -1, Max: 9, Synonyms: synonym("compression.gzip.level"),
			Doc: "Level of gzip where the broker compresses: 1 to 9, or -1 for the default."},
		{Name: "compression.lz4.level", Type: Int, Default: "9", Min: 1, Max: 17, Synonyms: synonym("compression.lz4.level"),
			Doc: "Level of lz4 where the broker compresses."},
		{Name: "compression.type", Type: String, Default: "producer",
			Values: []string{"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"},
			Lacks:  noRecompression, Only: "producer", Synonyms: synonym("compression.type"),
			Doc: "Codec in which the topic is stored; producer keeps the one that each batch came with."},
		{Name: "compression.zstd.level", Type: Int, Default: "3", Min: -131072, Max: 22, Synonyms: synonym("compression.zstd.level"),
			Doc: "Level of zstd where the broker compresses."},
		{Name: "delete.retention.ms", Type: Long, Default: "86400000", Max: unbound, Synonyms: synonym("log.cleaner.delete.retention.ms"),
			Doc: "How long compaction keeps tombstones, so that a reader from the start sees every deletion."},
		{Name: "file.delete.delay.ms", Type: Long, Default: "60000", Max: unbound, Synonyms: synonym("log.segment.delete.delay.ms"),
			Doc: "How long a deleted file stays on disk under another name. Files that nobody reads go at once here."},
		{Name: "flush.messages", Type: Long, Default: "9223372036854775807", Min: 1, Max: unbound, Synonyms: synonym("log.flush.interval.messages"),
			Doc: "Number of records after which the log is forced to disk. With klamm.durability=commit each one is, before it is acknowledged."},
		{Name: "flush.ms", Type: Long, Default: "9223372036854775807", Max: unbound,
			Synonyms: []Synonym{{"log.flush.interval.ms", 1}, {"log.flush.scheduler.interval.ms", 1}},
			Doc:      "Time after which the log is forced to disk. With klamm.durability=commit that is before each acknowledgement."},
		{Name: "follower.replication.throttled.replicas", Type: ListOf, Default: "", Lacks: noThrottling,
			Doc: "Replicas whose replication is throttled on the followers' side, as partition:broker pairs, or * for all."},
		{Name: "index.interval.bytes", Type: Int, Default: "4096", Max: unbound, Synonyms: synonym("log.index.interval.bytes"),
			Doc: "Bytes of log between two entries of the offset index."},
		{Name: "leader.replication.throttled.replicas", Type: ListOf, Default: "", Lacks: noThrottling,
			Doc: "Replicas whose replication is throttled on the leader's side, as partition:broker pairs, or * for all."},
		{Name: "local.retention.bytes", Type: Long, Default: "-2", Min: -2, Max: unbound, Lacks: noTiering, Only: "-2",
			Synonyms: synonym("log.local.retention.bytes"),
			Doc:      "Size of what a tiered topic keeps on the broker; -2 stands for retention.bytes."},
		{Name: "local.retention.ms", Type: Long, Default: "-2", Min: -2, Max: unbound, Lacks: noTiering, Only: "-2",
			Synonyms: synonym("log.local.retention.ms"),
			Doc:      "Age of what a tiered topic keeps on the broker; -2 stands for retention.ms."},
		{Name: "max.compaction.lag.ms", Type: Long, Default: "9223372036854775807", Min: 1, Max: unbound,
			Synonyms: synonym("log.cleaner.max.compaction.lag.ms"),
			Doc:      "Longest time for which a record may stay uncompacted."},
		{Name: "max.message.bytes", Type: Int, Default: "1048588", Max: unbound, Synonyms: synonym("message.max.bytes"),
			Doc: "Largest record batch that is accepted, compressed as it comes."},
	}
}

func topicDefsRest() []Def {
	return []Def{
		{Name: "message.timestamp.after.max.ms", Type: Long, Default: "3600000", Max: unbound,
			Synonyms: synonym("log.message.timestamp.after.max.ms"),
			Doc:      "How far a record's timestamp may lie ahead of the broker's clock. Records beyond are refused, unless the broker stamps them itself."},
		{Name: "message.timestamp.before.max.ms", Type: Long, Default: "9223372036854775807", Max: unbound,
			Synonyms: synonym("log.message.timestamp.before.max.ms"),
			Doc:      "How far a record's timestamp may lie behind the broker's clock. Records beyond are refused, unless the broker stamps them itself."},
		{Name: "message.timestamp.type", Type: String, Default: "CreateTime", Values: []string{"CreateTime", "LogAppendTime"},
			Synonyms: synonym("log.message.timestamp.type"),
			Doc:      "Whose clock a record's timestamp is from: its producer's, or the broker's at the append."},
		{Name: "min.cleanable.dirty.ratio", Type: Double, Default: "0.5", Synonyms: synonym("log.cleaner.min.cleanable.ratio"),
			Doc: "Part of a log that must be uncompacted before compaction looks at it, from 0 to 1."},
		{Name: "min.compaction.lag.ms", Type: Long, Default: "0", Max: unbound, Synonyms: synonym("log.cleaner.min.compaction.lag.ms"),
			Doc: "Time for which a record is safe from compaction."},
		{Name: "min.insync.replicas", Type: Int, Default: "1", Min: 1, Max: unbound, Synonyms: synonym("min.insync.replicas"),
			Doc: "Replicas that must be in sync for a produce with acks=all to be accepted."},
		{Name: "preallocate", Type: Boolean, Default: "false", Lacks: noPreallocation, Only: "false", Synonyms: synonym("log.preallocate"),
			Doc: "Whether a segment's file is made in its full size at once."},
		{Name: "remote.log.copy.disable", Type: Boolean, Default: "false", Lacks: noTiering, Only: "false",
			Doc: "Whether a tiered topic stops copying segments to the remote tier."},
		{Name: "remote.log.delete.on.disable", Type: Boolean, Default: "false", Lacks: noTiering, Only: "false",
			Doc: "Whether a topic's remote segments are deleted when its tiering is switched off."},
		{Name: "remote.storage.enable", Type: Boolean, Default: "false", Lacks: noTiering, Only: "false",
			Doc: "Whether the topic is tiered."},
		{Name: "retention.bytes", Type: Long, Default: "-1", Synonyms: synonym("log.retention.bytes"),
			Doc: "Size up to which each partition keeps segments when cleanup.policy contains delete; -1 sets no limit."},
		{Name: "retention.ms", Type: Long, Default: "604800000", Min: -1, Max: unbound,
			Synonyms: []Synonym{{"log.retention.ms", 1}, {"log.retention.minutes", minuteMs}, {"log.retention.hours", hourMs}},
			Doc:      "Age up to which segments are kept when cleanup.policy contains delete; -1 sets no limit."},
		// KIP-1030: smaller segments than 1 MiB made more files than systems can hold open.
		{Name: "segment.bytes", Type: Int, Default: "1073741824", Min: 1 << 20, Max: unbound, Synonyms: synonym("log.segment.bytes"),
			Doc: "Size at which a log begins a new segment. Retention and compaction work on whole segments."},
		{Name: "segment.index.bytes", Type: Int, Default: "10485760", Min: 4, Max: unbound, Synonyms: synonym("log.index.size.max.bytes"),
			Doc: "Largest size of a segment's offset index; a full index begins a new segment."},
		{Name: "segment.jitter.ms", Type: Long, Default: "0", Max: unbound, Lacks: noJitter, Only: "0",
			Synonyms: []Synonym{{"log.roll.jitter.ms", 1}, {"log.roll.jitter.hours", hourMs}},
			Doc:      "Random time taken off segment.ms so that partitions do not roll all at once."},
		{Name: "segment.ms", Type: Long, Default: "604800000", Min: 1, Max: unbound,
			Synonyms: []Synonym{{"log.roll.ms", 1}, {"log.roll.hours", hourMs}},
			Doc:      "Age at which a log begins a new segment even if the current one is not full."},
		{Name: "unclean.leader.election.enable", Type: Boolean, Default: "false", Synonyms: synonym("unclean.leader.election.enable"),
			Doc: "Whether a replica that is not in sync may lead when no other is left, at the price of lost records."},
	}
}

// TopicDef is the definition of a topic key.
func TopicDef(name string) (Def, bool) { return find(topicDefs, name) }

func find(defs []Def, name string) (Def, bool) {
	i, ok := slices.BinarySearchFunc(defs, name, func(d Def, name string) int { return cmp.Compare(d.Name, name) })
	if !ok {
		return Def{}, false
	}
	return defs[i], true
}
