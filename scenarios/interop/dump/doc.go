// Package dump holds klamm's files against Apache Kafka's own dump tool: segments with every codec, offset and time
// indexes, producer snapshots, the metadata log, and the transaction log. Kafka's judgement of each batch (isvalid), of each index (its
// sanity check, and each entry against the log) and of each metadata record must be what the test expects, down to
// their number.
//
// It has no code outside its tests.
package dump
