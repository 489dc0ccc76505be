// Package control is a node's part in the cluster's control plane: its seat in the metadata quorum, the committed image
// of the cluster, and, where the quorum elects it, the active controller.
//
// # State
//
// Every node, broker or not, follows the metadata log through a [raft.Quorum] and folds it into an image that holds
// nothing but committed records. On the quorum's leader a [controller.Controller] stands beside it, with a speculative
// image that is ahead by what has been proposed. It begins from the committed image once everything up to the epoch's
// start has been applied (KAFKA-15345), and it is thrown away when leadership ends: so nothing speculative survives.
//
// # Answers
//
// A request that changes metadata is validated against the speculative image and proposed under the epoch in which it was
// validated. Its answer is held back until the records are committed and applied here; if leadership ends first it
// is NOT_CONTROLLER, which says nothing about the outcome: the records may yet be committed by the next leader.
//
// # Who calls it
//
// core/broker owns a [Plane], passes it disk completions and requests, and takes the changes of the image after each
// turn. The node's own broker half asks the controller through the same requests as every other broker, by
// [Plane.Ask], so that there is one path.
package control
