package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
)

// roles reads process.roles. The definition has let nothing but the two names pass.
func (r *brokerReader) roles() Roles {
	var out Roles
	list := SplitList(r.text("process.roles"))
	for _, role := range list {
		twice := role == "broker" && out.Broker || role == "controller" && out.Controller
		if twice {
			r.failf("process.roles: %s comes twice", role)
		}
		out.Broker = out.Broker || role == "broker"
		out.Controller = out.Controller || role == "controller"
	}
	if len(list) == 0 { // Kafka: a node of a ZooKeeper cluster, which KIP-896 ended
		r.failf("process.roles: must contain broker, controller or both")
	}
	return out
}

// quorum finds out whom the node forms a quorum with, or where it finds one. b's listeners are resolved.
func (r *brokerReader) quorum(b *Broker) {
	before := len(r.errs)
	voters, servers := r.voters(b.NodeID), r.bootstrapServers()
	if len(r.errs) > before {
		return // what follows would complain about what could not be read
	}
	if b.Roles.Controller && len(voters) == 0 && (len(servers) == 0 || len(servers) == 1 && own(b, servers[0])) {
		// A quorum of one. A lone bootstrap server that is the node itself is Kafka's stock server.properties, which is
		// meant for a directory formatted with --standalone.
		b.Voters = []Voter{standalone(b)}
		return
	}
	b.Voters, b.BootstrapServers = voters, servers
	r.checkVoters(b)
	r.checkReachable(b)
}

// own reports whether a bootstrap server is one of the node's controller listeners.
func own(b *Broker, server string) bool {
	return slices.ContainsFunc(b.ControllerListeners, func(l Listener) bool {
		return server == hostPort(l.AdvertisedHost, l.AdvertisedPort) || server == l.Bind
	})
}

// standalone is the only voter of a quorum of one. It needs no address; others that join want one.
func standalone(b *Broker) Voter {
	v := Voter{ID: b.NodeID}
	if len(b.ControllerListeners) > 0 {
		v.Host, v.Port = b.ControllerListeners[0].AdvertisedHost, b.ControllerListeners[0].AdvertisedPort
	}
	return v
}

// Alone reports whether the node begins as a quorum of one. Others may join it later.
func (b *Broker) Alone() bool { return len(b.Voters) == 1 && b.Voters[0].ID == b.NodeID }

// voters reads controller.quorum.voters, sorted by id.
func (r *brokerReader) voters(self core.NodeID) []Voter {
	const key = "controller.quorum.voters"
	var out []Voter
	for _, text := range SplitList(r.text(key)) {
		id, addr, ok := strings.Cut(text, "@")
		n, err := strconv.ParseInt(id, 10, 32)
		if !ok || err != nil || n < 0 {
			r.failf("%s: %q is not id@host:port", key, text)
			continue
		}
		host, port, err := splitHostPort(addr)
		if err != nil {
			r.failf("%s: %q is not id@host:port: %w", key, text, err)
			continue
		}
		v := Voter{ID: core.NodeID(n), Host: host, Port: port}
		if v.Port == 0 && v.ID != self {
			r.failf("%s: %q has port 0; only this node's own port can be left to the system", key, text)
		}
		for _, other := range out {
			switch {
			case other.ID == v.ID: // Kafka keeps the last and says nothing: a typing error makes a smaller quorum
				r.failf("%s: node %d comes twice", key, v.ID)
			case other.Host == v.Host && other.Port == v.Port && v.Port != 0:
				r.failf("%s: nodes %d and %d are both at %s", key, other.ID, v.ID, hostPort(v.Host, v.Port))
			}
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b Voter) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// bootstrapServers reads controller.quorum.bootstrap.servers.
func (r *brokerReader) bootstrapServers() []string {
	const key = "controller.quorum.bootstrap.servers"
	var out []string
	for _, text := range SplitList(r.text(key)) {
		host, port, err := splitHostPort(text)
		switch {
		case err != nil:
			r.failf("%s: %q is not host:port: %w", key, text, err)
		case port == 0:
			r.failf("%s: %q has port 0, where nobody can be found", key, text)
		case !contains(out, hostPort(host, port)):
			out = append(out, hostPort(host, port))
		}
	}
	return out
}

// checkVoters refuses a quorum that contradicts the node's roles. The rules are those of Kafka's KafkaConfig.
func (r *brokerReader) checkVoters(b *Broker) {
	member := slices.ContainsFunc(b.Voters, func(v Voter) bool { return v.ID == b.NodeID })
	switch {
	case len(b.Voters) == 0 && len(b.BootstrapServers) == 0:
		r.failf("controller.quorum.voters: neither it nor controller.quorum.bootstrap.servers says where the controllers of this broker are")
	case len(b.Voters) == 0:
	case b.Roles.Controller && !member:
		r.failf("controller.quorum.voters: process.roles contains the controller role, so the voters must include node %d; they are %s",
			b.NodeID, voterIDs(b.Voters))
	case !b.Roles.Controller && member:
		r.failf("controller.quorum.voters: process.roles contains only the broker role, so the voters must not include node %d; they are %s",
			b.NodeID, voterIDs(b.Voters))
	}
}

// checkReachable refuses a node of a quorum of several that the others could not reach, or that would not know by which
// name it reaches them.
func (r *brokerReader) checkReachable(b *Broker) {
	switch {
	case b.Roles.Controller && !b.Alone() && len(b.ControllerListeners) == 0:
		r.failf("controller.listener.names: must name one of the listeners, because node %d is a controller and not the only node", b.NodeID)
	case !b.Roles.Controller && len(b.ControllerListenerNames) == 0:
		r.failf("controller.listener.names: must contain a name, because process.roles contains only the broker role")
	}
}

func voterIDs(voters []Voter) string {
	ids := make([]string, len(voters))
	for i, v := range voters {
		ids[i] = strconv.FormatInt(int64(v.ID), 10)
	}
	return strings.Join(ids, ", ")
}

// splitHostPort reads "host:port" of a node to dial: the host is there and can be routed to.
func splitHostPort(text string) (host string, port int32, err error) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return "", 0, errors.New("there is no port")
	}
	n, err := strconv.ParseUint(text[colon+1:], 10, 16)
	if err != nil {
		return "", 0, errors.New("the port is not from 0 to 65535")
	}
	if host, err = plainHost(text[:colon]); err != nil {
		return "", 0, err
	}
	switch host {
	case "":
		return "", 0, errors.New("there is no host")
	case "0.0.0.0", "::":
		return "", 0, fmt.Errorf("nobody can connect to %s", host)
	}
	return host, int32(n), nil
}

// hostPort is the inverse of splitHostPort.
func hostPort(host string, port int32) string { return address{host: host, port: port}.bind() }
