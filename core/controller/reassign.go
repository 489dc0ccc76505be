package controller

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// Reassignment wishes other replicas for a partition, or the end of a reassignment (KIP-455).
type Reassignment struct {
	core.TopicPartition
	Replicas []core.NodeID // first is the preferred leader; nil cancels the reassignment that is going on
}

// Reassigned is the outcome for one partition.
type Reassigned struct {
	core.TopicPartition
	Refusal
}

// OngoingReassignment is a partition whose replicas are changing.
type OngoingReassignment struct {
	core.TopicPartition
	Replicas, Adding, Removing []core.NodeID // Replicas has all, those that go last
}

// AlterAssignments makes the records that begin, change or cancel reassignments. anyFactor allows that the number of
// replicas changes (KIP-860). One partition's codes are UNKNOWN_TOPIC_OR_PARTITION, INVALID_REPLICA_ASSIGNMENT,
// INVALID_REPLICATION_FACTOR, NO_REASSIGNMENT_IN_PROGRESS and INVALID_REQUEST for a partition that comes twice;
// POLICY_VIOLATION refuses more than 10,000.
//
// A reassignment has two steps. First the replicas are those that are to be and, behind them, those that were. When
// all that are to be are in the ISR, which a leader's AlterPartition may bring about or another change, the others go.
func (c *Controller) AlterAssignments(wishes []Reassignment, anyFactor bool) (Refusal, []Reassigned, []metadata.Record) {
	if len(wishes) > maxPartitions {
		return refusef(core.ErrPolicyViolation, "%d reassignments; at most %d can be asked for at once", len(wishes), maxPartitions), nil, nil
	}
	var out []Reassigned
	var recs []metadata.Record
	seen := make(map[core.TopicPartition]bool, len(wishes))
	for _, w := range wishes {
		var r Refusal
		var rec *metadata.PartitionChangeRecord
		t, p := c.find(w.TopicPartition)
		switch {
		case seen[w.TopicPartition]:
			r = refusef(core.ErrInvalidRequest, "the partition comes twice")
		case p == nil:
			r = noPartition(w.TopicPartition)
		case w.Replicas == nil:
			r, rec = c.cancelReassignment(t, p)
		default:
			r, rec = c.reassign(t, p, w.Replicas, anyFactor)
		}
		seen[w.TopicPartition] = true
		if rec != nil {
			recs = append(recs, rec)
		}
		out = append(out, Reassigned{w.TopicPartition, r})
	}
	return Refusal{}, out, recs
}

// reassign makes the record that sets out for the target.
func (c *Controller) reassign(t *metadata.Topic, p *metadata.Partition, target []core.NodeID, anyFactor bool) (Refusal, *metadata.PartitionChangeRecord) {
	if len(target) == 0 {
		return refusef(core.ErrInvalidReplicaAssignment, "partition %d would have no replica", p.ID), nil
	}
	for i, n := range target {
		switch {
		case slices.Contains(target[:i], n):
			return refusef(core.ErrInvalidReplicaAssignment, "partition %d names broker %d twice", p.ID, n), nil
		case c.image.Broker(n) == nil:
			return refusef(core.ErrInvalidReplicaAssignment, "partition %d names broker %d, which is not registered", p.ID, n), nil
		}
	}
	// KIP-860: compared with what an earlier reassignment is leading to.
	if n := len(without(p.Replicas, p.RemovingReplicas...)); !anyFactor && len(target) != n {
		return refusef(core.ErrInvalidReplicationFactor, "partition %d has %d replicas, and would have %d", p.ID, n, len(target)), nil
	}
	g := c.change(t, p)
	// What an earlier reassignment was adding is no part of what a cancellation goes back to. Until it is removed it is
	// a replica like others: it may be the only one in the ISR.
	original := without(p.Replicas, p.AddingReplicas...)
	g.removing = without(p.Replicas, target...)
	g.replicas = slices.Concat(target, g.removing)
	g.adding = without(g.replicas, original...)
	return Refusal{}, g.record()
}

// cancelReassignment makes the record that leads back to the replicas before the reassignment.
func (c *Controller) cancelReassignment(t *metadata.Topic, p *metadata.Partition) (Refusal, *metadata.PartitionChangeRecord) {
	if !reassigning(p) {
		return refusef(core.ErrNoReassignmentInProgress, "partition %s-%d is not being reassigned", t.Name, p.ID), nil
	}
	g := c.change(t, p)
	g.replicas = without(p.Replicas, p.AddingReplicas...)
	g.isr = without(p.ISR, p.AddingReplicas...)
	g.removing, g.adding = nil, nil
	if len(g.replicas) == 0 {
		return refusef(core.ErrInvalidReplicaAssignment, "partition %s-%d had no replica before", t.Name, p.ID), nil
	}
	allowed := g.election == electUnclean && slices.ContainsFunc(g.replicas, g.acceptable)
	if why := wouldLose(g); why != "" && !allowed {
		return refusef(core.ErrInvalidReplicaAssignment, "partition %s-%d cannot go back now: %s", t.Name, p.ID, why), nil
	}
	return Refusal{}, g.record()
}

// wouldLose says what a cancelled reassignment would put at risk, or is empty.
//
// Kafka refuses only if none of the replicas before is in the ISR. But with min.insync.replicas = 2 and ISR = {1, 4}, of
// which 4 is new, records may be on 1 and 4 alone: without 4 there is one copy of what two brokers acknowledged.
func wouldLose(g *change) string {
	safe := slices.Concat(g.was.ISR, g.was.EligibleLeaderReplicas) // these have all that is committed
	kept := without(safe, g.was.AddingReplicas...)
	if need := effectiveMinISR(g.minISR, len(g.replicas)); len(kept) < len(safe) && len(kept) < need {
		return fmt.Sprintf("records would be on %d replicas, and should be on %d", len(kept), need)
	}
	leads := g.isr
	if len(leads) == 0 {
		leads = kept
	}
	if g.was.Leader != core.NoNode && !slices.ContainsFunc(leads, g.acceptable) {
		return "nobody could lead it"
	}
	return ""
}

// ListAssignments lists the reassignments that are going on, of some partitions or, if parts is nil, of all. They come
// by topic id and partition.
func (c *Controller) ListAssignments(parts []core.TopicPartition) (out []OngoingReassignment) {
	asked := make(map[core.TopicPartition]bool, len(parts))
	for _, tp := range parts {
		asked[tp] = true
	}
	for topic, id := range c.index.reassigning.all() {
		t := c.image.TopicByID(topic)
		tp := core.TopicPartition{Topic: t.Name, Partition: id}
		if parts != nil && !asked[tp] {
			continue
		}
		p := t.Partition(id)
		out = append(out, OngoingReassignment{tp, p.Replicas, p.AddingReplicas, p.RemovingReplicas})
	}
	return out
}
