// Package txn judges what transactions left behind: histories in which sends and polls carry the number of their transaction,
// and a [history.Txn] tells how each one ended.
//
// # What a transaction is worth
//
// A transaction is committed if its owner was told so; aborted if the owner never asked for a commit, or was told that it certainly
// failed; else unknown. An unknown one of which a reader of committed records was given a record has been committed: it is visible,
// as all committed ones are.
//
// # Properties
//
//   - TXN-NO-ABORTED: no read_committed poll returns a record of an aborted transaction (KIP-98).
//   - TXN-NO-OPEN: no such poll that had ended before the transaction's first EndTxn was sent returns a record of it; within the
//     transaction itself that is Jepsen's precommitted-read, reported under that name.
//   - TXN-ATOMIC: of a visible transaction a read_committed poll that passes the offset of a record returns that record: what is
//     below the LastStableOffset is decided, and it is decided alike in all partitions. And no transaction is committed of which a
//     send had failed: the writer must have aborted it (KIP-98: the transaction is in an abortable error then).
//   - unseen: after final reads, a record of a visible transaction that no read_committed poll has returned, although final reads
//     of its partition were made.
//   - EOS: of the offsets that transactions say to have consumed for a group, none is consumed by two visible transactions, and
//     none below the last consumed one that holds a visible record is consumed by none (KIP-98, KIP-447).
//   - G1c (Adya; Jepsen's Kafka checker): transactions that read each other's writes in a circle. Edges are wr alone, of
//     read_committed polls: such a circle is impossible, as nobody reads what is not committed yet.
//   - G0: a circle of ww edges, in the order of the log. Kafka does not isolate writers, so it is legal: it is counted, not reported.
//   - TXN-NOT-REFUSED: see [CheckRefusals].
//   - L-TXN-COMPLETES, L-LSO: see [CheckLiveness].
//
// Only sends whose promise is durable are judged as missing, and only in topics that are not compacted; offsets that the log start
// may have passed are excused. Who read what another process sent is decided by values, which are unique per partition.
//
// # What it cannot see
//
// What is in the logs: PSTATE-PURE, LSO-EXACT and TXN-OWNED are looked for inside the nodes (package cluster).
package txn
