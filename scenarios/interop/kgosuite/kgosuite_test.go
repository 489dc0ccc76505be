package kgosuite_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	_ "github.com/twmb/franz-go/pkg/kgo" // the tests of this package at this version are run
)

// passing are the integration tests of pkg/kgo that pass. Not among them: those about shares.
func passing() []string {
	return []string{
		"TestPing", "TestClient_Produce", "TestClient_ProduceLargeMessages", "TestAddRemovePartitions",
		"TestPauseIssue489", "TestPauseIssueOct2023", "TestIssue325", "TestIssue337", "TestIssue434", "TestIssue648",
		"TestIssue769", "TestIssue810", "TestIssue831", "TestIssue865", "TestIssue1377",
		"TestIssueFetchLargerThanBrokerMaxReadBytes", "TestIssueProduceSyncManualPartitionNegativeDoesNotPanic",
		// With groups, of both protocols, static members among them.
		"TestIssue1034", "TestIssue523", "TestConsumeRegex", "TestGroupSimple", "Test848RegexBrokerResolves", "TestGroupETL",
		"TestTxnEtl", // consume, transform and produce with transactions of version 2
	}
}

func TestSlice(t *testing.T) {
	node := harness.Start(t, harness.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout=290s",
		"-run", "^("+strings.Join(passing(), "|")+")$", "github.com/twmb/franz-go/pkg/kgo")
	cmd.Dir = harness.Module(t)
	cmd.Env = append(os.Environ(), "KGO_SEEDS="+node.Addr, "KGO_TEST_RF=1", "KGO_TEST_RECORDS=20000")
	out, err := cmd.CombinedOutput()
	node.Alive()
	for _, name := range passing() {
		verdict := regexp.MustCompile(`(?m)^--- (\w+): ` + name + ` \(.*\)$`).FindSubmatch(out)
		if verdict == nil || string(verdict[1]) != "PASS" {
			t.Errorf("%s: %q", name, verdict)
			continue
		}
		t.Log(string(verdict[0]))
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
