// Package interop holds klamm node against the rest of the Kafka world: clients that other people wrote, Apache
// Kafka's own tools, Apache Kafka's own broker, and bytes that nobody sane would send.
//
//	cd scenarios/interop && go test ./...
//
// It is a Go module of its own, so that the product's go.mod names none of the clients. Every test runs the real
// binary, built from the parent module, as a separate process with a data directory of its own:
//
//	harness     builds and runs klamm node; says what could not be checked
//	clients     franz-go, sarama, librdkafka, kcat: every codec, crash in the middle, one writes and another reads
//	dump        Kafka's DumpLogSegments reads our segments, indexes, snapshots and metadata log
//	cluster     three real nodes: leaders killed, stopped, cut off, shut down; unmodified clients; what is refused
//	rawframes   broken frames and batches over a plain socket
//	apache      fetches and runs Apache Kafka itself
//	assignors   Kafka's own assignors answer the groups of core/assignor's golden file
//	nextgen     consumer groups of KIP-848 with Kafka's own consumer, and classic groups that become such
//	oracle      the same requests to Apache Kafka's broker and to Klamm, answers compared field by field
//	formats     tshark, Chromium, and the parsers of Mermaid and Perfetto read what klamm explain writes
//	perf        Klamm, Apache Kafka and a server that stores nothing under the same load, and what the machine can do
//	kgosuite    the part of franz-go's own integration suite that needs no groups
//
// What a test needs and the machine does not have (a C compiler, kcat, a JDK, Maven) is never skipped in silence: the
// test is skipped with the reason, and the reason goes into the summary of .ci/run, where CI_STRICT=1 turns it into
// a failure.
//
// The package itself has no code.
package interop
