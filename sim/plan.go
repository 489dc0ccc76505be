package sim

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/sim/simdisk"
	"github.com/klamm-log/klamm/sim/simnet"
	"github.com/klamm-log/klamm/sim/workload"
)

// Plan is all that decides a run. It is plain data: a capsule stores it, a shrinker takes parts away.
type Plan struct {
	Seed    uint64          `json:"seed"`
	Profile string          `json:"profile"`
	Brokers []BrokerPlan    `json:"brokers"` // all nodes
	Clients []workload.Plan `json:"clients"`
	Faults  []Fault         `json:"faults"`
	Net     simnet.Config   `json:"net,omitzero"`

	Safety core.Mono `json:"safety_ns"` // length of the phase with faults
	Settle core.Mono `json:"settle_ns"` // bound on the healed phase: everything promised happens within it

	// Core are the indexes of the nodes that are healed first, when the faults end: among themselves they must keep every
	// promise, while the others stay as they are. Empty: all nodes.
	Core []int32 `json:"core,omitempty"`

	// Buggify are the places in the shell and at the edges that are unkind, see [Buggify].
	Buggify []Buggify `json:"buggify,omitempty"`

	// SafetyOnly ends the run with the faults: nothing is healed, and nothing is judged that would have to happen later. A
	// promise that was broken before stays broken, so a shrinker sets it where it can.
	SafetyOnly bool `json:"safety_only,omitempty"`

	// ExpectLoss says that faults of the plan may destroy the only copy of a record: nothing is promised to stay.
	ExpectLoss bool `json:"expect_loss,omitempty"`
}

// Processes are the names of all processes of a run, in the order of their indexes: nodes, then clients.
func (p *Plan) Processes() []string {
	var names []string
	for i := range p.Brokers {
		names = append(names, p.nodeName(i))
	}
	for i := range p.Clients {
		names = append(names, p.clientName(i))
	}
	return names
}

func (p *Plan) nodeName(i int) string {
	if !p.Brokers[i].IsBroker() {
		return fmt.Sprintf("controller%d", i+1)
	}
	return fmt.Sprintf("broker%d", i+1)
}

func (p *Plan) clientName(i int) string { return fmt.Sprintf("client%d", p.Clients[i].ID) }

// BrokerPlan is one node: a broker, a controller or both. Its id is its index plus one.
type BrokerPlan struct {
	// Roles is process.roles; empty is both. Nodes with the controller role are the quorum's first voters.
	Roles string `json:"roles,omitempty"`
	// Absent says that a shrinker has taken the node out: it is nobody's voter and never starts. It keeps its place in the
	// list, so that the ids, links and draws of the others stay what they were.
	Absent bool `json:"absent,omitempty"`
	// StartAt is when the node is started for the first time.
	StartAt core.Mono `json:"start_at_ns,omitempty"`
	// Late says that a controller is no voter at first: it watches, until an admin adds it.
	Late bool `json:"late,omitempty"`
	// Properties are Kafka's, as in server.properties; the listener and identity are the world's.
	Properties []Property     `json:"properties,omitempty"`
	Tuning     broker.Tuning  `json:"tuning,omitzero"`
	Disk       simdisk.Config `json:"disk,omitzero"`
	PerEvent   core.Mono      `json:"per_event_ns,omitempty"` // time that one event costs
}

// Property is one line of server.properties.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// FaultKind says what a Fault does.
type FaultKind string

// The faults among nodes. Clients reach every node all the same.
const (
	Groups        FaultKind = "groups"         // the nodes whose bits Amount has lose all others
	Bridge        FaultKind = "bridge"         // the same, but Node keeps both sides
	OneWay        FaultKind = "one-way"        // Node hears the others and cannot reach them; the other way round if Amount is 1
	NoController  FaultKind = "no-controller"  // Node loses every controller, and keeps all brokers; combined nodes too
	NoReplication FaultKind = "no-replication" // Node and the other brokers cannot fetch from each other; controllers and clients hear all
	Wipe          FaultKind = "wipe"           // power loss at At, and the disk is lost; start at Until with the same node id
)

// The faults of processes, clocks and the network; those of disks are in [simdisk.Config].
const (
	Crash       FaultKind = "crash"        // the process dies at At and starts again at Until
	PowerLoss   FaultKind = "power-loss"   // so does its host, with the page cache
	Pause       FaultKind = "pause"        // no turn from At to Until; what arrives waits
	ClockJump   FaultKind = "clock-jump"   // the wall clock moves by Amount ms
	ClockDrift  FaultKind = "clock-drift"  // the monotonic clock runs Amount ppm fast from the next start on
	Cut         FaultKind = "cut"          // the link from Node to Peer carries nothing
	CutAPI      FaultKind = "cut-api"      // requests of key Amount stall on the link from Node to Peer
	SlowLink    FaultKind = "slow-link"    // the link from Node to Peer gets Amount ns slower
	Reset       FaultKind = "reset"        // one open connection of Node dies; Amount's bits say which direction loses
	CrashLoop   FaultKind = "crash-loop"   // Amount crashes in a row, each soon after the start: crash in recovery
	CrashDirty  FaultKind = "crash-dirty"  // power loss at the first instant from At on with writes not synced
	CleanReboot FaultKind = "clean-reboot" // orderly shutdown at At, start at Until
)

// Fault is one decision of the fault plan.
type Fault struct {
	ID     int64     `json:"id"` // names the fault's draws; kept when others are removed
	Kind   FaultKind `json:"kind"`
	At     core.Mono `json:"at_ns"`
	Until  core.Mono `json:"until_ns,omitempty"`
	Node   int32     `json:"node"`             // broker index, or number of brokers plus client index
	Peer   int32     `json:"peer,omitempty"`   // the other end of a link
	Leader bool      `json:"leader,omitempty"` // hits whoever leads the quorum at At; Node, if nobody does
	Amount int64     `json:"amount,omitempty"`
}
