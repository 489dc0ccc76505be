package assignors_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/apache"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

var rewrite = flag.Bool("rewrite", false, "write core/assignor's golden file anew")

// golden is where core/assignor looks for Kafka's answers.
var golden = filepath.Join("..", "..", "..", "core", "assignor", "testdata", "kafka.jsonl")

// drawn is the number of groups drawn from the seed.
const drawn = 300

// The golden file of core/assignor is what Kafka's own classes answer.
func TestGoldenFileIsKafkas(t *testing.T) {
	jars := apache.Classpath(t, apache.Broker())
	var input bytes.Buffer
	lines := json.NewEncoder(&input)
	lines.SetEscapeHTML(false)
	groups := documented()
	for n, r := 0, rand.New(rand.NewPCG(848, 881)); n < drawn; n++ {
		groups = append(groups, draw(r, n))
	}
	for _, g := range groups {
		if err := lines.Encode(g); err != nil {
			t.Fatal(err)
		}
	}
	output := ask(t, jars, &input)
	if *rewrite {
		if err := os.WriteFile(golden, output, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(output, want) {
		t.Errorf("%s is not what Kafka answers; look, and if it should be, run with -rewrite", golden)
	}
}

// ask runs the oracle, which Java compiles from its source.
func ask(t *testing.T, jars string, input *bytes.Buffer) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "java", "-Xmx512m", "-cp", jars, "Oracle.java")
	var talk bytes.Buffer
	cmd.Stdin, cmd.Stderr = input, &talk
	output, err := cmd.Output()
	if err != nil {
		if bytes.Contains(talk.Bytes(), []byte("jdk.compiler")) {
			harness.Missing(t, "this Java has no compiler: %s", talk.String())
		}
		t.Fatalf("%v\n%s", err, talk.String())
	}
	return output
}
