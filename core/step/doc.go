// Package step holds all that crosses the core's boundary: the events that enter a [Machine] and the [Effects]
// that leave it.
//
// A machine is a state and a pure step function. The shell (core/node) gathers events into a turn, steps the
// machine through them, ends the turn, and hands the effects to three interfaces: network, disk and clock. None
// of them blocks or returns data; whatever comes of an effect comes back as a later event. The simulator and real
// nodes differ only behind those three interfaces.
//
// # Order
//
// Effects for one target happen in slice order: replies and closings of one connection, sends to one peer link,
// disk operations that name one File (or, without a File, one Path). Nothing is ordered across targets. "After X"
// is therefore always the arrival of X's completion event, never a place in a slice.
//
// # Ownership
//
// Byte slices handed out in effects belong to the receiver until its completion event; the machine neither changes
// nor reuses them. Byte slices that arrive in events belong to the machine. Effects and their slices are reused by
// the shell after each turn, so the receiver copies the entries (not the bytes) that it keeps.
package step
