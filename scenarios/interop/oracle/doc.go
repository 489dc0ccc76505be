// Package oracle asks Apache Kafka and klamm node the same questions, with the same bytes, and compares the answers
// field by field. Where the two may differ, and why, stands in permitted_test.go; every entry there must be needed by a
// step, and every other difference fails the test.
//
// The same bytes: a step makes its request once for each broker, and only what a broker handed out itself may differ
// between the two: topic ids, producer ids, fetch session ids. The answer is flattened to lines of path and value in
// which those are replaced by names, and lists are keyed by what names their elements, so that their order does not
// matter.
//
// It has no code outside its tests. It needs a JDK.
package oracle
