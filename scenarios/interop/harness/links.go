package harness

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Network is a small network of namespaces: one for each node, all joined by a hub that routes between them and this
// process. The hub can cut the way from one node to another and leave the way back, which no firewall rule on a common
// loopback interface does: packets are dropped on their way, so that neither side is told.
//
// It is made of veth pairs and policy rules only (ip-netns(8), ip-rule(8)); iptables and netem are not needed.
type Network struct {
	t    testing.TB
	name string // prefix of its namespaces
	n    int
	base int // third octet of its first subnet
}

// Subnets are of 198.18.0.0/16, which is set aside for tests (RFC 2544): a /21 for each network, in it a /30 for each link.
const (
	subnets = 32
	links   = 8 // of a network, the one to this process included
)

// NewNetwork makes a network of n namespaces, and skips the test where that is not permitted.
func NewNetwork(t testing.TB, n int) *Network {
	t.Helper()
	if os.Getuid() != 0 {
		Missing(t, "network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		Missing(t, "network namespaces need the program ip (Debian: iproute2)")
	}
	if n >= links {
		t.Fatalf("%d nodes; a network has room for %d", n, links-1)
	}
	w := &Network{t: t, name: fmt.Sprintf("klamm%d", os.Getpid()), n: n}
	t.Cleanup(w.remove)
	var err error
	for try := range 3 { // another run may have the subnet
		w.base = (os.Getpid() + try) % subnets * links
		if err = w.make(); err == nil {
			return w
		}
		w.remove()
	}
	Missing(t, "this machine does not let the test make network namespaces: %v", err)
	return nil
}

// addr is an address on a link: 1 is the hub's end, 2 the other. Link 0 leads to this process, link i+1 to node i.
func (w *Network) addr(link, end int) string { return fmt.Sprintf("198.18.%d.%d", w.base+link, end) }

// make sets up namespaces, links, addresses and routes. Link 0 of the hub leads to this process, link i+1 to node i.
func (w *Network) make() error {
	hub := w.name + "hub"
	steps := []string{
		"netns add " + hub,
		"-n " + hub + " link set lo up",
		"netns exec " + hub + " sysctl -qw net.ipv4.ip_forward=1",
		fmt.Sprintf("link add %s type veth peer name e0 netns %s", w.uplink(), hub),
		fmt.Sprintf("addr add %s/30 dev %s", w.addr(0, 2), w.uplink()),
		fmt.Sprintf("link set %s up", w.uplink()),
		fmt.Sprintf("-n %s addr add %s/30 dev e0", hub, w.addr(0, 1)),
		fmt.Sprintf("-n %s link set e0 up", hub),
		fmt.Sprintf("route add %s/21 via %s", w.addr(0, 0), w.addr(0, 1)),
	}
	for i := range w.n {
		ns, link := w.namespace(i), fmt.Sprintf("e%d", i+1)
		steps = append(steps,
			"netns add "+ns,
			"-n "+ns+" link set lo up",
			fmt.Sprintf("link add %s netns %s type veth peer name eth0 netns %s", link, hub, ns),
			fmt.Sprintf("-n %s addr add %s/30 dev %s", hub, w.addr(i+1, 1), link),
			fmt.Sprintf("-n %s link set %s up", hub, link),
			fmt.Sprintf("-n %s addr add %s/30 dev eth0", ns, w.Host(i)),
			fmt.Sprintf("-n %s link set eth0 up", ns),
			fmt.Sprintf("-n %s route add default via %s", ns, w.addr(i+1, 1)),
		)
	}
	for _, s := range steps {
		if err := run(s); err != nil {
			return err
		}
	}
	return nil
}

// run runs ip with arguments that have no spaces in them.
func run(line string) error {
	out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", line, err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (w *Network) uplink() string         { return fmt.Sprintf("kl%d", os.Getpid()) }
func (w *Network) namespace(i int) string { return fmt.Sprintf("%sn%d", w.name, i+1) }

// Host is the address of a node, by index.
func (w *Network) Host(i int) string { return w.addr(i+1, 2) }

// Prefix is what puts a command into a node's namespace.
func (w *Network) Prefix(i int) []string { return []string{"ip", "netns", "exec", w.namespace(i)} }

func (w *Network) rule(from, to int) string {
	return fmt.Sprintf("from %s to %s blackhole", w.Host(from), w.Host(to))
}

// Cut drops all packets from one node to another. The way back stays.
func (w *Network) Cut(from, to int) {
	w.t.Helper()
	if err := run("-n " + w.name + "hub rule add " + w.rule(from, to)); err != nil {
		w.t.Fatal(err)
	}
}

// Heal undoes Cut.
func (w *Network) Heal(from, to int) {
	w.t.Helper()
	if err := run("-n " + w.name + "hub rule del " + w.rule(from, to)); err != nil {
		w.t.Fatal(err)
	}
}

// remove takes the network away; links and routes go with the namespaces.
func (w *Network) remove() {
	_ = run("link del " + w.uplink()) // may not have been made
	for i := range w.n {
		_ = run("netns del " + w.namespace(i))
	}
	_ = run("netns del " + w.name + "hub")
}
