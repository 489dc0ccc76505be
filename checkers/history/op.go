package history

import "github.com/klamm-log/klamm/core"

// Process numbers one client. A client that restarts without its memory is a new process.
type Process int32

// World is the process of events that no client made: marks, crashes, looks inside a broker.
const World Process = -1

// Op says who did something, when, and how it ended.
type Op struct {
	Process Process
	// Outcome is how the operation ended.
	Outcome Outcome
	// Code is the protocol's last answer, core.ErrNone when there was none. No checker judges by it; see [Txn].Refused.
	Code core.ErrorCode
	// Start is the instant of the call, End of its completion or of giving up. Start <= End.
	Start, End core.Mono
}

// Outcome is how an operation ended, from the client's point of view.
type Outcome uint8

// Outcomes. A timeout, a lost connection and NOT_LEADER_OR_FOLLOWER are Info, never Fail (KAFKA-13574).
const (
	OK   Outcome = iota // happened, once, between Start and End
	Fail                // certainly did not happen and never will
	Info                // unknown: happened, will happen later, or never
)

// Promise is what the settings of a Send (acks, min.insync.replicas, elections, durability policy) promise about
// a record once it is acknowledged.
type Promise uint8

// Promises, from the strongest.
const (
	Durable        Promise = iota // stays at its offset for ever
	UntilPowerLoss                // stays unless a broker loses power or a Loss is recorded after the acknowledgement
	None                          // may vanish at any time: acks 0, or acks 1 where a follower can take over without it
)

// Isolation is the isolation level of a read (KIP-98).
type Isolation uint8

// Isolation levels, numbered as on the wire.
const (
	ReadUncommitted Isolation = iota
	ReadCommitted
)

// Policy is when a broker regards an append as durable.
type Policy uint8

// Durability policies.
const (
	PolicyCommit Policy = iota // after fsync
	PolicyOS                   // once the operating system has it: Kafka's default
)

// NodeState is what happened to a broker's process.
type NodeState uint8

// Changes of a broker's state.
const (
	Starting  NodeState = iota // the process was started
	Serving                    // recovery is over, requests are answered
	Stopped                    // clean shutdown
	Crashed                    // the process died; what the operating system had was kept
	PowerLost                  // the machine died; what was not synced may be gone
)

// MarkName names a boundary in the run.
type MarkName uint8

// Marks.
const (
	FaultsStopped MarkName = iota // no fault starts after this, and the surviving majority is healed
	FinalReads                    // writers are done; polls from here on must see everything promised
	RunEnded                      // nothing was recorded after this instant
)

// ScanFault is what is wrong with one stored batch.
type ScanFault uint8

// Faults of a stored batch.
const (
	Sound      ScanFault = iota
	BadCRC               // the checksum does not match
	BadFrame             // the bytes do not parse as a batch
	BadRecords           // the frame parses, its records do not
)

func (o Outcome) String() string   { return word(outcomeWords, uint8(o)) }
func (p Promise) String() string   { return word(promiseWords, uint8(p)) }
func (i Isolation) String() string { return word(isolationWords, uint8(i)) }
func (p Policy) String() string    { return word(policyWords, uint8(p)) }
func (s GroupStep) String() string { return word(groupWords, uint8(s)) }
func (s NodeState) String() string { return word(stateWords, uint8(s)) }
func (m MarkName) String() string  { return word(markWords, uint8(m)) }
func (f ScanFault) String() string { return word(faultWords, uint8(f)) }

// The words of the enumerations in the text form, in the order of their constants.
const (
	outcomeWords   = "ok fail info"
	promiseWords   = "durable until-power-loss none"
	isolationWords = "uncommitted committed"
	policyWords    = "commit os"
	groupWords     = "claimed released fetched committed processed confirmed deleted"
	stateWords     = "starting serving stopped crashed power-lost"
	markWords      = "faults-stopped final-reads run-ended"
	faultWords     = "sound bad-crc bad-frame bad-records"
)

// word is the i-th word of words, "?" beyond the last.
func word(words string, i uint8) string {
	for len(words) > 0 {
		w, rest := cutSpace(words)
		if i == 0 {
			return w
		}
		words, i = rest, i-1
	}
	return "?"
}

// wordIndex is the place of w among words; ok is false if it is not among them.
func wordIndex(words, w string) (i uint8, ok bool) {
	for len(words) > 0 {
		have, rest := cutSpace(words)
		if have == w {
			return i, true
		}
		words, i = rest, i+1
	}
	return 0, false
}
