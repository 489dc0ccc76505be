package assignor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/stretchr/testify/require"
)

// kafkaGroup is one line of testdata/kafka.jsonl: a group, and what Kafka's classes answered.
type kafkaGroup struct {
	Name    string `json:"name"`
	Members []struct {
		ID         string             `json:"id"`
		Instance   string             `json:"instance"`
		Rack       string             `json:"rack"`
		Topics     []string           `json:"topics"`
		Owned      map[string][]int32 `json:"owned"`
		Generation int32              `json:"generation"`
	} `json:"members"`
	Topics []struct {
		Name       string     `json:"name"`
		Partitions int32      `json:"partitions"`
		Racks      [][]string `json:"racks"`
	} `json:"topics"`
	Expect map[string][]map[string][]int32 `json:"expect"`
}

// named lists the partitions of a map by topic, sorted.
func named(byTopic map[string][]int32) []core.TopicPartition {
	list := []core.TopicPartition{}
	for topic, partitions := range byTopic {
		for _, p := range partitions {
			list = append(list, core.TopicPartition{Topic: topic, Partition: p})
		}
	}
	slices.SortFunc(list, core.TopicPartition.Compare)
	return list
}

func (g *kafkaGroup) input() (members []Member, topics []Topic) {
	for _, m := range g.Members {
		members = append(members, Member{
			ID: m.ID, InstanceID: m.Instance, Rack: m.Rack, Topics: m.Topics, Owned: named(m.Owned), Generation: m.Generation,
		})
	}
	for _, t := range g.Topics {
		topics = append(topics, Topic{Name: t.Name, Partitions: t.Partitions, Racks: t.Racks})
	}
	return members, topics
}

// withoutRacks is what the server's assignors see.
func withoutRacks(members []Member) []Member {
	members = slices.Clone(members)
	for i := range members {
		members[i].Rack = ""
	}
	return members
}

// kafkaGroups reads the file that scenarios/interop/assignors has made.
func kafkaGroups(t *testing.T) []kafkaGroup {
	t.Helper()
	f, err := os.Open("testdata/kafka.jsonl")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	var groups []kafkaGroup
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var g kafkaGroup
		require.NoError(t, json.Unmarshal(lines.Bytes(), &g))
		groups = append(groups, g)
	}
	require.NoError(t, lines.Err())
	return groups
}

// Every assignor answers each group as Kafka 4.4's own class does. Where Kafka throws or gives no assignment (null), the
// properties alone are demanded (TestProperties).
func TestEqualsKafka(t *testing.T) {
	answered := map[string]int{}
	for _, g := range kafkaGroups(t) {
		members, topics := g.input()
		for name, assignor := range map[string]Assignor{
			"range": Range, "roundrobin": RoundRobin, "sticky": Sticky, "cooperative-sticky": CooperativeSticky,
			"uniform": Uniform, "server-range": Range,
		} {
			expect := g.Expect[name]
			if expect == nil {
				continue
			}
			answered[name]++
			t.Run(fmt.Sprintf("%s/%s", name, g.Name), func(t *testing.T) {
				input := members
				if name == "server-range" || name == "uniform" {
					input = withoutRacks(members)
				}
				got := assignor.Assign(input, topics)
				for i, m := range members {
					require.Equal(t, named(expect[i]), got[i], "member %s of %+v", m.ID, g)
				}
			})
		}
	}
	for name, least := range map[string]int{
		"range": 305, "roundrobin": 305, "sticky": 300, "cooperative-sticky": 300, "uniform": 265, "server-range": 265,
	} {
		require.Greater(t, answered[name], least, "answers of Kafka's %s", name)
	}
	t.Log(answered)
}
