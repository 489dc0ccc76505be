package config

import (
	"fmt"
	"net/netip"
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

// listeners puts listeners, advertised.listeners, controller.listener.names and listener.security.protocol.map
// together.
func (r *brokerReader) listeners() []Listener {
	bound, err := parseAddresses("listeners", r.text("listeners"))
	r.fail(err)
	advertised, err := parseAddresses("advertised.listeners", r.text("advertised.listeners"))
	r.fail(err)
	controllers := SplitList(strings.ToUpper(r.text("controller.listener.names")))
	protocols := r.protocols()
	var out []Listener
	for _, a := range bound {
		if contains(controllers, a.name) {
			continue
		}
		switch protocol, ok := protocols[a.name]; {
		case !ok:
			r.failf("listeners: listener.security.protocol.map has no security protocol for %s", a.name)
		case protocol != "PLAINTEXT":
			r.failf("listeners: %s wants %s, but only PLAINTEXT is served", a.name, protocol)
		}
		for _, other := range out {
			if other.Bind == a.bind() && a.port != 0 {
				r.failf("listeners: %s and %s are both bound to %s", other.Name, a.name, a.bind())
			}
		}
		out = append(out, r.advertise(a, advertised))
	}
	if len(out) == 0 {
		r.failf("listeners: there is no listener for clients")
	}
	r.checkNames(bound, advertised, controllers)
	return out
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

// checkNames refuses names that point nowhere.
func (r *brokerReader) checkNames(bound, advertised []address, controllers []string) {
	known := make([]string, len(bound))
	for i, a := range bound {
		known[i] = a.name
	}
	for _, a := range advertised {
		if !contains(known, a.name) {
			r.failf("advertised.listeners: %s is none of the listeners", a.name)
		}
	}
	if name := strings.ToUpper(r.text("inter.broker.listener.name")); name != "" && (!contains(known, name) || contains(controllers, name)) {
		r.failf("inter.broker.listener.name: %s is none of the brokers' listeners", name)
	}
}

// protocols reads listener.security.protocol.map.
func (r *brokerReader) protocols() map[string]string {
	out := make(map[string]string)
	for _, pair := range SplitList(r.text("listener.security.protocol.map")) {
		name, protocol, ok := strings.Cut(pair, ":")
		if !ok {
			r.failf("listener.security.protocol.map: %q is not NAME:PROTOCOL", pair)
		}
		out[strings.ToUpper(name)] = strings.ToUpper(protocol)
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
