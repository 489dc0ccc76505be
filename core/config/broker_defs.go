package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Reasons why broker values are refused. docs/DIVERGENCE.md lists them.
const (
	noAuthorizer = "nothing is authorized yet: whoever can connect may do everything"
	noPolicies   = "policies are Java classes"
	noQuotas     = "there are no quotas yet"
)

// BrokerDefs are all broker keys that mean something here, by name: the broker's own, and those that give topics
// their defaults. Other properties of Kafka's are reported by [Warnings] and ignored.
//
// Not as in Kafka, and therefore in docs/DIVERGENCE.md:
//   - refused values: authorizer.class.name, client.quota.callback.class, create.topic.policy.class.name and
//     alter.config.policy.class.name if set, remote.log.storage.system.enable=true,
//     security.inter.broker.protocol other than PLAINTEXT, and what [TopicDefs] refuses under the synonyms;
//   - process.roles is broker,controller by default (Kafka: none). Without controller.quorum.voters and
//     controller.quorum.bootstrap.servers a controller is a quorum by itself, and so it is if it is its own only bootstrap
//     server; Kafka wants one of them set and the directory formatted with --standalone. Such a node needs no listener in
//     controller.listener.names;
//   - offsets.topic.replication.factor is 1 by default on a broker that is its quorum's only voter, so that groups work there at
//     once (Kafka: 3, and its own single-node configuration sets 1);
//   - a quorum of several begins with the same controller.quorum.voters on each of them, and goes on with a VotersRecord
//     (KIP-853); there is no kafka-storage format --initial-controllers. A controller that has only
//     controller.quorum.bootstrap.servers joins as an observer, and votes after AddRaftVoter;
//   - refused where Kafka is silent: a voter, or an address of voters, that comes twice; broker.heartbeat.interval.ms not
//     below broker.session.timeout.ms; replica.selector.class other than RackAwareReplicaSelector;
//   - a node that is a quorum by itself may lack a PLAINTEXT listener without naming inter.broker.listener.name: it is then
//     the first of its listeners;
//   - log.dirs takes one directory; its default is data instead of /tmp/kafka-logs;
//   - only what gives topics their defaults can be changed while running. Kafka can change producer.id.expiration.ms,
//     listeners and others too.
func BrokerDefs() []Def { return slices.Clone(brokerDefs) }

func gatherBrokerDefs() []Def {
	var synonyms []Def
	for _, t := range topicDefs {
		for i := range t.Synonyms {
			synonyms = append(synonyms, synonymDef(&t, i))
		}
	}
	return sorted(brokerDefsIdentity(), brokerDefsWork(), brokerDefsReplication(), brokerDefsQuorum(), brokerDefsCleaner(), brokerDefsGroups(),
		brokerDefsTransactions(), synonyms)
}

// BrokerDef is the definition of a broker key.
func BrokerDef(name string) (Def, bool) { return find(brokerDefs, name) }

// synonymDef is the broker key behind a topic key. Of several, only the last has a default (Kafka's are null, so that
// the coarser units can be seen), and only the first can be changed while running.
func synonymDef(t *Def, i int) Def {
	s := t.Synonyms[i]
	d := *t
	d.Name, d.Synonyms, d.Update = s.Name, nil, ReadOnly
	d.Doc = "Default for topics' " + t.Name + ". " + t.Doc
	if i == 0 {
		d.Update = ClusterWide
	}
	if i < len(t.Synonyms)-1 {
		d.Default, d.NoDefault = "", true
	}
	if s.Factor != 1 {
		d.Type = Int
		d.Doc = "Default for topics' " + t.Name + " in units of " + unit(s.Factor) + ". " + t.Doc
		d.Min = (t.Min + sign(t.Min)*(s.Factor-1)) / s.Factor // rounded away from zero: 1 ms or more is 1 hour or more
		if n, err := strconv.ParseInt(d.Default, 10, 64); err == nil {
			d.Default = strconv.FormatInt(n/s.Factor, 10)
		}
	}
	return d
}

func unit(factor int64) string {
	if factor == hourMs {
		return "hours"
	}
	return "minutes"
}

func sign(n int64) int64 { return int64(cmp.Compare(n, 0)) }

func brokerDefsIdentity() []Def {
	return []Def{
		{Name: "advertised.listeners", Type: ListOf, NoDefault: true,
			Doc: "Addresses that clients are told to use, if they are not those in listeners: NAME://host:port, separated by commas."},
		{Name: "alter.config.policy.class.name", Type: Class, NoDefault: true, Lacks: noPolicies,
			Doc: "Class that judges changes of configuration."},
		{Name: "authorizer.class.name", Type: String, Default: "", Lacks: noAuthorizer,
			Doc: "Class that decides who may do what."},
		{Name: "broker.id", Type: Int, Default: "-1", Min: -1, Max: unbound,
			Doc: "Older name of node.id."},
		{Name: "broker.rack", Type: String, NoDefault: true,
			Doc: "Rack or zone in which the broker stands. Clients learn it from Metadata."},
		{Name: "client.quota.callback.class", Type: Class, NoDefault: true, Lacks: noQuotas,
			Doc: "Class that computes clients' quotas."},
		{Name: "cluster.id", Type: String, NoDefault: true,
			Doc: "Identity that an empty data directory is formatted with, and that a formatted one must have. Without it one is drawn at formatting."},
		{Name: "create.topic.policy.class.name", Type: Class, NoDefault: true, Lacks: noPolicies,
			Doc: "Class that judges new topics."},
		{Name: "inter.broker.listener.name", Type: String, NoDefault: true,
			Doc: "Listener that brokers use among themselves: one of listeners that is none of controller.listener.names. Without it, the one named PLAINTEXT."},
		{Name: "listener.security.protocol.map", Type: String,
			Default: "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
			Doc:     "Security protocol of each listener name. Only PLAINTEXT is served. If it is not set, controller.listener.names are PLAINTEXT."},
		{Name: "listeners", Type: ListOf, Default: "PLAINTEXT://:9092",
			Doc: "Addresses on which the broker listens: NAME://host:port, separated by commas. An empty host is every interface."},
		{Name: "log.dir", Type: ListOf, Default: "data",
			Doc: "Data directory, if log.dirs is not set."},
		{Name: "log.dirs", Type: ListOf, NoDefault: true,
			Doc: "Data directory. Kafka takes several; here it is one."},
		{Name: "node.id", Type: Int, Default: "1", Max: unbound,
			Doc: "Number of this node in the cluster. The data directory remembers it."},
		{Name: "process.roles", Type: ListOf, Default: "broker,controller", Values: []string{"broker", "controller"},
			Doc: "Parts that this process plays: broker, controller, or both."},
		{Name: "security.inter.broker.protocol", Type: String, Default: "PLAINTEXT", Values: []string{"PLAINTEXT"},
			Doc: "Security protocol among brokers."},
	}
}

func brokerDefsWork() []Def {
	return []Def{
		{Name: "auto.create.topics.enable", Type: Boolean, Default: "true",
			Doc: "Whether a topic is created when a client asks for its metadata and lets it be created."},
		{Name: "default.replication.factor", Type: Int, Default: "1", Min: 1, Max: 32767,
			Doc: "Replicas of topics that do not say how many they want."},
		{Name: "delete.topic.enable", Type: Boolean, Default: "true",
			Doc: "Whether topics can be deleted."},
		{Name: "fetch.max.bytes", Type: Int, Default: "57671680", Min: 1024, Max: unbound,
			Doc: "Most bytes in the answer to one fetch, whatever the client asks for. A first batch that is larger goes out all the same."},
		{Name: "klamm.disk.stall.ms", Type: Long, Default: "30000", Min: 1, Max: unbound / 1_000_000,
			Doc: "Time after which a disk that does not answer is taken for dead."},
		{Name: "klamm.durability", Type: String, Default: "commit", Values: []string{"commit", "os"},
			Doc: "When a replica counts a record as stored: commit, when it is flushed to the disk; os, when the operating system has it, as Kafka does."},
		{Name: "log.flush.offset.checkpoint.interval.ms", Type: Int, Default: "60000", Max: unbound,
			Doc: "Time between two checkpoints of how far logs are flushed. Recovery after a crash starts there."},
		{Name: "log.retention.check.interval.ms", Type: Long, Default: "300000", Min: 1, Max: unbound / 1_000_000,
			Doc: "Time between two looks for segments that retention allows to delete."},
		{Name: "max.incremental.fetch.session.cache.slots", Type: Int, Default: "1000", Max: unbound,
			Doc: "Fetch sessions that are kept. Further clients repeat all partitions in each fetch."},
		{Name: "max.request.partition.size.limit", Type: Int, Default: "2000", Min: 1, Max: unbound,
			Doc: "Most partitions in one answer to DescribeTopicPartitions."},
		{Name: "num.partitions", Type: Int, Default: "1", Min: 1, Max: unbound,
			Doc: "Partitions of topics that do not say how many they want."},
		{Name: "producer.id.expiration.ms", Type: Int, Default: "86400000", Min: 1, Max: unbound,
			Doc: "Time after its last record at which a partition forgets an idempotent producer."},
		{Name: "remote.log.storage.system.enable", Type: Boolean, Default: "false", Lacks: noTiering, Only: "false",
			Doc: "Whether topics can be tiered."},
	}
}

// CheckTopic refuses a topic key that does not exist and a value that it cannot have.
func CheckTopic(name, value string) error {
	return checkIn(topicDefs, "topic", name, value)
}

// CheckBroker refuses a broker key that does not exist and a value that it cannot have. Whether it can be changed while
// running is [Def.Update].
func CheckBroker(name, value string) error { return checkBroker(brokerDefs, name, value) }

// checkBroker is CheckBroker for who has the definitions at hand: to gather and sort them takes longer than all else.
func checkBroker(defs []Def, name, value string) error {
	if err := checkIn(defs, "broker", name, value); err != nil {
		return err
	}
	// As Kafka: a topic may keep nothing, a broker's default may not be that.
	switch name {
	case "log.retention.ms", "log.retention.minutes", "log.retention.hours":
		if n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil && n == 0 {
			return zeroRetentionError(name)
		}
	}
	return nil
}

type zeroRetentionError string

func (e zeroRetentionError) Error() string {
	return string(e) + ": 0 would delete everything at once; use -1 for no limit, or 1 and more"
}

func checkIn(defs []Def, kind, name, value string) error {
	d, ok := find(defs, name)
	if !ok {
		return unknownError{kind, name}
	}
	return d.Check(value)
}

type unknownError struct{ kind, name string }

func (e unknownError) Error() string {
	return "there is no " + e.kind + " configuration named " + strconv.Quote(e.name)
}
