package txn

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
)

// Options configures a [Manager].
type Options struct {
	ID string // transactional.id; empty: no transactions
	// Timeout is transaction.timeout.ms: after so long the coordinator aborts an open transaction; default 1 min.
	Timeout core.Mono
	// EndEmpty makes an Abort go to the coordinator even if nothing of the transaction has left, where transactions are of version 2. Java's
	// client does so for each transaction that was given a record.
	EndEmpty bool
}

// Inits counts InitProducerIds.
type Inits struct {
	Asked, Answered int64
}

// WithDefaults is o with every zero field replaced by its default.
func (o Options) WithDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = core.Minute
	}
	return o
}

// Validate reports the first option that cannot work.
func (o Options) Validate() error {
	if o.Timeout < 0 || o.Timeout/core.Millisecond > 1<<31-1 {
		return fmt.Errorf("txn: transaction.timeout.ms of %d ns", o.Timeout)
	}
	return nil
}

// State is where the manager is.
type State uint8

// The states.
const (
	Off       State = iota // no transactional id
	Starting               // a producer id, or a new epoch, is being obtained
	Ready                  // no transaction is open
	Open                   // records and offsets may be added
	Ending                 // Commit or Abort was called
	Abortable              // only Abort goes on
	Fatal                  // only Restart goes on
)

// String is the state's name.
func (s State) String() string {
	switch s {
	case Off:
		return "off"
	case Starting:
		return "starting"
	case Ready:
		return "ready"
	case Open:
		return "open"
	case Ending:
		return "ending"
	case Abortable:
		return "abortable"
	case Fatal:
		return "fatal"
	}
	return "unknown"
}

// EventKind says what an [Event] tells.
type EventKind uint8

// The events.
const (
	EventReady     EventKind = iota + 1 // a transaction may begin
	EventEnded                          // the transaction is over
	EventAbortable                      // the transaction must be aborted, because of Err
	EventFatal                          // the producer is done for, because of Err; an open transaction is over
)

// Event tells what happened. Events come in the order in which things happened.
type Event struct {
	Kind EventKind
	// Commit, of EventEnded: a commit was asked for. Then no Err means that it is done, and Err without Ambiguous that it certainly
	// has not been and never will be. Without Commit the transaction is not committed; no Err means that it has been aborted.
	Commit bool
	Err    core.ErrorCode
	// Ambiguous: the transaction may have been committed, or may be yet.
	Ambiguous bool
}

// Group is whom offsets are committed for, and as whom (KIP-447): a member of an older generation is refused.
type Group struct {
	ID         string
	MemberID   string
	InstanceID string // empty: a dynamic member
	Generation int32  // with KIP-848 the member epoch; -1 for who is in no group
}

// Offset is one partition's place to commit.
type Offset struct {
	core.TopicPartition
	Offset       core.Offset
	EpochPlusOne core.LeaderEpoch // one more than the leader epoch of the record before, 0 if that is unknown (KIP-320)
}
