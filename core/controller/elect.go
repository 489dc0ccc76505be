package controller

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// ElectionType is what ElectLeaders asks for, numbered as on the wire (KIP-460).
type ElectionType int8

// The election types.
const (
	PreferredElection ElectionType = 0 // the first replica, if it is eligible
	UncleanElection   ElectionType = 1 // any live replica, for partitions without a leader
)

// ElectedLeader is the outcome for one partition.
type ElectedLeader struct {
	core.TopicPartition
	Refusal
}

// ElectLeaders makes the records of elections (KIP-183, KIP-460) for some partitions, or for all that need one if
// parts is nil; of those that need none there is then no outcome. INVALID_REQUEST refuses an unknown type,
// POLICY_VIOLATION more than 10,000 partitions. One partition's codes are UNKNOWN_TOPIC_OR_PARTITION,
// ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE and ELIGIBLE_LEADERS_NOT_AVAILABLE.
func (c *Controller) ElectLeaders(kind ElectionType, parts []core.TopicPartition) (Refusal, []ElectedLeader, []metadata.Record) {
	need := c.index.imbalanced
	switch kind {
	case PreferredElection:
	case UncleanElection:
		need = c.index.leaderless
	default:
		return refusef(core.ErrInvalidRequest, "election type %d is unknown", kind), nil, nil
	}
	all := parts == nil
	if all {
		for topic, id := range need.all() {
			parts = append(parts, core.TopicPartition{Topic: c.image.TopicByID(topic).Name, Partition: id})
		}
	}
	if len(parts) > maxPartitions {
		return refusef(core.ErrPolicyViolation, "%d elections; at most %d can be asked for at once", len(parts), maxPartitions), nil, nil
	}
	var out []ElectedLeader
	var recs []metadata.Record
	seen := make(map[core.TopicPartition]bool, len(parts))
	for _, tp := range parts {
		if seen[tp] {
			out = append(out, ElectedLeader{tp, refusef(core.ErrInvalidRequest, "the partition comes twice")})
			continue
		}
		seen[tp] = true
		r, rec := c.electLeader(kind, tp)
		if rec != nil {
			recs = append(recs, rec)
		}
		if !all || r.Code != core.ErrElectionNotNeeded {
			out = append(out, ElectedLeader{tp, r})
		}
	}
	return Refusal{}, out, recs
}

// electLeader makes the record of one election.
func (c *Controller) electLeader(kind ElectionType, tp core.TopicPartition) (Refusal, *metadata.PartitionChangeRecord) {
	t, p := c.find(tp)
	if p == nil {
		return noPartition(tp), nil
	}
	g := c.change(t, p)
	none := core.ErrPreferredLeaderNotAvailable
	if kind == UncleanElection {
		if p.Leader != core.NoNode {
			return refusef(core.ErrElectionNotNeeded, "partition %s has a leader", tp), nil
		}
		g.election, none = electUnclean, core.ErrEligibleLeadersNotAvailable
	} else {
		if p.Leader == p.Replicas[0] {
			return refusef(core.ErrElectionNotNeeded, "partition %s is led by its preferred replica", tp), nil
		}
		g.election = electPreferred // even where unclean elections are allowed, this one is not
	}
	rec := g.record()
	if rec == nil || rec.Leader == metadata.LeaderKeep {
		return refusef(none, "partition %s: none of the replicas that may lead is up", tp), nil
	}
	return Refusal{}, rec
}

// noPartition refuses what does not exist. It names it only if it could exist: a name of 30,000 bytes, repeated for each of
// 10,000 partitions, would make 300 MB of 70 KB.
func noPartition(tp core.TopicPartition) Refusal {
	if len(tp.Topic) > maxTopicName {
		return refusef(core.ErrUnknownTopicOrPartition, "there is no such partition")
	}
	return refusef(core.ErrUnknownTopicOrPartition, "there is no partition %s", tp)
}

// find is a partition with its topic, nil if there is none.
func (c *Controller) find(tp core.TopicPartition) (*metadata.Topic, *metadata.Partition) {
	t := c.image.Topic(tp.Topic)
	if t == nil {
		return nil, nil
	}
	return t, t.Partition(tp.Partition)
}
