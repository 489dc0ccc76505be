// Package said reads, out of requests and responses as they pass the edge of a simulated node, the few facts by which the
// world judges what a node says: whom it votes for, which produce it acknowledges, which incarnation's heartbeat it takes,
// which topics it reports to exist, which changes of topics it grants. A node may hold wrong beliefs for a moment and harm nobody; what it has said is out.
//
// # What it does not do
//
// It keeps nothing and judges nothing: package sim compares the facts with the node's disk and images. It knows no
// connection: which response answers which request is the edge's to say.
package said
