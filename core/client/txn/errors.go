package txn

import "github.com/klamm-log/klamm/core"

// class is what an error of a coordinator's answer means for the request (KIP-1050).
type class uint8

const (
	done      class = iota // no error
	again                  // the same request later, to the same coordinator
	refind                 // the same request later, to whoever is coordinator then
	abortable              // the transaction must be aborted
	fatal                  // the producer must begin anew
)

// classify sorts the errors of AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn and InitProducerId. What is not known to
// be harmless dooms the transaction, never more: a new error code must not kill producers (KIP-1050).
func classify(code core.ErrorCode) class {
	switch code {
	case core.ErrNone:
		return done
	case core.ErrNotCoordinator, core.ErrCoordinatorNotAvailable, core.ErrRequestTimedOut, core.ErrNetworkException:
		return refind
	case core.ErrProducerFenced, core.ErrInvalidProducerEpoch: // another producer has this id, or the coordinator timed the transaction out
		return fatal
	case core.ErrInvalidProducerIDMapping, core.ErrUnknownProducerID: // the id has expired (KIP-360 could go on; a new id can, too)
		return fatal
	case core.ErrInvalidTxnState: // the two sides do not agree on what is open
		return fatal
	case core.ErrTransactionalIDAuthorizationFailed, core.ErrClusterAuthorizationFailed, core.ErrUnsupportedVersion,
		core.ErrInvalidTransactionTimeout, core.ErrUnsupportedForMessageFormat, core.ErrInvalidRequest:
		return fatal
	}
	if code.Retriable() {
		return again
	}
	return abortable
}

// undecided reports whether a coordinator that answers so to EndTxn may have written the decision, or may yet: it appended the record
// and then lost its office, or the time was up before the record was committed. CONCURRENT_TRANSACTIONS and
// COORDINATOR_LOAD_IN_PROGRESS are said before anything is written.
func undecided(code core.ErrorCode) bool {
	switch code {
	case core.ErrConcurrentTransactions, core.ErrCoordinatorLoadInProgress:
		return false
	case core.ErrUnknownServerError:
		return true
	}
	return code.Retriable()
}

// doomsProducer reports whether an error of a Produce ends the producer, not the transaction alone: as in Java.
func doomsProducer(code core.ErrorCode) bool {
	switch code {
	case core.ErrProducerFenced, core.ErrInvalidProducerIDMapping, core.ErrTransactionalIDAuthorizationFailed,
		core.ErrClusterAuthorizationFailed, core.ErrUnsupportedVersion:
		return true
	}
	return false
}
