// Package partitioner chooses partitions for records as Kafka's producers do.
//
// [ForKey] places keyed records: murmur2, equal to Java's, so that all clients agree where a key lives. [RoundRobin],
// [Sticky] (KIP-480) and [UniformSticky] (KIP-794) place records without a key and hold the state of one topic each.
// Randomness comes from a seeded stream; nothing here knows time, brokers or batches beyond what [View] tells.
package partitioner
