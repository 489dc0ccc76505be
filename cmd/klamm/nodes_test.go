//go:build !js

package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli/clitest"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/nodes"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/admin/admintest"
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

func tp(topic string, partition int32) core.TopicPartition {
	return core.TopicPartition{Topic: topic, Partition: partition}
}

// healthy is a partition of which all replicas are in sync.
func healthy(replicas ...int32) admintest.Partition {
	return admintest.Partition{Leader: replicas[0], Replicas: replicas, ISR: replicas}
}

// wantAsked compares what the broker was asked for.
func wantAsked(t *testing.T, f *fake, want ...any) {
	t.Helper()
	if got := f.asked(); len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("asked for %+v, want %+v", got, want)
	}
}

// wantPrinted runs a command against the broker and compares.
func wantPrinted(t *testing.T, f *fake, code exit.Code, want, line string) {
	t.Helper()
	if got := must(t, code, "", append(strings.Fields(line), "-b", f.addr)...); got != want {
		t.Errorf("klamm %s printed\n%s\nwant\n%s", line, got, want)
	}
}

func TestElect(t *testing.T) {
	f := newFake(t, admintest.Broker{
		Topics: []admintest.Topic{{Name: "t", Partitions: []admintest.Partition{healthy(1, 2), healthy(2, 1), healthy(1)}}},
		Refuse: map[core.TopicPartition]core.ErrorCode{tp("t", 1): core.ErrElectionNotNeeded, tp("t", 2): core.ErrEligibleLeadersNotAvailable},
	})
	wantPrinted(t, f, exit.TempFail, "t-0  elected\nt-1  not needed\nt-2  failed      t-2: ELIGIBLE_LEADERS_NOT_AVAILABLE\n", "elect preferred t")
	wantAsked(t, f, admintest.Election{Partitions: []core.TopicPartition{tp("t", 0), tp("t", 1), tp("t", 2)}})
	wantPrinted(t, f, exit.OK, "t-0  elected\nt-1  not needed\n", "elect unclean t:1,0")
	wantAsked(t, f, admintest.Election{Unclean: true, Partitions: []core.TopicPartition{tp("t", 1), tp("t", 0)}})
	wantPrinted(t, f, exit.OK, "nothing to do\n", "elect preferred --all")
	wantAsked(t, f, admintest.Election{})
	must(t, exit.NoInput, "", "elect", "preferred", "t:3", "-b", f.addr)
	must(t, exit.NoInput, "", "elect", "preferred", "u", "-b", f.addr)
	wantAsked(t, f)
}

func TestReassign(t *testing.T) {
	f := newFake(t, admintest.Broker{Topics: []admintest.Topic{{Name: "t", Partitions: []admintest.Partition{healthy(1, 2), healthy(2, 3)}}}})
	dry := must(t, exit.OK, "", "reassign", "alter", "-t", "t", "--to", "2,3", "--dry-run", "-o", "json", "-b", f.addr)
	wantAsked(t, f)
	// What it says is a file that does just that.
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, []byte(dry), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"--file " + file, "-t t --to 2,3"} {
		wantPrinted(t, f, exit.OK, "t-0  begun\n", "reassign alter "+args)
		wantAsked(t, f, []admin.Assignment{{TopicPartition: tp("t", 0), Replicas: []core.NodeID{3, 2}}})
	}
	wantPrinted(t, f, exit.OK, "PARTITION  FROM  TO\nt-0        1,2   3,2\n", "reassign alter -t t --to 2,3 --dry-run")
	wantPrinted(t, f, exit.OK, "nothing to do\n", "reassign alter -t t --to 1,2,3")
	wantPrinted(t, f, exit.Data, "", "reassign alter -t t --to 2")
	must(t, exit.Data, "{}", "reassign", "alter", "--file", "-", "-b", f.addr)
	wantAsked(t, f)
	f.set(func(b *admintest.Broker) {
		b.Refuse = map[core.TopicPartition]core.ErrorCode{tp("t", 0): core.ErrInvalidReplicaAssignment}
	})
	wantPrinted(t, f, exit.Data, "t-0  failed  t-0: INVALID_REPLICA_ASSIGNMENT\n", "reassign alter -t t:0 --to 98,99")
}

func TestReassignListAndCancel(t *testing.T) {
	move := func(topic string) admintest.Move {
		return admintest.Move{TopicPartition: tp(topic, 1), Replicas: []int32{3, 1, 2}, Adding: []int32{3}, Removing: []int32{2}}
	}
	f := newFake(t, admintest.Broker{Moving: []admintest.Move{move("u"), move("t")}})
	wantPrinted(t, f, exit.OK, "PARTITION  REPLICAS  ADDING  REMOVING\nt-1        3,1,2     3       2\nu-1        3,1,2     3       2\n", "reassign list")
	for _, c := range []struct {
		args, wants string
		asks        []admin.Assignment
	}{
		{"--all", "t-1  cancelled\nu-1  cancelled\n", []admin.Assignment{{TopicPartition: tp("t", 1)}, {TopicPartition: tp("u", 1)}}},
		{"u", "u-1  cancelled\n", []admin.Assignment{{TopicPartition: tp("u", 1)}}},
		{"t:0", "t-0  cancelled\n", []admin.Assignment{{TopicPartition: tp("t", 0)}}},
	} {
		wantPrinted(t, f, exit.OK, c.wants, "reassign cancel "+c.args)
		wantAsked(t, f, c.asks)
	}
	wantPrinted(t, f, exit.OK, "nothing to do\n", "reassign cancel v")
	wantAsked(t, f)
}

func TestQuorum(t *testing.T) {
	replica := func(id core.NodeID, end int64, listeners ...admin.VoterListener) admintest.Replica {
		return admintest.Replica{Voter: admin.Voter{ID: id, Directory: [16]byte{15: byte(id)}, Listeners: listeners}, LogEndOffset: end}
	}
	f := newFake(t, admintest.Broker{
		Leader: 1, Voters: []admintest.Replica{replica(2, 98, admin.VoterListener{Name: "C", Host: "h", Port: 9}), replica(1, 100)},
		Watches: []admintest.Replica{replica(4, 90)},
	})
	wantPrinted(t, f, exit.OK, "leader 1, epoch 5, high watermark 98\n"+
		"NODE  ROLE      END  LAG  LAST FETCH  CAUGHT UP  DIRECTORY               LISTENERS\n"+
		"1     leader    100  0    ?           ?          AAAAAAAAAAAAAAAAAAAAAQ  \n"+
		"2     voter     98   2    ?           ?          AAAAAAAAAAAAAAAAAAAAAg  C://h:9\n"+
		"4     observer  90   10   ?           ?          AAAAAAAAAAAAAAAAAAAABA  \n", "quorum describe")
	at := []admin.VoterListener{{Name: "C", Host: "h", Port: 7}}
	wantPrinted(t, f, exit.OK, "voter 4, directory AAAAAAAAAAAAAAAAAAAABA, added\n", "quorum add 4 --listener c://h:7")
	wantAsked(t, f, admintest.AddVoter{Voter: admin.Voter{ID: 4, Directory: [16]byte{15: 4}, Listeners: at}})
	must(t, exit.OK, "", "quorum", "add", "9", "--directory", "AAAAAAAAAAAAAAAAAAAACQ", "--listener", "C://h:7", "-b", f.addr)
	wantAsked(t, f, admintest.AddVoter{Voter: admin.Voter{ID: 9, Directory: [16]byte{15: 9}, Listeners: at}})
	must(t, exit.OK, "", "quorum", "remove", "2", "-b", f.addr)
	wantAsked(t, f, admintest.RemoveVoter{Voter: admin.Voter{ID: 2, Directory: [16]byte{15: 2}}})
	for _, args := range []string{"add 2 --listener C://h:7", "remove 4"} { // a voter is no observer, nor the other way
		if code, _, talk := klamm(t.Context(), "", append(strings.Fields("quorum "+args), "-b", f.addr)...); code != exit.Data || !strings.Contains(talk, "is no ") {
			t.Errorf("%s: exit %d, %s", args, int(code), talk)
		}
	}
	wantAsked(t, f)
	f.set(func(b *admintest.Broker) { // voter 2 has lost its directory
		b.Watches = []admintest.Replica{replica(4, 90), {Voter: admin.Voter{ID: 2, Directory: [16]byte{15: 7}}, LogEndOffset: 98}}
	})
	if out := must(t, exit.OK, "", "quorum", "describe", "-b", f.addr); !strings.HasSuffix(out, "\nnode 2 runs with another data directory than voter 2 has, and does not vote\n") {
		t.Errorf("printed %s", out)
	}
	if got := nodes.NewQuorum(kclient.Quorum{ // voter 2 was removed and has come back on another disk
		Voters:    []kclient.QuorumReplica{{ID: 2, Directory: kclient.Directory{7}, LastFetch: 10_000}},
		Observers: []kclient.QuorumReplica{{ID: 2, Directory: kclient.Directory{1}, LastFetch: 6_999}},
	}, time.UnixMilli(10_000)); len(got.Strangers) != 0 {
		t.Errorf("strangers %v", got.Strangers)
	}
	f.set(func(b *admintest.Broker) { b.RefuseVoter = core.ErrDuplicateVoter })
	if code, _, talk := klamm(t.Context(), "", "quorum", "add", "4", "--listener", "C://h:7", "-b", f.addr); code == exit.OK || !strings.Contains(talk, "DUPLICATE_VOTER") {
		t.Errorf("exit %d, %s", int(code), talk)
	}
}

func TestUnderReplicated(t *testing.T) {
	lagging := func(isr, elr []int32) admintest.Partition {
		return admintest.Partition{Leader: -1, Replicas: []int32{1, 2, 3}, ISR: isr, ELR: elr}
	}
	f := newFake(t, admintest.Broker{
		Topics: []admintest.Topic{{Name: "t", Partitions: []admintest.Partition{healthy(1, 2, 3), lagging([]int32{1, 2}, nil), lagging(nil, []int32{3})}}},
		Page:   2, // the first page ends within the topic
		Moving: []admintest.Move{{TopicPartition: tp("t", 1), Replicas: []int32{1, 2, 3}, Adding: []int32{3}}},
	})
	wantPrinted(t, f, exit.OK, "PARTITION  LEADER  EPOCH  REPLICAS  ISR  ELR  MISSING\nt-2        none    2      1,2,3          3    1,2,3\n", "topic describe --under-replicated")
	wantAsked(t, f, admintest.DescribeFrom{}, admintest.DescribeFrom{TopicPartition: tp("t", 2)})

	old := newFake(t, admintest.Broker{ // it does not know the request
		Old: true, Topics: []admintest.Topic{{Name: "t", Partitions: []admintest.Partition{{Leader: 1, Replicas: []int32{1, 2}, ISR: []int32{2}}}}},
	})
	wantPrinted(t, old, exit.OK, "PARTITION  LEADER  EPOCH  REPLICAS  ISR  ELR  MISSING\nt-0        1       -1     1,2       2         1\n", "topic describe t --under-replicated")
	must(t, exit.NoInput, "", "topic", "describe", "u", "--under-replicated", "-b", old.addr)
}

func TestPrintedNodes(t *testing.T) {
	at := time.UnixMilli(1_000_000)
	q := kclient.Quorum{Leader: 1, Epoch: 3, HighWatermark: 10, Voters: []kclient.QuorumReplica{
		{ID: 1, Directory: kclient.Directory{1}, LogEndOffset: 12, LastFetch: 1_000_000, LastCaughtUp: 1_000_000, Listeners: []admin.VoterListener{{Name: "C", Host: "::1", Port: 9}}},
		{ID: 2, LogEndOffset: 10, LastFetch: 999_000, LastCaughtUp: 990_000},
	}, Observers: []kclient.QuorumReplica{{ID: 3, LogEndOffset: -1, LastFetch: -1, LastCaughtUp: -1}}}
	clitest.Golden(t, "quorum.txt", clitest.Printed(t, nodes.NewQuorum(q, at)))
	clitest.Golden(t, "cluster.txt", clitest.Printed(t, clusterResult{
		Bootstrap: []string{"127.0.0.1:1", "127.0.0.1:2"}, ClusterID: "abc", Nodes: []clusterNode{
			{Node: 1, Roles: "broker,controller", Address: "127.0.0.1:1", Controller: "127.0.0.1:3", Pid: 42},
			{Node: 2, Roles: "broker", Address: "127.0.0.1:2", Pid: 43},
		},
	}))
}
