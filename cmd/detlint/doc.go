// Command detlint proves what a type checker can prove of Klamm's determinism: that the packages under core, sim,
// checkers and scenarios compute the same thing from the same input on every machine.
//
//	go run ./cmd/detlint ./core/... ./sim/... ./checkers/... ./scenarios/...
//
// It prints one line per finding and exits with a non-zero status when there is any. Test files and the module
// scenarios/interop are not judged. Tests of these packages may use files, goroutines and clocks.
//
// # What it rejects
//
//   - Order: a range over a map, maps.DeleteFunc and maps.EqualFunc, unless the line ends in
//     //det:unordered <reason>; maps.Keys and maps.Values anywhere but directly inside slices.Sorted or
//     slices.SortedFunc; maps.All anywhere but directly inside maps.Collect or maps.Insert; reflect's map iteration.
//     An annotation without a reason, with an unknown name, or on a line where it suppresses nothing is a finding.
//   - Scheduling: go, select, channel types and every channel operation.
//   - Surroundings: imports of os, net, sync, unsafe, runtime, math/rand, crypto/rand and the rest of
//     [forbiddenPackage], and functions and types of these packages that arrive through another package. An import of
//     runtime/debug may end in //det:diagnostic <reason>: the stack of a caught panic is text for people.
//   - Clocks: time.Now, Since, Until, Sleep, After, Tick, NewTimer, NewTicker, AfterFunc, and whatever depends on
//     the local time zone.
//   - Floats: declaring a float or complex type, arithmetic, comparison, conversion, and calls that take or return
//     one. Moving a float from one field to another is allowed, and so are math.Float64bits and its relatives:
//     Kafka's quota APIs carry float64 on the wire, and their bits are data.
//   - Addresses: %p, and values that fmt prints as an address (a nested pointer, a channel, a function, a map whose
//     keys fmt orders by address). A map with ordinary keys is allowed: fmt sorts it.
//   - Comparators: sort.Slice and sort.Sort; a comparator given to package slices or to sort.SliceStable that
//     ignores one of its arguments, compares a value with itself, sorts and never answers 0 or always the same,
//     subtracts numbers that may overflow, or is a less function built on <= or >=.
//
// # How calls are followed
//
// A function of this module that lies outside the deterministic packages and does one of these things, or calls one
// that does, carries a fact. A deterministic package that mentions it, called or as a value, gets a finding with
// the whole chain. Inside deterministic packages the cause itself is the finding, once, and its callers are silent.
//
// # What it does not see
//
// Calls through interfaces and stored function values; the insides of the standard library and of other modules,
// which are trusted unless listed; comparators declared in another package; whether a key that a comparator uses is
// unique; whether a reason is true. The determinism proof (.ci/determinism) runs the seeds for that.
package main
