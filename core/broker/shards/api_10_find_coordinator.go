package shards

import (
	"math"
	"unicode/utf8"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The topics that coordinators keep their state in.
const (
	OffsetsTopic = "__consumer_offsets"
	TxnTopic     = "__transaction_state"
)

// Finder is the broker around FindCoordinator.
type Finder interface {
	// Image is the committed image of the cluster.
	Image() *metadata.Image

	// Client is the listener that a request came through, and the other end's address as "host:port".
	Client(r *step.Request) (listener, remote string)

	// CreateTopic asks the controller for [OffsetsTopic] or [TxnTopic], as the configuration wants it. It is called whenever
	// a client looks for a coordinator and there is none; the host sees to it that one request is under way at most.
	CreateTopic(now core.Now, topic string, out *step.Effects)
}

// Key types of FindCoordinator.
const (
	keyGroup int8 = 0
	keyTxn   int8 = 1
)

// FindCoordinator (key 10).
//
// Behavior: the coordinator of a group is the leader of the partition of __consumer_offsets that the group's id hashes to, that of
// a transactional id the leader of one of __transaction_state, as far as this broker knows; it may still be loading, or have
// ceased to lead. Without the topic the controller is asked to create it and the answer is COORDINATOR_NOT_AVAILABLE, which clients
// retry. Share groups (type 2) are not served: INVALID_REQUEST, as of a broker without them.
//
// Version notes: 1 adds the key type; 4 asks for several keys at once (KIP-699); 6 adds share groups (KIP-932).
func FindCoordinator(now core.Now, r *step.Request, host Finder, out *step.Effects) {
	req := r.Body.(*kmsg.FindCoordinatorRequest)
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	if r.Version < 1 {
		req.CoordinatorType = keyGroup
	}
	if r.Version < 4 {
		c := coordinatorOf(now, r, host, req.CoordinatorType, req.CoordinatorKey, out)
		resp.ErrorCode, resp.ErrorMessage, resp.NodeID, resp.Host, resp.Port = c.ErrorCode, c.ErrorMessage, c.NodeID, c.Host, c.Port
	} else {
		for _, key := range req.CoordinatorKeys {
			resp.Coordinators = append(resp.Coordinators, coordinatorOf(now, r, host, req.CoordinatorType, key, out))
		}
	}
	out.Replies = append(out.Replies, Answer(r, resp))
}

// coordinatorOf finds the coordinator of one key.
func coordinatorOf(
	now core.Now, r *step.Request, host Finder, kind int8, key string, out *step.Effects,
) kmsg.FindCoordinatorResponseCoordinator {
	c := kmsg.NewFindCoordinatorResponseCoordinator()
	c.Key, c.NodeID, c.Port = key, -1, -1
	refuse := func(code core.ErrorCode, why string) kmsg.FindCoordinatorResponseCoordinator {
		c.ErrorCode, c.ErrorMessage = int16(code), kmsg.StringPtr(why)
		return c
	}
	topic := OffsetsTopic
	switch {
	case kind == keyTxn:
		if topic = TxnTopic; key == "" || !ValidKey(key) {
			return refuse(core.ErrInvalidRequest, "the transactional id is empty, too long or not UTF-8")
		}
	case kind != keyGroup:
		return refuse(core.ErrInvalidRequest, "no coordinator of this type is served")
	case !ValidKey(key):
		return refuse(core.ErrInvalidGroupID, "the group id is too long or not UTF-8")
	}
	part, known := partitionOf(host.Image(), topic, key)
	if !known {
		host.CreateTopic(now, topic, out)
		return refuse(core.ErrCoordinatorNotAvailable, "the topic "+topic+" is being created")
	}
	if part == nil {
		return refuse(core.ErrCoordinatorNotAvailable, "the key's partition of "+topic+" does not exist")
	}
	listener, _ := host.Client(r)
	if n := host.Image().Broker(part.Leader); n != nil && !n.Fenced {
		if e, ok := n.Endpoint(listener); ok {
			c.NodeID, c.Host, c.Port, c.ErrorMessage = int32(n.ID), e.Host, int32(e.Port), kmsg.StringPtr("")
			return c
		}
	}
	return refuse(core.ErrCoordinatorNotAvailable, "the key's partition of "+topic+" has no leader")
}

// partitionOf is the partition that a key's coordinator leads, nil if it does not exist, and whether the topic does.
func partitionOf(image *metadata.Image, topic, key string) (*metadata.Partition, bool) {
	t := image.Topic(topic)
	if t == nil || len(t.Partitions()) == 0 {
		return nil, false
	}
	return t.Partition(coord.PartitionFor(key, int32(len(t.Partitions())))), true
}

// CoordinatorOf is the broker that coordinates a key of a coordinators' topic as far as an image knows, [core.NoNode] if there is none.
func CoordinatorOf(image *metadata.Image, topic, key string) core.NodeID {
	if part, _ := partitionOf(image, topic, key); part != nil {
		return part.Leader
	}
	return core.NoNode
}

// ValidKey reports whether a group's id or a transactional one can be a record's key: its length is an int16. Kafka replaces what is
// not UTF-8, so that ids which differ become one; see docs/DIVERGENCE.md.
func ValidKey(id string) bool { return len(id) <= math.MaxInt16 && utf8.ValidString(id) }
