package admintest

import (
	"github.com/klamm-log/klamm/core"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Group is a group that is not there as a classic one. Its fields are what else is said of it.
type Group struct {
	Modern core.ErrorCode // ConsumerGroupDescribe; none: it is there, empty
	Fetch  core.ErrorCode // OffsetFetch
	Delete core.ErrorCode // DeleteGroups
}

// group answers requests about the group, with nil to others.
func (b *Broker) group(req kmsg.Request) kmsg.Response {
	if b.Group == nil {
		return nil
	}
	switch req := req.(type) {
	case *kmsg.FindCoordinatorRequest:
		return b.coordinator(req)
	case *kmsg.DescribeGroupsRequest:
		resp := kmsg.NewPtrDescribeGroupsResponse()
		resp.Groups = append(resp.Groups, kmsg.DescribeGroupsResponseGroup{Group: req.Groups[0], State: "Dead", ErrorCode: int16(core.ErrGroupIDNotFound)})
		return resp
	case *kmsg.ConsumerGroupDescribeRequest:
		resp := kmsg.NewPtrConsumerGroupDescribeResponse()
		resp.Groups = append(resp.Groups, kmsg.ConsumerGroupDescribeResponseGroup{Group: req.Groups[0], State: "Empty", ErrorCode: int16(b.Group.Modern)})
		return resp
	case *kmsg.OffsetFetchRequest:
		resp := kmsg.NewPtrOffsetFetchResponse()
		resp.Groups = append(resp.Groups, kmsg.OffsetFetchResponseGroup{Group: req.Groups[0].Group, ErrorCode: int16(b.Group.Fetch)})
		return resp
	case *kmsg.DeleteGroupsRequest:
		resp := kmsg.NewPtrDeleteGroupsResponse()
		resp.Groups = append(resp.Groups, kmsg.DeleteGroupsResponseGroup{Group: req.Groups[0], ErrorCode: int16(b.Group.Delete)})
		return resp
	}
	return nil
}
