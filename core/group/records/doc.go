// Package records holds the records of __consumer_offsets, byte for byte Kafka's.
//
// A key is a version and a body; the version says what kind of record it is. A value is a version and a body of its own, or null,
// a tombstone. Kafka's CoordinatorRecordType lists the kinds:
//
//	key version   record
//	0, 1          a committed offset ([OffsetKey], [OffsetValue]); 0 is only read, no Kafka since 0.9 writes it
//	2             a classic group's generation ([GroupKey], [GroupValue])
//	3 to 8, 16    KIP-848 consumer groups: core/group/modern
//	others        share and streams groups, and what is yet to come: skipped (KIP-915)
//
// The functions are pure. Every length is compared with what is left before memory is taken. Parsed byte slices point into
// the input; strings are copies.
//
// KIPs: 211 (no expiry in the offset), 320 (leader epoch of the offset), 345 (instance ids), 848 (topic ids), 915 (versions).
package records
