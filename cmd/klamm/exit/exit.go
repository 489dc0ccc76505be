// Package exit has the exit codes of the command klamm and carries them on errors.
//
// An error without a code gets one by its kind in [Of]: Kafka's error codes, missing files, refused connections and
// cancellation are known; anything else is the program's own fault, [Software].
package exit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/klamm-log/klamm/core"
)

// Code is what the process ends with.
type Code int

// The codes. 0 to 3 are verdicts of the simulator, 64 and up are those of sysexits.h.
const (
	OK             Code = 0   // all held, or simply done
	Violated       Code = 1   // a property was violated
	Inconclusive   Code = 2   // neither held nor violated
	Nondeterminism Code = 3   // equal runs differed: no other verdict of the run counts
	Unhealthy      Code = 10  // a node ended by itself, or cannot go on
	Usage          Code = 64  // the command line makes no sense
	Data           Code = 65  // the input, or what the other side was asked for, is malformed
	NoInput        Code = 66  // a file, topic, group or the like does not exist
	Unavailable    Code = 69  // nobody answers, or something that is needed is taken
	Software       Code = 70  // a bug of this program, or of the broker
	CantCreate     Code = 73  // what is to be made exists, or cannot be made
	IO             Code = 74  // reading or writing failed
	TempFail       Code = 75  // might work later
	NoPerm         Code = 77  // it is not allowed
	Config         Code = 78  // the configuration cannot work
	Interrupted    Code = 130 // by a signal; what was printed is partial
)

// String names a code, in the words of sysexits.h where it has any.
func (c Code) String() string {
	switch c {
	case OK:
		return "ok"
	case Violated:
		return "violated"
	case Inconclusive:
		return "inconclusive"
	case Nondeterminism:
		return "nondeterminism"
	case Unhealthy:
		return "unhealthy"
	case Usage:
		return "usage"
	case Data:
		return "data"
	case NoInput:
		return "no input"
	case Unavailable:
		return "unavailable"
	case Software:
		return "software"
	case CantCreate:
		return "cannot create"
	case IO:
		return "input/output"
	case TempFail:
		return "temporary failure"
	case NoPerm:
		return "no permission"
	case Config:
		return "configuration"
	case Interrupted:
		return "interrupted"
	}
	return "exit code " + strconv.Itoa(int(c))
}

// Error is an error that knows its code.
type Error struct {
	Code Code
	Err  error // nil if all has been said already: nothing more is printed
}

// Error is the text of the error inside, or the code's name.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Code.String()
	}
	return e.Err.Error()
}

// Unwrap is the error inside.
func (e *Error) Unwrap() error { return e.Err }

// With puts a code on an error. Nil stays nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Err: err}
}

// Errorf is a new error with a code.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// Silently is an error that only sets the code; OK is no error.
func Silently(code Code) error {
	if code == OK {
		return nil
	}
	return &Error{Code: code}
}

// Of is the code that the process ends with after err.
func Of(err error) Code {
	var coded *Error
	var kafka core.ErrorCode
	switch {
	case err == nil:
		return OK
	case errors.As(err, &coded):
		return coded.Code
	case errors.Is(err, context.Canceled):
		return Interrupted
	case errors.As(err, &kafka):
		return OfKafka(kafka)
	case errors.Is(err, fs.ErrNotExist):
		return NoInput
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrPermission):
		return CantCreate
	case errors.Is(err, context.DeadlineExceeded):
		return TempFail
	}
	return Software
}

// OfKafka is the code for a refusal by a broker.
func OfKafka(e core.ErrorCode) Code {
	switch e {
	case core.ErrNone:
		return OK
	case core.ErrNetworkException, core.ErrBrokerNotAvailable, core.ErrUnsupportedVersion,
		core.ErrProducerFenced, core.ErrInvalidProducerEpoch, core.ErrFencedInstanceID, core.ErrUnreleasedInstanceID, core.ErrGroupMaxSizeReached:
		return Unavailable
	case core.ErrUnknownTopicOrPartition, core.ErrUnknownTopicID, core.ErrOffsetOutOfRange, core.ErrGroupIDNotFound,
		core.ErrTransactionalIDNotFound, core.ErrVoterNotFound, core.ErrResourceNotFound, core.ErrNoReassignmentInProgress:
		return NoInput
	case core.ErrTopicAlreadyExists, core.ErrDuplicateVoter:
		return CantCreate
	case core.ErrNonEmptyGroup: // until its members are stopped
		return TempFail
	case core.ErrTopicAuthorizationFailed, core.ErrGroupAuthorizationFailed, core.ErrClusterAuthorizationFailed,
		core.ErrTransactionalIDAuthorizationFailed:
		return NoPerm
	case core.ErrKafkaStorageError, core.ErrCorruptMessage:
		return IO
	case core.ErrInvalidTopic, core.ErrInvalidPartitions, core.ErrInvalidReplicationFactor, core.ErrInvalidConfig,
		core.ErrInvalidRequest, core.ErrInvalidReplicaAssignment, core.ErrMessageTooLarge, core.ErrRecordListTooLarge,
		core.ErrInvalidTimestamp, core.ErrInvalidRecord, core.ErrPolicyViolation, core.ErrUnsupportedCompressionType,
		core.ErrInvalidGroupID, core.ErrInvalidTransactionTimeout, core.ErrInvalidSessionTimeout, core.ErrInconsistentGroupProtocol,
		core.ErrUnsupportedAssignor, core.ErrInvalidRegularExpression:
		return Data
	}
	if e.Retriable() {
		return TempFail
	}
	return Software
}
