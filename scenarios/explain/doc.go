// Package explain repeats a run and tells why it broke a promise.
//
// [Record] executes a plan with somebody who watches and makes a [Tape] of it: all events in the order in which they
// happened, the messages with what they say (core/wire/facts), the packets as they arrived, what each node held and
// believed after each change, what clients did, and the event at which the violation could be seen. A recorded run
// takes the same steps as any other; its hash is the same.
//
// [Tape.Past] is the causal past of an event: what can have had a part in it through messages, through the order of
// one process' steps (its disk and its timers are its own) and through faults, and nothing else. [Tape.Subject] is
// what the violation is about: a partition, an offset, the metadata quorum, nodes. [Subject.Weight] says how much an
// event has to do with that.
//
// Packages below write a tape out: story (text), html (one page), perfetto, pcap, mermaid. All of them are pure
// functions from a tape to bytes.
//
// Invariants: events are in order of time, and of cause and effect; a message arrives after it was sent; what a
// process does later in a turn stands behind what arrived for that turn.
package explain
