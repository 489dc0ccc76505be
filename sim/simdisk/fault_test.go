package simdisk_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

func withFaults(seed uint64, plan ...simdisk.Fault) *subject {
	for i := range plan {
		if plan[i].ID == 0 {
			plan[i].ID = int64(i + 1)
		}
	}
	return newSubject(seed, simdisk.Config{Plan: plan})
}

func TestReadError(t *testing.T) {
	s := withFaults(1, simdisk.Fault{Kind: simdisk.IOError, Op: step.Read, After: 1, Path: "t-0/*.log"})
	s.run(t, mkdir("t-0"), create(1, "t-0/0.log"), appendAt(1, 0, []byte("abc")), create(2, "t-0/0.index"))
	s.read(t, 2)
	s.read(t, 1)
	s.fail(t, step.ErrIO, step.DiskOp{Op: 1, Kind: step.Read, File: 1, Len: 3})
	s.fail(t, step.ErrIO, appendAt(1, 3, []byte("d"))) // sticky
	s.run(t, closeFile(1), create(3, "t-0/0.log"))
	require.Equal(t, "abc", string(s.read(t, 3)), "it fires once")
	require.EqualValues(t, 1, s.Fired(simdisk.IOError))
}

func TestSpanError(t *testing.T) {
	s := withFaults(1, simdisk.Fault{Kind: simdisk.IOError, Op: step.Read})
	s.run(t, create(1, "f"), appendAt(1, 0, []byte("abc")))
	_, err := s.ReadSpan(step.Span{File: 1, Len: 3}, nil)
	require.Equal(t, simdisk.ErrSpanRead, err)
	got, err := s.ReadSpan(step.Span{File: 1, Pos: 1, Len: 3}, []byte("_"))
	require.Equal(t, simdisk.ErrSpanShort, err)
	require.Equal(t, "_bc", string(got))
}

func TestAppendErrorLeavesAPrefix(t *testing.T) {
	seen := map[int]bool{}
	for seed := range uint64(60) {
		s := withFaults(seed, simdisk.Fault{Kind: simdisk.IOError, Op: step.Append, After: 1})
		s.run(t, create(1, "f"), appendAt(1, 0, []byte("ab")))
		s.fail(t, step.ErrIO, appendAt(1, 2, []byte("cdef")))
		s.fail(t, step.ErrIO, syncFile(1))
		got := s.content("f")
		require.Equal(t, "abcdef"[:len(got)], got)
		seen[len(got)] = true
	}
	require.Len(t, seen, 5)
}

// fsyncgate: the failed sync's pages count as clean. The process reads them, later syncs succeed without them.
func TestFailedSyncLosesWhatItShouldHaveSaved(t *testing.T) {
	cfg := simdisk.Config{
		Plan:     []simdisk.Fault{{ID: 1, Kind: simdisk.IOError, Op: step.Sync, After: 1}},
		Outcomes: []simdisk.Outcome{simdisk.WriteOld},
	}
	s := newSubject(5, cfg)
	s.run(t, create(1, "f"), syncDir("."), appendAt(1, 0, []byte("ab")), syncFile(1), appendAt(1, 2, []byte("cd")))
	s.fail(t, step.ErrIO, syncFile(1))
	s.fail(t, step.ErrIO, syncFile(1))
	s.ProcessCrash(s.now)
	s.run(t, create(1, "f"))
	require.Equal(t, "abcd", string(s.read(t, 1)))
	s.run(t, appendAt(1, 4, []byte("ef")), syncFile(1))
	s.PowerLoss(s.now)
	require.Equal(t, "ab\x00\x00ef", s.content("f"))
}

func TestFullDisk(t *testing.T) {
	s := newSubject(2, simdisk.Config{Capacity: 10})
	s.run(t, create(1, "f"), appendAt(1, 0, []byte("12345678")), syncFile(1))
	s.fail(t, step.ErrNoSpace, appendAt(1, 8, []byte("9abc")))
	s.fail(t, step.ErrNoSpace, appendAt(1, 8, []byte("9")))
	s.fail(t, step.ErrNoSpace, syncFile(1))
	require.Equal(t, "12345678", string(s.read(t, 1))[:8])
	s.run(t, truncate(1, 8), appendAt(1, 8, []byte("9a")), syncFile(1))
	require.Equal(t, "123456789a", s.content("f"))
	s.fail(t, step.ErrNoSpace, create(2, "g"))
	s.fail(t, step.ErrNoSpace, mkdir("d"))
	s.run(t, create(3, "f")) // no new name
}

func TestFullDiskForAWhile(t *testing.T) {
	s := withFaults(2, simdisk.Fault{Kind: simdisk.NoSpace, Amount: 4, At: core.Second, Until: 2 * core.Second})
	s.run(t, create(1, "f"), appendAt(1, 0, []byte("12345678")))
	s.now = core.Second
	s.fail(t, step.ErrNoSpace, appendAt(1, 8, []byte("9")))
	s.now = 2 * core.Second
	s.run(t, truncate(1, 8), appendAt(1, 8, []byte("9")))
	require.EqualValues(t, 1, s.Fired(simdisk.NoSpace))
}

func TestSlowDisk(t *testing.T) {
	fast := simdisk.Latency{Base: 100}
	run := func(plan ...simdisk.Fault) core.Mono {
		s := newSubject(1, simdisk.Config{Meta: fast, Append: fast, Plan: plan})
		s.run(t, create(1, "f"), appendAt(1, 0, []byte("x")))
		return s.now
	}
	require.Equal(t, core.Mono(200), run())
	require.Equal(t, core.Mono(1100), run(simdisk.Fault{ID: 1, Kind: simdisk.Slow, Amount: 10, At: 50}))
	require.Equal(t, core.Mono(200), run(simdisk.Fault{ID: 1, Kind: simdisk.Slow, Amount: 10, Path: "g"}))
}

func TestStuckDisk(t *testing.T) {
	s := withFaults(1, simdisk.Fault{Kind: simdisk.Stuck, At: core.Second, Until: 3 * core.Second, Path: "f"})
	s.run(t, create(1, "f"), create(2, "g"))
	s.now = core.Second
	s.Submit(step.DiskOp{Op: 1, Kind: step.Sync, File: 1})
	s.Submit(step.DiskOp{Op: 2, Kind: step.Sync, File: 2})
	got := s.until(2 * core.Second)
	require.Len(t, got, 1)
	require.EqualValues(t, 2, got[0].Op)
	got = s.Settle()
	require.Len(t, got, 1)
	require.Equal(t, 3*core.Second, s.now)
	require.EqualValues(t, 1, s.Fired(simdisk.Stuck))
}

func TestHealUnsticks(t *testing.T) {
	for _, until := range []core.Mono{0, 100 * core.Second} {
		s := withFaults(1, simdisk.Fault{Kind: simdisk.Stuck, Until: until})
		s.Submit(create(1, "f"))
		s.Submit(step.DiskOp{Op: 1, Kind: step.Sync, File: 1})
		require.Empty(t, s.until(10*core.Second))
		s.Heal(10 * core.Second)
		require.Len(t, s.until(11*core.Second), 1)
		_, more := s.NextDeadline()
		require.False(t, more)
	}
}

// What a crash finds stuck has had no effect.
func TestCrashOfAStuckDisk(t *testing.T) {
	for seed := range uint64(20) {
		s := withFaults(seed, simdisk.Fault{Kind: simdisk.Stuck, At: core.Second})
		s.run(t, create(1, "f"), syncDir("."))
		s.now = core.Second
		s.Submit(appendAt(1, 0, []byte("x")))
		s.until(2 * core.Second)
		s.PowerLoss(2 * core.Second)
		require.Empty(t, s.content("f"))
		s.Heal(3 * core.Second)
		require.Empty(t, s.until(4*core.Second))
	}
}

func TestBitRotRepeatsAndHeals(t *testing.T) {
	s := withFaults(9, simdisk.Fault{Kind: simdisk.BitRot, Path: "*.log"})
	data := pattern(2000, 3)
	s.run(t, create(1, "a.index"), appendAt(1, 0, data), syncFile(1), create(2, "b.log"), appendAt(2, 0, data))
	require.Zero(t, s.Fired(simdisk.BitRot), "nothing durable matches yet")
	s.run(t, syncFile(2))
	s.run(t, syncFile(2))
	require.EqualValues(t, 1, s.Fired(simdisk.BitRot))
	require.Equal(t, data, s.read(t, 1))
	rotten := s.read(t, 2)
	bits := 0
	for i := range data {
		for x := data[i] ^ rotten[i]; x != 0; x &= x - 1 {
			bits++
		}
	}
	require.Equal(t, 1, bits)
	require.Equal(t, rotten, s.read(t, 2))
	span, err := s.ReadSpan(step.Span{File: 2, Len: 2000}, nil)
	require.NoError(t, err)
	require.Equal(t, rotten, span, "spans show it too")
	s.run(t, syncDir("."))
	s.PowerLoss(s.now)
	s.run(t, create(2, "b.log"))
	require.Equal(t, rotten, s.read(t, 2))
	require.Equal(t, string(data), s.content("b.log"), "the pristine bytes are untouched")
	s.Heal(s.now)
	require.Equal(t, data, s.read(t, 2))
}

func TestTruncationTakesRotAlong(t *testing.T) {
	s := withFaults(9, simdisk.Fault{Kind: simdisk.BitRot})
	data := pattern(100, 3)
	s.run(t, create(1, "f"), appendAt(1, 0, data), syncFile(1))
	require.NotEqual(t, data, s.read(t, 1))
	s.run(t, truncate(1, 0), appendAt(1, 0, data))
	require.Equal(t, data, s.read(t, 1))
}

func TestMisdirectedWrite(t *testing.T) {
	s := withFaults(4, simdisk.Fault{Kind: simdisk.Misdirect, After: 2, Path: "*.log"})
	old, data := pattern(3000, 1), pattern(600, 2)
	s.run(t, create(1, "v.log"), appendAt(1, 0, old), create(2, "w.log"), appendAt(2, 0, []byte("head")), appendAt(2, 4, data))
	require.EqualValues(t, 1, s.Fired(simdisk.Misdirect))
	require.Equal(t, append([]byte("head"), make([]byte, 600)...), []byte(s.visible(t, 2)), "its own place reads as zeros")
	victim := s.read(t, 1)
	require.Len(t, victim, 3000)
	hits := 0
	for at := 0; at < len(victim); at += 512 {
		n := min(600, len(victim)-at)
		if string(victim[at:at+n]) == string(data[:n]) {
			hits++
		}
	}
	require.Equal(t, 1, hits, "the victim shows the write on one sector boundary")
	s.Heal(s.now)
	require.Equal(t, old, s.read(t, 1))
	require.Equal(t, data, s.read(t, 2)[4:])
}

// What a misdirected write hid is gone with the write; bytes that are appended there later are sound.
func TestPowerLossTakesTheOverlayAlong(t *testing.T) {
	cfg := simdisk.Config{
		Plan:     []simdisk.Fault{{ID: 1, Kind: simdisk.Misdirect, After: 1}},
		Outcomes: []simdisk.Outcome{simdisk.WriteOld},
	}
	s := newSubject(1, cfg)
	s.run(t, create(1, "f"), syncDir("."), appendAt(1, 0, []byte("a")), syncFile(1), truncate(1, 0), syncFile(1), appendAt(1, 0, []byte("bcd")))
	require.Equal(t, "\x00\x00\x00", s.visible(t, 1))
	s.PowerLoss(s.now)
	s.run(t, create(1, "f"), appendAt(1, 0, []byte("efg")))
	require.Equal(t, "efg", s.visible(t, 1))
}

func (s *subject) visible(t *testing.T, f step.FileID) string { return string(s.read(t, f)) }

func TestLostDisk(t *testing.T) {
	s := withFaults(4, simdisk.Fault{Kind: simdisk.Lost, At: core.Second})
	s.Preload("d/f", []byte("precious"))
	s.run(t, create(1, "d/f"))
	s.until(2 * core.Second)
	s.now = 2 * core.Second
	s.fail(t, step.ErrIO, step.DiskOp{Op: 1, Kind: step.Read, File: 1, Len: 1})
	s.fail(t, step.ErrNotExist, step.DiskOp{Op: 1, Kind: step.Open, File: 2, Path: "d/f"})
	require.Zero(t, s.Used())
	s.ProcessCrash(s.now)
	require.Zero(t, s.Used())
	s.run(t, create(1, "f"), appendAt(1, 0, []byte("anew")))
	require.EqualValues(t, 4, s.Used())
}

// Removing a fault from the plan leaves the draws of the others, and the latencies, as they were.
func TestFaultsDoNotReshuffleEachOther(t *testing.T) {
	rot := simdisk.Fault{ID: 7, Kind: simdisk.BitRot, Path: "b"}
	other := []simdisk.Fault{
		{ID: 1, Kind: simdisk.IOError, Op: step.Append, Path: "a", After: 1},
		{ID: 2, Kind: simdisk.Misdirect, Path: "a"},
	}
	run := func(plan ...simdisk.Fault) (string, core.Mono) {
		s := newSubject(11, simdisk.Config{Plan: plan})
		data := pattern(500, 1)
		s.run(t, create(1, "a"), create(2, "b"), appendAt(1, 0, data), appendAt(2, 0, data))
		s.Submit(appendAt(1, 500, data))
		s.Settle()
		s.run(t, syncFile(2))
		return string(s.read(t, 2)), s.now
	}
	bytes1, now1 := run(append(other, rot)...)
	bytes2, now2 := run(rot)
	require.Equal(t, bytes1, bytes2)
	require.Equal(t, now1, now2)
}

func TestConfigRoundTrip(t *testing.T) {
	cfg := simdisk.Config{
		Sync: simdisk.Latency{Base: 1, Skew: 2, SlowOneIn: 3, Slow: 4}, Capacity: 5,
		Outcomes: []simdisk.Outcome{simdisk.WriteOld, simdisk.WriteZeroTail},
	}
	for k := simdisk.IOError; k <= simdisk.Lost; k++ {
		cfg.Plan = append(cfg.Plan, simdisk.Fault{ID: int64(k), Kind: k, At: 1, Until: 2, Op: step.Sync, After: 3, Path: "*", Amount: 4})
	}
	text, err := json.Marshal(cfg)
	require.NoError(t, err)
	require.Contains(t, string(text), `"bit-rot"`)
	require.Contains(t, string(text), `"zero-tail"`)
	var back simdisk.Config
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, cfg, back)
	require.Error(t, json.Unmarshal([]byte(`{"plan":[{"kind":"gremlin"}]}`), &back))
	require.Error(t, json.Unmarshal([]byte(`{"outcomes":["gone"]}`), &back))
}

func TestCounters(t *testing.T) {
	s := newSubject(1, simdisk.Config{})
	s.run(t, create(1, "f"))
	s.fail(t, step.ErrIO, appendAt(1, 9, []byte("x")))
	got := s.Counters()
	require.Equal(t, "io-error", got[0].Name)
	require.Equal(t, simdisk.Counter{Name: "misuse", N: 1}, got[len(got)-1])
	require.Contains(t, got, simdisk.Counter{Name: "power-sectors"})
	require.EqualValues(t, 1, s.Misuse())
}

// A power loss is part of the seed: the same run ends with the same bytes.
func TestCrashesAreReproducible(t *testing.T) {
	run := func(seed uint64) string {
		s := newSubject(seed, simdisk.Config{})
		out := ""
		for round := range 5 {
			id := step.FileID(1)
			s.Submit(create(id, "f"))
			size := len(s.content("f"))
			s.Settle()
			for i := range 5 {
				data := pattern(300, round*10+i)
				s.Submit(appendAt(id, size, data))
				size += len(data)
			}
			s.Submit(syncFile(id))
			s.until(s.now + 100*core.Microsecond)
			s.PowerLoss(s.now)
			out += s.content("f") + "|"
		}
		return out
	}
	require.Equal(t, run(1), run(1))
	require.NotEqual(t, run(1), run(2))
}

func TestSteadyStateAllocations(t *testing.T) {
	s := newSubject(1, simdisk.Config{})
	s.run(t, create(1, "f"))
	data := make([]byte, 64)
	at := core.Pos(0)
	deliver := func(*step.DiskDone) {}
	turn := func() {
		s.Disk.Submit(s.now, step.DiskOp{Kind: step.Append, File: 1, Pos: at, Data: data})
		s.Disk.Submit(s.now, step.DiskOp{Kind: step.Sync, File: 1})
		at += 64
		for d, ok := s.NextDeadline(); ok; d, ok = s.NextDeadline() {
			s.now = d
			s.Poll(d, deliver)
		}
	}
	for range 1000 {
		turn()
	}
	require.Zero(t, testing.AllocsPerRun(1000, turn))
}

func BenchmarkAppendSync(b *testing.B) {
	d := simdisk.New(prng.New(1), simdisk.Config{})
	now, at := core.Mono(0), core.Pos(0)
	deliver := func(*step.DiskDone) {}
	d.Submit(now, create(1, "f"))
	data := make([]byte, 256)
	for b.Loop() {
		if at >= 1<<20 {
			d.Submit(now, truncate(1, 0))
			at = 0
		}
		d.Submit(now, step.DiskOp{Kind: step.Append, File: 1, Pos: at, Data: data})
		d.Submit(now, step.DiskOp{Op: 1, Kind: step.Sync, File: 1})
		at += 256
		for t, ok := d.NextDeadline(); ok; t, ok = d.NextDeadline() {
			now = t
			d.Poll(now, deliver)
		}
	}
}

func BenchmarkPowerLoss(b *testing.B) {
	s := newSubject(1, simdisk.Config{Outcomes: []simdisk.Outcome{simdisk.WriteOld, simdisk.WriteSectors}})
	s.run(b, create(1, "f"), syncDir("."), appendAt(1, 0, make([]byte, 16<<10)), syncFile(1))
	for b.Loop() {
		size := len(s.content("f"))
		s.Submit(create(1, "f"))
		s.Submit(appendAt(1, size, make([]byte, 1024)))
		s.Submit(truncate(1, 16<<10))
		s.Submit(syncFile(1))
		s.Submit(appendAt(1, 16<<10, make([]byte, 1024)))
		s.Settle()
		s.PowerLoss(s.now)
	}
}
