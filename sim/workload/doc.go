// Package workload holds the simulator's clients: what each of them does is a [Plan], what comes of it goes into a
// history.
//
// # Model
//
// A [Client] drives one core/client machine, the very code that real clients run, and is called by its process
// before and after each turn of that machine. It starts the operations of its plan when they are due, takes what has
// finished, and records it by the rules of package history: one event per operation, added at its end, on the world's
// clock. It never looks inside a broker.
//
// # Decisions and draws
//
// A plan is explicit: who, when, what, how many. [Draw] makes plans from a seed; a capsule stores them; a shrinker
// takes clients and operations out. What an operation draws while it runs (keys, sizes, timestamps) comes from a
// stream forked by client id and operation id, so taking one out leaves the others' luck as it was.
//
// # Incarnations
//
// A client that crashes, by its plan or by a fault, loses its memory. The world calls [Client.Finish], throws machine
// and client away, and makes the next incarnation with [New]. That is a new process in the history. It takes no
// operation that was due before its first turn, except that a consumer repeats what its predecessors were told about
// assignments and polling.
//
// # Phases
//
// In [Safety] operations happen as planned. In [Settle] nothing new of the plan begins, what is unfinished goes on,
// consumers catch up, and producers send probes until one per partition has succeeded: so liveness can be judged. In
// [Final] every consumer reads every partition of every live topic from its beginning to the end (Jepsen's final
// polls). [Client.Done] says that the present phase has got what it wants from this client.
//
// # Values
//
// Each record's value begins with a number that no other record has: client, incarnation, operation, index. The rest
// of the value, the key and the headers are checked against it on reading, so a damaged record shows up as a value
// that nobody sent.
//
// # What it does not do
//
// It does not judge. Transactions have no operations yet.
package workload
