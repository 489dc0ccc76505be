package workload

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Kind says what a client is.
type Kind string

// The kinds of clients.
const (
	Producer Kind = "producer"
	Consumer Kind = "consumer"
	Admin    Kind = "admin"
	Member   Kind = "member"   // a consumer in a group
	Writer   Kind = "writer"   // a transactional producer
	Pipeline Kind = "pipeline" // a group's member that transforms what it reads, in transactions
)

// Plan is what one client does in a run. It is plain data, and explicit.
type Plan struct {
	ID       int32            `json:"id"` // names the client's draws and values; kept when others are removed
	Kind     Kind             `json:"kind"`
	Network  NetworkOptions   `json:"network,omitzero"`
	Producer *ProducerOptions `json:"producer,omitempty"` // of a Producer, a Writer or a Pipeline
	Consumer *ConsumerOptions `json:"consumer,omitempty"` // of a Consumer; nil: all defaults
	Group    *GroupOptions    `json:"group,omitempty"`    // of a Member or a Pipeline
	Txn      *TxnOptions      `json:"txn,omitempty"`      // of a Writer or a Pipeline
	Ops      []Op             `json:"ops"`                // by At
}

// NetworkOptions are the connection options that matter; zero fields mean the client's defaults.
type NetworkOptions struct {
	RequestTimeout core.Mono `json:"request_timeout_ns,omitempty"`
	ConnectTimeout core.Mono `json:"connect_timeout_ns,omitempty"`
	MetadataMaxAge core.Mono `json:"metadata_max_age_ns,omitempty"`
	RetryBackoff   core.Mono `json:"retry_backoff_ns,omitempty"`
	MaxIdle        core.Mono `json:"max_idle_ns,omitempty"`
}

// ProducerOptions are a producer's options; zero fields mean the client's defaults, except Acks and Idempotent.
type ProducerOptions struct {
	Acks            int8      `json:"acks"` // -1 all, 0 none, 1 leader
	Idempotent      bool      `json:"idempotent"`
	Linger          core.Mono `json:"linger_ns,omitempty"`
	BatchSize       int64     `json:"batch_size,omitempty"`
	Codec           string    `json:"codec,omitempty"` // Kafka's name: none gzip snappy lz4 zstd
	MaxInFlight     int32     `json:"max_in_flight,omitempty"`
	Retries         int32     `json:"retries,omitempty"`
	DeliveryTimeout core.Mono `json:"delivery_timeout_ns,omitempty"`
	RequestTimeout  core.Mono `json:"request_timeout_ns,omitempty"` // what Produce grants the broker
	BufferMemory    int64     `json:"buffer_memory,omitempty"`
	MaxRequestSize  int64     `json:"max_request_size,omitempty"`
	Partitioner     string    `json:"partitioner,omitempty"` // uniform-sticky adaptive sticky round-robin
}

// ConsumerOptions are a consumer's options; zero fields mean the client's defaults.
type ConsumerOptions struct {
	Committed         bool      `json:"read_committed,omitempty"`
	Reset             string    `json:"reset,omitempty"` // latest earliest none
	MaxWait           core.Mono `json:"max_wait_ns,omitempty"`
	MinBytes          int32     `json:"min_bytes,omitempty"`
	MaxBytes          int32     `json:"max_bytes,omitempty"`
	PartitionMaxBytes int32     `json:"partition_max_bytes,omitempty"`
	BufferBytes       int64     `json:"buffer_bytes,omitempty"`
	NoSessions        bool      `json:"no_sessions,omitempty"`
	Rack              string    `json:"rack,omitempty"`
	FinalReads        bool      `json:"final_reads,omitempty"` // read everything in the Final phase
}

// TxnOptions are what transactions need; a zero timeout means the client's default.
type TxnOptions struct {
	Writer  int32     `json:"writer"` // transactional.id is "x" and this number; who shares it fences the others
	Timeout core.Mono `json:"timeout_ns,omitempty"`
	Out     string    `json:"out,omitempty"` // a Pipeline's: where its output goes
	// Words makes a Pipeline count words: one record for each word among what it has polled, with the number of times. Else it copies.
	Words bool `json:"words,omitempty"`
	// EndEmpty makes a Writer tell the coordinator of transactions, too, that it gives up before anything has left.
	EndEmpty bool `json:"end_empty,omitempty"`
	// Deserts makes a Writer begin a transaction when the faults have stopped, and never end it: its coordinator must.
	Deserts bool `json:"deserts,omitempty"`
}

// OpKind says what an [Op] does.
type OpKind string

// Operations of producers.
const (
	// Produce sends Count records to Topic: to Partition, or to where the partitioner wants them if that is -1; one
	// each Every, or all at once.
	Produce OpKind = "produce"
	// Flush sends what lingers.
	Flush OpKind = "flush"
)

// Operations of consumers. They name one partition each.
const (
	Assign   OpKind = "assign" // begin to consume at Where
	Unassign OpKind = "unassign"
	Seek     OpKind = "seek" // go to Where; nothing if the partition is not assigned
	Pause    OpKind = "pause"
	Resume   OpKind = "resume"
	// Poll sets the poll loop: Max records each Every, as soon as there are any if Every is 0, none if Max is 0.
	Poll OpKind = "poll"
)

// Transact, of writers: one transaction of Count records over Topics and their partitions, one each Every, which is ended Hold after
// the last one. Transactions follow each other.
const Transact OpKind = "transact"

// Operations of members and pipelines.
const (
	Join  OpKind = "join" // the group, or go on in it, to read Topics
	Leave OpKind = "leave"
	// Work sets the poll loop: Max records each time, and Every to process them; Max 0 stands still.
	Work OpKind = "work"
)

// Crash throws a client of any kind away; the next incarnation begins at once.
const Crash OpKind = "crash"

// Operations of admins.
const (
	CreateTopic      OpKind = "create-topic" // Topic with Partitions partitions and Configs
	DeleteTopic      OpKind = "delete-topic"
	CreatePartitions OpKind = "create-partitions" // so that Topic has Partitions of them
	AlterConfig      OpKind = "alter-config"      // of Topic: Configs
	// Reassign moves Topic and Partition to Replicas, or cancels what is under way if there are none.
	Reassign OpKind = "reassign"
	// ElectLeaders gives the leadership of Topic and Partition, or of all partitions of Topic if that is -1, to the preferred
	// replicas.
	ElectLeaders OpKind = "elect-leaders"
	// DescribeQuorum asks for the voters; RemoveVoter and AddVoter make Node, with the directory that it has then, an
	// observer or a voter. Host is where Node is found.
	DescribeQuorum OpKind = "describe-quorum"
	AddVoter       OpKind = "add-voter"
	RemoveVoter    OpKind = "remove-voter"
	// UpdateFeature sets the feature named by Topic to level Max, up or down (KIP-584). UnregisterBroker makes the cluster
	// forget Node.
	UpdateFeature    OpKind = "update-feature"
	UnregisterBroker OpKind = "unregister-broker"
	// DeleteRecords of Topic and Partition below Permille thousandths of the HighWatermark, which is looked up first;
	// up to the HighWatermark, whatever it is, if Permille is -1; above 1000 it asks for more than there is.
	DeleteRecords OpKind = "delete-records"
	// DeleteOffsets makes Group forget what it has committed for Topic and Partition, or for all partitions of Topic if that is -1. It is
	// refused while a member reads Topic.
	DeleteOffsets OpKind = "delete-offsets"
	ListOffsets   OpKind = "list-offsets" // of Topic and Partition: Where
	Describe      OpKind = "describe"     // the cluster, Topic, its configuration and its log directories
)

// Where names a place in a log.
type Where string

// Places. The zero value means the reset policy's for Assign, the end otherwise.
const (
	Beginning    Where = "beginning"
	End          Where = "end"
	AtPermille   Where = "permille"      // Op.Permille thousandths of the last known end; beyond the end above 1000
	AtTime       Where = "time"          // the first record at or after Op.Ago before now
	MaxTimestamp Where = "max-timestamp" // ListOffsets alone (KIP-734)
)

// Op is one operation. Which fields count depends on the kind.
type Op struct {
	ID        int32     `json:"id"` // names the operation's draws and values; kept when others are removed
	At        core.Mono `json:"at_ns"`
	Kind      OpKind    `json:"op"`
	Topic     string    `json:"topic,omitempty"`
	Partition int32     `json:"partition"`

	Count int32 `json:"count,omitempty"`
	Size  int32 `json:"size,omitempty"` // bytes of each value at most; see MinValueSize
	Vary  bool  `json:"vary,omitempty"` // draw each size below Size
	Keys  int32 `json:"keys,omitempty"` // distinct keys, the first likelier; 0: no key
	// Tombstones is the part of the records, in thousandths, whose value is null. Their number stands nowhere; consumers
	// pass over them.
	Tombstones int32     `json:"tombstones,omitempty"`
	Headers    int32     `json:"headers,omitempty"` // headers at most
	Odd        bool      `json:"odd,omitempty"`     // timestamps out of order, old, missing, in the future
	Every      core.Mono `json:"every_ns,omitempty"`
	Hold       core.Mono `json:"hold_ns,omitempty"`  // Transact: how long it stays open after its last record
	Abort      bool      `json:"abort,omitempty"`    // Transact: ends it so; Work: now and then
	Needed     bool      `json:"needed,omitempty"`   // CreateTopic: there will be brokers enough; is tried until there are
	Transfer   bool      `json:"transfer,omitempty"` // Transact: of the bank, which makes it two records, one for each account

	Where    Where     `json:"where,omitempty"`
	Permille int32     `json:"permille,omitempty"`
	Ago      core.Wall `json:"ago_ms,omitempty"`
	Max      int32     `json:"max,omitempty"`

	Partitions  int32    `json:"partitions,omitempty"`
	Replication int16    `json:"replication,omitempty"`
	Configs     []Config `json:"configs,omitempty"`

	Downgrade bool `json:"downgrade,omitempty"` // UpdateFeature: the level is lower than the present one

	Replicas []int32  `json:"replicas,omitempty"`
	Topics   []string `json:"topics,omitempty"`
	Group    int32    `json:"group,omitempty"`
	Node     int32    `json:"node,omitempty"`
	Host     string   `json:"host,omitempty"`
}

// Config is one line of a topic's configuration.
type Config struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Bounds of a plan. A value is client, incarnation, operation and index in one number.
const (
	MaxClientID     = 1<<11 - 1
	MaxIncarnation  = 1<<10 - 1
	MaxOpID         = 1<<17 - 1 // probes have the ids above
	MaxCount        = 1<<24 - 1
	MaxValueSize    = 64 << 20
	maxOpBits       = 18
	maxCountBits    = 24
	maxIncarnBits   = 10
	maxHeadersOfOne = 64
)

// ParsePlan reads a plan in its JSON form and validates it.
func ParsePlan(src []byte) (Plan, error) {
	var p Plan
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Plan{}, fmt.Errorf("workload: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Plan{}, fmt.Errorf("workload: something follows the plan")
	}
	if err := p.Validate(); err != nil {
		return Plan{}, err
	}
	return p, nil
}

// Sorted is a plan that was made by hand, with its operations by time.
func Sorted(p Plan) Plan {
	slices.SortStableFunc(p.Ops, byTime)
	return p
}

func byTime(a, b Op) int { return cmp.Compare(a.At, b.At) }

// ProcessOf is the history's number of one incarnation of a client.
func ProcessOf(id int32, incarnation int64) history.Process {
	if incarnation < 0 || incarnation > MaxIncarnation {
		panic(fmt.Sprintf("workload: incarnation %d of client %d", incarnation, id))
	}
	return history.Process(id<<maxIncarnBits | int32(incarnation))
}

// ClientOf is the plan's id of the client whose incarnation has a number in the history.
func ClientOf(p history.Process) int32 { return int32(p) >> maxIncarnBits }
