package wire

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// dropLaterTags gives tagged fields that came to a message later than the given version their defaults, so that they are
// not sent. kmsg writes a tagged field whenever it is set; Kafka's generated code throws at a tag that the version does
// not have, and closes the connection.
func dropLaterTags(message any, version int16) {
	switch m := message.(type) {
	case *kmsg.FetchRequest:
		dropLaterFetchTags(m, version)
	case *kmsg.FetchResponse:
		if version < fetchNodeEndpoints {
			m.Brokers = nil
		}
	case *kmsg.VoteResponse:
		if version < 1 { // KIP-853
			m.NodeEndpoints = nil
		}
	case *kmsg.FetchSnapshotRequest:
		if version < 1 { // KIP-853
			for i := range m.Topics {
				for j := range m.Topics[i].Partitions {
					m.Topics[i].Partitions[j].ReplicaDirectoryID = [16]byte{}
				}
			}
		}
	case *kmsg.FetchSnapshotResponse:
		if version < snapshotEndpoints {
			m.NodeEndpoints = nil
		}
	case *kmsg.BrokerHeartbeatRequest:
		if version < 1 { // KIP-858
			m.OfflineLogDirs = nil
		}
		if version < 2 { // KIP-1066
			m.CordonedLogDirs = nil
		}
	}
}

// The request versions that add tagged fields to Fetch.
const (
	fetchReplicaState  int16 = 15 // KIP-903
	fetchDirectoryID   int16 = 17 // KIP-853
	fetchHighWatermark int16 = 18 // KIP-1166
)

func dropLaterFetchTags(m *kmsg.FetchRequest, version int16) {
	if version < fetchReplicaState {
		m.ReplicaState = kmsg.NewFetchRequestReplicaState()
	}
	if version >= fetchHighWatermark {
		return
	}
	for i := range m.Topics {
		for j := range m.Topics[i].Partitions {
			p := &m.Topics[i].Partitions[j]
			p.HighWatermark = math.MaxInt64
			if version < fetchDirectoryID {
				p.ReplicaDirectoryID = [16]byte{}
			}
		}
	}
}
