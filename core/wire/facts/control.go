package facts

import (
	"github.com/klamm-log/klamm/core"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// controlRequest writes what brokers and admins ask of the controller.
func (w *writer) controlRequest(r kmsg.Request) bool {
	switch r := r.(type) {
	case *kmsg.AlterPartitionRequest:
		for i := range r.Topics {
			for k := range r.Topics[i].Partitions {
				p := &r.Topics[i].Partitions[k]
				isr := p.NewISR
				for _, m := range p.NewEpochISR {
					isr = append(isr, m.BrokerID)
				}
				name := w.part(r.Topics[i].Topic, core.TopicID(r.Topics[i].TopicID), p.Partition, core.NoOffset, core.NoOffset, 0)
				w.say("%s: ISR %v, please (leader epoch %d, partition epoch %d)", name, isr, p.LeaderEpoch, p.PartitionEpoch)
			}
		}
	case *kmsg.BrokerRegistrationRequest:
		w.say("broker %d registers", r.BrokerID)
	case *kmsg.BrokerHeartbeatRequest:
		w.m.Idle = !r.WantShutdown && !r.WantFence
		w.say("broker %d lives, has metadata up to %d", r.BrokerID, r.CurrentMetadataOffset)
		if r.WantFence {
			w.say("wants to be fenced")
		}
		if r.WantShutdown {
			w.say("wants to shut down")
		}
	case *kmsg.CreateTopicsRequest:
		for i := range r.Topics {
			t := &r.Topics[i]
			w.say("%s: %d partitions, replication factor %d", t.Topic, max(int(t.NumPartitions), len(t.ReplicaAssignment)), t.ReplicationFactor)
		}
	case *kmsg.DeleteTopicsRequest:
		for _, name := range r.TopicNames {
			w.say("%s", name)
		}
		for i := range r.Topics {
			w.say("%s", str(r.Topics[i].Topic))
		}
	case *kmsg.AlterPartitionAssignmentsRequest:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				name := w.part(r.Topics[i].Topic, core.TopicID{}, p.Partition, core.NoOffset, core.NoOffset, 0)
				w.say("%s: replicas %v", name, p.Replicas)
			}
		}
	case *kmsg.ElectLeadersRequest:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.say("%s", w.part(r.Topics[i].Topic, core.TopicID{}, p, core.NoOffset, core.NoOffset, 0))
			}
		}
	case *kmsg.MetadataRequest:
		w.m.Idle = true
		w.say("%d topics", len(r.Topics))
	case *kmsg.ApiVersionsRequest:
		w.m.Idle = true
		w.say("%s %s", r.ClientSoftwareName, r.ClientSoftwareVersion)
	default:
		return false
	}
	return true
}

// controlResponse writes the controller's answers.
func (w *writer) controlResponse(r kmsg.Response) bool {
	switch r := r.(type) {
	case *kmsg.AlterPartitionResponse:
		w.top(r.ErrorCode)
		for i := range r.Topics {
			for k := range r.Topics[i].Partitions {
				p := &r.Topics[i].Partitions[k]
				name := w.part(r.Topics[i].Topic, core.TopicID(r.Topics[i].TopidID), p.Partition, core.NoOffset, core.NoOffset, p.ErrorCode)
				if p.ErrorCode != 0 {
					w.say("%s:%s", name, failed(p.ErrorCode))
				} else {
					w.say("%s: leader %d, epoch %d, ISR %v, partition epoch %d", name, p.LeaderID, p.LeaderEpoch, p.ISR, p.PartitionEpoch)
				}
			}
		}
	case *kmsg.BrokerRegistrationResponse:
		w.top(r.ErrorCode)
		if r.ErrorCode == 0 {
			w.say("registered, broker epoch %d", r.BrokerEpoch)
		}
	case *kmsg.BrokerHeartbeatResponse:
		w.top(r.ErrorCode)
		w.m.Idle = r.ErrorCode == 0 && !r.ShouldShutdown
		w.say("caught up %v, fenced %v", r.IsCaughtUp, r.IsFenced)
		if r.ShouldShutdown {
			w.say("may shut down")
		}
	case *kmsg.CreateTopicsResponse:
		for i := range r.Topics {
			w.err(r.Topics[i].ErrorCode)
			w.say("%s%s", r.Topics[i].Topic, failed(r.Topics[i].ErrorCode))
		}
	case *kmsg.DeleteTopicsResponse:
		for i := range r.Topics {
			w.err(r.Topics[i].ErrorCode)
			w.say("%s%s", str(r.Topics[i].Topic), failed(r.Topics[i].ErrorCode))
		}
	case *kmsg.MetadataResponse:
		w.m.Idle = true
		w.say("%d brokers, %d topics", len(r.Brokers), len(r.Topics))
	case *kmsg.ApiVersionsResponse:
		w.top(r.ErrorCode)
		w.m.Idle = r.ErrorCode == 0
		w.say("%d APIs", len(r.ApiKeys))
	default:
		return false
	}
	return true
}
