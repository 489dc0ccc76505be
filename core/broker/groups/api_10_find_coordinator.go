package groups

import (
	"unicode/utf8"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/group/records"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Key types of FindCoordinator.
const (
	keyGroup int8 = 0
	keyTxn   int8 = 1
)

// FindCoordinator (key 10).
//
// Behavior: the coordinator of a group is the leader of the partition of __consumer_offsets that the group's id hashes to,
// as far as this broker knows; it may still be loading, or have ceased to lead. Without the topic the controller is asked to
// create it and the answer is COORDINATOR_NOT_AVAILABLE, which clients retry. Transactional ids get that answer always:
// there are no transactions yet. Share groups (type 2) are not served: INVALID_REQUEST, as of a broker without them.
//
// Version notes: 1 adds the key type; 4 asks for several keys at once (KIP-699); 6 adds share groups (KIP-932).
func (p *Plane) findCoordinator(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.FindCoordinatorRequest)
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	if r.Version < 1 {
		req.CoordinatorType = keyGroup
	}
	if r.Version < 4 {
		c := p.coordinatorOf(now, r, req.CoordinatorType, req.CoordinatorKey, out)
		resp.ErrorCode, resp.ErrorMessage, resp.NodeID, resp.Host, resp.Port = c.ErrorCode, c.ErrorMessage, c.NodeID, c.Host, c.Port
	} else {
		for _, key := range req.CoordinatorKeys {
			resp.Coordinators = append(resp.Coordinators, p.coordinatorOf(now, r, req.CoordinatorType, key, out))
		}
	}
	out.Replies = append(out.Replies, shards.Answer(r, resp))
}

// coordinatorOf finds the coordinator of one key.
func (p *Plane) coordinatorOf(
	now core.Now, r *step.Request, kind int8, key string, out *step.Effects,
) kmsg.FindCoordinatorResponseCoordinator {
	c := kmsg.NewFindCoordinatorResponseCoordinator()
	c.Key, c.NodeID, c.Port = key, -1, -1
	refuse := func(code core.ErrorCode, why string) kmsg.FindCoordinatorResponseCoordinator {
		c.ErrorCode, c.ErrorMessage = int16(code), kmsg.StringPtr(why)
		return c
	}
	switch {
	case kind == keyTxn:
		return refuse(core.ErrCoordinatorNotAvailable, "transactions are not served yet")
	case kind != keyGroup:
		return refuse(core.ErrInvalidRequest, "no coordinator of this type is served")
	case !validGroupID(key):
		return refuse(core.ErrInvalidGroupID, "the group id is too long or not UTF-8")
	}
	partitions := p.Partitions()
	if partitions == 0 {
		p.host.CreateOffsetsTopic(now, out)
		return refuse(core.ErrCoordinatorNotAvailable, "the offsets topic is being created")
	}
	image := p.host.Image()
	part := image.Topic(Topic).Partition(PartitionFor(key, partitions))
	if part == nil {
		return refuse(core.ErrCoordinatorNotAvailable, "the group's partition of the offsets topic does not exist")
	}
	listener, _ := p.host.Client(r)
	if n := image.Broker(part.Leader); n != nil && !n.Fenced {
		if e, ok := n.Endpoint(listener); ok {
			c.NodeID, c.Host, c.Port, c.ErrorMessage = int32(n.ID), e.Host, int32(e.Port), kmsg.StringPtr("")
			return c
		}
	}
	return refuse(core.ErrCoordinatorNotAvailable, "the group's partition of the offsets topic has no leader")
}

// validGroupID reports whether a group id can be a record's key. The empty id is a valid one for offsets. Kafka replaces what
// is not UTF-8, so that ids which differ become one group; see docs/DIVERGENCE.md.
func validGroupID(id string) bool { return len(id) <= records.MaxString && utf8.ValidString(id) }
