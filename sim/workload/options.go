package workload

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/client/txn"
	"github.com/klamm-log/klamm/core/record"
)

// adminTimeout bounds one administrative request, unless the request timeout asks for more.
const adminTimeout = 10 * core.Second

// options are the machine's options. The error names the first option that cannot work.
func (p *Plan) options(bootstrap []string) (client.Options, error) {
	n := &p.Network
	o := client.Options{
		Cluster: cluster.Options{
			ClientID: "client-" + strconv.FormatInt(int64(p.ID), 10), Bootstrap: bootstrap,
			RequestTimeout: n.RequestTimeout, ConnectTimeout: n.ConnectTimeout, MetadataMaxAge: n.MetadataMaxAge,
			RetryBackoff: n.RetryBackoff, ConnectionMaxIdle: n.MaxIdle,
		},
		Admin: admin.Options{Timeout: max(adminTimeout, 2*n.RequestTimeout)},
	}
	var err error
	if p.Producer != nil {
		if o.Producer, err = p.Producer.options(); err != nil {
			return o, err
		}
	}
	if p.Group != nil {
		o.Consumer, o.Group = p.Group.options()
	}
	if p.Txn != nil {
		o.Txn = txn.Options{ID: "x" + strconv.Itoa(int(p.Txn.Writer)), Timeout: p.Txn.Timeout, EndEmpty: p.Txn.EndEmpty}
	}
	if p.Kind == Pipeline {
		o.Consumer.Isolation, o.Group.ManualCommit = consumer.ReadCommitted, true
	}
	if p.Kind == Consumer {
		if p.Consumer == nil {
			p = &Plan{Consumer: &ConsumerOptions{}}
		}
		if o.Consumer, err = p.Consumer.options(); err != nil {
			return o, err
		}
	}
	return o, o.Validate()
}

func (o *ProducerOptions) options() (producer.Options, error) {
	p := producer.Options{
		BatchSize: o.BatchSize, Linger: o.Linger, MaxInFlight: int(o.MaxInFlight), Retries: int(o.Retries),
		DeliveryTimeout: o.DeliveryTimeout, RequestTimeout: o.RequestTimeout,
		BufferMemory: o.BufferMemory, MaxRequestSize: o.MaxRequestSize,
	}
	switch o.Acks {
	case -1:
		p.Acks = producer.AcksAll
	case 0:
		p.Acks = producer.AcksNone
	case 1:
		p.Acks = producer.AcksLeader
	default:
		return p, fmt.Errorf("workload: acks %d", o.Acks)
	}
	// Never "auto": the history must say what the records can rely on.
	p.Idempotence = producer.IdempotenceOff
	if o.Idempotent {
		p.Idempotence = producer.IdempotenceOn
	}
	codec, ok := codecOf(o.Codec)
	if !ok {
		return p, fmt.Errorf("workload: unknown codec %q", o.Codec)
	}
	p.Compression = codec
	switch o.Partitioner {
	case "", "uniform-sticky":
		p.Partitioning = producer.UniformSticky
	case "adaptive":
		p.Partitioning = producer.AdaptiveSticky
	case "sticky":
		p.Partitioning = producer.Sticky
	case "round-robin":
		p.Partitioning = producer.RoundRobin
	default:
		return p, fmt.Errorf("workload: unknown partitioner %q", o.Partitioner)
	}
	return p, nil
}

func codecOf(name string) (record.Codec, bool) {
	switch name {
	case "", "none":
		return record.None, true
	case "gzip":
		return record.Gzip, true
	case "snappy":
		return record.Snappy, true
	case "lz4":
		return record.LZ4, true
	case "zstd":
		return record.Zstd, true
	}
	return record.None, false
}

func (o *ConsumerOptions) options() (consumer.Options, error) {
	c := consumer.Options{
		MaxWait: o.MaxWait, MinBytes: o.MinBytes, MaxBytes: o.MaxBytes, PartitionMaxBytes: o.PartitionMaxBytes,
		BufferBytes: o.BufferBytes, NoSessions: o.NoSessions, Rack: o.Rack,
	}
	if o.Committed {
		c.Isolation = consumer.ReadCommitted
	}
	switch o.Reset {
	case "", "latest":
		c.Reset = consumer.ResetLatest
	case "earliest":
		c.Reset = consumer.ResetEarliest
	case "none":
		c.Reset = consumer.ResetNone
	default:
		return c, fmt.Errorf("workload: unknown reset policy %q", o.Reset)
	}
	c.KeepAnswers = true
	return c, nil
}

// Validate reports the first thing in the plan that cannot work.
func (p *Plan) Validate() error {
	if p.ID < 0 || p.ID > MaxClientID {
		return fmt.Errorf("workload: client id %d", p.ID)
	}
	switch {
	case p.Kind != Producer && p.Kind != Consumer && p.Kind != Admin && p.Kind != Member && p.Kind != Writer && p.Kind != Pipeline:
		return fmt.Errorf("workload: client %d of kind %q", p.ID, p.Kind)
	case p.Producer != nil && p.Kind != Producer && !p.Kind.transactional(), p.Consumer != nil && p.Kind != Consumer:
		return fmt.Errorf("workload: client %d is a %s with the options of another kind", p.ID, p.Kind)
	case (p.Kind == Member || p.Kind == Pipeline) != (p.Group != nil):
		return fmt.Errorf("workload: client %d: a member, and nobody else, has the options of one", p.ID)
	case p.Kind.transactional() != (p.Txn != nil):
		return fmt.Errorf("workload: client %d: a writer or a pipeline, and nobody else, has transactions", p.ID)
	case (p.Kind == Producer || p.Kind.transactional()) && p.Producer == nil:
		return fmt.Errorf("workload: producer %d without options: there is no default for acks", p.ID)
	case p.Kind == Pipeline && (p.Txn.Out == "" || slices.Contains(p.Group.Topics, p.Txn.Out)):
		return fmt.Errorf("workload: pipeline %d writes to %q, which it reads or which is none", p.ID, p.Txn.Out)
	}
	if _, err := p.options([]string{"localhost:9092"}); err != nil {
		return fmt.Errorf("workload: client %d: %w", p.ID, err)
	}
	seen := make(map[int32]bool, len(p.Ops))
	for i := range p.Ops {
		op := &p.Ops[i]
		if err := op.validate(p.Kind); err != nil {
			return fmt.Errorf("workload: client %d, operation %d: %w", p.ID, op.ID, err)
		}
		if seen[op.ID] {
			return fmt.Errorf("workload: client %d has two operations %d", p.ID, op.ID)
		}
		seen[op.ID] = true
		if i > 0 && op.At < p.Ops[i-1].At {
			return fmt.Errorf("workload: client %d: operation %d is out of order", p.ID, op.ID)
		}
	}
	return nil
}

func (o *Op) validate(kind Kind) error {
	owner, ok := o.Kind.owner()
	switch {
	case !ok:
		return fmt.Errorf("unknown kind %q", o.Kind)
	case owner != "" && owner != kind && !(owner == Member && kind == Pipeline):
		return fmt.Errorf("%q is not for a %s", o.Kind, kind)
	case o.ID < 0 || o.ID > MaxOpID:
		return fmt.Errorf("id out of range")
	case o.At < 0, o.Every < 0, o.Hold < 0, o.Count < 0, o.Count > MaxCount, o.Keys < 0, o.Max < 0:
		return fmt.Errorf("a negative or too large number")
	case o.Size < 0 || o.Size > MaxValueSize, o.Headers < 0 || o.Headers > maxHeadersOfOne:
		return fmt.Errorf("size or headers out of range")
	case len(o.Topic) > 249 || o.Topic == "" && o.Kind.namesTopic():
		return fmt.Errorf("topic %q", o.Topic)
	case o.Partition < -1, o.Partition < 0 && o.Kind.namesPartition():
		return fmt.Errorf("partition %d", o.Partition)
	case o.Kind == Transact && len(o.Topics) == 0:
		return fmt.Errorf("a transaction without topics")
	case o.Permille < -1, o.Permille > 1_000_000, o.Ago < 0:
		return fmt.Errorf("place out of range")
	case o.Partitions < 0 || o.Partitions > 1000, o.Replication < 0:
		return fmt.Errorf("%d partitions", o.Partitions)
	}
	return o.validateWhere()
}

func (o *Op) validateWhere() error {
	switch o.Where {
	case "", Beginning, End, AtPermille, AtTime:
		return nil
	case MaxTimestamp:
		if o.Kind == ListOffsets {
			return nil
		}
	}
	return fmt.Errorf("unknown place %q", o.Where)
}

// transactional reports whether clients of the kind write in transactions.
func (k Kind) transactional() bool { return k == Writer || k == Pipeline }

// owner is the kind of client whose operation this is, empty for any; ok is false for no operation.
func (k OpKind) owner() (owner Kind, ok bool) {
	switch k {
	case Produce, Flush:
		return Producer, true
	case Transact:
		return Writer, true
	case Assign, Unassign, Seek, Pause, Resume, Poll:
		return Consumer, true
	case CreateTopic, DeleteTopic, CreatePartitions, AlterConfig, DeleteRecords, DeleteOffsets, ListOffsets, Describe,
		Reassign, ElectLeaders, DescribeQuorum, AddVoter, RemoveVoter, UpdateFeature, UnregisterBroker:
		return Admin, true
	case Join, Leave, Work:
		return Member, true
	case Crash:
		return "", true
	}
	return "", false
}

func (k OpKind) namesTopic() bool {
	switch k {
	case Flush, Poll, Crash, DescribeQuorum, AddVoter, RemoveVoter, UnregisterBroker, Join, Leave, Work, Transact:
		return false
	default:
		return true
	}
}

func (k OpKind) namesPartition() bool {
	switch k {
	case Assign, Unassign, Seek, Pause, Resume, DeleteRecords, ListOffsets, Reassign:
		return true
	default:
		return false
	}
}

// tinyFetch is below what several batches need: a consumer with less gets about one batch per round trip.
const tinyFetch = 8 << 10

// Tiny reports whether the consumer reads so little at a time that no bound on catching up is fair.
func (o *ConsumerOptions) Tiny() bool {
	small := func(n int32) bool { return n > 0 && n < tinyFetch }
	return small(o.MaxBytes) || small(o.PartitionMaxBytes)
}
