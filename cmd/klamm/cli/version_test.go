package cli_test

import (
	"bytes"
	"testing"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/cli/clitest"
)

func TestVersion(t *testing.T) {
	v := cli.Version{Version: "v1.2.3", Revision: "abc", Modified: true, Time: "2026-01-01T00:00:00Z", Go: "go1.26", Platform: "linux/amd64", Kmsg: "v1"}
	clitest.Golden(t, "version.txt", clitest.Printed(t, v))
	if !bytes.Contains(cli.VersionOf(nil).AppendText(nil), []byte("revision  unknown\n")) {
		t.Error("a build without information is not called unknown")
	}
}
