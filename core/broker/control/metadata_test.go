package control

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// Clients of version 0 take a replica that is not among the brokers for an error of theirs: they are shown those that they can
// reach, and told that some are missing.
func TestMetadataVersion0ShowsReachableReplicas(t *testing.T) {
	m := metadata.NewImage()
	id := core.TopicID{1}
	for i, rec := range []metadata.Record{
		&metadata.FeatureLevelRecord{Name: metadata.MetadataVersionFeature, FeatureLevel: metadata.MetadataVersionMax},
		&metadata.RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 1, Endpoints: []metadata.Endpoint{{Name: "B", Host: "h", Port: 1}}},
		&metadata.RegisterBrokerRecord{BrokerID: 2, BrokerEpoch: 2, Endpoints: []metadata.Endpoint{{Name: "C", Host: "h", Port: 1}}},
		&metadata.TopicRecord{Name: "a", TopicID: id},
		&metadata.PartitionRecord{TopicID: id, Replicas: []core.NodeID{1, 2}, ISR: []core.NodeID{1, 2}, Leader: 1, Directories: make([]metadata.DirectoryID, 2)},
		&metadata.PartitionRecord{
			TopicID: id, PartitionID: 1, Replicas: []core.NodeID{1, 2}, ISR: []core.NodeID{1}, Leader: 1, Directories: make([]metadata.DirectoryID, 2),
		},
		&metadata.PartitionRecord{TopicID: id, PartitionID: 2, Replicas: []core.NodeID{1}, ISR: []core.NodeID{1}, Leader: 1, Directories: make([]metadata.DirectoryID, 1)},
		&metadata.PartitionRecord{TopicID: id, PartitionID: 3, Replicas: []core.NodeID{2, 1}, ISR: []core.NodeID{2}, Leader: 2, Directories: make([]metadata.DirectoryID, 2)},
	} {
		require.NoError(t, m.Replay(rec, core.Offset(i), 0, nil))
	}
	p := &Plane{image: m}
	type row struct {
		code          core.ErrorCode
		replicas, isr []int32
	}
	rows := func(version int16) (out []row) {
		v := topicView{p: p, listener: "B", version: version}
		for _, rp := range v.row(m.Topic("a")).Partitions {
			out = append(out, row{core.ErrorCode(rp.ErrorCode), rp.Replicas, rp.ISR})
		}
		return out
	}
	require.Equal(t, []row{
		{core.ErrReplicaNotAvailable, []int32{1}, []int32{1}},
		{core.ErrReplicaNotAvailable, []int32{1}, []int32{1}},
		{core.ErrNone, []int32{1}, []int32{1}},
		{core.ErrLeaderNotAvailable, []int32{1}, []int32{}},
	}, rows(0))
	require.Equal(t, []row{
		{core.ErrNone, []int32{1, 2}, []int32{1, 2}},
		{core.ErrNone, []int32{1, 2}, []int32{1}},
		{core.ErrNone, []int32{1}, []int32{1}},
		{core.ErrLeaderNotAvailable, []int32{2, 1}, []int32{2}},
	}, rows(1))
}
