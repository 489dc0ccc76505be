// Package clients drives Kafka clients that other people wrote through one interface, so that one test can ask the
// same of each of them and of each pair.
//
// [Client] is the interface; franz.go, sarama.go, kcat.go (needs the program) and the package librdkafka (needs a C
// compiler) implement it. None of them is told that it does not talk to Apache Kafka. [Shape] makes the records: record i of a
// shape is always the same, so a record that was read tells by its number what it must look like.
//
// The clients run with their defaults, except where a test needs an order (manual partitioner) or an acknowledgement
// (acks=all).
package clients
