//go:build !js

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestNodesUsage(t *testing.T) {
	for _, test := range []struct {
		line string
		code exit.Code
		says string
	}{
		{"topic describe", exit.Usage, "name topics, or give --under-replicated"},
		{"elect preferred", exit.Usage, "name partitions, or give --all"},
		{"elect unclean --all t", exit.Usage, "name partitions, or give --all"},
		{"elect preferred t:x", exit.Usage, `"t:x" is not TOPIC[:PARTITION,...]`},
		{"elect preferred t:", exit.Usage, `"t:" is not`},
		{"elect preferred :1", exit.Usage, `":1" is not`},
		{"reassign alter", exit.Usage, "give either --file"},
		{"reassign alter --file f --to 1 -t t", exit.Usage, "give either --file"},
		{"reassign alter -t t", exit.Usage, "go together"},
		{"reassign alter --to 1", exit.Usage, "go together"},
		{"reassign alter -t t --to 1 -r -1", exit.Usage, "--replication"},
		{"reassign alter --file /nonsense", exit.NoInput, "no such file"},
		{"reassign cancel", exit.Usage, "name partitions, or give --all"},
		{"quorum add", exit.Usage, "accepts 1 arg(s)"},
		{"quorum add x", exit.Usage, `"x" is no node id`},
		{"quorum add 4", exit.Usage, "--listener is missing"},
		{"quorum add 4 --listener C://h", exit.Usage, "is not NAME://host:port"},
		{"quorum add 4 --listener C://h:0", exit.Usage, "is not NAME://host:port"},
		{"quorum remove 4 --directory x", exit.Usage, "no directory id"},
		{"cluster --brokers 0", exit.Usage, "a cluster of 0 brokers"},
		{"cluster --controllers 10", exit.Usage, "10 controllers"},
		{"cluster --set x", exit.Usage, "not name=value"},
	} {
		code, out, talk := klamm(t.Context(), "", strings.Fields(test.line)...)
		if code != test.code || !strings.Contains(talk, test.says) || out != "" {
			t.Errorf("klamm %s: exit %d, printed %q, said %q; want %d and %q", test.line, int(code), out, talk, int(test.code), test.says)
		}
	}
}

func TestElect(t *testing.T) {
	f := newFake(t)
	f.topic("t", []int32{1, 2}, []int32{2, 1}, []int32{1})
	on(f, func(req *kmsg.ElectLeadersRequest, resp *kmsg.ElectLeadersResponse) {
		for _, rt := range req.Topics {
			row := kmsg.ElectLeadersResponseTopic{Topic: rt.Topic}
			for i, p := range rt.Partitions {
				code := []core.ErrorCode{core.ErrNone, core.ErrElectionNotNeeded, core.ErrEligibleLeadersNotAvailable}[i]
				row.Partitions = append(row.Partitions, kmsg.ElectLeadersResponseTopicPartition{Partition: p, ErrorCode: int16(code)})
			}
			resp.Topics = append(resp.Topics, row)
		}
	})
	if got := must(t, exit.TempFail, "", "elect", "preferred", "t", "-b", f.addr()); got != "t-0  elected\nt-1  not needed\nt-2  failed      t-2: ELIGIBLE_LEADERS_NOT_AVAILABLE\n" {
		t.Errorf("printed %q", got)
	}
	must(t, exit.OK, "", "elect", "unclean", "t:2,0", "-b", f.addr())
	must(t, exit.OK, "", "elect", "preferred", "--all", "-b", f.addr())
	must(t, exit.NoInput, "", "elect", "preferred", "t:3", "-b", f.addr())
	must(t, exit.NoInput, "", "elect", "preferred", "u", "-b", f.addr())
	asked := requests[*kmsg.ElectLeadersRequest](f)
	if len(asked) != 3 || asked[0].ElectionType != 0 || asked[1].ElectionType != 1 || asked[2].Topics != nil ||
		!reflect.DeepEqual(asked[1].Topics[0].Partitions, []int32{2, 0}) {
		t.Errorf("asked %+v", asked)
	}
}

// reassigning answers AlterPartitionAssignments and lists what it began.
func reassigning(f *fake) {
	on(f, func(req *kmsg.AlterPartitionAssignmentsRequest, resp *kmsg.AlterPartitionAssignmentsResponse) {
		for _, rt := range req.Topics {
			row := kmsg.AlterPartitionAssignmentsResponseTopic{Topic: rt.Topic}
			for _, p := range rt.Partitions {
				out := kmsg.AlterPartitionAssignmentsResponseTopicPartition{Partition: p.Partition}
				if len(p.Replicas) == 1 && p.Replicas[0] == 99 {
					out.ErrorCode, out.ErrorMessage = int16(core.ErrInvalidReplicaAssignment), kmsg.StringPtr("there is no broker 99")
				}
				row.Partitions = append(row.Partitions, out)
			}
			resp.Topics = append(resp.Topics, row)
		}
	})
	on(f, func(_ *kmsg.ListPartitionReassignmentsRequest, resp *kmsg.ListPartitionReassignmentsResponse) {
		for _, topic := range []string{"t", "u"} {
			p := kmsg.ListPartitionReassignmentsResponseTopicPartition{Partition: 1, Replicas: []int32{3, 1, 2}, AddingReplicas: []int32{3}, RemovingReplicas: []int32{2}}
			resp.Topics = append(resp.Topics, kmsg.ListPartitionReassignmentsResponseTopic{
				Topic: topic, Partitions: []kmsg.ListPartitionReassignmentsResponseTopicPartition{p},
			})
		}
	})
}

func TestReassign(t *testing.T) {
	f := newFake(t)
	f.topic("t", []int32{1, 2}, []int32{2, 3})
	reassigning(f)
	dry := must(t, exit.OK, "", "reassign", "alter", "-t", "t", "--to", "2,3", "--dry-run", "-o", "json", "-b", f.addr())
	if len(requests[*kmsg.AlterPartitionAssignmentsRequest](f)) != 0 {
		t.Fatal("a dry run asked for changes")
	}
	// What it says is a file that does just that.
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, []byte(dry), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--file", file}, {"-t", "t", "--to", "2,3"}} {
		out := must(t, exit.OK, "", append([]string{"reassign", "alter", "-b", f.addr()}, args...)...)
		asked := requests[*kmsg.AlterPartitionAssignmentsRequest](f)
		last := asked[len(asked)-1].Topics
		if out != "t-0  begun\n" || len(last) != 1 || len(last[0].Partitions) != 1 || fmt.Sprint(last[0].Partitions[0].Replicas) != "[3 2]" {
			t.Errorf("%v: printed %q, asked %+v", args, out, last)
		}
	}
	if out := must(t, exit.OK, "", "reassign", "alter", "-t", "t", "--to", "2,3", "--dry-run", "-b", f.addr()); out != "PARTITION  FROM  TO\nt-0        1,2   3,2\n" {
		t.Errorf("printed %q", out)
	}
	must(t, exit.Data, "", "reassign", "alter", "-t", "t", "--to", "2", "-b", f.addr())
	must(t, exit.Data, "{}", "reassign", "alter", "--file", "-", "-b", f.addr())
	plan := `{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[99]}]}`
	if out := must(t, exit.Data, plan, "reassign", "alter", "-f", "-", "-b", f.addr()); !strings.Contains(out, "there is no broker 99") {
		t.Errorf("printed %q", out)
	}
	if out := must(t, exit.OK, "", "reassign", "alter", "-t", "t", "--to", "1,2,3", "-b", f.addr()); out != "nothing to do\n" {
		t.Errorf("printed %q", out)
	}
}

func TestReassignListAndCancel(t *testing.T) {
	f := newFake(t)
	reassigning(f)
	if out := must(t, exit.OK, "", "reassign", "list", "-b", f.addr()); out != "PARTITION  REPLICAS  ADDING  REMOVING\nt-1        3,1,2     3       2\nu-1        3,1,2     3       2\n" {
		t.Errorf("printed %q", out)
	}
	for _, c := range []struct{ args, wants string }{
		{"--all", "t-1  cancelled\nu-1  cancelled\n"}, {"u", "u-1  cancelled\n"}, {"t:0", "t-0  cancelled\n"}, {"v", "nothing to do\n"},
	} {
		if out := must(t, exit.OK, "", "reassign", "cancel", c.args, "-b", f.addr()); out != c.wants {
			t.Errorf("cancel %s: printed %q", c.args, out)
		}
	}
	for _, q := range requests[*kmsg.AlterPartitionAssignmentsRequest](f) {
		for _, topic := range q.Topics {
			if topic.Partitions[0].Replicas != nil {
				t.Errorf("cancelling gives %v", topic.Partitions[0].Replicas)
			}
		}
	}
}

// voters answers DescribeQuorum: voter 1 leads, 2 follows, 4 observes.
func voters(f *fake) {
	on(f, func(_ *kmsg.DescribeQuorumRequest, resp *kmsg.DescribeQuorumResponse) {
		state := func(id int32, end int64) kmsg.DescribeQuorumResponseTopicPartitionReplicaState {
			return kmsg.DescribeQuorumResponseTopicPartitionReplicaState{
				ReplicaID: id, ReplicaDirectoryID: [16]byte{15: byte(id)}, LogEndOffset: end, LastFetchTimestamp: -1, LastCaughtUpTimestamp: -1,
			}
		}
		p := kmsg.DescribeQuorumResponseTopicPartition{LeaderID: 1, LeaderEpoch: 5, HighWatermark: 98}
		p.CurrentVoters = append(p.CurrentVoters, state(2, 98), state(1, 100))
		p.Observers = append(p.Observers, state(4, 90))
		resp.Topics = []kmsg.DescribeQuorumResponseTopic{{Topic: "__cluster_metadata", Partitions: []kmsg.DescribeQuorumResponseTopicPartition{p}}}
		resp.Nodes = []kmsg.DescribeQuorumResponseNode{{NodeID: 2, Listeners: []kmsg.DescribeQuorumResponseNodeListener{{Name: "C", Host: "h", Port: 9}}}}
	})
}

func TestQuorum(t *testing.T) {
	f := newFake(t)
	voters(f)
	refuse := core.ErrNone
	on(f, func(_ *kmsg.AddRaftVoterRequest, resp *kmsg.AddRaftVoterResponse) { resp.ErrorCode = int16(refuse) })
	on(f, func(_ *kmsg.RemoveRaftVoterRequest, _ *kmsg.RemoveRaftVoterResponse) {})
	const described = "leader 1, epoch 5, high watermark 98\n" +
		"NODE  ROLE      END  LAG  LAST FETCH  CAUGHT UP  DIRECTORY               LISTENERS\n" +
		"1     leader    100  0    ?           ?          AAAAAAAAAAAAAAAAAAAAAQ  \n" +
		"2     voter     98   2    ?           ?          AAAAAAAAAAAAAAAAAAAAAg  C://h:9\n" +
		"4     observer  90   10   ?           ?          AAAAAAAAAAAAAAAAAAAABA  \n"
	if out := must(t, exit.OK, "", "quorum", "describe", "-b", f.addr()); out != described {
		t.Errorf("printed\n%s", out)
	}
	if out := must(t, exit.OK, "", "quorum", "add", "4", "--listener", "c://h:7", "-b", f.addr()); out != "voter 4, directory AAAAAAAAAAAAAAAAAAAABA, added\n" {
		t.Errorf("printed %q", out)
	}
	must(t, exit.OK, "", "quorum", "add", "9", "--directory", "AAAAAAAAAAAAAAAAAAAACQ", "--listener", "C://h:7", "-b", f.addr())
	added := requests[*kmsg.AddRaftVoterRequest](f)
	want := []kmsg.AddRaftVoterRequestListener{{Name: "C", Host: "h", Port: 7}}
	if len(added) != 2 || added[0].VoterDirectoryID != [16]byte{15: 4} || added[1].VoterDirectoryID != [16]byte{15: 9} || !reflect.DeepEqual(added[0].Listeners, want) {
		t.Errorf("asked %+v", added)
	}
	must(t, exit.OK, "", "quorum", "remove", "2", "-b", f.addr())
	if removed := requests[*kmsg.RemoveRaftVoterRequest](f); len(removed) != 1 || removed[0].VoterDirectoryID != [16]byte{15: 2} {
		t.Errorf("asked %+v", removed)
	}
	for _, args := range []string{"add 2 --listener C://h:7", "remove 4"} { // a voter is no observer, nor the other way
		if code, _, talk := klamm(t.Context(), "", append(strings.Fields("quorum "+args), "-b", f.addr())...); code != exit.Data || !strings.Contains(talk, "is no ") {
			t.Errorf("%s: exit %d, %s", args, int(code), talk)
		}
	}
	refuse = core.ErrDuplicateVoter
	if code, _, talk := klamm(t.Context(), "", "quorum", "add", "4", "--listener", "C://h:7", "-b", f.addr()); code == exit.OK || !strings.Contains(talk, "DUPLICATE_VOTER") {
		t.Errorf("exit %d, %s", int(code), talk)
	}
}

func TestUnderReplicated(t *testing.T) {
	f := newFake(t)
	on(f, func(req *kmsg.DescribeTopicPartitionsRequest, resp *kmsg.DescribeTopicPartitionsResponse) {
		p := func(i int32, isr, elr []int32) kmsg.DescribeTopicPartitionsResponseTopicPartition {
			return kmsg.DescribeTopicPartitionsResponseTopicPartition{Partition: i, LeaderID: -1, LeaderEpoch: 2, Replicas: []int32{1, 2, 3}, ISR: isr, EligibleLeaderReplicas: elr}
		}
		topic := kmsg.DescribeTopicPartitionsResponseTopic{Topic: kmsg.StringPtr("t")}
		if req.Cursor == nil { // two pages, and the first ends within the topic
			topic.Partitions = append(topic.Partitions, p(0, []int32{1, 2, 3}, nil))
			resp.NextCursor = &kmsg.DescribeTopicPartitionsResponseNextCursor{Topic: "t", Partition: 1}
		} else {
			topic.Partitions = append(topic.Partitions, p(1, []int32{1, 2}, nil), p(2, nil, []int32{3}))
		}
		resp.Topics = append(resp.Topics, topic)
	})
	reassigning(f) // t-1 moves to 3
	const want = "PARTITION  LEADER  EPOCH  REPLICAS  ISR  ELR  MISSING\nt-2        none    2      1,2,3          3    1,2,3\n"
	if out := must(t, exit.OK, "", "topic", "describe", "--under-replicated", "-b", f.addr()); out != want {
		t.Errorf("printed\n%s", out)
	}
	if asked := requests[*kmsg.DescribeTopicPartitionsRequest](f); len(asked) != 2 || asked[1].Cursor.Partition != 1 {
		t.Errorf("asked %+v", asked)
	}

	old := newFake(t) // a broker that does not know the request
	old.topic("t", []int32{1, 2})
	old.topics[0].Partitions[0].ISR = []int32{2}
	if out := must(t, exit.OK, "", "topic", "describe", "t", "--under-replicated", "-b", old.addr()); !strings.Contains(out, "t-0        1       -1     1,2       2         1\n") {
		t.Errorf("printed\n%s", out)
	}
	must(t, exit.NoInput, "", "topic", "describe", "u", "--under-replicated", "-b", old.addr())
}

func TestPrintedNodes(t *testing.T) {
	at := time.UnixMilli(1_000_000)
	q := kclient.Quorum{Leader: 1, Epoch: 3, HighWatermark: 10, Voters: []kclient.QuorumReplica{
		{ID: 1, Directory: kclient.Directory{1}, LogEndOffset: 12, LastFetch: 1_000_000, LastCaughtUp: 1_000_000, Listeners: []admin.VoterListener{{Name: "C", Host: "::1", Port: 9}}},
		{ID: 2, LogEndOffset: 10, LastFetch: 999_000, LastCaughtUp: 990_000},
	}, Observers: []kclient.QuorumReplica{{ID: 3, LogEndOffset: -1, LastFetch: -1, LastCaughtUp: -1}}}
	golden(t, "quorum.txt", printed(t, newQuorumResult(q, at)))
	golden(t, "cluster.txt", printed(t, clusterResult{
		Bootstrap: []string{"127.0.0.1:1", "127.0.0.1:2"}, ClusterID: "abc", Nodes: []clusterNode{
			{Node: 1, Roles: "broker,controller", Address: "127.0.0.1:1", Controller: "127.0.0.1:3", Pid: 42},
			{Node: 2, Roles: "broker", Address: "127.0.0.1:2", Pid: 43},
		},
	}))
}
