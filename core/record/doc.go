// Package record is Kafka's RecordBatch v2 (magic 2, KIP-98): the one unit that producers send, logs store,
// followers copy and consumers read, always the same bytes.
//
// # What it models
//
// A batch is a 61-byte header followed by records, which may be compressed as a whole:
//
//	pos  size  field                   in CRC
//	  0     8  BaseOffset              no   the broker assigns it on append
//	  8     4  Length                  no   bytes that follow this field
//	 12     4  PartitionLeaderEpoch    no   the broker assigns it on append
//	 16     1  Magic                   no   2
//	 17     4  CRC                     -    CRC-32C of everything from Attributes to the end
//	 21     2  Attributes              yes  codec, timestamp type, transactional, control, delete horizon
//	 23     4  LastOffsetDelta         yes  also the last sequence's distance from BaseSequence
//	 27     8  BaseTimestamp           yes  or the delete horizon (KIP-534)
//	 35     8  MaxTimestamp            yes  or the log append time
//	 43     8  ProducerID              yes
//	 51     2  ProducerEpoch           yes
//	 53     4  BaseSequence            yes
//	 57     4  RecordCount             yes
//
// [Header] is the decoded header, [Batch] a view of a whole batch, [Iterator] reads its records, [Builder]
// writes a batch, [Check] is the broker's admission of a produced batch, [Codecs] compresses and decompresses.
//
// # State and callers
//
// Everything is a function of its arguments. [Codecs], [Builder] and [Iterator] hold buffers and encoders
// that are expensive to create; each belongs to one goroutine and is passed in by its owner. core/log scans and
// rewrites batches, core/replica and the produce path admit them, core/client and the coordinators build them;
// the edges run [Check] in parallel, the simulator runs it inline.
//
// # Invariants
//
//   - A length read from the input is compared with what is left before it is used.
//   - Decompression never yields more than the caller's limit.
//   - Reading a record, checking an uncompressed batch and building into a reused Builder do not allocate.
//   - The compressors give the same bytes on every platform: the simulator's trace contains them.
//
// # What it does not do
//
// Message formats 0 and 1 are refused, as Kafka 4 refuses them (KIP-724). It knows neither topics nor
// configuration: bounds on timestamps, max.message.bytes and compaction are decided by the caller from [Summary].
// The payloads of KRaft's control records belong to core/raft.
//
// KIPs: 82 (headers), 98 (format), 110 (zstd), 390 (levels), 534 (delete horizon), 724 (no old formats).
package record
