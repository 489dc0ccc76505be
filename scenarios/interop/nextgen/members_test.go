package nextgen_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/apache"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// Kafka's own consumer, of the version that Klamm says it is compatible with, in groups of a node.
func TestKafkasConsumer(t *testing.T) {
	jars := apache.Classpath(t, apache.Broker())
	node := harness.Start(t, harness.Options{Data: t.TempDir(), Set: []string{
		"offsets.topic.replication.factor=1", "group.consumer.heartbeat.interval.ms=500", "group.initial.rebalance.delay.ms=100",
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	said, err := exec.CommandContext(ctx, "java", "-Xmx400m", "-cp", jars, "Members.java", node.Addr).CombinedOutput()
	t.Logf("%s", said)
	if err != nil {
		t.Fatal(err)
	}
	node.Stop()
}
