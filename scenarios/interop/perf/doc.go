// Package perf measures Klamm against its peers side by side: one broker, and a cluster of three, under the same load
// in the same minutes. What a machine gives moves with the hour, so ratios of neighbours count, not the figures.
//
//	cd scenarios/interop && PERF_FULL=1 go test -count=1 -timeout 60m -v ./perf
//
// A part of it is chosen with -run, such as TestOneBroker/consume; Kafka's virtual machine is colder then than in the
// course of a whole run.
//
// The peers are Apache Kafka with its defaults (page cache), Kafka that syncs at each flush, and a server that stores
// nothing: no broker can be faster for this client. Each round measures every server once, the next round begins with
// another one, and values of one round are compared with each other. TestStart measures from nothing to the first
// acknowledged record. Work by work, in TestOneBroker and TestThreeBrokers:
//
//	discard.go  the server that stores nothing
//	client.go   the load: franz-go that writes, reads, or waits for each of its records
//	host.go     what the machine can do itself: syncs, sequential writes, round trips
//	memory.go   why a file is written and removed before each measurement, and processor time of processes
//	role.go     client, discard server and echo are processes of their own, all of them copies of the test binary
//	work.go     what is measured, how much of it, and the targets
//	report.go   medians, ratios of pairs, verdicts, as a Markdown table
//
// Processor time is that of the brokers, in user and kernel mode, per GB of values (a GB has 10^9 bytes, an MB 10^6).
// What the kernel's own threads do for a broker later, such as writing pages back, nobody is charged for: the one who
// syncs pays for more of its work than the one who does not.
//
// Without PERF_FULL a few thousand records go through Klamm and the discard server, so that none of this rots; what
// arrived is counted, and no speed is judged. Other settings:
//
//	PERF_ROUNDS  rounds of a full run, default 3
//	PERF_WARM    0 leaves memory as it is before a measurement
//	PERF_BEFORE  an earlier build of klamm, which takes the place of the foreign brokers: what a change has brought
//
// The package has no code for others.
package perf
