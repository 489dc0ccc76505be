// Package schema knows of which bytes a Kafka message may consist, and decides whether given ones do before anybody
// takes memory for them.
//
// # What it models
//
// A table per direction holds the skeleton of every message, key 0 to 94: the order of its fields, their sizes on the
// wire, the versions in which they exist, where null may stand, and what each element takes once decoded. The facts
// are those of Kafka's published message schemas, the sizes those of kmsg's structs on 64-bit machines. Keys 4 to 7
// went with ZooKeeper (KIP-896) and are unknown here.
//
// [CheckRequest] and [CheckResponse] walk a body along its skeleton. They allocate nothing. Every length is compared
// with what is left, null is refused where the schema has none, and the memory that decoding will take is added up:
// the [Cost]. The check ends early when the cost passes the caller's limit, so the time spent is bounded by the
// body's length.
//
// # Why
//
// A generated decoder trusts counts. An array of two-byte elements becomes structs of 64 bytes, a section of 2^32
// tagged fields is counted down one by one after the input has ended. A frame of 100 MiB could take gigabytes, a
// frame of ten bytes a minute.
//
// # Invariants
//
//   - Whatever kmsg encodes is accepted, with all its bytes consumed.
//   - Whatever is accepted, kmsg decodes without error and within the cost.
//   - The tables agree with kmsg's types; a test compares them field by field.
//
// # What it does not do
//
// It knows no meaning: record batches are opaque, empty names are names. Bytes after the last field are let pass, as
// Kafka does.
//
// KIPs: 482 (compact lengths, tagged fields).
package schema
