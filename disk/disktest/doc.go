// Package disktest is the conformance suite of disks: what [step.DiskOp] promises, run against the real disk and the
// simulated one, so that what is proved over the one holds on the other.
//
// [Run] checks each sentence of the contract on its own, then long random sequences of operations against [Model],
// which is the contract as a map from paths to bytes. [Program] turns fuzz input into such sequences.
//
// A disk under test is a [Subject]. Crashes, injected faults and timing are not part of the suite, because only the
// simulated disk can show them on demand; its own tests do.
package disktest
