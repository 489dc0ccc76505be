package log

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log/compact"
	"github.com/klamm-log/klamm/core/log/index"
	"github.com/klamm-log/klamm/core/record"
)

// Policy says when an appended record counts as durable.
type Policy uint8

const (
	// Commit counts what has been fsynced. It is the default.
	Commit Policy = iota
	// OS counts what the operating system has taken into its page cache, as Kafka does by default. A power loss may
	// take acknowledged records.
	OS
)

// String is the value of the configuration that selects the policy.
func (p Policy) String() string {
	if p == OS {
		return "os"
	}
	return "commit"
}

// Config is a log's configuration: topic configurations under Kafka's names and meanings, and a few knobs of our
// own. A zero field means its default. It may be replaced while the log runs, see [Log.Reconfigure].
type Config struct {
	SegmentBytes           int32 // segment.bytes, default 1 GiB
	SegmentMs              int64 // segment.ms, default 7 days
	IndexIntervalBytes     int32 // index.interval.bytes, default 4096
	IndexMaxBytes          int32 // segment.index.bytes, default 10 MiB
	RetentionMs            int64 // retention.ms, default 7 days, negative for ever; Kafka's 0 is 1 here
	RetentionBytes         int64 // retention.bytes, default none (any value <= 0); Kafka's 0 is 1 here, too
	TimestampType          record.TimestampType
	ProducerIDExpirationMs int64 // producer.id.expiration.ms, default 1 day
	Policy                 Policy

	// Compacted says that cleanup.policy has, or ever had, "compact": offsets may then have holes. Without it a hole
	// is damage, because base offsets are outside the checksum. Once set it stays, see [Past.Compacted].
	Compacted bool
	// Cleaning is the topic's configuration of compaction; unlike the others its fields mean what they say, also 0.
	Cleaning compact.Policy
	// FileDeleteDelayMs is file.delete.delay.ms, default 1 minute: for so long the files that the cleaner has replaced
	// stay open, because an answer that is being put together may name their bytes.
	FileDeleteDelayMs int64
	// TrackWrites asks for the completion of each turn's last append, so that followers can read what the leader
	// has written but not yet synced. Policy OS implies it.
	TrackWrites bool

	// Journal keeps a record of everything that changes the log's contents, for checkers; see [Log.TakeJournal].
	Journal bool

	RecentBatches      int32     // batches whose exact position is kept in memory, default 1024
	RecoveryChunkBytes int64     // bytes per read while scanning, default 1 MiB, at least 256
	LookupBytes        int64     // bytes per read of a lookup, default 64 KiB, at least 256
	MaxDecompressed    int64     // bound of one batch's records in a lookup by time, default record.DefaultMaxDecompressed
	DiskTimeout        core.Mono // age at which an operation without completion is a stuck disk, default 30 s
}

const (
	defaultSegmentBytes  = 1 << 30
	defaultWeekMs        = 7 * 24 * 3600 * 1000
	defaultDayMs         = 24 * 3600 * 1000
	defaultMinuteMs      = 60 * 1000
	defaultIndexInterval = 4096
	defaultIndexMax      = 10 << 20
	defaultRecent        = 1024
	defaultChunk         = 1 << 20
	defaultLookup        = 64 << 10
	minRead              = 256 // more than a batch header, so that every read makes progress
)

// withDefaults fills in what was left zero and raises what would not work.
func (c Config) withDefaults() Config {
	orDefault(&c.SegmentBytes, defaultSegmentBytes)
	orDefault(&c.SegmentMs, defaultWeekMs)
	orDefault(&c.IndexIntervalBytes, defaultIndexInterval)
	orDefault(&c.IndexMaxBytes, defaultIndexMax)
	orDefault(&c.RetentionMs, defaultWeekMs)
	orDefault(&c.ProducerIDExpirationMs, defaultDayMs)
	orDefault(&c.FileDeleteDelayMs, defaultMinuteMs)
	orDefault(&c.RecentBatches, defaultRecent)
	orDefault(&c.RecoveryChunkBytes, defaultChunk)
	orDefault(&c.LookupBytes, defaultLookup)
	orDefault(&c.MaxDecompressed, record.DefaultMaxDecompressed)
	orDefault(&c.DiskTimeout, 30*core.Second)
	c.RecoveryChunkBytes = max(c.RecoveryChunkBytes, minRead)
	c.LookupBytes = max(c.LookupBytes, minRead)
	// A time index must have room for the entry that seals it.
	c.IndexMaxBytes = max(c.IndexMaxBytes, 2*index.TimeEntrySize)
	return c
}

func orDefault[T int32 | int64 | core.Mono](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Past is what the node's checkpoint files say about a log that existed before this process started. The zero value
// is right for a new partition and safe for an old one: everything is scanned.
type Past struct {
	// Clean says that the node's clean-shutdown marker was found: contents are trusted and only sanity-checked.
	Clean bool
	// RecoveryPoint is the entry in recovery-point-offset-checkpoint: every offset below it was durable. Entries of a
	// deleted partition must not be given to its successor of the same name.
	RecoveryPoint core.Offset
	// LogStartOffset is the entry in log-start-offset-checkpoint, 0 without one.
	LogStartOffset core.Offset
	// CleanPoint is the entry in cleaner-offset-checkpoint: the offset at which the last round of compaction ended; 0
	// without one.
	CleanPoint core.Offset
	// Compacted says that there is such an entry. A topic that is compacted no more may have holes all the same.
	Compacted bool
	// TopicID is written into partition.metadata of a new log and compared with that of an old one. Zero means that
	// the caller does not care.
	TopicID core.TopicID
}
