package groups

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// handler is the method that serves a request, nil if it is not for coordinators.
func (p *Plane) handler(body wire.Request) func(core.Now, *step.Request, *step.Effects) {
	switch body.(type) {
	case *kmsg.OffsetCommitRequest:
		return p.offsetCommit
	case *kmsg.TxnOffsetCommitRequest:
		return p.txnOffsetCommit
	case *kmsg.OffsetFetchRequest:
		return p.offsetFetch
	case *kmsg.FindCoordinatorRequest:
		return func(now core.Now, r *step.Request, out *step.Effects) { shards.FindCoordinator(now, r, p.host, out) }
	case *kmsg.JoinGroupRequest:
		return p.joinGroup
	case *kmsg.HeartbeatRequest:
		return p.heartbeat
	case *kmsg.LeaveGroupRequest:
		return p.leaveGroup
	case *kmsg.SyncGroupRequest:
		return p.syncGroup
	case *kmsg.DescribeGroupsRequest:
		return p.describeGroups
	case *kmsg.ListGroupsRequest:
		return p.listGroups
	case *kmsg.DeleteGroupsRequest:
		return p.deleteGroups
	case *kmsg.OffsetDeleteRequest:
		return p.offsetDelete
	case *kmsg.ConsumerGroupHeartbeatRequest:
		return p.consumerGroupHeartbeat
	case *kmsg.ConsumerGroupDescribeRequest:
		return p.consumerGroupDescribe
	}
	return nil
}

// begin is the answer to a request, with a response of its kind and so many parts.
func begin(r *step.Request, parts int) *pending {
	return shards.Begin(r, parts, refuse)
}

// repeated reports, one call per group of a batched request, which ones came before. Most requests are refused those: a request of a few
// megabytes that names one large group a million times would else be answered by gigabytes.
func repeated(groups int) func(groupID string) bool {
	if groups < 2 {
		return func(string) bool { return false }
	}
	seen := make(map[string]bool, groups)
	return func(groupID string) bool {
		again := seen[groupID]
		seen[groupID] = true
		return again
	}
}

// checkBatched is why a group of a batched request is not answered.
func checkBatched(groupID string, again bool) core.ErrorCode {
	switch {
	case !shards.ValidKey(groupID):
		return core.ErrInvalidGroupID
	case again:
		return core.ErrInvalidRequest
	}
	return core.ErrNone
}

// validMemberGroup checks the group id of requests of members: unlike offsets they need one that is not empty.
func validMemberGroup(id string) bool { return id != "" && shards.ValidKey(id) }
