// Package harness runs klamm node as a process for tests, and knows what else a test may find on the machine.
//
// Its state is one process per [Node]: started on a port that the system chose, killed with SIGKILL or stopped with
// SIGTERM, started again on the same port and data directory. A process that ends when nobody asked it to fails its
// test, with what it had said.
package harness
