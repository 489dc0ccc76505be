// Package pipeline is the loop of consume, transform, produce, exactly once: records of a consumer group are worked on, and what is
// written, and how far the group has come, are committed as one transaction (KIP-98, KIP-447).
//
// # Use
//
// The client has a group and a transactional id, and the member commits nothing by itself. The owner drains the member's events as
// always, and instead of the member it polls the pipeline:
//
//	records := c.Pipeline().Poll(now, max, records[:0])  // some: a transaction is open
//	c.Producer().Produce(now, ...)                       // whatever follows from them
//	c.Pipeline().Finish(now)                             // commit; or Discard
//	c.Pipeline().Outcomes(dst)                           // what has become of it
//
// # Rules
//
//   - A partition is given up between transactions: a revocation is agreed to by the next poll, which comes after the end of the
//     present transaction.
//   - Offsets are committed as the member that holds the partitions: if one was lost since it was polled, the transaction is aborted,
//     even if the partition has been won again since. A newer generation that has left it with the member may commit it.
//   - After anything but a certain commit the group's committed offsets are fetched again: they alone say what is done. They are stable
//     ones (KIP-447), so an end that is still on its way has come by then.
//   - Who is fenced begins anew: with the group's protocol every instance has a transactional id of its own, and zombies are held off
//     by generations.
//
// # Invariant
//
// The base of a partition is what the group has committed for its present claim; every committed transaction moves it from there to
// what was handed out. So each offset is in one committed transaction.
package pipeline
