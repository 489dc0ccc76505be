// Package controller decides about the cluster's metadata: which topics exist, who holds their partitions and leads
// them, which brokers are up, what is configured. It is the active controller of KIP-500, without the log: core/raft
// keeps that.
//
// # Shape
//
// Every method validates a wish against the controller's image and answers with records, or with Kafka's error for
// each part of the wish. Hard state changes in [Controller.Replay] only, which the caller calls with the records it has
// appended to the metadata log. So the image is speculative: it runs ahead of the log's HighWatermark by what has been
// proposed and not yet committed. Two wishes in one turn therefore see each other, if the first is replayed before the
// second is made. A controller that loses its leadership is thrown away with its image, and nothing speculative remains;
// an answer may leave only when its records are committed.
//
// Beside the image there are
//
//   - an index, a fold of the image: which partitions a broker is in the ISR of, which have no leader, and so on.
//     What a failing broker costs is proportional to what it held;
//   - soft state, in its own struct: when each broker was heard last and how far its metadata is. It is not in the log.
//     A new controller gives every broker a whole session, and trusts nobody's metadata to be recent before it is told;
//   - random numbers, for topic ids and placement, on which no rule rests.
//
// # Partitions
//
// After its creation a partition is changed by one piece of code, the type change: whoever wishes for an ISR, other
// replicas or an election states the wish, and the rest follows there: leader, eligible leader replicas, the end of a
// reassignment. The records of one answer are made so that each may be the last: a controller that dies after any of
// them leaves a state that breaks no rule.
//
// # Invariants
//
//   - the ISR is a subset of the replicas, disjoint from the ELR, and empty only with ELR on (KIP-966);
//   - the leader is in the ISR, or there is none; it comes from the ISR, or from the ELR if the ISR is empty. Other
//     elections are unclean: allowed by configuration, asked for, or of the last known leader when both are empty;
//   - no fenced or leaving broker is in an ISR of more than one (KIP-841);
//   - the ELR is empty when the ISR has min.insync.replicas members: then the HighWatermark moves without the ELR;
//   - leader epochs never fall, partition epochs rise with every change, an incarnation has one broker epoch.
//
// [Controller.Replay] asserts what it can see from a change, [Controller.Check] everything.
//
// # What it does not do
//
// It does not authorize, and does not throttle (KIP-599). It knows nothing of the voters of the quorum: a feature's level
// is checked against the controllers that have registered. Cordoned directories (KIP-1066) are recorded, not heeded.
//
// KIPs: 183 and 460 (elections), 226 and 339 (changing configuration), 455 and 860 (reassignment), 464 (defaults for
// partitions and replication), 497 (AlterPartition), 516 (topic ids), 584 and 778 (features), 631 (registration and
// heartbeats), 704 (leader recovery), 730 (producer ids), 841 (no fenced broker in an ISR), 858 (directories), 903 (broker
// epochs in AlterPartition), 919 (controllers' registrations), 966 (eligible leader replicas).
package controller
