package admin

import (
	"github.com/klamm-log/klamm/core"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What follows asks for changes of leaders, replicas, voters and features. Each goes to any broker, which forwards it to
// the controller (KIP-590), and is answered by one [Reply] whose Body is the response that its name says. Retriable errors of a whole
// request, such as NOT_CONTROLLER, are waited out; errors of rows are the answer.

// ElectLeaders elects a leader of each partition, of all if partitions is nil (KIP-183, KIP-460). The preferred replica is
// chosen, or, with unclean, any that is alive where none in sync is: at the price of lost records.
func (a *Admin) ElectLeaders(now core.Now, unclean bool, partitions []core.TopicPartition, token uint64) {
	req := kmsg.NewPtrElectLeadersRequest()
	req.TimeoutMillis = a.timeoutMillis()
	if unclean {
		req.ElectionType = 1
	}
	for _, t := range byTopic(partitions) {
		row := kmsg.NewElectLeadersRequestTopic()
		row.Topic, row.Partitions = t.topic, t.partitions
		req.Topics = append(req.Topics, row)
	}
	a.Call(now, req, Route{}, token)
}

// Assignment is where a partition's replicas are to be; the first is the preferred leader.
type Assignment struct {
	core.TopicPartition
	Replicas []core.NodeID // nil cancels the reassignment in progress
}

// AlterAssignments begins, changes or cancels reassignments (AlterPartitionReassignments, KIP-455). The answer comes once
// they are recorded, not once they are done.
func (a *Admin) AlterAssignments(now core.Now, list []Assignment, token uint64) {
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.TimeoutMillis = a.timeoutMillis()
	at := make(map[string]int)
	for _, as := range list {
		i, seen := at[as.Topic]
		if !seen {
			i = len(req.Topics)
			at[as.Topic] = i
			row := kmsg.NewAlterPartitionAssignmentsRequestTopic()
			row.Topic = as.Topic
			req.Topics = append(req.Topics, row)
		}
		p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		p.Partition = as.Partition
		if as.Replicas != nil {
			p.Replicas = make([]int32, 0, len(as.Replicas))
			for _, id := range as.Replicas {
				p.Replicas = append(p.Replicas, int32(id))
			}
		}
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	a.Call(now, req, Route{}, token)
}

// ListReassignments asks which reassignments are in progress: of the given partitions, or all if there are none
// (ListPartitionReassignments, KIP-455).
func (a *Admin) ListReassignments(now core.Now, partitions []core.TopicPartition, token uint64) {
	req := kmsg.NewPtrListPartitionReassignmentsRequest()
	req.TimeoutMillis = a.timeoutMillis()
	for _, t := range byTopic(partitions) {
		row := kmsg.NewListPartitionReassignmentsRequestTopic()
		row.Topic, row.Partitions = t.topic, t.partitions
		req.Topics = append(req.Topics, row)
	}
	a.Call(now, req, Route{}, token)
}

// DescribePartitions asks for the partitions of topics, of all if there are none, with their eligible leader replicas
// (DescribeTopicPartitions, KIP-966). The answer may end early: then its NextCursor is where to go on.
func (a *Admin) DescribePartitions(now core.Now, topics []string, from *kmsg.DescribeTopicPartitionsRequestCursor, token uint64) {
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	for _, name := range topics {
		row := kmsg.NewDescribeTopicPartitionsRequestTopic()
		row.Topic = name
		req.Topics = append(req.Topics, row)
	}
	req.Cursor = from
	a.Call(now, req, Route{}, token)
}

// DescribeQuorum asks who holds the metadata log, and how far each copy is (KIP-595, KIP-853).
func (a *Admin) DescribeQuorum(now core.Now, token uint64) {
	req := kmsg.NewPtrDescribeQuorumRequest()
	t := kmsg.NewDescribeQuorumRequestTopic()
	t.Topic, t.Partitions = "__cluster_metadata", append(t.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, t)
	a.Call(now, req, Route{}, token)
}

// Voter names a voter of the quorum. Its directory makes it another voter when its disk was replaced (KIP-853).
type Voter struct {
	ID        core.NodeID
	Directory [16]byte
	Listeners []VoterListener // where the other voters find it; of AddVoter only
}

// VoterListener is one of a controller's addresses.
type VoterListener struct {
	Name string
	Host string
	Port uint16
}

// AddVoter makes an observer a voter (AddRaftVoter, KIP-853). It must have caught up. The answer comes once the new set of
// voters is committed, or, without wait, once it is in the leader's log.
func (a *Admin) AddVoter(now core.Now, v Voter, wait bool, token uint64) {
	req := kmsg.NewPtrAddRaftVoterRequest()
	req.TimeoutMillis, req.VoterID, req.VoterDirectoryID, req.AckWhenCommitted = a.timeoutMillis(), int32(v.ID), v.Directory, wait
	for _, l := range v.Listeners {
		row := kmsg.NewAddRaftVoterRequestListener()
		row.Name, row.Host, row.Port = l.Name, l.Host, l.Port
		req.Listeners = append(req.Listeners, row)
	}
	a.Call(now, req, Route{}, token)
}

// RemoveVoter makes a voter an observer (RemoveRaftVoter, KIP-853).
func (a *Admin) RemoveVoter(now core.Now, v Voter, token uint64) {
	req := kmsg.NewPtrRemoveRaftVoterRequest()
	req.VoterID, req.VoterDirectoryID = int32(v.ID), v.Directory
	a.Call(now, req, Route{}, token)
}

// FeatureUpdate is a feature's new level; 0 ends its use.
type FeatureUpdate struct {
	Feature string
	Level   int16
	// Downgrade lets the level go down: 0 no, 1 if nothing is lost by it, 2 even so.
	Downgrade int8
}

// UpdateFeatures changes the levels of features (KIP-584). With validate nothing is changed.
func (a *Admin) UpdateFeatures(now core.Now, list []FeatureUpdate, validate bool, token uint64) {
	req := kmsg.NewPtrUpdateFeaturesRequest()
	req.TimeoutMillis, req.ValidateOnly = a.timeoutMillis(), validate
	for _, f := range list {
		row := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		row.Feature, row.MaxVersionLevel = f.Feature, f.Level
		row.UpgradeType, row.AllowDowngrade = f.Downgrade+1, f.Downgrade > 0 // from version 1 on, and before
		req.FeatureUpdates = append(req.FeatureUpdates, row)
	}
	a.Call(now, req, Route{}, token)
}

// UnregisterBroker makes the cluster forget a broker that is gone for good (KIP-631).
func (a *Admin) UnregisterBroker(now core.Now, id core.NodeID, token uint64) {
	req := kmsg.NewPtrUnregisterBrokerRequest()
	req.BrokerID = int32(id)
	a.Call(now, req, Route{}, token)
}

func (a *Admin) timeoutMillis() int32 { return int32(min(a.opts.Timeout/core.Millisecond, 1<<31-1)) }

// topicPartitions are partitions of one topic.
type topicPartitions struct {
	topic      string
	partitions []int32
}

// byTopic groups partitions by topic in the order of first mention. It is nil if there are none, which requests send as
// null: all of them.
func byTopic(partitions []core.TopicPartition) []topicPartitions {
	var out []topicPartitions
	at := make(map[string]int)
	for _, tp := range partitions {
		i, seen := at[tp.Topic]
		if !seen {
			i = len(out)
			at[tp.Topic] = i
			out = append(out, topicPartitions{topic: tp.Topic})
		}
		out[i].partitions = append(out[i].partitions, tp.Partition)
	}
	return out
}

// nodeRefusal is the retriable error with which a whole request of this file was refused. The rows of an election or a
// reassignment are answers: ELECTION_NOT_NEEDED counts as retriable in Kafka, and waiting for it to be needed is not what
// was asked.
func nodeRefusal(body kmsg.Response) (code int16, known bool) {
	switch resp := body.(type) {
	case *kmsg.ElectLeadersResponse:
		return resp.ErrorCode, true
	case *kmsg.AlterPartitionAssignmentsResponse:
		return resp.ErrorCode, true
	case *kmsg.ListPartitionReassignmentsResponse:
		return resp.ErrorCode, true
	case *kmsg.DescribeQuorumResponse:
		code := resp.ErrorCode
		for i := range resp.Topics { // one partition: that of the metadata log
			for j := range resp.Topics[i].Partitions {
				code = max(code, unlessUnknown(resp.Topics[i].Partitions[j].ErrorCode))
			}
		}
		return code, true
	case *kmsg.AddRaftVoterResponse:
		return resp.ErrorCode, true
	case *kmsg.RemoveRaftVoterResponse:
		return resp.ErrorCode, true
	case *kmsg.UpdateFeaturesResponse:
		return resp.ErrorCode, true
	case *kmsg.UnregisterBrokerResponse:
		return resp.ErrorCode, true
	}
	return 0, false
}
