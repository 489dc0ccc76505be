package simdisk_test

import (
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/disk/disktest"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// subject drives a simulated disk through virtual time.
type subject struct {
	*simdisk.Disk
	now  core.Mono
	done []*step.DiskDone
}

func newSubject(seed uint64, cfg simdisk.Config) *subject {
	return &subject{Disk: simdisk.New(prng.New(seed), cfg)}
}

func (s *subject) Submit(op step.DiskOp) { s.Disk.Submit(s.now, op) }

func (s *subject) Settle() []*step.DiskDone { return s.until(1 << 62) }

// until polls at every deadline up to the given instant and returns the completions.
func (s *subject) until(end core.Mono) []*step.DiskDone {
	for at, ok := s.NextDeadline(); ok && at <= end; at, ok = s.NextDeadline() {
		s.now = max(s.now, at)
		s.Poll(s.now, func(d *step.DiskDone) { s.done = append(s.done, d) })
	}
	out := s.done
	s.done = nil
	return out
}

func (s *subject) Span(sp step.Span) ([]byte, error) { return s.ReadSpan(sp, nil) }

func (s *subject) Acquire(f step.FileID) (func(), bool) {
	return func() { s.Release(f) }, s.Hold(f)
}

func (s *subject) Close() {}

func TestConformance(t *testing.T) {
	disktest.Run(t, func(testing.TB) disktest.Subject { return newSubject(1, simdisk.Config{}) })
}

// Two runs of one input must agree with the model and with each other, whatever the latencies.
func FuzzOperations(f *testing.F) {
	f.Add([]byte("0123456789"), uint64(1))
	f.Add([]byte{0, 8, 0, 3, 1, 9, 9, 9, 9, 200, 100, 50, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 1, 1, 2, 2, 2}, uint64(7))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if len(data) > 4096 {
			return
		}
		var hashes [2]uint64
		for i := range hashes {
			s := newSubject(seed, simdisk.Config{})
			s.Observe(func(p simdisk.Performed) { hashes[i] = mix(hashes[i], p, s.now) })
			p := disktest.NewProgram(t, s)
			choose, more := disktest.Bytes(data)
			for more() {
				p.Step(choose)
			}
			p.Settle()
		}
		if hashes[0] != hashes[1] {
			t.Fatal("two runs of the same input differ")
		}
	})
}

func mix(h uint64, p simdisk.Performed, now core.Mono) uint64 {
	for _, v := range []uint64{uint64(p.Kind), uint64(p.Err), uint64(p.File), uint64(p.Pos), uint64(p.Len), uint64(now)} {
		h = (h ^ v) * 0x9e3779b97f4a7c15
	}
	return h
}
