package config

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stock is what Apache Kafka ships as config/server.properties for combined mode, with its comments left out.
const stock = `
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
log.dirs=/tmp/kraft-combined-logs
num.partitions=3
offsets.topic.replication.factor=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
`

func TestResolveBrokerDefaults(t *testing.T) {
	b, err := ResolveBroker(nil)
	require.NoError(t, err)
	require.Equal(t, Broker{
		NodeID: 1, LogDir: "data", Roles: Roles{Broker: true, Controller: true}, Voters: []Voter{{ID: 1}}, InterBrokerListener: "PLAINTEXT",
		Listeners:              []Listener{{Name: "PLAINTEXT", Bind: ":9092", AdvertisedHost: "localhost", AdvertisedPort: 9092}},
		BrokerSessionTimeoutMs: 9000, BrokerHeartbeatIntervalMs: 2000, ControlledShutdown: true,
		AutoLeaderRebalance: true, LeaderImbalanceCheckMs: 300_000,
		ReplicaLagMs: 30_000, ReplicaFetchWaitMs: 500, ReplicaFetchMinBytes: 1, ReplicaFetchMaxBytes: 1 << 20,
		ReplicaFetchResponseMaxBytes: 10 << 20, ReplicaFetchBackoffMs: 1000, ReplicaSocketTimeoutMs: 30_000, HWCheckpointMs: 5000,
		QuorumElectionTimeoutMs: 1000, QuorumFetchTimeoutMs: 2000, QuorumElectionBackoffMaxMs: 1000, QuorumRequestTimeoutMs: 2000,
		QuorumRetryBackoffMs: 20, MetadataSnapshotBytes: 20 << 20,
		Cleaner: Cleaner{Threads: 1, MapBytes: 128 << 20, MapLoad: 900_000, IOBufferBytes: 512 << 10, BytesPerSecond: math.MaxInt64,
			BackoffMs: 15_000},
		Groups: Groups{
			InitialRebalanceDelayMs: 3000, MaxSize: math.MaxInt32, MinSessionTimeoutMs: 6000, MaxSessionTimeoutMs: 1_800_000,
			ConsumerSessionTimeoutMs: 45_000, ConsumerHeartbeatIntervalMs: 5000, ConsumerMaxSize: math.MaxInt32,
			ConsumerAssignors: []string{"uniform", "range"}, ConsumerUpgrade: true, ConsumerDowngrade: true,
			OffsetMetadataMaxBytes: 4096, CommitTimeoutMs: 5000, LoadBufferBytes: 5 << 20, RetentionCheckMs: 600_000,
			RetentionMs: 7 * 24 * 3600 * 1000, TopicPartitions: 50, TopicReplication: 1, TopicSegmentBytes: 100 << 20,
		},
		Transactions: Transactions{
			MaxTimeoutMs: 900_000, ExpirationMs: 7 * 24 * 3600 * 1000, AbortIntervalMs: 10_000, RemoveIntervalMs: 3_600_000, Verification: true,
			LoadBufferBytes: 5 << 20, TopicPartitions: 50, TopicReplication: 1, TopicMinISR: 1, TopicSegmentBytes: 100 << 20,
		},
		AutoCreateTopics: true, DeleteTopicEnable: true, NumPartitions: 1, DefaultReplication: 1,
		FetchMaxBytes: 55 << 20, FetchSessionSlots: 1000, ProducerIDExpirationMs: 86_400_000,
		CheckpointIntervalMs: 60_000, RetentionCheckMs: 300_000, MaxRequestPartitions: 2000, DiskStallMs: 30_000,
	}, b)
}

func TestResolveBrokerStockFile(t *testing.T) {
	props, err := ParseProperties([]byte(stock))
	require.NoError(t, err)
	b, err := ResolveBroker(props)
	require.NoError(t, err)
	require.Equal(t, []Listener{{Name: "PLAINTEXT", Bind: ":9092", AdvertisedHost: "localhost", AdvertisedPort: 9092}}, b.Listeners)
	require.Equal(t, []Listener{{Name: "CONTROLLER", Bind: ":9093", AdvertisedHost: "localhost", AdvertisedPort: 9093}}, b.ControllerListeners)
	require.True(t, b.Alone(), "its only bootstrap server is itself")
	require.Equal(t, []Voter{{ID: 1, Host: "localhost", Port: 9093}}, b.Voters)
	require.Empty(t, b.BootstrapServers)
	require.Equal(t, "/tmp/kraft-combined-logs", b.LogDir)
	require.Equal(t, int32(3), b.NumPartitions)
	require.Equal(t, []string{
		"num.network.threads: not used by this broker; ignored",
	}, Warnings(props))
}

const moreProperties = `
transaction.max.timeout.ms=46
transactional.id.expiration.ms=47
transaction.abort.timed.out.transaction.cleanup.interval.ms=48
transaction.remove.expired.transaction.cleanup.interval.ms=49
transaction.partition.verification.enable=false
transaction.state.log.load.buffer.size=50
transaction.state.log.num.partitions=51
transaction.state.log.replication.factor=52
transaction.state.log.min.isr=53
transaction.state.log.segment.bytes=54
log.cleaner.enable=false
log.cleaner.threads=37
log.cleaner.dedupe.buffer.size=38
log.cleaner.io.buffer.load.factor=0.39
log.cleaner.io.buffer.size=40
log.cleaner.io.max.bytes.per.second=4.1E1
log.cleaner.backoff.ms=42
group.consumer.assignors=range
group.consumer.heartbeat.interval.ms=43
group.consumer.max.size=44
group.consumer.migration.policy=downgrade
group.consumer.session.timeout.ms=45
`

// moreTransactions is what moreProperties says about transactions.
func moreTransactions() Transactions {
	return Transactions{
		MaxTimeoutMs: 46, ExpirationMs: 47, AbortIntervalMs: 48, RemoveIntervalMs: 49, LoadBufferBytes: 50,
		TopicPartitions: 51, TopicReplication: 52, TopicMinISR: 53, TopicSegmentBytes: 54,
	}
}

func TestResolveBrokerReadsEveryField(t *testing.T) {
	props, err := ParseProperties([]byte(`
broker.id=7
cluster.id=abc
broker.rack=r1
listeners=in://127.0.0.1:1,out://[::1]:2
advertised.listeners=out://kafka.example:3
listener.security.protocol.map=in:PLAINTEXT,out:plaintext
group.initial.rebalance.delay.ms=25
group.max.session.timeout.ms=28
group.max.size=26
group.min.session.timeout.ms=27
offset.metadata.max.bytes=29
offsets.commit.timeout.ms=30
offsets.load.buffer.size=31
offsets.retention.check.interval.ms=32
offsets.retention.minutes=33
offsets.topic.compression.codec=4
offsets.topic.num.partitions=34
offsets.topic.replication.factor=35
offsets.topic.segment.bytes=36
controller.quorum.voters=7@localhost:9093
log.dir=/d
klamm.durability=os
auto.create.topics.enable=false
delete.topic.enable=False
default.replication.factor=2
fetch.max.bytes=2048
max.incremental.fetch.session.cache.slots=4
producer.id.expiration.ms=5
log.flush.offset.checkpoint.interval.ms=6
log.retention.check.interval.ms=7
max.request.partition.size.limit=8
klamm.disk.stall.ms=9
broker.session.timeout.ms=100
broker.heartbeat.interval.ms=10
controlled.shutdown.enable=false
auto.leader.rebalance.enable=false
leader.imbalance.check.interval.seconds=11
replica.lag.time.max.ms=12
replica.fetch.wait.max.ms=3
replica.fetch.min.bytes=13
replica.fetch.max.bytes=14
replica.fetch.response.max.bytes=15
replica.fetch.backoff.ms=16
replica.socket.timeout.ms=17
replica.high.watermark.checkpoint.interval.ms=18
replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector
controller.quorum.election.timeout.ms=19
controller.quorum.fetch.timeout.ms=20
controller.quorum.election.backoff.max.ms=21
controller.quorum.request.timeout.ms=22
controller.quorum.retry.backoff.ms=23
metadata.log.max.record.bytes.between.snapshots=24
log.cleanup.policy=compact
` + moreProperties))
	require.NoError(t, err)
	b, err := ResolveBroker(props)
	require.NoError(t, err)
	require.Equal(t, Broker{
		NodeID: 7, ClusterID: "abc", Rack: "r1", LogDir: "/d", Durability: DurabilityOS,
		Roles: Roles{Broker: true, Controller: true}, Voters: []Voter{{ID: 7, Host: "localhost", Port: 9093}}, InterBrokerListener: "IN",
		BrokerSessionTimeoutMs: 100, BrokerHeartbeatIntervalMs: 10, LeaderImbalanceCheckMs: 11_000,
		ReplicaLagMs: 12, ReplicaFetchWaitMs: 3, ReplicaFetchMinBytes: 13, ReplicaFetchMaxBytes: 14, ReplicaFetchResponseMaxBytes: 15,
		ReplicaFetchBackoffMs: 16, ReplicaSocketTimeoutMs: 17, HWCheckpointMs: 18, ReplicaSelectorRackAware: true,
		QuorumElectionTimeoutMs: 19, QuorumFetchTimeoutMs: 20, QuorumElectionBackoffMaxMs: 21, QuorumRequestTimeoutMs: 22,
		QuorumRetryBackoffMs: 23, MetadataSnapshotBytes: 24,
		Cleaner: Cleaner{Disabled: true, Threads: 37, MapBytes: 38, MapLoad: 390_000, IOBufferBytes: 40, BytesPerSecond: 41, BackoffMs: 42},
		Groups: Groups{
			InitialRebalanceDelayMs: 25, MaxSize: 26, MinSessionTimeoutMs: 27, MaxSessionTimeoutMs: 28,
			ConsumerSessionTimeoutMs: 45, ConsumerHeartbeatIntervalMs: 43, ConsumerMaxSize: 44, ConsumerAssignors: []string{"range"},
			ConsumerDowngrade: true, OffsetMetadataMaxBytes: 29, CommitTimeoutMs: 30, LoadBufferBytes: 31, RetentionCheckMs: 32, RetentionMs: 33 * 60_000,
			TopicPartitions: 34, TopicReplication: 35, TopicSegmentBytes: 36, TopicCodec: 4,
		}, Transactions: moreTransactions(),
		Listeners: []Listener{
			{Name: "IN", Bind: "127.0.0.1:1", AdvertisedHost: "127.0.0.1", AdvertisedPort: 1},
			{Name: "OUT", Bind: "[::1]:2", AdvertisedHost: "kafka.example", AdvertisedPort: 3},
		},
		NumPartitions: 1, DefaultReplication: 2, FetchMaxBytes: 2048, FetchSessionSlots: 4, ProducerIDExpirationMs: 5,
		CheckpointIntervalMs: 6, RetentionCheckMs: 7, MaxRequestPartitions: 8, DiskStallMs: 9,
	}, b)
	require.Equal(t, []string{"log.cleaner.enable: without the cleaner, records of compacted topics are kept for ever"}, Warnings(props))
}

func TestResolveBrokerRefuses(t *testing.T) {
	for _, c := range []struct{ props, wants string }{
		{"node.id=x", `node.id: "x" is not a whole number`},
		{"node.id=-1", "node.id: -1 is less than 0"},
		{"node.id=1\nbroker.id=2", "node.id: 1 differs from broker.id"},
		{"process.roles=broker,zookeeper", "process.roles: \"zookeeper\" is none of"},
		{"process.roles=", "process.roles: must contain broker, controller or both"},
		{"process.roles=broker,broker", "process.roles: broker comes twice"},
		{"log.dirs=/a,/b", "log.dirs: 2 directories"},
		{"log.dir=", "log.dir: there is no data directory"},
		{"listeners=:9092", `listeners: ":9092" is not NAME://host:port`},
		{"listeners=PLAINTEXT://h", "listeners: \"PLAINTEXT://h\" is not NAME"},
		{"listeners=PLAINTEXT://h:70000", "no port from 0 to 65535"},
		{"listeners=PLAINTEXT://::1:9092", "stands in brackets"},
		{"listeners=PLAINTEXT://[::g]:9092", "no IPv6 address"},
		{"listeners=PLAINTEXT://h:1,plaintext://h:2", "the name PLAINTEXT comes twice"},
		{"listeners=PLAINTEXT://h:1,B://h:1\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,B:PLAINTEXT", "both bound to h:1"},
		{"listeners=SSL://h:1", "SSL wants SSL, but only PLAINTEXT is served"},
		{"listeners=HOME://h:1", "no security protocol for HOME"},
		{"listeners=PLAINTEXT://0.0.0.0:1", "clients cannot connect to 0.0.0.0"},
		{"listeners=", "no listener for clients"},
		{"controller.listener.names=PLAINTEXT", "no listener for clients"},
		{"advertised.listeners=OTHER://h:1", "OTHER is none of the listeners"},
		{"inter.broker.listener.name=OTHER", "inter.broker.listener.name: OTHER"},
		{"listener.security.protocol.map=PLAINTEXT", "not NAME:PROTOCOL"},
		{"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "authorizer.class.name: only \"\" is possible"},
		{"remote.log.storage.system.enable=true", "no tiered storage"},
		{"compression.type=gzip", "compression.type: only \"producer\""},
		{"log.retention.ms=0", "log.retention.ms: 0 would delete everything"},
		{"klamm.durability=never", "klamm.durability: \"never\" is none of commit, os"},
		{"default.replication.factor=40000", "more than 32767"},
	} {
		props, err := ParseProperties([]byte(c.props))
		require.NoError(t, err)
		_, err = ResolveBroker(props)
		require.ErrorContains(t, err, c.wants, c.props)
	}
}

func TestResolveBrokerNamesEveryError(t *testing.T) {
	_, err := ResolveBroker(map[string]string{"num.partitions": "0", "log.segment.bytes": "x", "delete.topic.enable": "no"})
	require.Len(t, strings.Split(err.Error(), "\n"), 3)
}

func describe(entries []Entry, name string) Entry {
	for _, e := range entries {
		if e.Name == name {
			return e
		}
	}
	panic(name)
}

func TestDescribeLayersInPrecedence(t *testing.T) {
	get := func(m map[string]string) func(string) (string, bool) {
		return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
	}
	l := Layers{
		Topic:   get(map[string]string{"retention.ms": "1"}),
		Broker:  get(map[string]string{"log.retention.ms": "2"}),
		Cluster: get(map[string]string{"log.retention.ms": "3"}),
		Static:  map[string]string{"log.retention.hours": "4", "unknown.secret": "x"},
	}
	e := describe(DescribeTopic(l), "retention.ms")
	require.Equal(t, []any{"1", SourceTopic}, []any{e.Value, e.Source})
	sources := func(e Entry) (out []string) {
		for _, v := range e.Layers {
			out = append(out, v.Name+"="+v.Value)
		}
		return out
	}
	require.Equal(t, []string{"retention.ms=1", "log.retention.ms=2", "log.retention.ms=3", "log.retention.hours=4", "log.retention.hours=168"}, sources(e))

	l.Topic, l.Broker, l.Cluster = get(nil), get(nil), get(nil)
	e = describe(DescribeTopic(l), "retention.ms")
	require.Equal(t, []any{"14400000", SourceStatic}, []any{e.Value, e.Source}, "hours are converted")

	e = describe(DescribeBroker(l), "log.retention.ms")
	require.True(t, e.Null)
	require.Empty(t, e.Layers)
	e = describe(DescribeBroker(l), "log.retention.hours")
	require.Equal(t, []any{"4", SourceStatic, false}, []any{e.Value, e.Source, e.Null})
	e = describe(DescribeBroker(l), "unknown.secret")
	require.True(t, e.Null && e.Sensitive)
	require.Equal(t, SourceStatic, e.Source)

	l.Static = nil
	e = describe(DescribeTopic(l), "retention.ms")
	require.Equal(t, []any{"604800000", SourceDefault}, []any{e.Value, e.Source})
	require.Empty(t, e.Layers, "as Kafka: the default stands under another name")
	e = describe(DescribeTopic(l), "segment.bytes")
	require.Equal(t, []string{"log.segment.bytes=1073741824"}, sources(e))
	e = describe(DescribeTopic(l), "remote.storage.enable")
	require.Equal(t, []any{"false", SourceDefault}, []any{e.Value, e.Source})
}

// TestDescribeAgreesWithResolve: what the admin is shown is what the broker does.
func TestDescribeAgreesWithResolve(t *testing.T) {
	static := map[string]string{"log.roll.hours": "2", "log.retention.minutes": "9", "message.max.bytes": "77"}
	none := func(string) (string, bool) { return "", false }
	entries := DescribeTopic(Layers{Topic: none, Broker: none, Cluster: none, Static: static})
	shown := make(map[string]string)
	for _, e := range entries {
		shown[e.Name] = e.Value
	}
	want := ResolveTopic(layers(nil, static))
	want.MayHaveHoles = true // the shown values are given as the topic's own
	require.Equal(t, want, ResolveTopic(layers(shown)))
}
