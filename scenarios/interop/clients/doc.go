// Package clients drives Kafka clients that other people wrote through one interface, so that one test can ask the
// same of each of them and of each pair.
//
// [Client] is the interface; franz.go, sarama.go, librdkafka.go (needs a C compiler) and kcat.go (needs the program)
// implement it. None of them is told that it does not talk to Apache Kafka. [Shape] makes the records: record i of a
// shape is always the same, so a record that was read tells by its number what it must look like.
//
// The clients run with their defaults, except where a test needs an order (manual partitioner) or an acknowledgement
// (acks=all).
package clients
