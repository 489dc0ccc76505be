package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Refusal is the response to a request of the control plane in which everything fails with one code: where Kafka's
// schema has an error per item, each item has it.
func Refusal(body wire.Request, code core.ErrorCode, why string) wire.Response {
	var text *string
	if why != "" {
		text = &why
	}
	resp := body.ResponseKind()
	resp.SetVersion(body.GetVersion())
	if refuseItems(body, resp, int16(code), text) {
		return resp
	}
	if at, words := errorField(resp); at != nil {
		*at = int16(code)
		if words != nil {
			*words = text
		}
	}
	switch resp := resp.(type) { // what must not be taken for an answer
	case *kmsg.BrokerRegistrationResponse:
		resp.BrokerEpoch = -1
	case *kmsg.BrokerHeartbeatResponse:
		resp.IsFenced = true
	}
	return resp
}

// errorField is where a response says what became of the request as a whole; nil where its schema has errors per item only.
// text is nil where the schema has none.
//
//nolint:cyclop // one line per api
func errorField(resp wire.Response) (code *int16, text **string) {
	switch r := resp.(type) {
	case *kmsg.FetchResponse:
		return &r.ErrorCode, nil
	case *kmsg.ElectLeadersResponse:
		return &r.ErrorCode, nil
	case *kmsg.AlterPartitionAssignmentsResponse:
		return &r.ErrorCode, &r.ErrorMessage
	case *kmsg.ListPartitionReassignmentsResponse:
		return &r.ErrorCode, &r.ErrorMessage
	case *kmsg.VoteResponse:
		return &r.ErrorCode, nil
	case *kmsg.BeginQuorumEpochResponse:
		return &r.ErrorCode, nil
	case *kmsg.EndQuorumEpochResponse:
		return &r.ErrorCode, nil
	case *kmsg.DescribeQuorumResponse:
		return &r.ErrorCode, &r.ErrorMessage
	case *kmsg.AlterPartitionResponse:
		return &r.ErrorCode, nil
	case *kmsg.UpdateFeaturesResponse:
		return &r.ErrorCode, &r.ErrorMessage
	case *kmsg.FetchSnapshotResponse:
		return &r.ErrorCode, nil
	case *kmsg.BrokerRegistrationResponse:
		return &r.ErrorCode, nil
	case *kmsg.BrokerHeartbeatResponse:
		return &r.ErrorCode, nil
	case *kmsg.UnregisterBrokerResponse:
		return &r.ErrorCode, &r.ErrorMessage
	case *kmsg.AllocateProducerIDsResponse:
		return &r.ErrorCode, nil
	case *kmsg.ControllerRegistrationResponse:
		return &r.ErrorCode, &r.ErrorMessage
	case *kmsg.AssignReplicasToDirsResponse:
		return &r.ErrorCode, nil
	case *kmsg.AddRaftVoterResponse:
		return &r.ErrorCode, &r.ErrorMessage
	case *kmsg.RemoveRaftVoterResponse:
		return &r.ErrorCode, &r.ErrorMessage
	case *kmsg.UpdateRaftVoterResponse:
		return &r.ErrorCode, nil
	}
	return nil, nil
}

// refuseItems fills in the responses whose errors stand per item.
func refuseItems(body wire.Request, resp wire.Response, code int16, text *string) bool {
	switch req := body.(type) {
	case *kmsg.CreateTopicsRequest:
		resp := resp.(*kmsg.CreateTopicsResponse)
		for i := range req.Topics {
			row := kmsg.NewCreateTopicsResponseTopic()
			row.Topic, row.ErrorCode, row.ErrorMessage = req.Topics[i].Topic, code, text
			resp.Topics = append(resp.Topics, row)
		}
	case *kmsg.DeleteTopicsRequest:
		resp := resp.(*kmsg.DeleteTopicsResponse)
		for i := range req.TopicNames {
			resp.Topics = append(resp.Topics, kmsg.DeleteTopicsResponseTopic{Topic: &req.TopicNames[i], ErrorCode: code, ErrorMessage: text})
		}
		for i := range req.Topics {
			t := &req.Topics[i]
			resp.Topics = append(resp.Topics, kmsg.DeleteTopicsResponseTopic{Topic: t.Topic, TopicID: t.TopicID, ErrorCode: code, ErrorMessage: text})
		}
	case *kmsg.CreatePartitionsRequest:
		resp := resp.(*kmsg.CreatePartitionsResponse)
		for i := range req.Topics {
			resp.Topics = append(resp.Topics, kmsg.CreatePartitionsResponseTopic{Topic: req.Topics[i].Topic, ErrorCode: code, ErrorMessage: text})
		}
	case *kmsg.AlterConfigsRequest:
		resp := resp.(*kmsg.AlterConfigsResponse)
		for i := range req.Resources {
			a := &req.Resources[i]
			resp.Resources = append(resp.Resources, kmsg.AlterConfigsResponseResource{
				ResourceType: a.ResourceType, ResourceName: a.ResourceName, ErrorCode: code, ErrorMessage: text,
			})
		}
	case *kmsg.IncrementalAlterConfigsRequest:
		resp := resp.(*kmsg.IncrementalAlterConfigsResponse)
		for i := range req.Resources {
			a := &req.Resources[i]
			resp.Resources = append(resp.Resources, kmsg.IncrementalAlterConfigsResponseResource{
				ResourceType: a.ResourceType, ResourceName: a.ResourceName, ErrorCode: code, ErrorMessage: text,
			})
		}
	case *kmsg.ElectLeadersRequest:
		refuseElections(req, resp.(*kmsg.ElectLeadersResponse), code, text)
	default:
		return false
	}
	return true
}

// refuseElections: below version 1 there is no error but the partitions'.
func refuseElections(req *kmsg.ElectLeadersRequest, resp *kmsg.ElectLeadersResponse, code int16, text *string) {
	resp.ErrorCode = code
	for i := range req.Topics {
		t := kmsg.ElectLeadersResponseTopic{Topic: req.Topics[i].Topic}
		for _, index := range req.Topics[i].Partitions {
			t.Partitions = append(t.Partitions, kmsg.ElectLeadersResponseTopicPartition{Partition: index, ErrorCode: code, ErrorMessage: text})
		}
		resp.Topics = append(resp.Topics, t)
	}
}

// Code is the error of a response as a whole; where the schema has one per item, the first item's. Whoever passes requests
// on learns from it that the other end is not the active controller: such a refusal is the same for every item.
func Code(resp wire.Response) core.ErrorCode {
	switch resp := resp.(type) {
	case *kmsg.CreateTopicsResponse:
		return first(resp.Topics, func(t *kmsg.CreateTopicsResponseTopic) int16 { return t.ErrorCode })
	case *kmsg.DeleteTopicsResponse:
		return first(resp.Topics, func(t *kmsg.DeleteTopicsResponseTopic) int16 { return t.ErrorCode })
	case *kmsg.CreatePartitionsResponse:
		return first(resp.Topics, func(t *kmsg.CreatePartitionsResponseTopic) int16 { return t.ErrorCode })
	case *kmsg.AlterConfigsResponse:
		return first(resp.Resources, func(r *kmsg.AlterConfigsResponseResource) int16 { return r.ErrorCode })
	case *kmsg.IncrementalAlterConfigsResponse:
		return first(resp.Resources, func(r *kmsg.IncrementalAlterConfigsResponseResource) int16 { return r.ErrorCode })
	}
	if code, _ := errorField(resp); code != nil {
		return core.ErrorCode(*code)
	}
	return core.ErrNone
}

func first[T any](items []T, code func(*T) int16) core.ErrorCode {
	if len(items) == 0 {
		return core.ErrNone
	}
	return core.ErrorCode(code(&items[0]))
}
