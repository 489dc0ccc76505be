package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
)

// ResolveBroker is the configuration that a server.properties describes; no property at all describes the default. The
// error names every property that is wrong, one per line. Properties that mean nothing here are no error: see
// [Warnings].
func ResolveBroker(props map[string]string) (Broker, error) {
	r := brokerReader{defs: brokerDefs, props: props}
	for _, name := range slices.Sorted(maps.Keys(props)) {
		if _, ok := find(r.defs, name); ok {
			r.fail(checkBroker(r.defs, name, props[name]))
		}
	}
	if len(r.errs) > 0 {
		return Broker{}, errors.Join(r.errs...) // what follows relies on values that parse
	}
	roles := r.roles()
	l := r.listeners(roles)
	b := Broker{
		NodeID:                  r.nodeID(),
		ClusterID:               r.text("cluster.id"),
		Rack:                    r.text("broker.rack"),
		Roles:                   roles,
		Listeners:               l.clients,
		ControllerListeners:     l.controllers,
		ControllerListenerNames: l.names,
		LogDir:                  r.logDir(),
		AutoCreateTopics:        r.flag("auto.create.topics.enable"),
		DeleteTopicEnable:       r.flag("delete.topic.enable"),
		NumPartitions:           int32(r.number("num.partitions")),
		DefaultReplication:      int16(r.number("default.replication.factor")),
		FetchMaxBytes:           int32(r.number("fetch.max.bytes")),
		FetchSessionSlots:       int32(r.number("max.incremental.fetch.session.cache.slots")),
		ProducerIDExpirationMs:  r.number("producer.id.expiration.ms"),
		CheckpointIntervalMs:    r.number("log.flush.offset.checkpoint.interval.ms"),
		RetentionCheckMs:        r.number("log.retention.check.interval.ms"),
		MaxRequestPartitions:    int32(r.number("max.request.partition.size.limit")),
		DiskStallMs:             r.number("klamm.disk.stall.ms"),
	}
	if r.text("klamm.durability") == "os" {
		b.Durability = DurabilityOS
	}
	b.Cleaner = r.cleaner()
	r.replication(&b)
	r.quorum(&b)
	b.Groups = r.groups()
	b.Transactions = r.transactions()
	if _, set := r.props["offsets.topic.replication.factor"]; !set && b.standalone() {
		b.Groups.TopicReplication = 1
	}
	if _, set := r.props["transaction.state.log.replication.factor"]; !set && b.standalone() {
		b.Transactions.TopicReplication, b.Transactions.TopicMinISR = 1, 1
	}
	b.InterBrokerListener = r.interBroker(&b)
	return b, errors.Join(r.errs...)
}

// standalone reports whether the node is a cluster by itself: a broker that is the quorum's only voter. Others may join it
// later, as brokers only.
func (b *Broker) standalone() bool {
	return b.Roles.Broker && b.Roles.Controller && len(b.Voters) == 1 && len(b.BootstrapServers) == 0
}

// replication reads how nodes deal with each other, and refuses times that defeat each other.
func (r *brokerReader) replication(b *Broker) {
	b.BrokerSessionTimeoutMs = r.number("broker.session.timeout.ms")
	b.BrokerHeartbeatIntervalMs = r.number("broker.heartbeat.interval.ms")
	b.ControlledShutdown = r.flag("controlled.shutdown.enable")
	b.AutoLeaderRebalance = r.flag("auto.leader.rebalance.enable")
	b.LeaderImbalanceCheckMs = 1000 * r.number("leader.imbalance.check.interval.seconds")
	b.ReplicaLagMs = r.number("replica.lag.time.max.ms")
	b.ReplicaFetchWaitMs = r.number("replica.fetch.wait.max.ms")
	b.ReplicaFetchMinBytes = int32(r.number("replica.fetch.min.bytes"))
	b.ReplicaFetchMaxBytes = int32(r.number("replica.fetch.max.bytes"))
	b.ReplicaFetchResponseMaxBytes = int32(r.number("replica.fetch.response.max.bytes"))
	b.ReplicaFetchBackoffMs = r.number("replica.fetch.backoff.ms")
	b.ReplicaSocketTimeoutMs = r.number("replica.socket.timeout.ms")
	b.HWCheckpointMs = r.number("replica.high.watermark.checkpoint.interval.ms")
	b.ReplicaSelectorRackAware = r.text("replica.selector.class") == rackAwareSelector
	b.QuorumElectionTimeoutMs = r.number("controller.quorum.election.timeout.ms")
	b.QuorumFetchTimeoutMs = r.number("controller.quorum.fetch.timeout.ms")
	b.QuorumElectionBackoffMaxMs = r.number("controller.quorum.election.backoff.max.ms")
	b.QuorumRequestTimeoutMs = r.number("controller.quorum.request.timeout.ms")
	b.QuorumRetryBackoffMs = r.number("controller.quorum.retry.backoff.ms")
	b.MetadataSnapshotBytes = r.number("metadata.log.max.record.bytes.between.snapshots")
	if wait, most := b.ReplicaFetchWaitMs, b.ReplicaSocketTimeoutMs; wait > most {
		r.failf("replica.fetch.wait.max.ms: %d is more than replica.socket.timeout.ms, %d, so that waiting would look like a dead leader", wait, most)
	}
	if wait, most := b.ReplicaFetchWaitMs, b.ReplicaLagMs; wait > most {
		r.failf("replica.fetch.wait.max.ms: %d is more than replica.lag.time.max.ms, %d, so that idle followers would leave the ISR", wait, most)
	}
	// Kafka takes any two numbers. A broker whose heartbeats come later than its session lasts is fenced between any two.
	if beat, session := b.BrokerHeartbeatIntervalMs, b.BrokerSessionTimeoutMs; beat >= session {
		r.failf("broker.heartbeat.interval.ms: %d is not less than broker.session.timeout.ms, %d, so that the broker would be fenced between two heartbeats", beat, session)
	}
}

// Warnings lists what an operator should hear about a configuration that is valid: properties that mean nothing here,
// and effects that may surprise. One sentence each, by property.
func Warnings(props map[string]string) []string {
	defs := brokerDefs
	var out []string
	for _, name := range slices.Sorted(maps.Keys(props)) {
		if _, ok := find(defs, name); !ok {
			out = append(out, name+": not used by this broker; ignored")
		}
	}
	r := brokerReader{defs: defs, props: props}
	controllers := SplitList(strings.ToUpper(r.text("controller.listener.names")))
	roles := r.roles()
	if roles.Controller {
		bound, _ := parseAddresses("listeners", r.text("listeners"))
		for _, name := range controllers {
			if !slices.ContainsFunc(bound, func(a address) bool { return a.name == name }) {
				out = append(out, "controller.listener.names: "+name+" is none of the listeners; no other node can reach this controller by it")
			}
		}
	} else if len(controllers) > 1 {
		out = append(out, "controller.listener.names: only "+controllers[0]+" is used, because this node is only a broker")
	}
	if bound, err := parseAddresses("listeners", r.text("listeners")); err == nil && r.text("advertised.listeners") == "" {
		for _, a := range bound {
			switch {
			case a.host != "":
			case !contains(controllers, a.name):
				out = append(out, "listeners: "+a.name+" names no host, so clients are told localhost; set advertised.listeners")
			case r.text("controller.quorum.voters") != "" || r.text("controller.quorum.bootstrap.servers") != "":
				out = append(out, "listeners: "+a.name+" names no host, so the other nodes are told localhost; set advertised.listeners")
			}
		}
	}
	if contains(SplitList(r.text("log.cleanup.policy")), "compact") && !r.flag("log.cleaner.enable") {
		out = append(out, "log.cleaner.enable: without the cleaner, records of compacted topics are kept for ever")
	}
	return out
}

// brokerReader reads properties that have passed their definitions' checks, and collects what is wrong beyond.
type brokerReader struct {
	defs  []Def
	props map[string]string
	errs  []error
}

func (r *brokerReader) fail(err error) {
	if err != nil {
		r.errs = append(r.errs, err)
	}
}

func (r *brokerReader) failf(format string, args ...any) { r.fail(fmt.Errorf(format, args...)) }

// text is a property's value, or its default; empty if it has neither.
func (r *brokerReader) text(name string) string {
	if v, ok := r.props[name]; ok {
		return strings.TrimSpace(v)
	}
	d, _ := find(r.defs, name)
	return d.Default
}

func (r *brokerReader) number(name string) int64 {
	n, _ := strconv.ParseInt(r.text(name), 10, 64) // checked
	return n
}

func (r *brokerReader) flag(name string) bool {
	b, _ := parseBool(r.text(name)) // checked
	return b
}

// nodeID is node.id, or broker.id under its older name.
func (r *brokerReader) nodeID() core.NodeID {
	old := r.number("broker.id")
	if old < 0 {
		return core.NodeID(r.number("node.id"))
	}
	if _, both := r.props["node.id"]; both && r.number("node.id") != old {
		r.failf("node.id: %d differs from broker.id, which is %d", r.number("node.id"), old)
	}
	return core.NodeID(old)
}

// logDir is log.dirs, or log.dir.
func (r *brokerReader) logDir() string {
	dirs := SplitList(r.text("log.dirs"))
	switch len(dirs) {
	case 0:
		if dir := r.text("log.dir"); dir != "" {
			return dir
		}
		r.failf("log.dir: there is no data directory")
		return ""
	case 1:
		return dirs[0]
	}
	r.failf("log.dirs: %d directories; only one is supported", len(dirs))
	return ""
}
