// Package metadata models the cluster's state as a fold over the records of __cluster_metadata (KIP-500, KIP-631).
//
// It has three parts:
//
//   - the records: one struct per metadata record of Kafka 4.4, byte for byte ([AppendTo], [Parse]), and the
//     quorum's control records ([AppendControl], [ParseControl]);
//   - the [Image]: brokers, controllers, topics, partitions, configurations, feature levels, quotas, producer ids
//     and security entries. [Image.Replay] is its only mutator, [Image.Records] turns it back into records;
//   - the feature names and levels ([MetadataVersionFeature] and its siblings).
//
// The controller proposes records and replays them; brokers replay the committed ones. Both hold an Image of their
// own. A [Change] list tells a broker what a batch of records touched, so that it need not compare images.
//
// Invariants:
//
//   - replaying the records of an image into an empty one gives an equal image (snapshot, KIP-630);
//   - a record that contradicts the image is an error that names the record and its offset, and changes nothing:
//     either the log is corrupt or the code that wrote it is wrong, and neither may pass silently;
//   - every walk over the image is in sorted order, so two nodes with equal images do equal things;
//   - values that the image hands out ([Broker], [Partition] ...) never change afterwards: Replay replaces them.
//
// It does not decide anything (core/controller does), does not know batches or files (core/record, core/log), and
// does not check that a record is permitted at the finalized metadata.version.
//
// KIPs: 500, 516 (topic ids), 584 (features), 630 (snapshots), 631 (controller), 746 (record revisions), 853
// (voters), 858 (log directories), 866 (migration state), 868 (metadata transactions), 919 (controller
// registration), 966 (eligible leader replicas), 1066 (cordoned directories).
package metadata
