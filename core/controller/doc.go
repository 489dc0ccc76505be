// Package controller decides about the cluster's metadata: which topics exist, who holds their partitions, what is
// configured. It is the active controller of KIP-500, without the log: core/raft keeps that.
//
// # Shape
//
// Every method validates a wish against the controller's image and answers with records, or with Kafka's error for
// each part of the wish; it changes nothing but where the next placement starts and its random numbers, on which no
// correctness rests. The caller proposes the records to the metadata log and passes them to
// [Controller.Replay], the only mutator. So the image is speculative: it runs ahead of the log's HighWatermark by
// what has been proposed and not yet committed. Two wishes in one turn therefore see each other. A controller that
// loses its leadership is thrown away with its image, and nothing speculative remains.
//
// # What it does not do yet
//
// Broker liveness, ISR changes, reassignment and elections: there is one broker.
//
// KIPs: 226 and 339 (changing configuration), 464 (defaults for partitions and replication), 516 (topic ids), 599 (not yet), 730 (producer id blocks).
package controller
