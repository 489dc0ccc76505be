package broker_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/conn"
)

// docs/COMPATIBILITY.md says what the broker accepts, no more and no less.
func TestCompatibilityTableIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/COMPATIBILITY.md")
	require.NoError(t, err)
	var listed []conn.VersionRange
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (\w+) \| (\d+)-(\d+) \|`).FindAllStringSubmatch(string(page), -1) {
		number := func(s string) int16 {
			n, err := strconv.ParseInt(s, 10, 16)
			require.NoError(t, err)
			return int16(n)
		}
		key := number(row[1])
		require.Equal(t, kmsg.Key(key).Name(), row[2])
		listed = append(listed, conn.VersionRange{Key: key, Min: number(row[3]), Max: number(row[4])})
	}
	require.Equal(t, broker.APIs(), listed)
}
