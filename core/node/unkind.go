package node

// Unkindness names a place of the shell where a test may have it do what a real machine does on a bad day.
type Unkindness uint8

// The unkind places. Each is something that scheduling alone can do to a node, so a machine must bear it.
const (
	// SplitTurn: a turn takes only a part of the inbox, as if the rest had arrived a moment later: group commit and the sweep
	// of waiters come between.
	SplitTurn Unkindness = iota + 1
	// EarlyTick: a Tick comes although no deadline has passed.
	EarlyTick
	// LateTick: a Tick that is due waits for the next turn.
	LateTick
)

// Unkind decides at each of these places whether to be unkind: at SplitTurn it returns how many of most events the turn takes,
// at least one; at the others, 0 for no.
type Unkind func(at Unkindness, most int) int

// taken is how many events of the inbox this turn takes.
func (n *Node) taken() int {
	if most := len(n.inbox); n.Unkind != nil && most > 1 {
		return n.Unkind(SplitTurn, most)
	}
	return len(n.inbox)
}

// ticks reports whether the machine gets a Tick in this turn.
func (n *Node) ticks(due bool) bool {
	switch {
	case n.Unkind == nil:
		return due
	case due:
		return n.Unkind(LateTick, 1) == 0
	}
	return n.Unkind(EarlyTick, 1) > 0
}
