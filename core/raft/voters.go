package raft

import (
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/metadata"
)

// VoterKey identifies a replica of the metadata log: a node whose disk was replaced comes back as another replica
// (KIP-853). A zero DirectoryID is unknown.
type VoterKey struct {
	ID          core.NodeID
	DirectoryID metadata.DirectoryID
}

// nobody is the key of no replica.
func nobody() VoterKey { return VoterKey{ID: core.NoNode} }

// compare orders keys by id, then by directory.
func (k VoterKey) compare(o VoterKey) int {
	if k.ID != o.ID {
		if k.ID < o.ID {
			return -1
		}
		return 1
	}
	return core.TopicID(k.DirectoryID).Compare(core.TopicID(o.DirectoryID))
}

// Bootstrap is one entry of controller.quorum.voters.
type Bootstrap struct {
	ID   core.NodeID
	Addr string // "host:port"
}

// The levels of kraft.version that this implementation can run with. At 0 voters are known by id alone.
const (
	kraftMin        metadata.FeatureLevel = 0
	kraftReconfig   metadata.FeatureLevel = 1 // voters have directory ids, and the voter set is in the log (KIP-853)
	kraftMax                              = kraftReconfig
	defaultListener                       = "CONTROLLER"
)

// voterSet is the voters in ascending order of id. It is never changed in place.
type voterSet []metadata.VoterRegistration

// staticVoters is the voter set of the configuration: without directory ids.
func staticVoters(list []Bootstrap, listener string) voterSet {
	var s voterSet
	for _, b := range list {
		host, port := splitAddr(b.Addr)
		s = s.with(metadata.VoterRegistration{
			ID: b.ID, Endpoints: []metadata.VoterEndpoint{{Name: listener, Host: host, Port: port}},
			KRaftMin: kraftMin, KRaftMax: kraftMax,
		})
	}
	return s
}

// byID is the voter with the id, whatever its directory.
func (s voterSet) byID(id core.NodeID) (metadata.VoterRegistration, bool) {
	for _, v := range s {
		if v.ID == id {
			return v, true
		}
	}
	return metadata.VoterRegistration{}, false
}

// has reports whether the replica is a voter. A voter without a directory id (kraft.version 0) is known by id alone.
func (s voterSet) has(k VoterKey) bool {
	v, ok := s.byID(k.ID)
	return ok && isVoter(v, k)
}

func isVoter(v metadata.VoterRegistration, k VoterKey) bool {
	return v.ID == k.ID && (v.DirectoryID == metadata.DirMigrating || v.DirectoryID == k.DirectoryID)
}

// with is the set with the voter added, or put in place of the one with its id.
func (s voterSet) with(v metadata.VoterRegistration) voterSet {
	n := s.without(v.ID)
	at := 0
	for at < len(n) && n[at].ID < v.ID {
		at++
	}
	return slices.Insert(n, at, v)
}

// without is the set without the voter.
func (s voterSet) without(id core.NodeID) voterSet {
	return slices.DeleteFunc(slices.Clone(s), func(v metadata.VoterRegistration) bool { return v.ID == id })
}

// ids lists the voters for a LeaderChange record; version 0 of it has no directory ids.
func (s voterSet) ids() []metadata.Voter {
	list := make([]metadata.Voter, 0, len(s))
	for _, v := range s {
		list = append(list, metadata.Voter{ID: v.ID})
	}
	return list
}

// majority is the number of voters that every quorum has at least.
func (s voterSet) majority() int { return len(s)/2 + 1 }

// differsByOne reports whether two sets differ by at most one voter: then every majority of one meets every majority of
// the other, which is what makes a change without joint consensus safe (Ongaro's thesis, section 4.1). A voter with
// another directory id is another voter, except that learning a directory id for the first time changes nobody.
func differsByOne(a, b voterSet) bool {
	return len(a.missingFrom(b))+len(b.missingFrom(a)) <= 1
}

func (s voterSet) missingFrom(o voterSet) voterSet {
	var missing voterSet
	for _, v := range s {
		w, ok := o.byID(v.ID)
		learnt := v.DirectoryID == metadata.DirMigrating || w.DirectoryID == metadata.DirMigrating
		if !ok || !learnt && v.DirectoryID != w.DirectoryID {
			missing = append(missing, v)
		}
	}
	return missing
}

// configuration is the voter set from an offset of the log on.
type configuration struct {
	offset core.Offset // of the control record; NoOffset for the configured set
	kraft  metadata.FeatureLevel
	voters voterSet
}

// voterHistory is the fold of the control records over snapshot and log, with all its steps: a step counts as soon as it
// is appended, and is undone when it is truncated (KIP-853).
type voterHistory struct{ steps []configuration } // ascending; the first is the base

// reset begins anew with a base.
func (h *voterHistory) reset(base configuration) { h.steps = append(h.steps[:0], base) }

// last is the configuration in force.
func (h *voterHistory) last() configuration { return h.steps[len(h.steps)-1] }

// before is the configuration that was in force just before an offset.
func (h *voterHistory) before(end core.Offset) configuration {
	i := len(h.steps) - 1
	for i > 0 && h.steps[i].offset >= end {
		i--
	}
	return h.steps[i]
}

// add takes a control record that was appended at an offset; it reports whether the record changed anything.
func (h *voterHistory) add(o core.Offset, rec metadata.ControlRecord) bool {
	next := h.last()
	next.offset = o
	switch rec := rec.(type) {
	case *metadata.KRaftVersionRecord:
		next.kraft = rec.KRaftVersion
	case *metadata.VotersRecord:
		next.voters = nil
		for _, v := range rec.Voters {
			next.voters = next.voters.with(v)
		}
	default:
		return false
	}
	invariant.Check(o > h.last().offset, "control record at %d after one at %d", o, h.last().offset)
	h.steps = append(h.steps, next)
	return true
}

// truncate undoes the steps at and above the log's new end; it reports whether there were any.
func (h *voterHistory) truncate(end core.Offset) bool {
	n := len(h.steps)
	for n > 1 && h.steps[n-1].offset >= end {
		n--
	}
	cut := n < len(h.steps)
	h.steps = h.steps[:n]
	return cut
}

// forget drops steps that are below the log's start and superseded.
func (h *voterHistory) forget(start core.Offset) {
	n := 0
	for n+1 < len(h.steps) && h.steps[n+1].offset < start {
		n++
	}
	h.steps = slices.Delete(h.steps, 0, n)
}

// controller.quorum.voters and bootstrap.servers hold "host:port", with brackets around an IPv6 host.

func splitAddr(addr string) (host string, port uint16) {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 {
		return addr, 0
	}
	n, err := strconv.ParseUint(addr[i+1:], 10, 16)
	if err != nil {
		return addr, 0
	}
	return strings.TrimSuffix(strings.TrimPrefix(addr[:i], "["), "]"), uint16(n)
}

func joinAddr(host string, port uint16) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(port))
}

// addrOf is the address of the listener with the name, else of the first; "" if there is none.
func addrOf(endpoints []metadata.VoterEndpoint, listener string) string {
	for _, e := range endpoints {
		if e.Name == listener {
			return joinAddr(e.Host, e.Port)
		}
	}
	if len(endpoints) > 0 {
		return joinAddr(endpoints[0].Host, endpoints[0].Port)
	}
	return ""
}

// sameEndpoints compares two lists of listeners in any order.
func sameEndpoints(a, b []metadata.VoterEndpoint) bool {
	if len(a) != len(b) {
		return false
	}
	for _, e := range a {
		if !slices.Contains(b, e) {
			return false
		}
	}
	return true
}
