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
	r := brokerReader{defs: BrokerDefs(), props: props}
	for _, name := range slices.Sorted(maps.Keys(props)) {
		if _, ok := find(r.defs, name); ok {
			r.fail(CheckBroker(name, props[name]))
		}
	}
	if len(r.errs) > 0 {
		return Broker{}, errors.Join(r.errs...) // what follows relies on values that parse
	}
	b := Broker{
		NodeID:                 r.nodeID(),
		ClusterID:              r.text("cluster.id"),
		Rack:                   r.text("broker.rack"),
		Listeners:              r.listeners(),
		LogDir:                 r.logDir(),
		AutoCreateTopics:       r.flag("auto.create.topics.enable"),
		DeleteTopicEnable:      r.flag("delete.topic.enable"),
		NumPartitions:          int32(r.number("num.partitions")),
		DefaultReplication:     int16(r.number("default.replication.factor")),
		FetchMaxBytes:          int32(r.number("fetch.max.bytes")),
		FetchSessionSlots:      int32(r.number("max.incremental.fetch.session.cache.slots")),
		ProducerIDExpirationMs: r.number("producer.id.expiration.ms"),
		CheckpointIntervalMs:   r.number("log.flush.offset.checkpoint.interval.ms"),
		RetentionCheckMs:       r.number("log.retention.check.interval.ms"),
		MaxRequestPartitions:   int32(r.number("max.request.partition.size.limit")),
		DiskStallMs:            r.number("klamm.disk.stall.ms"),
	}
	if r.text("klamm.durability") == "os" {
		b.Durability = DurabilityOS
	}
	r.checkQuorum(b.NodeID)
	return b, errors.Join(r.errs...)
}

// Warnings lists what an operator should hear about a configuration that is valid: properties that mean nothing here,
// and effects that may surprise. One sentence each, by property.
func Warnings(props map[string]string) []string {
	defs := BrokerDefs()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(props)) {
		if _, ok := find(defs, name); !ok {
			out = append(out, name+": not used by this broker; ignored")
		}
	}
	r := brokerReader{defs: defs, props: props}
	if names := r.text("controller.listener.names"); names != "" {
		out = append(out, "controller.listener.names: "+names+" is not opened while this node is the whole quorum")
	}
	if bound, err := parseAddresses("listeners", r.text("listeners")); err == nil && r.text("advertised.listeners") == "" {
		for _, a := range bound {
			if a.host == "" && !contains(SplitList(strings.ToUpper(r.text("controller.listener.names"))), a.name) {
				out = append(out, "listeners: "+a.name+" names no host, so clients are told localhost; set advertised.listeners")
			}
		}
	}
	if contains(SplitList(r.text("log.cleanup.policy")), "compact") {
		out = append(out, "log.cleanup.policy: compaction does not happen yet; records of compacted topics are kept")
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

// checkQuorum refuses clusters of several nodes: there is no replication yet.
func (r *brokerReader) checkQuorum(node core.NodeID) {
	roles := SplitList(r.text("process.roles"))
	if !contains(roles, "broker") || !contains(roles, "controller") {
		r.failf("process.roles: must be broker,controller, because a cluster is one node so far")
	}
	voters := SplitList(r.text("controller.quorum.voters"))
	if len(voters) > 1 {
		r.failf("controller.quorum.voters: names %d nodes, but a cluster is one node so far", len(voters))
	} else if len(voters) == 1 {
		id, _, ok := strings.Cut(voters[0], "@")
		n, err := strconv.ParseInt(id, 10, 32)
		switch {
		case !ok || err != nil:
			r.failf("controller.quorum.voters: %q is not id@host:port", voters[0])
		case core.NodeID(n) != node:
			r.failf("controller.quorum.voters: names node %d, this is node %d, and a cluster is one node so far", n, node)
		}
	}
	if n := len(SplitList(r.text("controller.quorum.bootstrap.servers"))); n > 1 {
		r.failf("controller.quorum.bootstrap.servers: names %d addresses, but a cluster is one node so far", n)
	}
}
