package config

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// address is one "NAME://host:port".
type address struct {
	name, host string
	port       int32
}

// bind is the address as the system takes it: IPv6 hosts in brackets.
func (a address) bind() string {
	host := a.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.FormatInt(int64(a.port), 10)
}

// parseAddresses reads listeners or advertised.listeners; key names the property in errors. Names are upper-cased, as
// Kafka does, and come once each.
func parseAddresses(key, value string) ([]address, error) {
	var list []address
	for _, text := range SplitList(value) {
		name, rest, ok := strings.Cut(text, "://")
		colon := strings.LastIndexByte(rest, ':')
		if !ok || name == "" || colon < 0 {
			return nil, fmt.Errorf("%s: %q is not NAME://host:port", key, text)
		}
		a := address{name: strings.ToUpper(name), host: rest[:colon]}
		port, err := strconv.ParseUint(rest[colon+1:], 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%s: %q has no port from 0 to 65535", key, text)
		}
		a.port = int32(port)
		if a.host, err = plainHost(a.host); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", key, text, err)
		}
		for _, other := range list {
			if other.name == a.name {
				return nil, fmt.Errorf("%s: the name %s comes twice", key, a.name)
			}
		}
		list = append(list, a)
	}
	return list, nil
}

// plainHost takes the brackets off an IPv6 address.
func plainHost(host string) (string, error) {
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		ip, err := netip.ParseAddr(host[1 : len(host)-1])
		if err != nil || !ip.Is6() {
			return "", fmt.Errorf("%s is no IPv6 address", host)
		}
		return host[1 : len(host)-1], nil
	}
	if strings.ContainsAny(host, ":[]/ ") {
		return "", fmt.Errorf("%q is no host name; an IPv6 address stands in brackets", host)
	}
	return host, nil
}

// listenerSet is what listeners and its companions say together.
type listenerSet struct {
	clients, controllers []Listener
	names                []string // controller.listener.names
}

// listeners puts listeners, advertised.listeners, controller.listener.names and listener.security.protocol.map
// together.
func (r *brokerReader) listeners(roles Roles) listenerSet {
	bound, err := parseAddresses("listeners", r.text("listeners"))
	r.fail(err)
	advertised, err := parseAddresses("advertised.listeners", r.text("advertised.listeners"))
	r.fail(err)
	set := listenerSet{names: SplitList(strings.ToUpper(r.text("controller.listener.names")))}
	protocols := r.protocols(bound, set.names)
	for i, a := range bound {
		r.checkProtocol("listeners", a.name, protocols)
		for _, other := range bound[:i] {
			if other.bind() == a.bind() && a.port != 0 {
				r.failf("listeners: %s and %s are both bound to %s", other.name, a.name, a.bind())
			}
		}
		if contains(set.names, a.name) {
			set.controllers = append(set.controllers, r.advertise(a, advertised))
		} else {
			set.clients = append(set.clients, r.advertise(a, advertised))
		}
	}
	slices.SortStableFunc(set.controllers, func(a, b Listener) int {
		return cmp.Compare(slices.Index(set.names, a.Name), slices.Index(set.names, b.Name))
	})
	r.checkRoles(roles, &set, protocols)
	r.checkAdvertised(bound, advertised)
	return set
}

func (r *brokerReader) checkProtocol(key, name string, protocols map[string]string) {
	switch protocol, ok := protocols[name]; {
	case !ok:
		r.failf("%s: listener.security.protocol.map has no security protocol for %s", key, name)
	case protocol != "PLAINTEXT":
		r.failf("%s: %s wants %s, but only PLAINTEXT is served", key, name, protocol)
	}
}

// checkRoles refuses listeners that do not fit process.roles, as Kafka's KafkaConfig does.
func (r *brokerReader) checkRoles(roles Roles, set *listenerSet, protocols map[string]string) {
	for i, name := range set.names {
		if contains(set.names[:i], name) {
			r.failf("controller.listener.names: the name %s comes twice", name)
		}
	}
	switch {
	case roles.Broker && len(set.clients) == 0:
		r.failf("listeners: there is no listener for clients; perhaps all appear in controller.listener.names")
	case roles.Controller && !roles.Broker && len(set.clients) > 0:
		r.failf("listeners: %s is none of controller.listener.names, but process.roles contains only the controller role", set.clients[0].Name)
	case roles.Broker && !roles.Controller && len(set.controllers) > 0:
		r.failf("controller.listener.names: %s appears in listeners, but process.roles contains only the broker role", set.controllers[0].Name)
	case roles.Broker && !roles.Controller && len(set.names) > 0:
		r.checkProtocol("controller.listener.names", set.names[0], protocols)
	}
}

// advertise finds what clients are told about a listener.
func (r *brokerReader) advertise(a address, advertised []address) Listener {
	l := Listener{Name: a.name, Bind: a.bind(), AdvertisedHost: a.host, AdvertisedPort: a.port}
	for _, adv := range advertised {
		if adv.name == a.name {
			l.AdvertisedHost, l.AdvertisedPort = adv.host, adv.port
		}
	}
	switch l.AdvertisedHost {
	case "0.0.0.0", "::":
		r.failf("advertised.listeners: clients cannot connect to %s; name a host for %s", l.AdvertisedHost, a.name)
	case "":
		// Kafka asks the system for its name. The core has no system; warnings says so.
		l.AdvertisedHost = "localhost"
	}
	return l
}

// checkAdvertised refuses names that point nowhere.
func (r *brokerReader) checkAdvertised(bound, advertised []address) {
	for _, a := range advertised {
		if !slices.ContainsFunc(bound, func(b address) bool { return b.name == a.name }) {
			r.failf("advertised.listeners: %s is none of the listeners", a.name)
		}
	}
}

// interBroker finds the listener that brokers use among themselves. b's listeners and voters are resolved.
func (r *brokerReader) interBroker(b *Broker) string {
	if !b.Roles.Broker || len(b.Listeners) == 0 {
		return ""
	}
	known := func(name string) bool {
		return slices.ContainsFunc(b.Listeners, func(l Listener) bool { return l.Name == name })
	}
	name := strings.ToUpper(r.text("inter.broker.listener.name"))
	_, protocol := r.props["security.inter.broker.protocol"]
	switch {
	case name != "" && protocol:
		r.failf("inter.broker.listener.name: set either it or security.inter.broker.protocol")
	case name != "" && known(name):
		return name
	case name != "":
		r.failf("inter.broker.listener.name: %s is none of the brokers' listeners", name)
	case known("PLAINTEXT"): // Kafka: the listener that has the name of security.inter.broker.protocol
		return "PLAINTEXT"
	case b.Alone():
		return b.Listeners[0].Name
	default:
		r.failf("inter.broker.listener.name: must name one of the listeners, because none is named PLAINTEXT")
	}
	return ""
}

// protocols reads listener.security.protocol.map.
func (r *brokerReader) protocols(bound []address, controllers []string) map[string]string {
	out := make(map[string]string)
	for _, pair := range SplitList(r.text("listener.security.protocol.map")) {
		name, protocol, ok := strings.Cut(pair, ":")
		if !ok {
			r.failf("listener.security.protocol.map: %q is not NAME:PROTOCOL", pair)
		}
		out[strings.ToUpper(name)] = strings.ToUpper(protocol)
	}
	if _, set := r.props["listener.security.protocol.map"]; set {
		return out
	}
	// As Kafka: controllers' names need no entry in the default map, unless something is to be encrypted, when somebody
	// who forgot the entry would be surprised by a controller in the clear.
	secure := func(name string) bool { return name == "SSL" || strings.HasPrefix(name, "SASL_") }
	if slices.ContainsFunc(controllers, secure) || slices.ContainsFunc(bound, func(a address) bool { return secure(a.name) }) {
		return out
	}
	for _, name := range controllers {
		out[name] = "PLAINTEXT"
	}
	return out
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
