package txn

// State is how far a transactional id's transaction is. The numbers are those of Kafka's records.
type State int8

// The states. Dead and PrepareEpochFence are Kafka's names for moments between two records; no record has them, and
// [Coordinator] passes through both in one step. They exist here because clients may ask for them by name.
const (
	Empty State = iota
	Ongoing
	PrepareCommit
	PrepareAbort
	CompleteCommit
	CompleteAbort
	Dead
	PrepareEpochFence
)

// String is the state's name as DescribeTransactions and ListTransactions say it.
func (s State) String() string {
	switch s {
	case Empty:
		return "Empty"
	case Ongoing:
		return "Ongoing"
	case PrepareCommit:
		return "PrepareCommit"
	case PrepareAbort:
		return "PrepareAbort"
	case CompleteCommit:
		return "CompleteCommit"
	case CompleteAbort:
		return "CompleteAbort"
	case Dead:
		return "Dead"
	case PrepareEpochFence:
		return "PrepareEpochFence"
	}
	return "Unknown"
}

// ParseState is the state of that name, and whether there is one.
func ParseState(name string) (State, bool) {
	for s := Empty; s <= PrepareEpochFence; s++ {
		if s.String() == name {
			return s, true
		}
	}
	return 0, false
}

// Prepared reports whether the transaction's end is decided and its markers are on their way.
func (s State) Prepared() bool { return s == PrepareCommit || s == PrepareAbort }

// Idle reports whether no transaction is open: another may begin, the producer may be replaced, the id may expire.
func (s State) Idle() bool { return s == Empty || s == CompleteCommit || s == CompleteAbort }

// recorded reports whether a record may have the state.
func (s State) recorded() bool { return s >= Empty && s <= CompleteAbort }

// mayFollow reports whether the state may come after another one (Kafka's validPreviousStates).
func (s State) mayFollow(before State) bool {
	switch s {
	case Empty:
		return before.Idle()
	case Ongoing:
		return before == Ongoing || before.Idle()
	case PrepareCommit:
		return before == Ongoing
	case PrepareAbort:
		// KIP-890: a producer that does not know whether a partition was added may abort what is empty, too.
		return before == Ongoing || before.Idle()
	case CompleteCommit:
		return before == PrepareCommit
	case CompleteAbort:
		return before == PrepareAbort
	case Dead, PrepareEpochFence:
	}
	return false
}
