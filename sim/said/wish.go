package said

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Wish is a change of a topic that a client asks for: a value for one of its settings, or a number of partitions.
type Wish struct {
	Topic, Name, Value string
	Partitions         int32 // 0: a setting
}

// Wishes are what an IncrementalAlterConfigs or CreatePartitions request asks for; none for anything else, and for what is to be
// checked only.
func Wishes(body wire.Request) (list []Wish) {
	switch req := body.(type) {
	case *kmsg.IncrementalAlterConfigsRequest:
		for i := range req.Resources {
			r := &req.Resources[i]
			for _, c := range r.Configs {
				if r.ResourceType == kmsg.ConfigResourceTypeTopic && c.Op == kmsg.IncrementalAlterConfigOpSet && c.Value != nil && !req.ValidateOnly {
					list = append(list, Wish{Topic: r.ResourceName, Name: c.Name, Value: *c.Value})
				}
			}
		}
	case *kmsg.CreatePartitionsRequest:
		for i := range req.Topics {
			if t := &req.Topics[i]; !req.ValidateOnly {
				list = append(list, Wish{Topic: t.Topic, Partitions: t.Count})
			}
		}
	default: // nothing else is heard for it
	}
	return list
}

// Granted reports whether a response says that what a request wished for the topic is done.
func Granted(body wire.Response, topic string) bool {
	switch resp := body.(type) {
	case *kmsg.IncrementalAlterConfigsResponse:
		for i := range resp.Resources {
			if r := &resp.Resources[i]; r.ResourceType == kmsg.ConfigResourceTypeTopic && r.ResourceName == topic {
				return core.ErrorCode(r.ErrorCode) == core.ErrNone
			}
		}
	case *kmsg.CreatePartitionsResponse:
		for i := range resp.Topics {
			if t := &resp.Topics[i]; t.Topic == topic {
				return core.ErrorCode(t.ErrorCode) == core.ErrNone
			}
		}
	default: // an answer to something else
	}
	return false
}
