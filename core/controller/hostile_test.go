package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// quickly fails where the work of one request grows with the square of what it holds: each of these takes milliseconds, and
// took seconds to minutes.
func quickly(t *testing.T, what func()) {
	t.Helper()
	began := time.Now()
	what()
	require.Less(t, time.Since(began), 2*time.Second)
}

func TestLongListsAreChangedInOnePass(t *testing.T) {
	k := newCluster(t)
	k.start(1)
	k.create("a", []core.NodeID{1})
	var b strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&b, "%d,", i)
	}
	res := metadata.ConfigResource{Type: metadata.ResourceTopic, Name: "a"}
	quickly(t, func() {
		r, _ := k.ctl.IncrementalAlterConfigs(res, []ConfigChange{{"cleanup.policy", ConfigAppend, ptr(b.String())}})
		require.Equal(t, core.ErrInvalidConfig, r.Code)
	})
	require.Equal(t, "a,b,c,d", changeList([]string{"a", "b"}, ConfigChange{Op: ConfigAppend, Value: ptr("b,c,c,d")}))
	require.Equal(t, "a,c,a", changeList([]string{"a", "b", "c", "b", "a"}, ConfigChange{Op: ConfigSubtract, Value: ptr("b,b,d")}))
	require.Equal(t, "c,b,a", changeList([]string{"a", "b", "c", "b", "a"}, ConfigChange{Op: ConfigSubtract, Value: ptr("b,a")}), "the first of each, as in Kafka")
}

func TestManyReassignmentsAreListedInOnePass(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2)
	replicas := make([][]core.NodeID, 5_000)
	var wishes []Reassignment
	var asked []core.TopicPartition
	for i := range replicas {
		replicas[i] = []core.NodeID{1}
		wishes = append(wishes, Reassignment{tp("a", int32(i)), []core.NodeID{2}})
	}
	k.create("a", replicas...)
	_, _, recs := k.ctl.AlterAssignments(wishes, true)
	k.propose(recs)
	for i := range 300_000 {
		asked = append(asked, tp("x", int32(i)))
	}
	asked = append(asked, tp("a", 7), tp("a", 7))
	quickly(t, func() {
		out := k.ctl.ListAssignments(asked)
		require.Len(t, out, 1)
		require.Equal(t, tp("a", 7), out[0].TopicPartition)
	})
	require.Empty(t, k.ctl.ListAssignments([]core.TopicPartition{}))
}

// A request of a thousand topics of 10,000 partitions each is 20 KB, and none of them may cost what its creation would.
func TestWhatIsTooMuchIsNotPlaced(t *testing.T) {
	k := newCluster(t)
	k.start(1, 2, 3)
	k.create("grown", []core.NodeID{1, 2, 3})
	rand := *k.ctl.rand
	for _, w := range []NewTopic{
		{Name: "a", Partitions: 10_000, Replication: 3}, // and the topic's own record
		{Name: "b", Partitions: 10, Replication: 3, Spent: 9_990},
	} {
		made, recs := k.ctl.CreateTopic(w)
		require.Equal(t, core.ErrPolicyViolation, made.Code)
		require.Empty(t, recs)
	}
	r, recs := k.ctl.CreatePartitions("grown", 12, nil, 9_990)
	require.Equal(t, core.ErrPolicyViolation, r.Code)
	require.Empty(t, recs)
	require.Equal(t, rand, *k.ctl.rand, "nothing was drawn for a placement")
	r, recs = k.ctl.CreatePartitions("grown", 11, nil, 9_990)
	require.True(t, r.OK())
	require.Len(t, recs, 10)
}

// Of a key that comes twice the last value counts, and makes a record.
func TestEachKeyOfANewTopicMakesOneRecord(t *testing.T) {
	k := newCluster(t)
	k.start(1)
	made, recs := k.ctl.CreateTopic(NewTopic{Name: "a", Partitions: 1, Replication: 1, Configs: []ConfigEntry{
		{"retention.ms", ptr("1")}, {"segment.ms", ptr("2")}, {"retention.ms", ptr("3")},
	}})
	require.True(t, made.OK())
	require.Len(t, recs, 4)
	k.propose(recs)
	v, _ := k.ctl.Image().Config(metadata.ConfigResource{Type: metadata.ResourceTopic, Name: "a"}, "retention.ms")
	require.Equal(t, "3", v)
}

func TestCollidingNamesAreLookedUp(t *testing.T) {
	k := newCluster(t)
	k.start(1)
	var recs []metadata.Record
	for i := range 4_000 {
		made, of := k.ctl.CreateTopic(NewTopic{Name: fmt.Sprintf("a.%d", i), Partitions: 1, Replication: 1})
		require.True(t, made.OK(), made.Why)
		recs = append(recs, of...)
	}
	k.propose(recs)
	quickly(t, func() {
		for i := range 20_000 {
			made, _ := k.ctl.CreateTopic(NewTopic{Name: fmt.Sprintf("a_%d", i%4_000), Partitions: 1, Replication: 1})
			require.Equal(t, core.ErrInvalidTopic, made.Code)
			require.Contains(t, made.Why, "collides with \"a.")
		}
	})
	k.propose(k.ctl.DeleteTopic(k.ctl.Image().Topic("a.7").ID))
	made, _ := k.ctl.CreateTopic(NewTopic{Name: "a_7", Partitions: 1, Replication: 1})
	require.True(t, made.OK(), made.Why)
	k.failover()
	made, _ = k.ctl.CreateTopic(NewTopic{Name: "a_8", Partitions: 1, Replication: 1})
	require.Equal(t, core.ErrInvalidTopic, made.Code)
}
