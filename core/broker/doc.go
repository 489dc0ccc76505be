// Package broker composes the protocol machines into one Kafka broker: a [step.Machine] that recovers its logs,
// keeps the metadata quorum, and answers Kafka's requests.
//
// # State
//
// The broker holds the committed metadata image (a fold over __cluster_metadata), one replica per partition that the
// image assigns to it, parked requests, and fetch sessions. Everything that must survive is in a log; everything else
// is rebuilt by replay.
//
// # A turn
//
// [Broker.Step] is the only place where events enter; it hands each to the part it belongs to: completions by the
// owner number in their id, requests by api key to one file each (api_00_produce.go ...), answers of other nodes to whoever
// asked (core/peer). [Broker.EndTurn] closes the turn and goes round until nothing moves any more: the quorum and the control
// plane do their work, newly committed metadata is applied to the replicas, this node's own wishes to the controller and its
// fetches from leaders go out, logs hand out their appends and one sync per dirty file, HighWatermarks advance, and parked
// requests whose condition may have become true are offered in (deadline, arrival) order.
//
// # Life
//
// New -> files: identity, markers, checkpoints -> catch-up: the metadata log is recovered, the quorum joined, and the image
// followed until this incarnation's registration stands in it -> identify: which topic each directory belongs to -> logs:
// partitions are recovered -> join: heartbeats, until the controller unfences this broker -> Serving -> leaving: the controller moves
// leaderships away -> stopping: logs are closed. Client listeners are open while serving and leaving, controllers' listeners from
// catch-up on. A data directory that cannot be trusted, and a metadata log that fails, end the process: see [Broker.Halted].
//
// # Invariants
//
//   - Every request gets exactly one reply.
//   - An acknowledged produce (acks=all) is below the HighWatermark, which is durable.
//   - No reply carries bytes at or past the HighWatermark.
//   - A change of metadata is answered after it has been committed and applied here.
//
// Wire structs stop in this package: the protocol packages below use types of their own.
package broker
