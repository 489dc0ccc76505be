// Package facts says in a few words what a frame of Kafka's protocol is about: which API, which partitions, from which
// offset to which, under which epoch, with which error. Traces and stories about runs are written from it; nothing
// that decides anything may read it.
//
// A [Message] is made from the bytes of one frame by [Request] or [Response], which decode with package wire and its
// limits. The APIs whose facts matter for replication, elections and clients' promises have words of their own (files
// data.go, control.go, quorum.go); the others get the scalar fields of their outermost struct, so that an API that is
// added later shows up in traces without a change here.
//
// It has no state. Invariant: a frame that package wire refuses gives its header and the reason, never a panic.
package facts
