package moves

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	plan, err := Parse([]byte(`{"version":1,"partitions":[
		{"topic":"t","partition":1,"replicas":[3,1],"log_dirs":["any","any"]},
		{"topic":"t","partition":0,"replicas":[2]}]}`))
	require.NoError(t, err)
	require.Equal(t, Plan{
		{TopicPartition: core.TopicPartition{Topic: "t"}, To: []core.NodeID{2}},
		{TopicPartition: core.TopicPartition{Topic: "t", Partition: 1}, To: []core.NodeID{3, 1}},
	}, plan)
}

// kafka-reassign-partitions takes a file without a version for one of the first.
func TestParseWithoutVersion(t *testing.T) {
	plan, err := Parse([]byte(`{"partitions":[{"topic":"t","partition":0,"replicas":[2]}]}`))
	require.NoError(t, err)
	require.Equal(t, Plan{{TopicPartition: core.TopicPartition{Topic: "t"}, To: []core.NodeID{2}}}, plan)
}

func TestParseRefuses(t *testing.T) {
	row := func(s string) string { return `{"version":1,"partitions":[` + s + `]}` }
	for _, c := range []struct{ text, wants string }{
		{"", "no plan"},
		{"[]", "no plan"},
		{row("") + "x", "no plan"},
		{`{"version":0,"partitions":[]}`, "version 0"},
		{`{"partitions":[]}`, "names no partition"},
		{row(""), "names no partition"},
		{row(`{"partition":0,"replicas":[1]}`), "there is no topic"},
		{row(`{"topic":"t","replicas":[1]}`), "there is no partition"},
		{row(`{"topic":"t","partition":-1,"replicas":[1]}`), "there is no partition"},
		{row(`{"topic":"t","partition":0}`), "t-0 has no replicas"},
		{row(`{"topic":"t","partition":0,"replicas":[]}`), "t-0 has no replicas"},
		{row(`{"topic":"t","partition":0,"replicas":[1,1]}`), "cannot have the replicas [1 1]"},
		{row(`{"topic":"t","partition":0,"replicas":[-1]}`), "cannot have the replicas"},
		{row(`{"topic":"t","partition":0,"replicas":[1]},{"topic":"t","partition":0,"replicas":[2]}`), "t-0 comes twice"},
		{row(`{"topic":"t","partition":0,"replicas":[1],"log_dirs":["/a"]}`), `log directory "/a" cannot be chosen`},
		{row(`{"topic":"t","partition":0,"replicas":[1],"log_dirs":["any","any"]}`), "2 log directories for 1 replicas"},
		{row(`{"topic":"t","partition":0,"replica":[1]}`), "unknown field"},
	} {
		_, err := Parse([]byte(c.text))
		require.ErrorContains(t, err, c.wants, c.text)
	}
}

// current makes partitions of one topic of replica lists such as "1,2 2,3".
func current(text string) (out []Current) {
	for i, list := range strings.Fields(text) {
		out = append(out, Current{TopicPartition: core.TopicPartition{Topic: "t", Partition: int32(i)}, Replicas: ids(list)})
	}
	return out
}

func ids(list string) (out []core.NodeID) {
	for _, s := range strings.Split(list, ",") {
		var id core.NodeID
		_, _ = fmt.Sscan(s, &id)
		out = append(out, id)
	}
	return out
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		from, to, brokers string
		replication       int
	}{
		{"1,2 2,3 3,1", "1,2 2,3 3,1", "1,2,3", 0},       // nothing to do
		{"1,2 2,3 3,1", "4,2 2,3 3,4", "2,3,4", 0},       // 1 leaves: its replicas go to 4
		{"1,2,3 2,3,1 3,1,2", "1 2 3", "1,2,3", 1},       // fewer
		{"1 1 1", "1,2 1,2 2,1", "1,2", 2},               // more, and the leaders are shared
		{"1 2 3 1 2 3", "4 5 4 5 4 5", "4,5", 0},         // everything
		{"1 1 1 1 1 1", "1 1 1 1 1 1", "1,2", 0},         // what can stay stays
		{"1,2 1,2 1,2 1,2", "1,2 1,2 2,1 2,1", "1,2", 0}, // leaders move only when that evens them out
	} {
		plan, err := Spread(current(c.from), ids(c.brokers), c.replication)
		require.NoError(t, err)
		var got []string
		for _, m := range plan {
			got = append(got, strings.Trim(strings.ReplaceAll(fmt.Sprint(m.To), " ", ","), "[]"))
		}
		require.Equal(t, c.to, strings.Join(got, " "), "%s on %s", c.from, c.brokers)
	}
	_, err := Spread(current("1,2"), ids("1"), 0)
	require.ErrorContains(t, err, "t-0: 2 replicas on 1 brokers")
	_, err = Spread(current("1,2"), ids("1,1,2"), 0)
	require.ErrorContains(t, err, "each comes once")
}

// TestSpreadProperties: of any partitions on any brokers, each has its replicas on the given ones, and
// what can stay stays.
func TestSpreadProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		brokers := rapid.SliceOfNDistinct(rapid.Map(rapid.Int32Range(1, 9), func(n int32) core.NodeID { return core.NodeID(n) }), 1, 6, rapid.ID).Draw(t, "brokers")
		var from []Current
		for i := range rapid.IntRange(1, 30).Draw(t, "partitions") {
			replicas := rapid.SliceOfNDistinct(rapid.Map(rapid.Int32Range(1, 9), func(n int32) core.NodeID { return core.NodeID(n) }), 1, len(brokers), rapid.ID).Draw(t, "replicas")
			from = append(from, Current{core.TopicPartition{Topic: "t", Partition: int32(i)}, replicas})
		}
		before := fmt.Sprint(from)
		plan, err := Spread(from, brokers, 0)
		require.NoError(t, err)
		require.Equal(t, before, fmt.Sprint(from), "what is there is not touched")
		require.Len(t, plan, len(from))
		for i, m := range plan {
			require.Len(t, m.To, len(from[i].Replicas))
			for _, id := range m.To {
				require.Contains(t, brokers, id)
			}
			for _, id := range m.From {
				require.Equal(t, slices.Contains(brokers, id), slices.Contains(m.To, id), "%v to %v on %v", m.From, m.To, brokers)
			}
		}
	})
}
