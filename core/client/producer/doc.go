// Package producer is the writing side of a Kafka client: records in, batches out, one result per record.
//
// # State
//
// Each partition has a queue of batches, oldest first: a prefix of it is in flight, at most the last one is still
// filling. Batches leave the queue when they are answered for good. Records of topics that are not known yet are parked
// by topic.
//
// # Order
//
// Records of one partition are written in the order of Produce, retries included (KAFKA-3197):
//
//   - With idempotence several batches of a partition are in flight, each numbered; the broker takes them in order of
//     their numbers. A batch that must be repeated is sent only once it is the oldest, and nothing new overtakes it.
//   - Without idempotence one batch of a partition is in flight. Java allows five, and loses the order on a retry.
//
// # Numbers
//
// Sequences and epochs (KIP-98, KIP-360) are kept per partition: for a producer without transactions the broker
// compares them per partition, so a bump in one need not disturb the others. One rule keeps retries safe, and Java is
// laxer here (KAFKA-14034): once an attempt of a batch has an unknown outcome, the batch keeps its number or fails as
// ambiguous. Under another number the broker could not recognise a repeat, should the lost request arrive late.
//
// A batch that fails leaves a gap. Then the partition waits until nothing is in flight, takes the next epoch, and
// numbers what is left from zero; late requests of the old epoch are fenced by the first batch of the new one.
//
// # What it does not do
//
// Transactions' own requests: package txn says under which numbers, and when, to write. A record that fails, for whatever reason,
// dooms the transaction; what has not left then fails too. Compression ratio is not estimated: batch.size bounds the records before compression.
//
// KIPs: 91 (delivery timeout), 98, 126 (splitting), 360, 480 and 794 (partitioners), 516 (topic ids), 951 (leader hints).
package producer
