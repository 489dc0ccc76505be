package core

// Offset is a record's position in its partition, counted in records from 0.
type Offset int64

// NoOffset is Kafka's "unknown or absent offset" (-1).
const NoOffset Offset = -1

// Pos is a byte position in a file.
type Pos int64

// LeaderEpoch numbers the leaderships of one partition (KIP-101). It rises by one with each new leader and is
// written into every batch by the leader that appended it.
type LeaderEpoch int32

// NoLeaderEpoch is Kafka's "epoch unknown or not checked" (-1).
const NoLeaderEpoch LeaderEpoch = -1

// PartitionEpoch numbers the changes of a partition's registration (leader, ISR, replicas) in the metadata log.
type PartitionEpoch int32

// ProducerID identifies an idempotent or transactional producer (KIP-98); NoProducerID (-1) is a plain one.
type ProducerID int64

// NoProducerID marks batches of a producer without idempotence.
const NoProducerID ProducerID = -1

// ProducerEpoch fences earlier incarnations of a [ProducerID]; NoProducerEpoch (-1) goes with [NoProducerID].
type ProducerEpoch int16

// NoProducerEpoch marks batches of a producer without idempotence.
const NoProducerEpoch ProducerEpoch = -1

// BrokerEpoch identifies one registration of a broker: the offset of its registration record (KIP-631).
type BrokerEpoch int64
