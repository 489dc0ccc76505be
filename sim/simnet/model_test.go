package simnet

import (
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
)

// model is what must hold of any network, whatever is done to it: each end hears Opened, then bytes, then Closed; the
// bytes are a prefix of what the other end wrote; and all of them arrive once nothing stands in the way, if neither
// end was reset, lost or closed.
type model struct {
	t     *rapid.T
	n     *Network
	now   core.Mono
	conns []*modelConn
}

type modelConn struct {
	id    Conn
	ends  [2]modelEnd
	spoil bool // something happened that may lose bytes
}

type modelEnd struct {
	written, read []byte
	opened        bool
	closed        bool // was told, or closed itself
}

func newModel(t *rapid.T, seed uint64, cfg Config) *model {
	n := New(prng.New(seed), cfg)
	for h := range Host(3) {
		n.Listen(fmt.Sprint("host", h), h)
	}
	return &model{t: t, n: n}
}

func (m *model) event(ev Event) {
	c := m.conns[ev.Conn]
	end, other := &c.ends[ev.Side], &c.ends[ev.Side.Other()]
	require.False(m.t, end.closed, "nothing follows the end")
	d, a := m.n.Hosts(ev.Conn)
	require.Equal(m.t, [2]Host{d, a}[ev.Side], ev.Host)
	switch ev.Kind {
	case Opened:
		require.False(m.t, end.opened)
		require.True(m.t, ev.Side == Acceptor || other.opened, "the acceptor knows first")
		end.opened = true
	case Data:
		require.True(m.t, end.opened)
		require.NotEmpty(m.t, ev.Bytes)
		end.read = append(end.read, ev.Bytes...)
		require.LessOrEqual(m.t, len(end.read), len(other.written))
		require.Equal(m.t, other.written[:len(end.read)], end.read)
	case Closed:
		require.True(m.t, ev.Side == Dialer || end.opened, "an acceptor that was never told has nothing to lose")
		require.NotEmpty(m.t, ev.Why)
		end.closed, c.spoil = true, true
	}
}

func (m *model) advance(d core.Mono) {
	until := m.now + d
	for {
		at, ok := m.n.NextDeadline()
		if !ok || at > until {
			m.now = until
			return
		}
		require.GreaterOrEqual(m.t, at, core.Mono(0))
		m.now = max(m.now, at)
		m.n.Poll(m.now, m.event)
	}
}

func (m *model) host(what string) Host { return Host(rapid.IntRange(0, 2).Draw(m.t, what)) }

// pick is some connection, nil if there is none.
func (m *model) pick() (*modelConn, Side) {
	if len(m.conns) == 0 {
		return nil, 0
	}
	return rapid.SampledFrom(m.conns).Draw(m.t, "connection"), Side(rapid.IntRange(0, 1).Draw(m.t, "side"))
}

// links changes something between two hosts.
func (m *model) links(step int) {
	from, to := m.host("from"), m.host("to")
	key := int16(rapid.IntRange(0, 2).Draw(m.t, "key"))
	switch step {
	case 0:
		m.n.Cut(from, to)
	case 1:
		m.n.Heal(m.now, from, to)
	case 2:
		m.n.Slow(from, to, core.Mono(rapid.Int64Range(-50, 50).Draw(m.t, "extra"))*ms)
	case 3:
		m.n.CutAPI(from, to, key)
	case 4:
		m.n.HealAPI(m.now, from, to, key)
	}
}

// ends does something at an end of a connection.
func (m *model) ends(step int) {
	c, side := m.pick()
	if c == nil {
		return
	}
	end := &c.ends[side]
	switch step {
	case 0, 1, 2:
		b := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(m.t, "bytes")
		if end.opened && !end.closed {
			end.written = append(end.written, b...)
		}
		m.n.Write(m.now, c.id, side, append([]byte(nil), b...))
	case 3:
		m.n.Close(m.now, c.id, side)
		end.closed, c.spoil = true, true
	case 4:
		m.n.Reset(m.now, c.id, [2]bool{rapid.Bool().Draw(m.t, "lose"), rapid.Bool().Draw(m.t, "lose")})
		c.spoil = true
	case 5:
		m.n.Pause(m.now, c.id, side, rapid.Bool().Draw(m.t, "paused"))
	case 6:
		m.n.Stall(m.now, c.id, side, rapid.Bool().Draw(m.t, "stalled"))
	}
}

func (m *model) hostDown() {
	h := m.host("victim")
	m.n.HostDown(m.now, h, rapid.Bool().Draw(m.t, "power"))
	for _, c := range m.conns {
		d, a := m.n.Hosts(c.id)
		for side, host := range [2]Host{d, a} {
			if host == h {
				c.ends[side].closed, c.spoil = true, true
			}
		}
	}
}

func (m *model) dial() {
	from, to := m.host("from"), m.host("to")
	m.conns = append(m.conns, &modelConn{id: Conn(len(m.conns))})
	require.Equal(m.t, m.conns[len(m.conns)-1].id, m.n.Dial(m.now, from, fmt.Sprint("host", to)))
}

func (m *model) settle() {
	m.n.HealAll(m.now)
	for _, c := range m.conns {
		m.n.Pause(m.now, c.id, Dialer, false)
		m.n.Pause(m.now, c.id, Acceptor, false)
	}
	m.advance(10 * core.Second)
	for _, c := range m.conns {
		if c.spoil {
			continue
		}
		require.True(m.t, c.ends[Dialer].opened && c.ends[Acceptor].opened)
		for side := range c.ends {
			require.Len(m.t, c.ends[side].read, len(c.ends[1-side].written))
		}
	}
	_, due := m.n.NextDeadline()
	require.False(m.t, due, "a network where nothing happens has no deadline")
}

func drawConfig(t *rapid.T) Config {
	return Config{BaseLatency: ms, Jitter: 3 * ms, DialTimeout: 300 * ms,
		FragmentBytes: rapid.SampledFrom([]int64{0, 1, 7}).Draw(t, "fragments"),
		WindowBytes:   rapid.SampledFrom([]int64{0, 100}).Draw(t, "window")}
}

func TestNetworkModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t, rapid.Uint64().Draw(t, "seed"), drawConfig(t))
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			switch step := rapid.IntRange(0, 19).Draw(t, "step"); {
			case step < 3:
				m.dial()
			case step < 8:
				m.links(step - 3)
			case step < 15:
				m.ends(step - 8)
			case step == 15:
				m.hostDown()
			case step == 16 && rapid.Bool().Draw(t, "all"):
				m.n.HealAll(m.now)
			default:
				m.advance(core.Mono(rapid.Int64Range(0, 400).Draw(t, "time")) * ms / 10)
			}
		}
		m.settle()
	})
}

// script drives a network by draws of its own and returns how many events there were and their digest.
func script(seed uint64, extraLink bool) (events int, digest uint64) {
	m := &model{n: New(prng.New(seed), Config{FragmentBytes: 9})}
	sum := fnv.New64a()
	for h := range Host(3) {
		m.n.Listen(fmt.Sprint("host", h), h)
	}
	tell := func(ev Event) {
		if ev.Conn%2 == 0 { // connections of odd number are the extra link's
			events++
			_, _ = fmt.Fprint(sum, m.now, ev.Kind, ev.Conn, ev.Side, ev.Bytes, ev.Why)
		}
	}
	r := prng.New(seed).Fork("script")
	now := core.Mono(0)
	for range 60 {
		m.n.Dial(now, 0, "host1")
		if extraLink {
			m.n.Write(now, m.n.Dial(now, 0, "host2"), Dialer, []byte("x"))
		} else {
			m.n.newConn(0, 2, "") // only the number is taken
		}
		for _, id := range m.n.Open() {
			if id%2 == 0 && r.Chance(1, 2) {
				m.n.Write(now, id, Dialer, make([]byte, r.Between(1, 50)))
			}
		}
		now += core.Mono(r.Below(int64(ms)))
		for at, ok := m.n.NextDeadline(); ok && at <= now; at, ok = m.n.NextDeadline() {
			m.now = at
			m.n.Poll(at, tell)
		}
	}
	return events, sum.Sum64()
}

func TestEqualSeedsGiveEqualNetworks(t *testing.T) {
	events, a := script(7, true)
	_, b := script(7, true)
	_, c := script(8, true)
	require.Equal(t, a, b)
	require.NotEqual(t, a, c)
	require.Greater(t, events, 1000)
}

// Latencies are drawn per link: traffic on one leaves another's luck as it was.
func TestLinksDrawIndependently(t *testing.T) {
	_, alone := script(7, false)
	_, beside := script(7, true)
	require.Equal(t, alone, beside)
}
