package sim

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// Names of the listeners, and the ports on which every node has them.
const (
	clientListener     = "PLAINTEXT"
	controllerListener = "CONTROLLER"
	clientPort         = ":9092"
	controllerPort     = ":9093"
)

// IsBroker reports whether the node holds partitions and serves clients.
func (b *BrokerPlan) IsBroker() bool { return b.Roles == "" || strings.Contains(b.Roles, "broker") }

// IsController reports whether the node is a voter, or may become one.
func (b *BrokerPlan) IsController() bool {
	return b.Roles == "" || strings.Contains(b.Roles, "controller")
}

// host is the address of a node, by its index in the plan.
func host(i int) string { return fmt.Sprintf("10.0.0.%d", i+1) }

// nodeID is the id of a node, by its index in the plan.
func nodeID(i int) core.NodeID { return core.NodeID(i + 1) }

// IsCluster reports whether the plan has several nodes. A world of one broker is run as it always was.
func (p *Plan) IsCluster() bool { return len(p.Brokers) > 1 }

// voters is controller.quorum.voters: every node with the controller role that is there from the beginning.
func (p *Plan) voters() string {
	var list []string
	for i := range p.Brokers {
		if b := &p.Brokers[i]; b.IsController() && !b.Late && !b.Absent {
			list = append(list, fmt.Sprintf("%d@%s%s", nodeID(i), host(i), controllerPort))
		}
	}
	return strings.Join(list, ",")
}

// controllers is controller.quorum.bootstrap.servers.
func (p *Plan) controllers() string {
	var list []string
	for i := range p.Brokers {
		if b := &p.Brokers[i]; b.IsController() && !b.Late && !b.Absent {
			list = append(list, host(i)+controllerPort)
		}
	}
	return strings.Join(list, ",")
}

// properties is the configuration of a node.
func (p *Plan) properties(i int) map[string]string {
	b := &p.Brokers[i]
	client, controller := clientListener+"://"+host(i)+clientPort, controllerListener+"://"+host(i)+controllerPort
	props := map[string]string{
		"node.id": strconv.Itoa(i + 1), "process.roles": "broker,controller",
		"listeners": client, "controller.listener.names": controllerListener,
	}
	if p.IsCluster() {
		props["cluster.id"] = core.TopicIDFromWords(prng.New(p.Seed).Fork("cluster").Uint64(), 1).String()
		props["listener.security.protocol.map"] = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
		if b.Late || b.Absent { // a voter by name would count before it was added (KIP-853)
			props["controller.quorum.bootstrap.servers"] = p.controllers()
		} else {
			props["controller.quorum.voters"] = p.voters()
		}
		switch {
		case !b.IsController():
			props["process.roles"] = "broker"
		case !b.IsBroker():
			props["process.roles"], props["listeners"] = "controller", controller
		default:
			props["listeners"] = client + "," + controller
		}
	}
	for _, x := range b.Properties {
		props[x.Name] = x.Value
	}
	return props
}

// listeners are the addresses that a node serves.
func (p *Plan) listeners(i int) []*listener {
	b := &p.Brokers[i]
	var list []*listener
	if b.IsBroker() {
		list = append(list, &listener{name: clientListener, addr: host(i) + clientPort,
			config: conn.Config{Versions: conn.NewVersions(broker.APIs()...)}})
	}
	if b.IsController() && p.IsCluster() {
		list = append(list, &listener{name: controllerListener, addr: host(i) + controllerPort,
			config: conn.Config{Versions: conn.NewVersions(conn.ControllerAPIs()...)}})
	}
	return list
}

// node is the process of one node of the plan.
func (r *run) node(i int) *process {
	plan := r.plan.Brokers[i]
	name := r.plan.nodeName(i)
	props := r.plan.properties(i)
	cfg, err := config.ResolveBroker(props)
	if err != nil {
		panic(fmt.Sprintf("sim: the plan's configuration of %s: %v", name, err))
	}
	tuning := plan.Tuning
	tuning.Check = true
	p := &process{
		name: name, perEvent: plan.PerEvent, listeners: r.plan.listeners(i), listening: listening,
		disk:   simdisk.New(r.w.rand.Fork("disk/"+name), plan.Disk),
		onTurn: r.brokerTurn,
		swaps:  make(map[string]bool),
	}
	p.spawn = func(int64) (step.Machine, Driver) {
		seed := r.w.rand.Fork("seed/"+name).ForkN("after", p.doom).Uint64()
		return broker.New(broker.Options{Config: cfg, Static: props, Seed: seed, Tuning: tuning}), nil
	}
	return p
}

// listening reports whether a machine wants a listener open.
func listening(m step.Machine, name string) bool {
	return m.(machine).Listening(name)
}
