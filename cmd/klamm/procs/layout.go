//go:build !js

package procs

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Layout is the shape of a cluster: its nodes and where they listen. A data directory remembers it, because the ports of
// voters stand in the metadata log.
type Layout struct {
	ClusterID string `json:"cluster_id"`
	Nodes     []Node `json:"nodes"` // by id, from 1
}

// Node is one process of a layout.
type Node struct {
	ID             int  `json:"id"`
	Broker         bool `json:"broker"`
	Controller     bool `json:"controller"`
	Port           int  `json:"port,omitempty"`            // for clients, of a broker
	ControllerPort int  `json:"controller_port,omitempty"` // of a controller
}

// layoutName is the file of the data directory that holds the layout.
const layoutName = "cluster.json"

// host is where everything listens: nobody else is to reach a throw-away cluster.
const host = "127.0.0.1"

// mostVoters is how many of the brokers are controllers too, at most: a quorum of three survives one failure, and one of
// five would wait for more disks.
const mostVoters = 3

// Shape says which nodes there are: so many brokers, then so many nodes that are only controllers. Without such, the first
// brokers are controllers too, an odd number of them. The error says what is wrong with the numbers.
func Shape(brokers, controllers int) ([]Node, error) {
	switch {
	case brokers < 1 || brokers > 100:
		return nil, fmt.Errorf("a cluster of %d brokers: 1 to 100 are possible", brokers)
	case controllers < 0 || controllers > 9:
		return nil, fmt.Errorf("%d controllers: 0 to 9 are possible", controllers)
	}
	combined := 0
	if controllers == 0 {
		combined = min(brokers, mostVoters)
		combined -= 1 - combined%2
	}
	var nodes []Node
	for i := range brokers {
		nodes = append(nodes, Node{ID: i + 1, Broker: true, Controller: i < combined})
	}
	for i := range controllers {
		nodes = append(nodes, Node{ID: brokers + i + 1, Controller: true})
	}
	return nodes, nil
}

// NewLayout gives nodes free ports and the cluster an identity.
func NewLayout(nodes []Node) (Layout, error) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[0] &= 0x7f           // Kafka draws none that prints with a dash in front: it would look like a flag
	l := Layout{ClusterID: base64.RawURLEncoding.EncodeToString(id[:]), Nodes: nodes}
	// All ports are held until all are chosen, or one would come twice.
	var held []net.Listener
	defer func() {
		for _, socket := range held {
			_ = socket.Close()
		}
	}()
	port := func() (int, error) {
		socket, err := net.Listen("tcp", host+":0")
		if err != nil {
			return 0, err
		}
		held = append(held, socket)
		return socket.Addr().(*net.TCPAddr).Port, nil
	}
	for i := range l.Nodes {
		n := &l.Nodes[i]
		var err, err2 error
		if n.Broker {
			n.Port, err = port()
		}
		if n.Controller {
			n.ControllerPort, err2 = port()
		}
		if err := errors.Join(err, err2); err != nil {
			return Layout{}, err
		}
	}
	return l, nil
}

// LoadLayout reads the layout of a data directory. There is none, and no error, in a directory that is new.
func LoadLayout(dir string) (Layout, bool, error) {
	b, err := os.ReadFile(filepath.Join(dir, layoutName))
	if errors.Is(err, fs.ErrNotExist) {
		return Layout{}, false, nil
	}
	if err != nil {
		return Layout{}, false, err
	}
	var l Layout
	if err := json.Unmarshal(b, &l); err != nil {
		return Layout{}, false, fmt.Errorf("%s: %w", filepath.Join(dir, layoutName), err)
	}
	if len(l.Nodes) == 0 {
		return Layout{}, false, fmt.Errorf("%s describes no cluster", filepath.Join(dir, layoutName))
	}
	return l, true, nil
}

// HasShape reports whether the layout has the given nodes, wherever they listen.
func (l *Layout) HasShape(nodes []Node) bool {
	return slices.EqualFunc(l.Nodes, nodes, func(a, b Node) bool {
		return a.ID == b.ID && a.Broker == b.Broker && a.Controller == b.Controller
	})
}

// Words says how many nodes of each role there are.
func (l *Layout) Words() string {
	brokers, controllers := l.count()
	return fmt.Sprintf("%d nodes, of which %d are brokers and %d are controllers", len(l.Nodes), brokers, controllers)
}

// count counts the nodes with each role.
func (l *Layout) count() (brokers, controllers int) {
	for _, n := range l.Nodes {
		if n.Broker {
			brokers++
		}
		if n.Controller {
			controllers++
		}
	}
	return brokers, controllers
}

// Bootstrap are the addresses of the brokers.
func (l *Layout) Bootstrap() []string {
	var out []string
	for _, n := range l.Nodes {
		if n.Broker {
			out = append(out, n.Address())
		}
	}
	return out
}

// Address is where clients find the node, empty if it is no broker.
func (n Node) Address() string { return address(n.Port) }

// ControllerAddress is where other nodes find the controller, empty if it is none.
func (n Node) ControllerAddress() string { return address(n.ControllerPort) }

func address(port int) string {
	if port == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", host, port)
}

// Roles is the node's process.roles.
func (n Node) Roles() string {
	var roles []string
	if n.Broker {
		roles = append(roles, "broker")
	}
	if n.Controller {
		roles = append(roles, "controller")
	}
	return strings.Join(roles, ",")
}

// Dir is where a node's files are.
func (n Node) Dir(dir string) string { return filepath.Join(dir, fmt.Sprintf("node-%d", n.ID)) }

// Properties is the server.properties of a node. set are lines to end it with, which override the others. Topics get three
// replicas where there are brokers for them, of which two must be in sync: what a cluster is for.
func (l *Layout) Properties(n Node, dir string, set []string) string {
	var voters, listeners []string
	for _, v := range l.Nodes {
		if v.Controller {
			voters = append(voters, fmt.Sprintf("%d@%s", v.ID, v.ControllerAddress()))
		}
	}
	if n.Broker {
		listeners = append(listeners, "PLAINTEXT://"+n.Address())
	}
	if n.Controller {
		listeners = append(listeners, "CONTROLLER://"+n.ControllerAddress())
	}
	brokers, _ := l.count()
	replicas := min(brokers, 3)
	lines := []string{
		"process.roles=" + n.Roles(),
		fmt.Sprintf("node.id=%d", n.ID),
		"cluster.id=" + l.ClusterID,
		"listeners=" + strings.Join(listeners, ","),
		"controller.listener.names=CONTROLLER",
		"controller.quorum.voters=" + strings.Join(voters, ","),
		"log.dirs=" + filepath.ToSlash(filepath.Join(n.Dir(dir), "data")),
		fmt.Sprintf("default.replication.factor=%d", replicas),
		fmt.Sprintf("offsets.topic.replication.factor=%d", replicas),
		fmt.Sprintf("min.insync.replicas=%d", max(1, replicas-1)),
	}
	return strings.Join(append(lines, set...), "\n") + "\n"
}

// write puts the layout and each node's server.properties into the data directory.
func (l *Layout) write(dir string, set []string) error {
	for _, n := range l.Nodes {
		if err := os.MkdirAll(n.Dir(dir), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(n.file(dir), []byte(l.Properties(n, dir, set)), 0o644); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, layoutName), append(b, '\n'), 0o644)
}

func (n Node) file(dir string) string { return filepath.Join(n.Dir(dir), "server.properties") }
