package coord

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
)

// Timer is something of a machine's soft state that ends unless it is cancelled: a session, a rebalance, a transaction.
type Timer interface {
	// Expire is called once, when the timer is due.
	Expire(now core.Now)
}

// Timers are the timers of one machine. They are not replayed: each leadership begins with its own.
type Timers = deadline.Heap[Timer]

// Proposer appends and replays records: a [Shard], as its machine sees it.
type Proposer interface {
	// Propose appends records as one batch and replays them; a code other than none means that nothing has happened.
	Propose(now core.Now, recs []Record) core.ErrorCode
	// ProposeTxn is Propose for records of a transaction.
	ProposeTxn(now core.Now, p Producer, recs []Record) core.ErrorCode
}

// Ticket names a request whose answer a machine owes: JoinGroup waits for others to join. Zero is none.
type Ticket uint64
