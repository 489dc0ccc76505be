package cluster_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// standing is all that bad input must not change: who leads the quorum and the partitions, in which epochs, who is
// registered where, and the finalized features.
type standing struct {
	Leader, Epoch int32
	Voters        []string
	Brokers       []string
	Partitions    []harness.Partition
	Features      []string
}

func stands(t *testing.T, c *harness.Cluster) standing {
	t.Helper()
	v, _ := c.AwaitFull(t, topic, rejoin)
	s := standing{Partitions: v.Partitions}
	for i := range s.Partitions {
		slices.Sort(s.Partitions[i].ISR)
	}
	for i, n := range c.Nodes {
		leader, epoch, err := harness.QuorumLeader(n.Addr)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && (leader != s.Leader || epoch != s.Epoch) {
			t.Fatalf("node %d says the quorum is led by %d in epoch %d, not %d in %d", i+1, leader, epoch, s.Leader, s.Epoch)
		}
		s.Leader, s.Epoch = leader, epoch
	}
	cluster := must[*kmsg.DescribeClusterResponse](t, c.Nodes[0].Addr, kmsg.NewPtrDescribeClusterRequest())
	for _, b := range cluster.Brokers {
		s.Brokers = append(s.Brokers, fmt.Sprintf("%d@%s:%d", b.NodeID, b.Host, b.Port))
	}
	slices.Sort(s.Brokers)
	versions := kmsg.NewPtrApiVersionsRequest()
	versions.SetVersion(3)
	versions.ClientSoftwareName, versions.ClientSoftwareVersion = "interop", "1"
	for _, f := range must[*kmsg.ApiVersionsResponse](t, c.Nodes[0].Addr, versions).FinalizedFeatures {
		s.Features = append(s.Features, fmt.Sprintf("%s=%d", f.Name, f.MaxVersionLevel))
	}
	slices.Sort(s.Features)
	if len(s.Features) == 0 || len(s.Brokers) != len(c.Nodes) {
		t.Fatalf("%+v", s)
	}
	return s
}

// must asks one node, and fails the test if it does not answer.
func must[T kmsg.Response](t *testing.T, addr string, r kmsg.Request) T {
	t.Helper()
	answer, err := harness.Query(addr, r)
	if err != nil {
		t.Fatalf("%T: %v", r, err)
	}
	return answer.(T)
}

// What does not belong is refused with a clear error, and nothing changes.
func TestRefused(t *testing.T) {
	c := harness.StartCluster(t, harness.ClusterOptions{})
	harness.CreateReplicated(t, c.Nodes[0].Addr, topic, partitions, 3)
	before := stands(t, c)
	for _, test := range []struct {
		name     string
		restarts bool // a node is down for a while, so that leaders move
		run      func(*testing.T, *harness.Cluster)
	}{
		{"inter-broker requests on a client listener", false, interBroker},
		{"the metadata log on a client listener", false, metadataLog},
		{"fetches of replicas that are none", false, falseFollowers},
		{"requests of another cluster", false, otherClusterRequests},
		{"broker of another cluster", false, otherClusterNode},
		{"duplicate broker id", false, duplicateBroker},
		{"duplicate voter id", false, duplicateVoter},
		{"unknown directory id in requests", false, unknownDirectory},
		{"voter with an empty directory", true, emptyDirectory},
		{"data directory of another node", true, othersDirectory},
		{"data directory in use", false, sharedDirectory},
		{"cluster id that is not the directory's", true, renamedCluster},
		{"metadata version", false, downgrade},
		{"broker of an older version", false, oldBroker},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, c)
			for _, n := range c.Nodes {
				n.Alive()
			}
			after := stands(t, c)
			if !before.same(after, test.restarts) {
				t.Errorf("something changed:\n%+v\n%+v", before, after)
			}
		})
		before = stands(t, c)
	}
}

// same compares two standings; leaders and epochs only if no node was down in between.
func (s standing) same(o standing, restarted bool) bool {
	if restarted {
		s.Leader, s.Epoch, s.Partitions = o.Leader, o.Epoch, o.Partitions
	}
	return reflect.DeepEqual(s, o)
}

// refused waits until a process has ended by itself with an error that has all the words.
func refused(t *testing.T, stray *harness.Node, words ...string) {
	t.Helper()
	const patience = 20 * time.Second
	code, ended := stray.Exited(patience)
	if !ended {
		t.Errorf("it still runs after %v; it said %q", patience, stray.Said())
		return
	}
	t.Logf("exit code %d: %s", code, strings.TrimSpace(stray.Said()))
	for _, word := range words {
		if !strings.Contains(stray.Said(), word) {
			t.Errorf("its words do not contain %q", word)
		}
	}
	if code == 0 {
		t.Error("its exit code is 0")
	}
}

// stray is a server.properties of one more node with ports and a data directory of its own.
func stray(t *testing.T, c *harness.Cluster, id int, set ...string) string {
	t.Helper()
	ports := harness.FreePorts(t, 2)
	return harness.Properties(id, "127.0.0.1:"+ports[0], "127.0.0.1:"+ports[1], filepath.Join(t.TempDir(), "data"), c.Voters(), set...)
}

// brokerOnly makes a node of [stray] a broker that is no voter. Short sessions make it give up soon.
func brokerOnly(t *testing.T) []string {
	t.Helper()
	return []string{
		"process.roles=broker", "listeners=PLAINTEXT://127.0.0.1:" + harness.FreePorts(t, 1)[0], "broker.session.timeout.ms=1000",
		"broker.heartbeat.interval.ms=300",
	}
}

// controllerOnly are the keys that Kafka serves on controllers' listeners only, and those of ZooKeeper's time that nobody
// serves (the "listeners" of each message's definition).
func controllerOnly() []int16 {
	return []int16{4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82}
}

// Requests of nodes among themselves are not served to clients: the connection is closed, as Kafka does with keys that a
// listener does not have, and they are not advertised.
func interBroker(t *testing.T, c *harness.Cluster) {
	addr := c.Nodes[0].Addr
	served := must[*kmsg.ApiVersionsResponse](t, addr, kmsg.NewPtrApiVersionsRequest())
	for _, key := range controllerOnly() {
		request := kmsg.RequestForKey(key)
		request.SetVersion(request.MaxVersion())
		if answer, err := harness.Query(addr, request); !errors.Is(err, io.EOF) {
			t.Errorf("%T on a client listener: %+v, %v", request, answer, err)
		}
		for _, k := range served.ApiKeys {
			if k.ApiKey == key {
				t.Errorf("%T is advertised on a client listener", request)
			}
		}
	}
}

// fetchAs is a follower's fetch of one partition.
func fetchAs(replica int32, epoch int64, id [16]byte, leaderEpoch int32, offset int64) *kmsg.FetchRequest {
	p := kmsg.NewFetchRequestTopicPartition()
	p.FetchOffset, p.LogStartOffset, p.PartitionMaxBytes, p.CurrentLeaderEpoch = offset, 0, 1<<20, leaderEpoch
	ft := kmsg.NewFetchRequestTopic()
	ft.TopicID, ft.Partitions = id, append(ft.Partitions, p)
	r := kmsg.NewPtrFetchRequest()
	r.SetVersion(16)
	r.ReplicaID, r.ReplicaState.ID, r.ReplicaState.Epoch = replica, replica, epoch
	r.MaxBytes, r.SessionEpoch = 1<<20, -1
	r.Topics = append(r.Topics, ft)
	return r
}

// code is the error of a fetch's only partition, or of the whole.
func code(answer *kmsg.FetchResponse) error {
	if answer.ErrorCode != 0 || len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 {
		return kerr.ErrorForCode(answer.ErrorCode)
	}
	return kerr.ErrorForCode(answer.Topics[0].Partitions[0].ErrorCode)
}

// The metadata log is not a topic for clients, nor for who pretends to be a voter among them.
func metadataLog(t *testing.T, c *harness.Cluster) {
	id := [16]byte{15: 1}
	_, epoch, err := harness.QuorumLeader(c.Nodes[0].Addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, replica := range []int32{-1, 2} {
		for _, n := range c.Nodes {
			answer := must[*kmsg.FetchResponse](t, n.Addr, fetchAs(replica, 1, id, epoch, 0))
			if err := code(answer); err == nil {
				t.Errorf("replica %d reads the metadata log on a client listener: %+v", replica, answer)
			}
		}
	}
}

// A fetch in the name of a replica that the partition does not have, or of one under a broker epoch that has passed
// (KIP-903), is refused, whatever offset it claims to have reached.
func falseFollowers(t *testing.T, c *harness.Cluster) {
	r := kmsg.NewPtrMetadataRequest()
	r.SetVersion(12)
	wanted := kmsg.NewMetadataRequestTopic()
	wanted.Topic = kmsg.StringPtr(topic)
	r.Topics = append(r.Topics, wanted)
	seen := must[*kmsg.MetadataResponse](t, c.Nodes[0].Addr, r).Topics[0]
	var leader, leaderEpoch int32
	for _, p := range seen.Partitions {
		if p.Partition == 0 {
			leader, leaderEpoch = p.Leader, p.LeaderEpoch
		}
	}
	follower := leader%3 + 1
	for _, f := range []struct {
		replica int32
		epoch   int64
	}{{99, 1}, {99, -1}, {follower, 0}, {leader, 1}} {
		for _, offset := range []int64{0, 1 << 40} {
			answer := must[*kmsg.FetchResponse](t, c.Nodes[leader-1].Addr, fetchAs(f.replica, f.epoch, seen.TopicID, leaderEpoch, offset))
			err := code(answer)
			t.Logf("replica %d with broker epoch %d at offset %d: %v", f.replica, f.epoch, offset, err)
			if err == nil {
				t.Errorf("replica %d with broker epoch %d at offset %d is served by %d", f.replica, f.epoch, offset, leader)
			}
		}
	}
	for p, end := range harness.Ends(t, c.Nodes[0].Addr, topic, partitions) {
		if end != 0 {
			t.Errorf("partition %d is empty and ends at %d", p, end)
		}
	}
}

// vote is a Vote request of a node that is no voter to another node.
func vote(cluster string, voter int32, directory [16]byte, epoch int32, pre bool) *kmsg.VoteRequest {
	p := kmsg.NewVoteRequestTopicPartition()
	p.CandidateEpoch, p.CandidateID, p.CandidateDirectoryID, p.VoterDirectoryID = epoch, 77, directory, directory
	p.LastOffsetEpoch, p.LastOffset, p.PreVote = epoch-1, 1<<40, pre
	vt := kmsg.NewVoteRequestTopic()
	vt.Topic, vt.Partitions = "__cluster_metadata", append(vt.Partitions, p)
	r := kmsg.NewPtrVoteRequest()
	r.SetVersion(2)
	r.ClusterID, r.VoterID = &cluster, voter
	r.Topics = append(r.Topics, vt)
	return r
}

const otherCluster = "AAAAAAAAAAAAAAAAAAAAAQ"

// A node of another cluster must not be heard (KIP-595): INCONSISTENT_CLUSTER_ID.
func otherClusterRequests(t *testing.T, c *harness.Cluster) {
	for i, addr := range c.Controllers {
		for _, pre := range []bool{false, true} {
			answer := must[*kmsg.VoteResponse](t, addr, vote(otherCluster, int32(i+1), [16]byte{}, 1000, pre))
			if answer.ErrorCode != kerr.InconsistentClusterID.Code {
				t.Errorf("node %d answers a vote of another cluster with %+v", i+1, answer)
			}
		}
		fetch := fetchAs(2, -1, [16]byte{15: 1}, 1, 0)
		fetch.ClusterID = kmsg.StringPtr(otherCluster)
		if answer := must[*kmsg.FetchResponse](t, addr, fetch); answer.ErrorCode != kerr.InconsistentClusterID.Code {
			t.Errorf("node %d answers a fetch of another cluster with %+v", i+1, answer)
		}
	}
	leader := must1(harness.QuorumLeader(c.Nodes[0].Addr))(t)
	r := registration(7)
	r.ClusterID = otherCluster
	answer := must[*kmsg.BrokerRegistrationResponse](t, c.Controllers[leader-1], r)
	if answer.ErrorCode != kerr.InconsistentClusterID.Code {
		t.Errorf("the registration of another cluster's broker: %+v", answer)
	}
}

// must1 takes the first of three results.
func must1(leader, _ int32, err error) func(*testing.T) int32 {
	return func(t *testing.T) int32 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return leader
	}
}

// registration is of a broker that supports nothing in particular.
func registration(id int32) *kmsg.BrokerRegistrationRequest {
	l := kmsg.NewBrokerRegistrationRequestListener()
	l.Name, l.Host, l.Port = "PLAINTEXT", "127.0.0.1", 9
	r := kmsg.NewPtrBrokerRegistrationRequest()
	r.SetVersion(4)
	r.BrokerID, r.ClusterID, r.IncarnationID, r.PreviousBrokerEpoch = id, harness.ClusterID, [16]byte{1, 15: byte(id)}, -1
	r.Listeners = append(r.Listeners, l)
	r.LogDirs = append(r.LogDirs, [16]byte{2, 15: byte(id)})
	return r
}

func otherClusterNode(t *testing.T, c *harness.Cluster) {
	refused(t, c.StartStray(stray(t, c, 4, append(brokerOnly(t), "cluster.id="+otherCluster)...)), "cluster", otherCluster)
}

// A second process with a broker's id is told so, and ends; the first goes on.
func duplicateBroker(t *testing.T, c *harness.Cluster) {
	first := c.StartStray(stray(t, c, 4, brokerOnly(t)...))
	first.AwaitServing()
	refused(t, c.StartStray(stray(t, c, 4, brokerOnly(t)...)), "broker 4", "node.id")
	first.Alive()
	found := must[*kmsg.DescribeClusterResponse](t, c.Nodes[0].Addr, kmsg.NewPtrDescribeClusterRequest())
	if !slices.ContainsFunc(found.Brokers, func(b kmsg.DescribeClusterResponseBroker) bool {
		return b.NodeID == 4 && fmt.Sprintf("%s:%d", b.Host, b.Port) == first.Addr
	}) {
		t.Errorf("the first process is not registered any more: %+v", found.Brokers)
	}
	first.Kill()
}

// A second process with a voter's id, and another directory, must not vote in its name.
func duplicateVoter(t *testing.T, c *harness.Cluster) {
	leader := must1(harness.QuorumLeader(c.Nodes[0].Addr))(t)
	id, was := int(leader%3+1), voters(t, c.Nodes[0].Addr)
	in := c.StartStray(stray(t, c, id, "broker.session.timeout.ms=1000", "broker.heartbeat.interval.ms=300"))
	refused(t, in, fmt.Sprintf("broker %d", id), "node.id")
	if is := voters(t, c.Nodes[0].Addr); !slices.Equal(is, was) {
		t.Errorf("the voters were %v, are %v", was, is)
	}
}

// Voters are known by id and directory (KIP-853). Who means another directory is not heard.
func unknownDirectory(t *testing.T, c *harness.Cluster) {
	unknown := [16]byte{9, 9, 9}
	leader, epoch, err := harness.QuorumLeader(c.Nodes[0].Addr)
	if err != nil {
		t.Fatal(err)
	}
	for i, addr := range c.Controllers {
		for _, pre := range []bool{false, true} {
			answer := must[*kmsg.VoteResponse](t, addr, vote(harness.ClusterID, int32(i+1), unknown, epoch, pre))
			p := answer.Topics[0].Partitions[0]
			t.Logf("node %d, pre-vote %v: %v, granted %v", i+1, pre, kerr.ErrorForCode(p.ErrorCode), p.VoteGranted)
			if p.ErrorCode != kerr.InvalidVoterKey.Code || p.VoteGranted {
				t.Errorf("node %d answers a vote meant for another directory with %+v", i+1, answer)
			}
		}
	}
	r := kmsg.NewPtrRemoveRaftVoterRequest()
	r.ClusterID, r.VoterID, r.VoterDirectoryID = kmsg.StringPtr(harness.ClusterID), leader%3+1, unknown
	answer := must[*kmsg.RemoveRaftVoterResponse](t, c.Controllers[leader-1], r)
	t.Logf("removing a voter by an unknown directory: %v", kerr.ErrorForCode(answer.ErrorCode))
	if answer.ErrorCode != kerr.VoterNotFound.Code {
		t.Errorf("voter %d is removed by a directory that it does not have", r.VoterID)
	}
}

// asNode3 stops node 3, runs a process in its place, with its ports, and starts node 3 again.
func asNode3(t *testing.T, c *harness.Cluster, data string, set []string, words ...string) {
	t.Helper()
	c.Nodes[2].Kill()
	in := c.StartStray(harness.Properties(3, c.Nodes[2].Addr, c.Controllers[2], data, c.Voters(), set...))
	refused(t, in, words...)
	in.Kill()
	c.Nodes[2].Start()
}

// A voter that has lost its directory has forgotten whom it voted for and what it acknowledged. It does not come back as
// the voter that it was (KIP-853): the voters are who they were, by directory, and it follows.
func emptyDirectory(t *testing.T, c *harness.Cluster) {
	was := voters(t, c.Nodes[0].Addr)
	c.Nodes[2].Kill()
	in := c.StartStray(harness.Properties(3, c.Nodes[2].Addr, c.Controllers[2], filepath.Join(t.TempDir(), "data"), c.Voters()))
	in.AwaitServing()
	harness.Eventually(t, rejoin, func() (bool, string) {
		return strings.Contains(in.Said(), "this node does not vote: voter 3 of the quorum has the data directory"), "it says " + in.Said()
	})
	t.Logf("it says %q", in.Said())
	harness.Eventually(t, rejoin, func() (bool, string) {
		table := c.Klamm(t, "quorum", "describe")
		return strings.Contains(table, "node 3 runs with another data directory than voter 3 has, and does not vote"), table
	})
	if is := voters(t, c.Nodes[0].Addr); !slices.Equal(is, was) {
		t.Errorf("the voters were %v, are %v", was, is)
	}
	id := [16]byte{}
	if slices.ContainsFunc(was, func(v string) bool { return strings.HasSuffix(v, fmt.Sprintf("%x", id)) }) {
		t.Errorf("voters without a directory: %v", was)
	}
	in.Kill()
	c.Nodes[2].Start()
}

// voters are id and directory of each voter.
func voters(t *testing.T, addr string) []string {
	t.Helper()
	request := kmsg.NewPtrDescribeQuorumRequest()
	request.SetVersion(2)
	one := kmsg.NewDescribeQuorumRequestTopic()
	one.Topic = "__cluster_metadata"
	one.Partitions = append(one.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	request.Topics = append(request.Topics, one)
	var out []string
	for _, v := range must[*kmsg.DescribeQuorumResponse](t, addr, request).Topics[0].Partitions[0].CurrentVoters {
		out = append(out, fmt.Sprintf("%d:%x", v.ReplicaID, v.ReplicaDirectoryID))
	}
	slices.Sort(out)
	return out
}

func othersDirectory(t *testing.T, c *harness.Cluster) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS(c.Nodes[1].Data)); err != nil {
		t.Fatal(err)
	}
	was := listing(t, data)
	asNode3(t, c, data, nil, "node 2", "node 3")
	if is := listing(t, data); is != was {
		t.Errorf("the directory was %s, is %s", was, is)
	}
}

// listing is names and sizes of all files but the lock.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".lock" {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintf(&out, "%s %d\n", strings.TrimPrefix(path, dir), info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func sharedDirectory(t *testing.T, c *harness.Cluster) {
	refused(t, c.StartStray(stray(t, c, 2, "log.dirs="+c.Nodes[1].Data)), c.Nodes[1].Data)
}

func renamedCluster(t *testing.T, c *harness.Cluster) {
	asNode3(t, c, c.Nodes[2].Data, []string{"cluster.id=" + otherCluster}, harness.ClusterID, otherCluster)
}

// metadata.version never falls, by whatever kind of downgrade, and does not rise beyond what there is.
func downgrade(t *testing.T, c *harness.Cluster) {
	leader := must1(harness.QuorumLeader(c.Nodes[0].Addr))(t)
	for _, addr := range []string{c.Nodes[leader-1].Addr, c.Nodes[leader%3].Addr} {
		for _, update := range []kmsg.UpdateFeaturesRequestFeatureUpdate{
			{Feature: "metadata.version", MaxVersionLevel: 8, UpgradeType: 1},
			{Feature: "metadata.version", MaxVersionLevel: 8, UpgradeType: 2},
			{Feature: "metadata.version", MaxVersionLevel: 8, UpgradeType: 3},
			{Feature: "metadata.version", MaxVersionLevel: 0, UpgradeType: 3},
			{Feature: "metadata.version", MaxVersionLevel: 9999, UpgradeType: 1},
			{Feature: "kraft.version", MaxVersionLevel: 0, UpgradeType: 3},
			{Feature: "no.such.feature", MaxVersionLevel: 1, UpgradeType: 1},
		} {
			r := kmsg.NewPtrUpdateFeaturesRequest()
			r.SetVersion(1)
			r.TimeoutMillis = 5000
			r.FeatureUpdates = append(r.FeatureUpdates, update)
			answer := must[*kmsg.UpdateFeaturesResponse](t, addr, r)
			why := "no words"
			if answer.ErrorMessage != nil {
				why = *answer.ErrorMessage
			}
			t.Logf("%s %d (%d): %v: %s", update.Feature, update.MaxVersionLevel, update.UpgradeType, kerr.ErrorForCode(answer.ErrorCode), why)
			if answer.ErrorCode == 0 {
				t.Errorf("%+v is granted", update)
			}
		}
	}
}

// A broker that does not support the finalized levels is not registered: UNSUPPORTED_VERSION (KIP-584).
func oldBroker(t *testing.T, c *harness.Cluster) {
	leader := must1(harness.QuorumLeader(c.Nodes[0].Addr))(t)
	for _, most := range []int16{0, 7, 20} {
		r := registration(8)
		if most > 0 {
			f := kmsg.NewBrokerRegistrationRequestFeature()
			f.Name, f.MinSupportedVersion, f.MaxSupportedVersion = "metadata.version", 1, most
			r.Features = append(r.Features, f)
		}
		answer := must[*kmsg.BrokerRegistrationResponse](t, c.Controllers[leader-1], r)
		if answer.ErrorCode != kerr.UnsupportedVersion.Code {
			t.Errorf("a broker with metadata.version up to %d: %v", most, kerr.ErrorForCode(answer.ErrorCode))
		}
	}
}
