package controller

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// DirAssignment says in which of its log directories a broker has put a replica (KIP-858).
type DirAssignment struct {
	Dir     metadata.DirectoryID
	TopicID core.TopicID
	Index   int32
}

// AssignReplicasToDirs makes the records that note where a broker's replicas lie; the codes are in the order of the
// assignments: UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER if the broker is no replica, and
// INVALID_REQUEST for a replica that comes twice. STALE_BROKER_EPOCH and UNSUPPORTED_VERSION refuse all.
//
// A replica in a directory that is not online leaves the ISR, since nobody serves it.
func (c *Controller) AssignReplicasToDirs(node core.NodeID, epoch core.BrokerEpoch, wishes []DirAssignment) (Refusal, []core.ErrorCode, []metadata.Record) {
	if !c.image.MetadataVersion().HasDirectoryAssignment() {
		return refusef(core.ErrUnsupportedVersion, "metadata.version %d does not know directories", c.image.MetadataVersion()), nil, nil
	}
	if r := c.checkEpoch(node, epoch); !r.OK() {
		return r, nil, nil
	}
	b := c.image.Broker(node)
	codes := make([]core.ErrorCode, len(wishes))
	var recs []metadata.Record
	seen := make(map[partitionKey]bool, len(wishes))
	for i, w := range wishes {
		key := partitionKey{w.TopicID, w.Index}
		t, p := c.image.TopicByID(w.TopicID), c.image.Partition(w.TopicID, w.Index)
		switch {
		case t == nil:
			codes[i] = core.ErrUnknownTopicID
			continue
		case p == nil:
			codes[i] = core.ErrUnknownTopicOrPartition
			continue
		case seen[key]:
			codes[i] = core.ErrInvalidRequest
			continue
		}
		if _, replica := p.Directory(node); !replica {
			codes[i] = core.ErrNotLeaderOrFollower
			continue
		}
		seen[key] = true
		g := c.change(t, p)
		g.moved, g.movedTo = node, w.Dir
		if !b.HasOnlineDir(w.Dir) {
			g.gone, g.isr = node, without(g.isr, node)
		}
		if rec := g.record(); rec != nil {
			recs = append(recs, rec)
		}
	}
	return Refusal{}, codes, recs
}

// partitionKey names a partition by its topic's id.
type partitionKey struct {
	topic core.TopicID
	index int32
}
