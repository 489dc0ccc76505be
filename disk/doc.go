// Package disk performs a node's disk operations on real files.
//
// # State
//
// A [Disk] owns one data directory, claimed by the lock file [step.LockName]. Operations wait in one queue per FileID, or
// per path where they name no file, without bound: the machine that submits them bounds what it has outstanding. A
// queue belongs to at most one worker at a time, which is all the locking that files need; a bounded pool of workers
// serves the queues that have something to do.
//
// # Cost
//
// The path that matters is append, append, ..., sync of one turn, on each dirty file. Operations that complete
// silently wake nobody: the sync that follows them does, or a timer if none follows. The worker takes all that the
// queue holds, writes adjacent appends with one pwritev (also across a sync, for two turns' syncs are one if they met
// in the queue) and calls fdatasync, which covers contents and length. The worker that went idle last is woken first,
// because its stack is warm.
//
// # Contract
//
// [step.DiskOp] has it; package disktest checks it here and on the simulated disk. In particular:
//
//   - After ErrIO every operation on the file fails until it is closed: after a failed sync nobody knows which dirty
//     pages were dropped, and a second sync would lie (fsyncgate).
//   - After ErrNoSpace, appends and syncs of the file fail with ErrNoSpace until a Truncate cuts the torn end, so that a
//     sync never vouches for an append that failed. Reads go on.
//   - Paths cannot leave the directory, not even through symbolic links ([os.Root]).
//   - One FileID at a time appends to or truncates a file.
//
// What it does not do: it never retries, and it does not clean up after itself. It is safe for concurrent use.
package disk
