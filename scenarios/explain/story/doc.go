// Package story tells in plain text why a run broke a promise: what the property demands and who says so, what was seen
// instead, the steps that led there in the order in which they happened, with what repeats folded, the life of the
// offset in question, and what each node held at that moment.
//
// It has no state. [Write] is a pure function of a tape.
package story
