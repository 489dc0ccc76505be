package admin

import (
	"github.com/klamm-log/klamm/core"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// RouteKind says who is asked.
type RouteKind uint8

// The routes.
const (
	AnyBroker       RouteKind = iota // the least loaded connection
	Controller                       // the node that Metadata names; any broker if it names none
	PartitionLeader                  // Route.Topic and Route.Partition
	Broker                           // Route.Node
	Coordinator                      // of the consumer group Route.Group, which is looked up first
	TxnCoordinator                   // of the transactional id Route.Group, likewise
)

// Route names the broker that a request is sent to.
type Route struct {
	Kind      RouteKind
	Node      core.NodeID
	Topic     string
	Partition int32
	Group     string
}

// Reply is the outcome of one Call.
type Reply struct {
	Token uint64
	// Body is the broker's last answer, also when Err was read out of it; nil if none came.
	Body kmsg.Response
	Node core.NodeID // who answered
	// Err is why there is no Body, or the retriable error in Body that outlasted the deadline. Other errors in Body are
	// the caller's to read.
	Err core.ErrorCode
	// Ambiguous goes with any outcome: an attempt was lost on its way, so the request may have been executed more than
	// once, or later than this reply.
	Ambiguous bool
	Attempts  int // how often a Call was handed to a connection

	Offsets []PartitionOffset // of ListOffsets and DeleteRecords, in the order asked
	LogDirs []LogDir          // of DescribeLogDirs, by broker
}

// PartitionOffset is one partition's row of ListOffsets (Offset, Timestamp, LeaderEpoch) or DeleteRecords (Offset is
// the new log start).
type PartitionOffset struct {
	core.TopicPartition
	Offset      core.Offset // core.NoOffset if there is none or Err is set
	Timestamp   core.Wall
	LeaderEpoch core.LeaderEpoch
	Err         core.ErrorCode
}

// LogDir is one broker's answer to DescribeLogDirs.
type LogDir struct {
	Node core.NodeID
	Body *kmsg.DescribeLogDirsResponse // nil if Err is set
	Err  core.ErrorCode
}

// The special timestamps of ListOffsets.
const (
	LatestOffset       core.Wall = -1 // the high watermark, or the last stable offset
	EarliestOffset     core.Wall = -2
	MaxTimestampOffset core.Wall = -3 // the first record with the largest timestamp (KIP-734)
)

// Options configures an [Admin]. The zero value of every field means its default.
type Options struct {
	Timeout core.Mono // default.api.timeout.ms: from Call to the reply at the latest; default 60 s
}

// WithDefaults is o with every zero field replaced by its default.
func (o Options) WithDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = core.Minute
	}
	return o
}
