// Package raft keeps the metadata log: __cluster_metadata-0, its epochs and its HighWatermark (KIP-595).
//
// So far the quorum has one voter, this node. What holds for any quorum holds here already: an epoch is durable in
// quorum-state before anything is written in it; it opens with a LeaderChange record; a restarted leader never
// resumes its old epoch but takes the next one; a record is committed only at or above the epoch's start, and only
// once it is durable; and the leader is active only after everything up to its epoch's start has been applied
// (KAFKA-15345).
//
// State: the log, the epoch, and how far committed records have been handed out. The broker calls Open, passes disk
// completions, proposes record values, and drains committed records after each turn. It does not know what the
// records mean; core/metadata does.
package raft
