// Package shrink makes a failing plan as small as it can be: a run in which everything that is left matters is explained by
// looking at it.
//
// # What goes
//
// [Shrink] takes away, as long as the same property is violated: faults, clients, operations, nodes, partitions and replicas,
// settings and knobs (back to their defaults), the healed phase; and it shortens counts, gaps between instants, and the time that
// faults last. Each of these is one delta debugging over a list of items (minimize). Large things go first, because a run
// without a client or without a second of idling makes every later attempt cheaper. All of it is repeated until a whole round
// changes nothing. Then other luck is tried: the plan's seed draws the latencies and torn writes of the run, and what was left
// only to get an order of deliveries can often go under another one. The plan decides everything else, so a shrunk capsule may
// have another seed than the one that was found.
//
// # What counts
//
// The measure is the number of events of the run. A candidate is abandoned as soon as it has more than the smallest run so far
// ([Candidate.MaxEvents]), so attempts get cheaper with each success. The same property must be violated, as the first of the
// verdict ([Target]); the place may move, since partitions and offsets go by what is left.
//
// # What stays sound
//
// A plan that no correct program could bear shows nothing. So edits keep what the draws of profiles keep: operations
// have topics and partitions to work on, topics no more replicas than there are brokers, timeouts fit each other, the core that is
// healed first has a majority, and as long as a fault takes a copy (a lost disk, bit rot) nodes and replicas stay as they were
// drawn. Where the violation is that something did not happen in time, a healed phase is shortened only as far as the plan's
// own timeouts allow, and every smaller plan must fail within the original bound, too: late is not never.
//
// A node that goes leaves its place ([sim.BrokerPlan.Absent]), and links, disks and processes draw by name, crashes by the
// fault that caused them, operations by their ids: what is taken away leaves the luck of the rest.
//
// # Who runs
//
// The package runs nothing: a [Runner] judges batches of candidates, on as many cores as it likes. The first success in the order
// of candidates is taken, so the result does not depend on how many run at a time, only on the bounds ([Options]).
package shrink
