package simnet

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
)

const ms = core.Millisecond

// rig is a network whose events are written down: "12ms B1 data hello" is what host 1, the acceptor, got of
// connection 0 ("A" is its dialer); other connections have their number behind the letter.
type rig struct {
	t   *testing.T
	n   *Network
	now core.Mono
	log []string
	// react, if set, is called with each event.
	react func(Event)
}

// newRig has links of 10 ms, give or take a nanosecond.
func newRig(t *testing.T, cfg Config) *rig {
	if cfg.BaseLatency == 0 {
		cfg.BaseLatency, cfg.Jitter = 10*ms, 1
	}
	n := New(prng.New(1), cfg)
	for h := range Host(3) {
		n.Listen(fmt.Sprint("host", h), h)
	}
	return &rig{t: t, n: n}
}

func (r *rig) event(ev Event) {
	who := string("AB"[ev.Side])
	if ev.Conn > 0 {
		who += fmt.Sprint(ev.Conn)
	}
	what := map[EventKind]string{Opened: "opened", Data: "data " + string(ev.Bytes), Closed: "closed: " + ev.Why}[ev.Kind]
	r.log = append(r.log, fmt.Sprintf("%dms %s %s", r.now/ms, who, what))
	if r.react != nil {
		r.react(ev)
	}
}

// run goes on until an instant.
func (r *rig) run(until core.Mono) *rig {
	for {
		at, ok := r.n.NextDeadline()
		if !ok || at > until {
			r.now = until
			return r
		}
		r.now = max(r.now, at)
		r.n.Poll(r.now, r.event)
	}
}

// got demands what happened since the last call. What two ends are told in the same millisecond has no order.
func (r *rig) got(want ...string) {
	r.t.Helper()
	slices.SortStableFunc(r.log, byEnd)
	slices.SortStableFunc(want, byEnd)
	require.Equal(r.t, strings.Join(want, "\n"), strings.Join(r.log, "\n"))
	r.log = nil
}

func byEnd(a, b string) int {
	at := func(line string) (instant, end string) {
		instant, rest, _ := strings.Cut(line, " ")
		end, _, _ = strings.Cut(rest, " ")
		return fmt.Sprintf("%12s", instant), end
	}
	instantA, endA := at(a)
	instantB, endB := at(b)
	return cmp.Or(cmp.Compare(instantA, instantB), cmp.Compare(endA, endB))
}

func (r *rig) write(c Conn, from Side, s string) { r.n.Write(r.now, c, from, []byte(s)) }

// open dials from host 0 to host 1, which takes 20 ms.
func (r *rig) open() Conn {
	r.t.Helper()
	c := r.n.Dial(r.now, 0, "host1")
	r.run(r.now + 20*ms + 10)
	require.Len(r.t, r.log, 2)
	r.log = nil
	return c
}

func TestBytesArriveInOrderAfterTheLatency(t *testing.T) {
	r := newRig(t, Config{})
	c := r.n.Dial(0, 0, "host1")
	r.run(20*ms+10).got("10ms B opened", "20ms A opened")
	r.write(c, Dialer, "one")
	r.run(25 * ms)
	r.write(c, Dialer, "two")
	r.write(c, Acceptor, "three")
	r.run(50*ms).got("30ms B data one", "35ms B data two", "35ms A data three")
	d, a := r.n.Hosts(c)
	require.Equal(t, [2]Host{0, 1}, [2]Host{d, a})
	require.Equal(t, []Conn{c}, r.n.Open())
}

func TestLatencyStaysInItsBoundsAndNeverReorders(t *testing.T) {
	r := newRig(t, Config{BaseLatency: ms, Jitter: 5 * ms})
	c := r.n.Dial(0, 0, "host1")
	r.run(30 * ms)
	r.log = nil
	sent := r.now
	fastest, slowest, next := 100*ms, core.Mono(0), byte(0)
	r.react = func(ev Event) {
		require.Equal(t, next, ev.Bytes[0])
		next++
		fastest, slowest = min(fastest, r.now-sent), max(slowest, r.now-sent)
	}
	for i := range 200 {
		sent = r.now
		r.n.Write(r.now, c, Dialer, []byte{byte(i)})
		r.run(r.now + 10*ms)
	}
	require.Equal(t, byte(200), next)
	require.GreaterOrEqual(t, fastest, ms)
	require.LessOrEqual(t, slowest, 6*ms)
	require.Greater(t, slowest, 4*ms)

	next = 0
	for i := range 200 { // together: a later, quicker one must not overtake
		r.n.Write(r.now, c, Dialer, []byte{byte(i)})
	}
	r.run(r.now + 20*ms)
	require.Equal(t, byte(200), next)
}

func TestSlowLinksAreSlowInOneDirection(t *testing.T) {
	r := newRig(t, Config{})
	c := r.open()
	r.n.Slow(0, 1, 50*ms)
	r.write(c, Dialer, "there")
	r.write(c, Acceptor, "back")
	r.run(100*ms).got("30ms A data back", "80ms B data there")
	r.n.Slow(0, 1, -50*ms)
	r.write(c, Dialer, "again")
	r.run(200 * ms).got("110ms B data again")
}

func TestACutHoldsWhatItMeetsUntilItHeals(t *testing.T) {
	r := newRig(t, Config{})
	c := r.open()
	r.write(c, Dialer, "in flight")
	r.n.Cut(0, 1)
	r.write(c, Dialer, "after")
	r.write(c, Acceptor, "other way")
	r.run(100 * ms).got("30ms A data other way")
	r.n.Cut(0, 1) // cuts nest
	r.n.Heal(r.now, 0, 1)
	r.run(150 * ms).got()
	r.n.Heal(r.now, 0, 1)
	r.run(200*ms).got("150ms B data in flight", "150ms B data after")
	r.n.Heal(r.now, 0, 1) // one too many does nothing
	require.Equal(t, int64(1), r.n.Fired().Delayed)
}

func TestABridgeJoinsWhatCannotSeeEachOther(t *testing.T) {
	r := newRig(t, Config{DialTimeout: 100 * ms})
	r.n.Cut(0, 2)
	r.n.Cut(2, 0)
	for i, way := range []struct {
		from Host
		to   string
	}{{0, "host1"}, {1, "host2"}, {2, "host1"}, {0, "host2"}, {2, "host0"}} {
		require.Equal(t, Conn(i), r.n.Dial(0, way.from, way.to))
	}
	r.run(200*ms).got("10ms B opened", "10ms B1 opened", "10ms B2 opened", "20ms A opened", "20ms A1 opened", "20ms A2 opened",
		"100ms A3 closed: dial timed out", "100ms A4 closed: dial timed out")
}

func TestADialIsRefusedWhereNobodyListens(t *testing.T) {
	r := newRig(t, Config{})
	r.n.Dial(0, 0, "nowhere")
	r.run(ms)
	r.n.Dial(r.now, 0, "host1") // the listener goes away while the dial travels
	r.n.Unlisten("host1")
	r.run(100*ms).got("10ms A closed: connection refused", "21ms A1 closed: connection refused")
	require.Equal(t, int64(2), r.n.Fired().Refused)
	require.Empty(t, r.n.Open())
}

func TestADialThatTimedOutIsOverWhenTheCutHeals(t *testing.T) {
	r := newRig(t, Config{DialTimeout: 50 * ms})
	r.n.Cut(1, 0) // only the answer is held
	c := r.n.Dial(0, 0, "host1")
	r.run(100*ms).got("10ms B opened", "50ms A closed: dial timed out", "60ms B closed: closed by peer")
	r.n.Heal(r.now, 1, 0)
	r.write(c, Dialer, "x")
	r.run(200 * ms).got()
}

func TestACloseComesBehindTheBytes(t *testing.T) {
	r := newRig(t, Config{})
	c := r.open()
	r.write(c, Dialer, "last words")
	r.write(c, Acceptor, "unheard")
	r.n.Close(r.now, c, Dialer)
	r.write(c, Dialer, "too late")
	r.run(25 * ms)
	r.write(c, Acceptor, "not told yet")
	r.run(100*ms).got("30ms B data last words", "30ms B closed: closed by peer")
	r.n.Close(r.now, c, Acceptor)
	r.write(c, Acceptor, "x")
	r.run(200 * ms).got()
	require.Equal(t, int64(len("unheard")+len("not told yet")), r.n.Fired().Lost)
}

func TestAResetLosesWhatItIsToldTo(t *testing.T) {
	for _, lose := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		r := newRig(t, Config{})
		c := r.open()
		r.write(c, Dialer, "request")
		r.write(c, Acceptor, "answer")
		r.n.Reset(r.now, c, lose)
		r.write(c, Dialer, "unaware")
		var want []string
		if !lose[Acceptor] {
			want = append(want, "30ms B data request")
		}
		if !lose[Dialer] {
			want = append(want, "30ms A data answer")
		}
		r.run(100 * ms)
		require.ElementsMatch(t, append(want, "30ms A closed: connection reset by peer", "30ms B closed: connection reset by peer"), r.log)
		require.Equal(t, int64(1), r.n.Fired().Resets)
		r.log = nil
		r.write(c, Dialer, "x")
		r.run(200 * ms).got()
	}
}

func TestAResetDuringTheDialReachesTheDialerAlone(t *testing.T) {
	r := newRig(t, Config{})
	c := r.n.Dial(0, 0, "host1")
	r.n.Reset(0, c, [2]bool{true, true})
	r.run(5 * core.Second).got("10ms A closed: connection reset by peer")
}

func TestACrashedProcessClosesItsConnections(t *testing.T) {
	r := newRig(t, Config{})
	c := r.open()
	r.write(c, Dialer, "request")
	r.write(c, Acceptor, "answer")
	r.n.HostDown(r.now, 1, false)
	r.run(100*ms).got("30ms A data answer", "30ms A closed: closed by peer")
	r.write(c, Dialer, "x")
	r.run(200 * ms).got()

	r = newRig(t, Config{}) // the other end
	c = r.open()
	r.write(c, Dialer, "request")
	r.n.HostDown(r.now, 0, false)
	r.run(100*ms).got("30ms B data request", "30ms B closed: closed by peer")
}

func TestAPowerLossLeavesHalfOpenConnections(t *testing.T) {
	for _, side := range []Side{Dialer, Acceptor} {
		r := newRig(t, Config{})
		c := r.open()
		r.write(c, side, "sent before")
		r.n.HostDown(r.now, Host(side), true)
		require.Empty(t, r.n.Open())
		survivor := side.Other()
		name := string("AB"[survivor])
		r.run(core.Second).got("30ms " + name + " data sent before")
		require.Equal(t, int64(1), r.n.Fired().Halved)
		r.write(c, survivor, "anybody?")
		r.write(c, survivor, "hello?")
		r.run(2 * core.Second).got("1010ms " + name + " closed: connection reset by peer")
	}
}

func TestHealingFindsHalfOpenConnections(t *testing.T) {
	r := newRig(t, Config{})
	r.open()
	r.n.HostDown(r.now, 1, true)
	r.run(core.Second).got()
	r.n.HealAll(r.now)
	r.run(2 * core.Second).got("1010ms A closed: connection timed out")
	r.n.HealAll(r.now)
	r.run(3 * core.Second).got()
}

func TestADialToALostHostTimesOut(t *testing.T) {
	r := newRig(t, Config{DialTimeout: 100 * ms})
	r.n.Dial(0, 0, "host1")
	r.n.HostDown(0, 1, true) // while the dial travels
	r.run(core.Second).got("100ms A closed: dial timed out")
}

func TestAPausedReaderGetsItsBytesLater(t *testing.T) {
	r := newRig(t, Config{})
	c := r.open()
	r.n.Pause(r.now, c, Acceptor, true)
	r.write(c, Dialer, "one")
	r.write(c, Dialer, "two")
	r.n.Close(r.now, c, Dialer)
	r.run(100 * ms).got()
	r.n.Pause(r.now, c, Acceptor, false)
	r.run(200*ms).got("100ms B data one", "100ms B data two", "100ms B closed: closed by peer")
	require.Zero(t, r.n.Fired().Delayed, "a reader that rests is no fault")
}

func TestAReaderMayStopInTheMiddle(t *testing.T) {
	r := newRig(t, Config{})
	c := r.open()
	r.react = func(Event) { r.n.Pause(r.now, c, Acceptor, true) }
	r.write(c, Dialer, "one")
	r.write(c, Dialer, "two")
	r.run(100 * ms).got("30ms B data one")
	r.n.Pause(r.now, c, Acceptor, false)
	r.run(200 * ms).got("100ms B data two")
}

func TestAWriterThatOutrunsTheWindowLosesTheConnection(t *testing.T) {
	r := newRig(t, Config{WindowBytes: 10})
	c := r.open()
	r.write(c, Dialer, "0123456789")
	r.run(100 * ms).got("30ms B data 0123456789")
	r.n.Pause(r.now, c, Acceptor, true)
	r.write(c, Dialer, "01234567")
	r.write(c, Dialer, "89")
	r.run(200 * ms).got()
	r.write(c, Dialer, "!")
	r.run(300*ms).got("210ms A closed: connection reset by peer", "210ms B closed: connection reset by peer")
}

func TestAStallHoldsOnePipe(t *testing.T) {
	r := newRig(t, Config{})
	c := r.open()
	r.n.Stall(r.now, c, Acceptor, true)
	r.write(c, Dialer, "request")
	r.write(c, Acceptor, "answer")
	r.run(100 * ms).got("30ms A data answer")
	r.n.Stall(r.now, c, Acceptor, false)
	r.run(200 * ms).got("100ms B data request")
}

// frame is a request frame of an API key, followed by a word.
func frame(key int16, word string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(2+len(word)))
	return string(binary.BigEndian.AppendUint16(b, uint16(key))) + word
}

func TestACutAPIStallsTheConnectionsThatCarryIt(t *testing.T) {
	r := newRig(t, Config{})
	produce, fetch, both := r.open(), r.open(), r.open()
	r.n.CutAPI(0, 1, 0)
	r.n.CutAPI(0, 1, 3)
	words := func() (got []string) {
		for _, line := range r.log {
			got = append(got, line[len(line)-1:])
		}
		r.log = nil
		return got
	}
	r.write(produce, Dialer, frame(0, "p"))
	r.write(fetch, Dialer, frame(1, "f"))
	r.write(both, Dialer, frame(1, "1"))
	r.write(both, Dialer, frame(3, "2")) // what was written before waits, too: bytes keep their order
	r.write(both, Dialer, frame(1, "3"))
	r.write(produce, Acceptor, frame(0, "a")) // answers pass
	r.run(200 * ms)
	require.Equal(t, []string{"f", "a"}, words())
	r.n.HealAPI(r.now, 0, 1, 3)
	r.run(300 * ms)
	require.Equal(t, []string{"1", "2", "3"}, words(), "the other key is cut still")
	r.n.CutAPI(0, 1, 0)
	r.n.HealAPI(r.now, 0, 1, 0)
	r.run(400 * ms)
	require.Empty(t, words(), "cuts of one key nest")
	r.n.HealAPI(r.now, 0, 1, 0)
	r.run(500 * ms)
	require.Equal(t, []string{"p"}, words())
}

func TestHealAllLiftsEverything(t *testing.T) {
	r := newRig(t, Config{})
	a, b, c := r.open(), r.open(), r.open()
	r.n.Cut(0, 1)
	r.n.Cut(0, 1)
	r.n.Slow(1, 0, core.Second)
	r.n.CutAPI(0, 1, 7)
	r.n.Stall(r.now, b, Acceptor, true)
	r.write(a, Dialer, "cut")
	r.write(b, Dialer, "stalled")
	r.write(c, Dialer, frame(7, "x"))
	r.run(100 * ms).got()
	r.n.HealAll(r.now)
	r.write(a, Acceptor, "quick")
	r.run(200 * ms)
	require.Len(t, r.log, 4)
	require.Contains(t, r.log, "110ms A data quick")
}

func TestFragmentsAddUpToWhatWasWritten(t *testing.T) {
	r := newRig(t, Config{FragmentBytes: 5})
	c := r.open()
	want := strings.Repeat("0123456789", 20)
	got, pieces := "", 0
	r.react = func(ev Event) {
		require.LessOrEqual(t, len(ev.Bytes), 5)
		got, pieces = got+string(ev.Bytes), pieces+1
	}
	r.write(c, Dialer, want)
	r.run(100 * ms)
	require.Equal(t, want, got)
	require.Greater(t, pieces, 50)
}

func TestAnEndMayActWhileItIsTold(t *testing.T) {
	r := newRig(t, Config{})
	c := r.open()
	r.react = func(ev Event) {
		if ev.Kind == Data && ev.Side == Acceptor {
			r.n.Write(r.now, ev.Conn, Acceptor, []byte("bye"))
			r.n.Close(r.now, ev.Conn, Acceptor)
		}
	}
	r.write(c, Dialer, "one")
	r.write(c, Dialer, "two")
	r.run(100*ms).got("30ms B data one", "40ms A data bye", "40ms A closed: closed by peer")
}

// A cut of one address stops the connections that were dialled to it, in the directions that were cut, and no others.
func TestCutAddrStopsOneListener(t *testing.T) {
	r := newRig(t, Config{})
	r.n.Listen("second", 1)
	cut := r.n.Dial(r.now, 0, "host1")
	kept := r.n.Dial(r.now, 0, "second")
	r.run(25 * ms)
	require.Equal(t, "second", r.n.Addr(kept))
	r.log = nil
	r.n.CutAddr(0, 1, "host1")
	r.n.CutAddr(0, 1, "host1")
	for _, c := range []Conn{cut, kept} {
		r.write(c, Dialer, "to")
		r.write(c, Acceptor, "fro")
	}
	r.run(100*ms).got("35ms A data fro", "35ms A1 data fro", "35ms B1 data to")
	r.n.HealAddr(r.now, 0, 1, "host1")
	r.run(200 * ms).got() // cuts nest
	r.n.HealAddr(r.now, 0, 1, "host1")
	r.n.HealAddr(r.now, 0, 1, "host1")
	r.run(300 * ms).got("200ms B data to")

	r.n.CutAddr(1, 0, "host1") // answers of the acceptor
	r.write(cut, Acceptor, "late")
	r.run(400 * ms).got()
	r.n.HealAll(r.now)
	r.run(500 * ms).got("400ms A data late")
}
