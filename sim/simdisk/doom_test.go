package simdisk_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// What a named crash makes of unsynced writes does not depend on how many crashes there were before.
func TestANamedCrashKeepsItsLuck(t *testing.T) {
	fate := func(before int, name int64) []byte {
		s := &subject{Disk: simdisk.New(prng.New(5), simdisk.Config{})}
		for range before {
			s.Disk.PowerLoss(s.now)
		}
		s.run(t, create(1, "f"), syncFile(1), syncDir("."))
		for i := range 20 {
			s.run(t, appendAt(1, 600*i, bytes.Repeat([]byte{byte(i + 1)}, 600)))
		}
		if name > 0 {
			s.Disk.Doom(name)
		}
		s.Disk.PowerLoss(s.now)
		data, _ := s.Disk.Content("f")
		return data
	}
	require.Equal(t, fate(0, 3), fate(2, 3))
	require.NotEqual(t, fate(0, 3), fate(0, 4))
	require.NotEqual(t, fate(0, 0), fate(2, 0), "without a name the number counts")
}
