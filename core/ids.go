package core

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
)

// NodeID names one process of the cluster: Kafka's node.id, which is also its broker.id.
type NodeID int32

// NoNode is the answer "nobody", for instance the leader of an offline partition.
const NoNode NodeID = -1

// TopicID is the 128-bit identity of one incarnation of a topic (KIP-516). A topic that is deleted and created
// again under the same name has another TopicID. The zero value means "no id", as it does on the wire.
type TopicID [16]byte

// MetadataTopicID is the reserved id of __cluster_metadata (KIP-516).
var MetadataTopicID = TopicID{15: 1} //nolint:gochecknoglobals // a constant array is not expressible in Go

// IsZero reports whether the id stands for "no topic id".
func (id TopicID) IsZero() bool { return id == TopicID{} }

// Compare orders ids by their big-endian value; it returns -1, 0 or +1.
func (id TopicID) Compare(other TopicID) int {
	for i := range id {
		if id[i] != other[i] {
			if id[i] < other[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// String is Kafka's printed form: URL-safe base64 without padding, 22 characters.
func (id TopicID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// TopicIDFromWords assembles an id from two 64-bit words, most significant first.
func TopicIDFromWords(high, low uint64) TopicID {
	var id TopicID
	binary.BigEndian.PutUint64(id[:8], high)
	binary.BigEndian.PutUint64(id[8:], low)
	return id
}

// TopicPartition names a partition by topic name and index. It is comparable and orders by (topic, partition).
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Compare orders partitions by topic name, then by index; it returns -1, 0 or +1.
func (tp TopicPartition) Compare(other TopicPartition) int {
	switch {
	case tp.Topic < other.Topic:
		return -1
	case tp.Topic > other.Topic:
		return 1
	case tp.Partition < other.Partition:
		return -1
	case tp.Partition > other.Partition:
		return 1
	}
	return 0
}

// String is Kafka's directory name of the partition: "<topic>-<partition>".
func (tp TopicPartition) String() string {
	return tp.Topic + "-" + strconv.FormatInt(int64(tp.Partition), 10)
}
