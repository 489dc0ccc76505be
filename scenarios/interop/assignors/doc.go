// Package assignors lets Apache Kafka's own assignors answer the groups from which core/assignor's golden file is made.
//
// The test draws groups from a fixed seed, adds the ones of Kafka's documentation, has Oracle.java ask Kafka 4.4's
// classes, and compares the whole with core/assignor/testdata/kafka.jsonl, against which core/assignor is tested without
// Java. To write the file anew:
//
//	cd scenarios/interop && go test ./assignors -rewrite
//
// The members' names are single letters, because Java's hash maps keep those in ascending order: Kafka's result depends
// on the order of a hash map in places, and ours goes by ascending name.
package assignors
