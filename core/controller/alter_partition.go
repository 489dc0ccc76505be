package controller

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// AlterPartition is a leader's wish to change the ISRs of partitions that it leads (KIP-497).
type AlterPartition struct {
	BrokerID    core.NodeID
	BrokerEpoch core.BrokerEpoch
	Topics      []AlterPartitionTopic
}

// AlterPartitionTopic is the wishes for the partitions of one topic.
type AlterPartitionTopic struct {
	TopicID    core.TopicID
	Partitions []PartitionISR
}

// PartitionISR is the wish for one partition. It counts only for the state that its two epochs name.
type PartitionISR struct {
	Index               int32
	LeaderEpoch         core.LeaderEpoch
	PartitionEpoch      core.PartitionEpoch
	NewISR              []ReplicaState
	LeaderRecoveryState metadata.LeaderRecoveryState
}

// ReplicaState names the incarnation of a replica that the leader has seen in sync (KIP-903).
type ReplicaState struct {
	ID          core.NodeID
	BrokerEpoch core.BrokerEpoch // -1: whichever is registered
}

// AlteredPartition is what became of one wish. With Code ErrNone the other fields are the partition's state after it.
type AlteredPartition struct {
	TopicID        core.TopicID
	Index          int32
	Code           core.ErrorCode
	LeaderID       core.NodeID
	LeaderEpoch    core.LeaderEpoch
	ISR            []core.NodeID
	PartitionEpoch core.PartitionEpoch
	RecoveryState  metadata.LeaderRecoveryState
}

// AlterPartition makes the records that change ISRs, and completes reassignments whose replicas are all in sync then.
// The answers are in the order of the wishes. STALE_BROKER_EPOCH refuses all; one partition's codes are:
//
//   - UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION;
//   - NOT_CONTROLLER: the leader knows a later epoch than this controller, which must have been replaced;
//   - FENCED_LEADER_EPOCH: there is a newer leader epoch; INVALID_UPDATE_VERSION: the partition has changed since;
//   - INVALID_REQUEST: not its leader, not a set of replicas with the leader, or more than one while it recovers;
//   - INELIGIBLE_REPLICA: a replica is fenced, shutting down, or another incarnation (KIP-841, KIP-903);
//   - NEW_LEADER_ELECTED: done, but it completed a reassignment of which the sender is no part.
func (c *Controller) AlterPartition(_ core.Now, a AlterPartition) (Refusal, []AlteredPartition, []metadata.Record) {
	if r := c.checkEpoch(a.BrokerID, a.BrokerEpoch); !r.OK() {
		return r, nil, nil
	}
	var answers []AlteredPartition
	var recs []metadata.Record
	seen := make(map[partitionKey]bool) // each change rests on the image, so one partition changes once
	for _, at := range a.Topics {
		t := c.image.TopicByID(at.TopicID)
		for i := range at.Partitions {
			wish := &at.Partitions[i]
			answer := AlteredPartition{TopicID: at.TopicID, Index: wish.Index, Code: core.ErrUnknownTopicID}
			key := partitionKey{at.TopicID, wish.Index}
			switch {
			case seen[key]:
				answer.Code = core.ErrInvalidRequest
			case t != nil:
				if rec := c.alterPartition(a.BrokerID, t, wish, &answer); rec != nil {
					recs = append(recs, rec)
				}
			}
			seen[key] = true
			answers = append(answers, answer)
		}
	}
	return Refusal{}, answers, recs
}

// alterPartition makes the record for one partition, nil if nothing changes, and fills the answer.
func (c *Controller) alterPartition(leader core.NodeID, t *metadata.Topic, wish *PartitionISR, answer *AlteredPartition) *metadata.PartitionChangeRecord {
	p := t.Partition(wish.Index)
	if answer.Code = c.checkAlter(leader, p, wish); answer.Code != core.ErrNone {
		return nil
	}
	g := c.change(t, p)
	g.isr = make([]core.NodeID, len(wish.NewISR))
	for i, r := range wish.NewISR {
		g.isr[i] = r.ID
	}
	g.recovery = wish.LeaderRecoveryState
	// A leader that follows an older min.insync.replicas may have moved its HighWatermark without those that it now puts
	// out. Only its own wishes can run ahead of its metadata: of all else it learns in the order of the log.
	g.unproven = !c.proven(c.image.Broker(leader))
	rec := g.record()
	if rec != nil {
		p = p.Changed(rec)
	}
	if p.Leader != leader {
		answer.Code = core.ErrNewLeaderElected
		return rec
	}
	*answer = AlteredPartition{
		TopicID: t.ID, Index: p.ID, LeaderID: p.Leader, LeaderEpoch: p.LeaderEpoch,
		ISR: slices.Clone(p.ISR), PartitionEpoch: p.PartitionEpoch, RecoveryState: p.LeaderRecoveryState,
	}
	return rec
}

// checkAlter refuses a wish that may not be granted, in Kafka's order.
func (c *Controller) checkAlter(leader core.NodeID, p *metadata.Partition, wish *PartitionISR) core.ErrorCode {
	switch {
	case p == nil:
		return core.ErrUnknownTopicOrPartition
	case wish.LeaderEpoch > p.LeaderEpoch || wish.PartitionEpoch > p.PartitionEpoch:
		return core.ErrNotController
	case wish.LeaderEpoch < p.LeaderEpoch:
		return core.ErrFencedLeaderEpoch
	case leader != p.Leader:
		return core.ErrInvalidRequest
	case wish.PartitionEpoch < p.PartitionEpoch:
		// BUGS A8: a request that the network has doubled or delayed would bring a replica back into the ISR which has been
		// put out meanwhile, and with it a log with holes.
		return core.ErrInvalidUpdateVersion
	}
	hasLeader := false
	for i, r := range wish.NewISR {
		twice := slices.ContainsFunc(wish.NewISR[:i], func(o ReplicaState) bool { return o.ID == r.ID })
		if twice || !slices.Contains(p.Replicas, r.ID) {
			return core.ErrInvalidRequest
		}
		hasLeader = hasLeader || r.ID == leader
	}
	recovering := wish.LeaderRecoveryState == metadata.Recovering
	switch {
	case !hasLeader:
		return core.ErrInvalidRequest
	case !recovering && wish.LeaderRecoveryState != metadata.Recovered:
		return core.ErrInvalidRequest
	case recovering && (len(wish.NewISR) > 1 || p.LeaderRecoveryState == metadata.Recovered):
		// KIP-704: nobody is in sync with a leader that is not sure of its own log, and it becomes so by election only.
		return core.ErrInvalidRequest
	}
	for _, r := range wish.NewISR {
		if !c.mayJoin(r) {
			return core.ErrIneligibleReplica
		}
	}
	return core.ErrNone
}

// mayJoin reports whether a replica may be in an ISR.
//
// KIP-841: not a fenced one; nobody would put it out again when it dies, since it is fenced already. KIP-903: not
// another incarnation than the leader has seen; the new one may have lost what the old one fetched.
func (c *Controller) mayJoin(r ReplicaState) bool {
	b := c.image.Broker(r.ID)
	return b != nil && b.Active() && (r.BrokerEpoch == -1 || r.BrokerEpoch == b.Epoch)
}
