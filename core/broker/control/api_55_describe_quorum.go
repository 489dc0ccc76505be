package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/raft"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeQuorum (key 55, KIP-595, KIP-836, KIP-853).
//
// Behavior: the leader, the HighWatermark, and how far each voter and observer is. Only the quorum's leader knows, and only
// about __cluster_metadata partition 0. If the request names anything else, or that more than once, all of it is
// UNKNOWN_TOPIC_OR_PARTITION.
//
// Version notes: 1 times, 2 directory ids, endpoints and words.
func (p *Plane) describeQuorum(now core.Now, r *step.Request, req *kmsg.DescribeQuorumRequest, out *step.Effects) {
	if !p.Active() {
		p.refuse(r, core.ErrNotController, "", out)
		return
	}
	resp := req.ResponseKind().(*kmsg.DescribeQuorumResponse)
	v := p.quorum.View(now)
	meant := len(req.Topics) == 1 && req.Topics[0].Topic == metadataTopic && len(req.Topics[0].Partitions) == 1 &&
		req.Topics[0].Partitions[0].Partition == 0
	for i := range req.Topics {
		t := &req.Topics[i]
		row := kmsg.DescribeQuorumResponseTopic{Topic: t.Topic}
		for j := range t.Partitions {
			rp := kmsg.NewDescribeQuorumResponseTopicPartition()
			rp.Partition = t.Partitions[j].Partition
			if !meant {
				rp.ErrorCode, rp.LeaderID = int16(core.ErrUnknownTopicOrPartition), -1
				row.Partitions = append(row.Partitions, rp)
				continue
			}
			rp.LeaderID, rp.LeaderEpoch, rp.HighWatermark = int32(v.LeaderID), int32(v.LeaderEpoch), int64(v.HighWatermark)
			rp.CurrentVoters, rp.Observers = replicaStates(v.Voters), replicaStates(v.Observers)
			row.Partitions = append(row.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, row)
	}
	for _, voter := range v.Endpoints {
		n := kmsg.DescribeQuorumResponseNode{NodeID: int32(voter.ID)}
		for _, e := range voter.Endpoints {
			n.Listeners = append(n.Listeners, kmsg.DescribeQuorumResponseNodeListener{Name: e.Name, Host: e.Host, Port: e.Port})
		}
		resp.Nodes = append(resp.Nodes, n)
	}
	p.reply(r, resp, out)
}

// replicaStates are the rows of voters or observers.
func replicaStates(states []raft.ReplicaView) []kmsg.DescribeQuorumResponseTopicPartitionReplicaState {
	var rows []kmsg.DescribeQuorumResponseTopicPartitionReplicaState
	for _, s := range states {
		row := kmsg.NewDescribeQuorumResponseTopicPartitionReplicaState()
		row.ReplicaID, row.ReplicaDirectoryID, row.LogEndOffset = int32(s.ID), s.DirectoryID, int64(s.LogEndOffset)
		row.LastFetchTimestamp, row.LastCaughtUpTimestamp = int64(s.LastFetchTime), int64(s.LastCaughtUpTime)
		rows = append(rows, row)
	}
	return rows
}
