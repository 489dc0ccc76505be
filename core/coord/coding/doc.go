// Package coding reads and writes the fields of coordinators' records: Kafka's message format, fixed and flexible (KIP-482), as
// the schemas of __consumer_offsets and __transaction_state use it.
//
// A [Reader] compares every length with what is left before memory is taken, and its first fault sticks, so that a parser is
// one sequence of fields with one question at its end. Which fields a record has is known by core/group/records,
// core/group/modern and core/txn.
package coding
