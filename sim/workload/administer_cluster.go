package workload

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// controllerPort is where controllers listen, and under which name.
const (
	controllerPort     = 9093
	controllerListener = "CONTROLLER"
)

func nodeIDs(list []int32) []core.NodeID {
	var out []core.NodeID
	for _, id := range list {
		out = append(out, core.NodeID(id))
	}
	return out
}

// partitions are those that an election is about: one, or all that the client knows of the topic.
func (r *administering) partitions(op *Op) []core.TopicPartition {
	if op.Partition >= 0 {
		return []core.TopicPartition{{Topic: op.Topic, Partition: op.Partition}}
	}
	out := []core.TopicPartition{{Topic: op.Topic}}
	for p := range r.c.machine.Cluster().Want(op.Topic).Partitions {
		if p > 0 {
			out = append(out, core.TopicPartition{Topic: op.Topic, Partition: int32(p)})
		}
	}
	return out
}

// voters asks for the voters, or changes them once the directory of the one that is meant is known.
func (r *administering) voters(now core.Now, t *task) {
	switch {
	case !t.located:
		r.a.DescribeQuorum(now, t.token)
	case t.op.Kind == AddVoter:
		t.voter.Listeners = []admin.VoterListener{{Name: controllerListener, Host: t.op.Host, Port: controllerPort}}
		r.a.AddVoter(now, t.voter, true, t.token)
	default:
		r.a.RemoveVoter(now, t.voter, t.token)
	}
}

// described finds the node in the answer to DescribeQuorum, and goes on. A voter cannot be added and an observer cannot be
// removed: what the answer says otherwise is taken as it is, so that the quorum has something to refuse.
func (r *administering) described(now core.Now, at core.Mono, t *task, rep *admin.Reply) {
	resp, ok := rep.Body.(*kmsg.DescribeQuorumResponse)
	if t.located || !ok {
		return
	}
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			p := &resp.Topics[i].Partitions[j]
			for _, list := range [][]kmsg.DescribeQuorumResponseTopicPartitionReplicaState{p.CurrentVoters, p.Observers} {
				for k := range list {
					if list[k].ReplicaID == t.op.Node && !t.located {
						t.located = true
						t.voter = admin.Voter{ID: core.NodeID(t.op.Node), Directory: list[k].ReplicaDirectoryID}
					}
				}
			}
		}
	}
	if t.located {
		r.call(now, at, t)
	}
}

// downgrade is how a feature may go down: level 0 asks for a safe downgrade, and so does who says so.
func downgrade(op *Op) int8 {
	if op.Max == 0 || op.Downgrade {
		return 1
	}
	return 0
}
