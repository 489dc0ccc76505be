package control

import (
	"math"

	"github.com/klamm-log/klamm/core/metadata"
)

// Sight is what a client of one listener can see of a partition.
type Sight struct {
	Leader  int32 // -1: none that the client can reach
	Offline []int32
}

// Sight is what clients of a listener see of a partition.
func (p *Plane) Sight(state *metadata.Partition, listener string) Sight {
	s := Sight{Leader: -1, Offline: []int32{}}
	for i, node := range state.Replicas {
		n := p.image.Broker(node)
		reachable := false
		if n != nil {
			_, reachable = n.Endpoint(listener)
		}
		if reachable && node == state.Leader {
			s.Leader = int32(node)
		}
		if !reachable || n.Fenced || !n.HasOnlineDir(state.Directories[i]) {
			s.Offline = append(s.Offline, int32(node))
		}
	}
	return s
}

// InternalTopic reports whether a topic holds the state of a coordinator.
func InternalTopic(name string) bool {
	switch name {
	case "__consumer_offsets", "__transaction_state", "__share_group_state":
		return true
	}
	return false
}

// Authorized operations as bits 1 << AclOperation. Without an authorizer everything that applies to the resource is
// allowed.
const (
	TopicOperations   = 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<8 | 1<<10 | 1<<11
	ClusterOperations = 1<<5 | 1<<7 | 1<<8 | 1<<9 | 1<<10 | 1<<11 | 1<<12
)

// Authorized is the bit field if the client asked for it.
func Authorized(asked bool, operations int32) int32 {
	if asked {
		return operations
	}
	return math.MinInt32
}
