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
