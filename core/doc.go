// Package core is Klamm's vocabulary: the identifiers, offsets, epochs, clocks and error codes that every
// protocol package speaks. It holds no behaviour beyond comparison and printing and imports nothing of ours.
//
// Words are Kafka's. Three distinctions are carried by types so that the compiler keeps them apart:
//
//   - an [Offset] counts records in a partition, a [Pos] counts bytes in a file;
//   - [Mono] is nanoseconds since the process started and drives deadlines, [Wall] is milliseconds since the
//     Unix epoch and appears only where Kafka stores or compares timestamps;
//   - a [LeaderEpoch] numbers a partition's leaderships, a [PartitionEpoch] the changes of its state.
//
// Offset ranges are half-open: [start, end).
package core
