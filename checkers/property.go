package checkers

import (
	"fmt"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// Property names what was violated. The names with capitals are the white-box codes of the project's catalogue,
// those in lower case the anomalies of Jepsen's Kafka checker.
type Property string

// Reads.
const (
	// ReadStable: two reads of one offset returned different values or timestamps, or a read another timestamp than the
	// acknowledgement.
	ReadStable Property = "READ-STABLE"
	// Phantom: a read returned a value that nobody sent, or before it was sent.
	Phantom Property = "PHANTOM"
	// AbortedRead: a read returned a value of a send that certainly did not happen (Adya's G1a).
	AbortedRead Property = "G1a"
	// TopicIDMixed: a value written under one topic id was served under another (KIP-516).
	TopicIDMixed Property = "TOPIC-ID"
	// PastHighWatermark: a response held a record at or above its own HighWatermark, or above its LastStableOffset
	// when reading committed (KAFKA-727).
	PastHighWatermark Property = "consume-past-hw"
	// IntNonmonotonicPoll: inside one poll, an offset did not rise.
	IntNonmonotonicPoll Property = "int-nonmonotonic-poll"
	// IntPollSkip: inside one poll, a record is missing that another poll has read.
	IntPollSkip Property = "int-poll-skip"
	// NonmonotonicPoll: a process' poll began below the end of its last one, or returned a record below its own
	// position, with no Seek between.
	NonmonotonicPoll Property = "nonmonotonic-poll"
	// PollSkip: a process' poll began above the end of its last one, jumping over records, with no Seek between.
	PollSkip Property = "poll-skip"
	// PositionLost: a process was told that its position is not in the log, which reaches further, or that the log was truncated
	// below it (KIP-320).
	PositionLost Property = "POSITION-LOST"
	// OffsetGap: an offset below a read or below the HighWatermark holds nothing, where offsets must be dense.
	OffsetGap Property = "offset-gap"
	// EpochOrder: inside one poll, a leader epoch is lower than one before it (KIP-101).
	EpochOrder Property = "EPOCH-ORDER"
	// EpochUnique: one offset was read under two leader epochs, or a lookup told another one.
	EpochUnique Property = "EPOCH-UNIQUE"
)

// Writes.
const (
	// AckedDurable: the offset of an acknowledged record holds another value, or the record stands elsewhere.
	AckedDurable Property = "ACKED-DURABLE"
	// LostWrite: reads passed over the offset of an acknowledged record, and none ever returned it.
	LostWrite Property = "lost-write"
	// Unseen: final reads were made, and nobody ever read an acknowledged record or passed its offset.
	Unseen Property = "unseen"
	// InconsistentOffsets: two records were acknowledged at one offset.
	InconsistentOffsets Property = "inconsistent-offsets"
	// Duplicate: a value stands at more offsets than the sender's settings allow.
	Duplicate Property = "duplicate"
	// NonmonotonicSend: a send that began after another's acknowledgement got a lower offset; or the later call
	// of a producer that keeps the order of its calls.
	NonmonotonicSend Property = "nonmonotonic-send"
	// IntNonmonotonicSend: the offsets of one send's records do not rise.
	IntNonmonotonicSend Property = "int-nonmonotonic-send"
	// OffsetReused: a send that began after the HighWatermark was shown got an offset below it.
	OffsetReused Property = "OFFSET-REUSED"
)

// Counters and lookups.
const (
	// HighWatermarkMono: a HighWatermark or LastStableOffset shown later in real time is lower, or lower than what
	// an acknowledgement with acks all or a read had already proved.
	HighWatermarkMono Property = "HW-MONO"
	// LogStartMono: a log start shown later in real time is lower, or records below a shown log start were read.
	LogStartMono Property = "LOG-START-MONO"
	// LogStartUnexplained: the log start rose further than any DeleteRecords asked, on a topic without retention, or over records that
	// are not due yet.
	LogStartUnexplained Property = "LOG-START-UNEXPLAINED"
	// LogStartBounded: the log start is above the HighWatermark.
	LogStartBounded Property = "S-START"
	// DeleteRespected: after DeleteRecords was acknowledged, a deleted record was read or the log start was lower;
	// or the acknowledgement itself is lower than asked.
	DeleteRespected Property = "DELETE-RECORDS"
	// LookupMono: the answer for one timestamp went back in real time.
	LookupMono Property = "LIST-OFFSETS-MONO"
	// LookupTime: the answer for a timestamp is not the first record at or after it, or that for the largest one not the first
	// record that has it.
	LookupTime Property = "LIST-OFFSETS-TIME"
)

// Looks inside a broker.
const (
	// CountersOrder: the HighWatermark or the durable offset of a replica is above its log end.
	CountersOrder Property = "S-ORDER"
	// HighWatermarkDurable: under policy commit, the only in-sync replica shows a HighWatermark that it has not
	// fsynced.
	HighWatermarkDurable Property = "HW-DURABLE"
	// Readable: stored batches do not parse, overlap, or do not reach from the log start to the log end.
	Readable Property = "S-READABLE"
)

// Liveness, after faults have stopped.
const (
	// LiveProduce: no send succeeded in time, or one was not answered in time.
	LiveProduce Property = "L-PRODUCE"
	// LiveConsume: a consumer did not reach the HighWatermark in time.
	LiveConsume Property = "L-CONSUME"
	// LiveStart: a broker was not serving in time.
	LiveStart Property = "L-START"
)

// Malformed: the recorder broke its own rules, so that nothing can be concluded; a value was sent twice, or an
// offset is impossible.
const Malformed Property = "HISTORY"

// Violation is one finding.
type Violation struct {
	Property  Property
	Partition core.TopicPartition // empty topic: about no partition
	TopicID   core.TopicID
	Offset    core.Offset // core.NoOffset: about no single offset
	Message   string      // one sentence for a reader who has the history at hand
	Events    []int       // indexes of the events involved, the decisive one last
	// More is how many further violations of this property were found and not kept; set on the first kept one.
	More int
}

// String is the finding on one line.
func (v Violation) String() string {
	s := string(v.Property)
	if v.Partition.Topic != "" {
		s += " " + v.Partition.String()
		if v.Offset != core.NoOffset {
			s += fmt.Sprintf("@%d", v.Offset)
		}
	}
	s += fmt.Sprintf(": %s %v", v.Message, v.Events)
	if v.More > 0 {
		s += fmt.Sprintf(" (and %d more)", v.More)
	}
	return s
}

// Options choose what is reported. The zero value reports everything, the first 20 findings of each property.
type Options struct {
	Allow []Property // found, but not reported
	Keep  int        // findings kept per property; 0 means 20
}

// defaultKeep is Options.Keep's default.
const defaultKeep = 20

// findings collects violations in the order in which they are found.
type findings struct {
	log   *history.Log
	opts  Options
	kept  []Violation
	tally []tally // in order of each property's first finding
}

// tally counts one property's findings; first is the index of the first kept one.
type tally struct {
	property Property
	found    int
	first    int
}

// report adds a finding about an offset of a partition.
func (f *findings) report(p Property, at history.Place, o core.Offset, events []int, format string, args ...any) {
	v := Violation{Property: p, Partition: f.log.Name(at), TopicID: f.log.Topic(at.Topic).ID, Offset: o, Events: events}
	f.add(v, format, args...)
}

// add keeps a finding, or counts it when enough of its property are kept.
func (f *findings) add(v Violation, format string, args ...any) {
	for _, allowed := range f.opts.Allow {
		if allowed == v.Property {
			return
		}
	}
	keep := f.opts.Keep
	if keep == 0 {
		keep = defaultKeep
	}
	i := 0
	for i < len(f.tally) && f.tally[i].property != v.Property {
		i++
	}
	if i == len(f.tally) {
		f.tally = append(f.tally, tally{property: v.Property, first: len(f.kept)})
	}
	f.tally[i].found++
	if f.tally[i].found > keep {
		f.kept[f.tally[i].first].More++
		return
	}
	v.Message = fmt.Sprintf(format, args...)
	f.kept = append(f.kept, v)
}
