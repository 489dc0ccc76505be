package groups

import (
	"github.com/klamm-log/klamm/core"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// refuse fills one part of an answer with an error, as Kafka's schema of the response and Kafka's handlers have it. What was
// in the part before goes.
func refuse(w *pending, index int, code core.ErrorCode) {
	switch resp := w.Resp.(type) {
	case *kmsg.JoinGroupResponse:
		*resp = kmsg.JoinGroupResponse{Version: resp.Version, ErrorCode: int16(code), Generation: -1}
	case *kmsg.SyncGroupResponse:
		*resp = kmsg.SyncGroupResponse{Version: resp.Version, ErrorCode: int16(code)}
	case *kmsg.HeartbeatResponse:
		// A coordinator that is loading does not know the member yet, and sends nobody away.
		if resp.ErrorCode = int16(code); code == core.ErrCoordinatorLoadInProgress {
			resp.ErrorCode = 0
		}
	case *kmsg.LeaveGroupResponse:
		resp.ErrorCode, resp.Members = int16(code), nil
	case *kmsg.OffsetCommitResponse:
		refuseCommit(w.Req.Body.(*kmsg.OffsetCommitRequest), resp, code)
	case *kmsg.TxnOffsetCommitResponse:
		refuseTxnCommit(w.Req.Body.(*kmsg.TxnOffsetCommitRequest), resp, code)
	case *kmsg.OffsetFetchResponse:
		refuseFetch(w, resp, index, code)
	case *kmsg.OffsetDeleteResponse:
		resp.ErrorCode, resp.Topics = int16(code), nil
	case *kmsg.DescribeGroupsResponse:
		row := kmsg.NewDescribeGroupsResponseGroup()
		row.Group, row.ErrorCode = w.Req.Body.(*kmsg.DescribeGroupsRequest).Groups[index], int16(code)
		resp.Groups[index] = row
	case *kmsg.ListGroupsResponse:
		resp.ErrorCode, resp.Groups = int16(code), nil
	case *kmsg.ConsumerGroupHeartbeatResponse:
		*resp = kmsg.ConsumerGroupHeartbeatResponse{Version: resp.Version, ErrorCode: int16(code)}
	case *kmsg.ConsumerGroupDescribeResponse:
		row := kmsg.NewConsumerGroupDescribeResponseGroup()
		row.Group, row.ErrorCode = w.Req.Body.(*kmsg.ConsumerGroupDescribeRequest).Groups[index], int16(code)
		resp.Groups[index] = row
	case *kmsg.DeleteGroupsResponse:
		row := &resp.Groups[index]
		row.ErrorCode, row.ErrorMessage = int16(code), undeleted(row.Group, code)
	}
}
