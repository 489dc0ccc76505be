package groups

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// handler is the method that serves a request, nil if it is not for coordinators.
func (p *Plane) handler(body wire.Request) func(core.Now, *step.Request, *step.Effects) {
	switch body.(type) {
	case *kmsg.OffsetCommitRequest:
		return p.offsetCommit
	case *kmsg.OffsetFetchRequest:
		return p.offsetFetch
	case *kmsg.FindCoordinatorRequest:
		return p.findCoordinator
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
	return &pending{req: r, resp: r.Body.ResponseKind(), left: parts}
}

// serving is the shard that serves a group. Otherwise the part is refused with the reason.
func (p *Plane) serving(w *pending, index int, groupID string, out *step.Effects) *shard {
	s, code := p.shardFor(groupID)
	if code != core.ErrNone {
		w.refuse(index, code, out)
		return nil
	}
	return s
}

// wait lets a part of an answer wait until what it rests on is committed.
func (p *Plane) wait(now core.Now, s *shard, w *pending, index int, out *step.Effects) {
	s.Defer(now, part{of: w, index: index})
	p.settle(now, s, out)
}

// park is the ticket of a request that waits for its group.
func (p *Plane) park(s *shard, w *pending) coord.Ticket {
	p.ticket++
	s.parked[p.ticket] = w
	return p.ticket
}

// repeated reports, one call per group of a batched request, which ones came before. They are refused: a request of a few
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
	case !validGroupID(groupID):
		return core.ErrInvalidGroupID
	case again:
		return core.ErrInvalidRequest
	}
	return core.ErrNone
}

// validMemberGroup checks the group id of requests of members: unlike offsets they need one that is not empty.
func validMemberGroup(id string) bool { return id != "" && validGroupID(id) }
