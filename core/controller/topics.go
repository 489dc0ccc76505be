package controller

import (
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
)

// NewTopic is a wish for a topic.
type NewTopic struct {
	Name        string
	Partitions  int32 // -1: the broker's default (KIP-464)
	Replication int16 // -1: the broker's default
	// Assignment names the replicas of partition i at index i; if set, Partitions and Replication must be -1.
	Assignment [][]core.NodeID
	Configs    []ConfigEntry
	Spent      int // records that other wishes of the same request have made
}

// ConfigEntry sets one configuration key; a nil Value removes it.
type ConfigEntry struct {
	Name  string
	Value *string
}

// CreatedTopic is the outcome of one wish; without a refusal all fields are filled.
type CreatedTopic struct {
	Refusal
	ID          core.TopicID
	Partitions  int32
	Replication int16
}

// maxTopicName is Kafka's limit: a directory name of 255 bytes less "-" and the partition's digits.
const maxTopicName = 249

// maxPartitions bounds one wish, and the records of all wishes of a request that creates: what a client can put into one
// request must not fill the metadata log, nor the answer the memory. Kafka bounds the records of one operation
// (MAX_RECORDS_PER_USER_OP), with the same number and the same error.
const maxPartitions = 10_000

// checkRoom refuses records beyond that bound, before anything is made of them: to place 10,000 partitions takes a
// millisecond and more, and a request of a few kilobytes could ask for it a thousand times.
func checkRoom(spent, records int) Refusal {
	if spent+records > maxPartitions {
		return refusef(core.ErrPolicyViolation, "the request as a whole creates too many topics and partitions")
	}
	return Refusal{}
}

// metadataTopic is the metadata log's name. A topic of that name would share its directory.
const metadataTopic = "__cluster_metadata"

// CheckTopicName refuses what Kafka does not allow as a topic's name.
func CheckTopicName(name string) Refusal {
	switch {
	case name == "":
		return refusef(core.ErrInvalidTopic, "the topic name is empty")
	case name == "." || name == "..":
		return refusef(core.ErrInvalidTopic, "a topic cannot be named %q", name)
	case len(name) > maxTopicName:
		return refusef(core.ErrInvalidTopic, "the topic name has %d characters, %d are allowed", len(name), maxTopicName)
	}
	legal := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '_' || r == '-'
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return !legal(r) }); i >= 0 {
		return refusef(core.ErrInvalidTopic, "topic name %q: only ASCII letters, digits, '.', '_' and '-' are allowed", name)
	}
	return Refusal{}
}

// CreateTopic makes the records of a new topic. The records of several wishes are to be replayed one after another.
func (c *Controller) CreateTopic(t NewTopic) (CreatedTopic, []metadata.Record) {
	if r := c.checkNewTopic(&t); !r.OK() {
		return CreatedTopic{Refusal: r}, nil
	}
	configs := lastOfEach(t.Configs)
	if r := checkRoom(t.Spent, 1+len(configs)+max(int(t.Partitions), len(t.Assignment))); !r.OK() {
		return CreatedTopic{Refusal: r}, nil
	}
	assignment := t.Assignment
	if assignment == nil {
		var r Refusal
		if assignment, r = c.place(t.Partitions, t.Replication); !r.OK() {
			return CreatedTopic{Refusal: r}, nil
		}
	}
	id := c.freshTopicID()
	recs := []metadata.Record{&metadata.TopicRecord{Name: t.Name, TopicID: id}}
	for _, e := range configs {
		recs = append(recs, &metadata.ConfigRecord{
			ResourceType: metadata.ResourceTopic, ResourceName: t.Name, Name: e.Name, Value: e.Value,
		})
	}
	for i, replicas := range assignment {
		recs = append(recs, c.newPartition(id, int32(i), replicas))
	}
	return CreatedTopic{
		ID: id, Partitions: int32(len(assignment)), Replication: int16(len(assignment[0])),
	}, recs
}

// checkNewTopic fills in defaults and refuses what cannot be.
func (c *Controller) checkNewTopic(t *NewTopic) Refusal {
	if t.Name == metadataTopic {
		return refusef(core.ErrInvalidRequest, "%s belongs to the controllers", metadataTopic)
	}
	if r := CheckTopicName(t.Name); !r.OK() {
		return r
	}
	if c.image.Topic(t.Name) != nil {
		return refusef(core.ErrTopicAlreadyExists, "topic %q exists already", t.Name)
	}
	if other := c.collision(t.Name); other != "" {
		return refusef(core.ErrInvalidTopic, "topic %q collides with %q: '.' and '_' are the same in metric names", t.Name, other)
	}
	if r := checkTopicConfigs(t.Configs); !r.OK() {
		return r
	}
	if t.Assignment != nil {
		if t.Partitions != -1 || t.Replication != -1 {
			return refusef(core.ErrInvalidRequest, "a topic with a manual assignment takes neither a number of partitions nor a replication factor")
		}
		if len(t.Assignment) > maxPartitions {
			return refusef(core.ErrPolicyViolation, "%d partitions; at most %d can be created at once", len(t.Assignment), maxPartitions)
		}
		replication := 0
		if len(t.Assignment) > 0 {
			replication = len(t.Assignment[0])
		}
		return c.checkAssignment(t.Assignment, 0, replication)
	}
	if t.Partitions == -1 {
		t.Partitions = c.cfg.NumPartitions
	}
	if t.Replication == -1 {
		t.Replication = c.cfg.DefaultReplication
	}
	switch { // in Kafka's order
	case t.Replication <= 0:
		return refusef(core.ErrInvalidReplicationFactor, "the replication factor must be positive, or -1 for the default")
	case t.Partitions <= 0:
		return refusef(core.ErrInvalidPartitions, "the number of partitions must be positive, or -1 for the default")
	case t.Partitions > maxPartitions:
		return refusef(core.ErrPolicyViolation, "%d partitions; at most %d can be created at once", t.Partitions, maxPartitions)
	}
	return Refusal{}
}

// collision is a topic whose name differs only in '.' and '_', which metric names cannot tell apart.
func (c *Controller) collision(name string) string {
	if names := c.index.flat[flat(name)]; len(names) > 0 {
		return names[0]
	}
	return ""
}

// flat is a topic's name as metric names have it.
func flat(name string) string { return strings.ReplaceAll(name, ".", "_") }

// lastOfEach leaves of a key that comes twice the last entry, as in Kafka.
func lastOfEach(entries []ConfigEntry) []ConfigEntry {
	last := make(map[string]int, len(entries))
	for i, e := range entries {
		last[e.Name] = i
	}
	var out []ConfigEntry
	for i, e := range entries {
		if last[e.Name] == i {
			out = append(out, e)
		}
	}
	return out
}

// checkTopicConfigs refuses what a new topic cannot be configured with.
func checkTopicConfigs(entries []ConfigEntry) Refusal {
	wished := make(map[string]string, len(entries))
	for _, e := range entries {
		if e.Value == nil {
			return refusef(core.ErrInvalidConfig, "configuration %q has no value", e.Name)
		}
		if err := config.CheckTopic(e.Name, *e.Value); err != nil {
			return refusef(core.ErrInvalidConfig, "%v", err)
		}
		wished[e.Name] = *e.Value
	}
	get := func(name string) (string, bool) { v, ok := wished[name]; return v, ok }
	if err := config.CheckTopicTogether(get); err != nil {
		return refusef(core.ErrInvalidConfig, "%v", err)
	}
	return Refusal{}
}

// checkAssignment demands equally many, distinct, registered replicas for each partition, one of them active at
// least. first is the number of the first partition, for words.
func (c *Controller) checkAssignment(assignment [][]core.NodeID, first int32, replication int) Refusal {
	if len(assignment) == 0 {
		return refusef(core.ErrInvalidReplicaAssignment, "the assignment names no partition")
	}
	for i, replicas := range assignment {
		partition := int(first) + i
		if len(replicas) == 0 {
			return refusef(core.ErrInvalidReplicaAssignment, "partition %d has no replica", partition)
		}
		if len(replicas) != replication {
			return refusef(core.ErrInvalidReplicaAssignment, "partition %d has %d replicas, others have %d", partition, len(replicas), replication)
		}
		active := false
		for j, node := range replicas {
			if slices.Contains(replicas[:j], node) {
				return refusef(core.ErrInvalidReplicaAssignment, "partition %d names broker %d twice", partition, node)
			}
			b := c.image.Broker(node)
			if b == nil {
				return refusef(core.ErrInvalidReplicaAssignment, "partition %d names broker %d, which is not registered", partition, node)
			}
			active = active || b.Active()
		}
		if !active {
			return refusef(core.ErrInvalidReplicaAssignment, "partition %d names only brokers that are fenced or shutting down", partition)
		}
	}
	return Refusal{}
}

// newPartition is the first state of a partition: every active replica in sync with nothing, the first of them leading.
// Assignments have been made or checked so that there is one.
func (c *Controller) newPartition(id core.TopicID, index int32, replicas []core.NodeID) *metadata.PartitionRecord {
	rec := &metadata.PartitionRecord{PartitionID: index, TopicID: id, Replicas: replicas, Leader: core.NoNode}
	for _, node := range replicas {
		b := c.image.Broker(node)
		if b.Active() {
			rec.ISR = append(rec.ISR, node)
			if rec.Leader == core.NoNode {
				rec.Leader = node
			}
		}
		rec.Directories = append(rec.Directories, defaultDirectory(b))
	}
	return rec
}

// DeleteTopic makes the records that remove a topic with its partitions and configuration.
func (c *Controller) DeleteTopic(id core.TopicID) []metadata.Record {
	return []metadata.Record{&metadata.RemoveTopicRecord{TopicID: id}}
}

// CreatePartitions makes the records that raise a topic to a number of partitions. assignment, if not nil, names the
// replicas of the new ones; spent is as in [NewTopic].
func (c *Controller) CreatePartitions(name string, count int32, assignment [][]core.NodeID, spent int) (Refusal, []metadata.Record) {
	t := c.image.Topic(name)
	if t == nil {
		return refusef(core.ErrUnknownTopicOrPartition, "there is no topic %q", name), nil
	}
	have := int32(len(t.Partitions()))
	added := count - have
	switch {
	case count == have:
		return refusef(core.ErrInvalidPartitions, "topic %q has %d partitions already", name, have), nil
	case count < have:
		return refusef(core.ErrInvalidPartitions, "topic %q has %d partitions, which cannot become %d: partitions are never removed", name, have, count), nil
	case added > maxPartitions:
		return refusef(core.ErrPolicyViolation, "%d new partitions; at most %d can be created at once", added, maxPartitions), nil
	}
	if r := checkRoom(spent, int(added)); !r.OK() {
		return r, nil
	}
	replication := len(t.Partitions()[0].Replicas)
	switch {
	case assignment == nil:
		var r Refusal
		if assignment, r = c.place(added, int16(replication)); !r.OK() {
			return r, nil
		}
	case int32(len(assignment)) != added:
		return refusef(core.ErrInvalidReplicaAssignment, "%d new partitions, but replicas for %d", added, len(assignment)), nil
	default:
		if r := c.checkAssignment(assignment, have, replication); !r.OK() {
			return r, nil
		}
	}
	var recs []metadata.Record
	for i, replicas := range assignment {
		recs = append(recs, c.newPartition(t.ID, have+int32(i), replicas))
	}
	return Refusal{}, recs
}
