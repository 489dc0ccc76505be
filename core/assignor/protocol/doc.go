// Package protocol encodes what the consumers of a classic group exchange through the coordinator, which does not look
// into it: subscriptions in JoinGroup (ConsumerProtocolSubscription, versions 0 to 3), assignments in SyncGroup
// (ConsumerProtocolAssignment, 0 to 3), and the user data of the sticky assignors inside subscriptions.
//
// The protocol type of such groups is [Type]. Both schemas begin with an int16 version; none is flexible. A version beyond
// the newest known is read as that one: new versions only add fields at the end. Bytes after the known fields are
// therefore no fault.
//
// The coordinator of a group that changes between protocols (KIP-848) reads and writes them as well. Decoding takes memory
// in proportion to the bytes that are there, whatever their counts say.
package protocol
