package groups_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
)

// A group from its first member to its last, over a change of coordinators.
func TestLifeOfAGroup(t *testing.T) {
	r := newRig(t)
	r.leadAll(1)
	ids, generation := r.stable("g", 3)
	require.Equal(t, core.ErrNone, r.heartbeat("g", ids[1], generation))
	require.Equal(t, core.ErrNone, r.commitOffset("g", ids[1], generation, 2, 17))
	require.Equal(t, int64(17), r.fetchOffset("g", 2))
	require.Equal(t, int64(-1), r.fetchOffset("g", 3))

	p := groups.PartitionFor("g", partitions)
	r.plane.Unlead(r.now, p, 1, &r.out)
	r.settle()
	require.Equal(t, core.ErrNotCoordinator, r.heartbeat("g", ids[1], generation))
	r.lead(p, 2)
	require.Equal(t, core.ErrNone, r.heartbeat("g", ids[1], generation), "members of the generation are known to the new coordinator")
	require.Equal(t, int64(17), r.fetchOffset("g", 2))
	require.Equal(t, core.ErrIllegalGeneration, r.commitOffset("g", ids[1], generation-1, 2, 18))
	require.Equal(t, core.ErrUnknownMemberID, r.commitOffset("g", "other", generation, 2, 18))
	require.Equal(t, core.ErrUnknownMemberID, r.commitOffset("g", "", -1, 2, 18))

	r.pass(60 * core.Second)
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{"g"}
	require.Equal(t, "Empty", r.call(5, req).(*kmsg.DescribeGroupsResponse).Groups[0].State, "all sessions have ended")
	require.Equal(t, core.ErrNone, r.commitOffset("g", "", -1, 2, 18))
	require.Equal(t, int64(18), r.fetchOffset("g", 2))
}

// Java's String.hashCode, by Kafka's own words: Utils.abs(groupId.hashCode) % numPartitions.
func TestPartitionFor(t *testing.T) {
	for _, c := range []struct {
		id   string
		want int32
	}{
		{"", 0},
		{"g", 103 % 50},
		{"group", 98629247 % 50},
		{"polygenelubricants", 0}, // hash is the least int
		{"\U0001F600", 1772899 % 50},
	} {
		require.Equal(t, c.want, groups.PartitionFor(c.id, 50), "%q", c.id)
	}
}
