package cluster

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

type linkState uint8

const (
	closed      linkState = iota // not connected; retryAt bounds the next attempt
	dialling                     // a PeerState is awaited
	negotiating                  // an ApiVersions response is awaited
	ready
)

// versionRange is what a broker speaks of one API; the zero value with known false is "nothing".
type versionRange struct {
	min, max int16
	known    bool
}

// Link is a connection to one broker on one lane, or the place of one.
type Link struct {
	node  core.NodeID
	lane  Lane
	addr  string
	state linkState
	peer  step.PeerID

	versions  []versionRange // by API key
	inflight  []*Call        // in the order of sending, which is the order of answers
	connectBy core.Mono      // dialling: give up then
	lastUsed  core.Mono
	mutedTill core.Mono // KIP-219: the broker asked for a pause
	retryAt   core.Mono // closed: dial no earlier
	failures  int       // since it was last ready
	wanted    bool      // somebody asked for it this turn in vain

	hello   kmsg.ApiVersionsRequest
	helloTo Call
}

// Node is the broker at the other end; below -1 it is a bootstrap server whose id is not known.
func (l *Link) Node() core.NodeID { return l.node }

// InFlight is the number of calls without an answer.
func (l *Link) InFlight() int { return len(l.inflight) }

// Supports reports whether the broker knows the API at the version or a later one.
func (l *Link) Supports(key, version int16) bool {
	v := l.version(key)
	return v.known && v.max >= version
}

func (l *Link) version(key int16) versionRange {
	if key < 0 || int(key) >= len(l.versions) {
		return versionRange{}
	}
	return l.versions[key]
}

// pick is the version at which the call can be sent.
func (l *Link) pick(call *Call) (int16, bool) {
	v := l.version(call.Body.Key())
	most := min(v.max, call.Body.MaxVersion())
	if call.MaxVersion > 0 {
		most = min(most, call.MaxVersion)
	}
	return most, v.known && most >= max(v.min, call.MinVersion)
}

// Call sends a request on a ready link. It is false, and nothing happens, if the broker speaks no version of it that
// the owner can use.
func (c *Cluster) Call(now core.Now, l *Link, call *Call, out *step.Effects) bool {
	version, ok := l.pick(call)
	if !ok {
		return false
	}
	call.Body.SetVersion(version)
	c.place(now, l, call, out)
	return true
}

func (c *Cluster) place(now core.Now, l *Link, call *Call, out *step.Effects) {
	c.corr = (c.corr + 1) & (1<<31 - 1)
	call.corr, call.Node = c.corr, l.node
	timeout := call.Timeout
	if timeout == 0 {
		timeout = c.opts.RequestTimeout
	}
	call.at = now.Mono.Add(timeout)
	l.lastUsed = now.Mono
	c.send(out, step.Send{Peer: l.peer, Kind: step.Call, Corr: call.corr, Body: call.Body, NoResponse: call.NoResponse})
	if !call.NoResponse {
		l.inflight = append(l.inflight, call)
	}
}

// dial opens the link.
func (c *Cluster) dial(now core.Now, l *Link, out *step.Effects) {
	c.peer++
	l.peer, l.state = c.peer, dialling
	l.connectBy = now.Mono.Add(c.opts.ConnectTimeout)
	c.peers[l.peer] = l
	c.send(out, step.Send{Peer: l.peer, Kind: step.Dial, Addr: l.addr})
}

// helloVersion is the ApiVersions version tried first. Version 5 (KIP-1242) would name the expected cluster and node,
// which a client that follows a moved broker does not want to insist on.
const helloVersion = 4

func (c *Cluster) negotiate(now core.Now, l *Link, out *step.Effects) {
	l.state = negotiating
	c.sayHello(now, l, helloVersion, out)
}

func (c *Cluster) sayHello(now core.Now, l *Link, version int16, out *step.Effects) {
	l.hello = kmsg.NewApiVersionsRequest()
	l.hello.Version = version
	l.hello.ClientSoftwareName, l.hello.ClientSoftwareVersion = "klamm", "1" // KIP-511
	body := l.hello                                                          // the link's own may be needed again
	l.helloTo = Call{Owner: ownCluster, Ref: l, Body: &body}
	c.place(now, l, &l.helloTo, out)
}

// answered takes a response, which must be that of the oldest call.
func (c *Cluster) answered(now core.Now, l *Link, ev *step.PeerResponse, out *step.Effects) {
	if len(l.inflight) == 0 || l.inflight[0].corr != ev.Corr {
		c.hangup(now, l, out) // the other side lost count, nothing it says can be attributed
		return
	}
	call := l.inflight[0]
	copy(l.inflight, l.inflight[1:])
	l.inflight[len(l.inflight)-1] = nil
	l.inflight = l.inflight[:len(l.inflight)-1]
	l.lastUsed = now.Mono
	if t, ok := ev.Body.(kmsg.ThrottleResponse); ok {
		if ms, after := t.Throttle(); after && ms > 0 {
			l.mutedTill = now.Mono.Add(core.Millis(int64(ms)))
		}
	}
	switch {
	case call.Owner != ownCluster:
		c.done = append(c.done, Completion{Call: call, Resp: ev.Body})
	case call == &l.helloTo:
		c.greeted(now, l, ev.Body, out)
	default:
		c.learn(now, ev.Body)
	}
}

// greeted takes the answer to ApiVersions.
func (c *Cluster) greeted(now core.Now, l *Link, body kmsg.Response, out *step.Effects) {
	resp, ok := body.(*kmsg.ApiVersionsResponse)
	if !ok {
		c.hangup(now, l, out)
		return
	}
	l.versions = l.versions[:0]
	for _, k := range resp.ApiKeys {
		if k.ApiKey < 0 || k.ApiKey >= 1024 { // private keys of other brokers; a table that large is not worth it
			continue
		}
		for int(k.ApiKey) >= len(l.versions) {
			l.versions = append(l.versions, versionRange{})
		}
		l.versions[k.ApiKey] = versionRange{k.MinVersion, k.MaxVersion, true}
	}
	switch core.ErrorCode(resp.ErrorCode) {
	case core.ErrNone:
		c.features.learn(resp)
		l.state, l.failures = ready, 0
	case core.ErrUnsupportedVersion:
		// KIP-511: the broker answers in version 0 and, since 2.4, names the versions of ApiVersions it has.
		version := min(l.version(l.hello.Key()).max, l.hello.Version-1)
		if l.hello.Version == 0 || version < 0 {
			c.hangup(now, l, out)
			return
		}
		c.sayHello(now, l, version, out)
	default:
		c.hangup(now, l, out)
	}
}

// hangup gives a connection up.
func (c *Cluster) hangup(now core.Now, l *Link, out *step.Effects) {
	c.send(out, step.Send{Peer: l.peer, Kind: step.Hangup})
	c.fail(now, l)
}

// fail closes the books of a connection that is gone.
func (c *Cluster) fail(now core.Now, l *Link) {
	delete(c.peers, l.peer)
	for i, call := range l.inflight {
		l.inflight[i] = nil
		switch {
		case call.Owner != ownCluster:
			c.done = append(c.done, Completion{Call: call, Outcome: Lost})
		case call != &l.helloTo:
			c.meta.lost(c, now)
		}
	}
	l.inflight = l.inflight[:0]
	l.state = closed
	l.failures++
	l.retryAt = now.Mono.Add(c.backoff(c.opts.ReconnectBackoff, c.opts.ReconnectMax, l.failures))
	if c.topics.Len() > 0 {
		c.Refresh() // the broker may be gone for good, its partitions elsewhere
	}
}

// firstTimeout is when the first of the calls in flight times out.
func (l *Link) firstTimeout() core.Mono {
	at := Never
	for _, call := range l.inflight {
		at = min(at, call.at)
	}
	return at
}

func (l *Link) idleAt(maxIdle core.Mono) core.Mono {
	if maxIdle < 0 {
		return Never
	}
	return l.lastUsed.Add(maxIdle)
}

func (l *Link) deadline(maxIdle core.Mono) core.Mono {
	switch {
	case l.state == dialling:
		return l.connectBy
	case l.state == closed && l.wanted:
		return l.retryAt
	case l.state == closed:
		return Never
	}
	at := l.firstTimeout()
	if len(l.inflight) == 0 && l.state == ready {
		at = min(at, l.idleAt(maxIdle))
	}
	if l.wanted && l.mutedTill > 0 {
		at = min(at, l.mutedTill)
	}
	return at
}
