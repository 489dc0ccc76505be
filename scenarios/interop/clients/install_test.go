package clients_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/clients"
)

// installKcat installs kcat where that is a matter of one command: on Debian, as root, in CI. Elsewhere the tests
// report that it is missing.
func installKcat(t *testing.T) {
	t.Helper()
	if (clients.Kcat{}).Missing() == "" || os.Getenv("CI_NOTES") == "" || os.Getuid() != 0 {
		return
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, args := range [][]string{{"install", "-y", "-q", "kcat"}, {"update", "-q"}, {"install", "-y", "-q", "kcat"}} {
		out, err := exec.CommandContext(ctx, apt, args...).CombinedOutput()
		if err == nil && args[0] == "install" {
			return
		}
		t.Logf("apt-get %v: %v\n%s", args, err, out)
	}
}
