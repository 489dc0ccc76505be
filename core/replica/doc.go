// Package replica is one partition replica's part in replication: who leads, in which epoch, how far its records are
// committed and what a reader may see.
//
// So far a replica leads alone: its ISR is itself, and the HighWatermark follows what its own log holds durably.
//
// Invariants: the HighWatermark never decreases while the replica leads an epoch, never passes the log's durable
// offset, and LogStartOffset <= LastStableOffset <= HighWatermark <= LogEndOffset.
//
// KIPs: 98 (LastStableOffset), 101 and 320 (leader epochs).
package replica
