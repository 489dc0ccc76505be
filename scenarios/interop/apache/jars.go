package apache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// Set is an artifact of org.apache.kafka that is fetched with all it depends on.
type Set struct {
	Artifact, Version string
	MinJava           int
}

// Tools has the dump tool. Of the versions at Maven Central this is the newest that has been published.
func Tools() Set { return Set{Artifact: "kafka-tools", Version: "4.3.0", MinJava: 17} }

// Broker has the broker, of the version that Klamm says it is compatible with.
func Broker() Set { return Set{Artifact: "kafka_2.13", Version: "4.4.0", MinJava: 17} }

// fetchTimeout bounds one run of Maven.
const fetchTimeout = 4 * time.Minute

// Classpath returns Java's class path for a set, and fetches the set first if need be. It skips the test where the
// machine has no suitable Java or cannot get the jars.
func Classpath(t testing.TB, s Set) string {
	t.Helper()
	requireJava(t, s.MinJava)
	cache, err := os.UserCacheDir()
	if err != nil {
		harness.Missing(t, "no directory for Kafka's jars: %v", err)
	}
	dir := filepath.Join(cache, "klamm-interop", s.Artifact+"-"+s.Version)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		fetch(t, s, dir)
	} else if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "*")
}

// requireJava skips the test without a Java that is new enough.
func requireJava(t testing.TB, least int) {
	t.Helper()
	harness.Install(t, "java", "default-jre-headless")
	out, err := exec.Command("java", "-version").CombinedOutput()
	if err != nil {
		harness.Missing(t, "Kafka needs Java %d: java -version: %v", least, err)
	}
	_, rest, _ := strings.Cut(string(out), `version "`)
	major, err := strconv.Atoi(rest[:strings.IndexAny(rest+".", `."-`)])
	if err != nil || major < least {
		harness.Missing(t, "Kafka needs Java %d; this is %s", least, out)
	}
}

// fetch lets Maven copy the set into dir. The directory appears when it is complete: another test may be fetching
// the same.
func fetch(t testing.TB, s Set, dir string) {
	t.Helper()
	harness.Install(t, "mvn", "maven")
	maven, err := exec.LookPath("mvn")
	if err != nil {
		harness.Missing(t, "org.apache.kafka:%s:%s is not in %s, and there is no Maven to fetch it", s.Artifact, s.Version, dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "fetching-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(work) }() // jars are there already if this fails
	pom := filepath.Join(work, "pom.xml")
	if err := os.WriteFile(pom, s.pom(), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), fetchTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, maven, "-B", "-q", "-f", pom, "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(work, "jars"))
	if out, err := cmd.CombinedOutput(); err != nil {
		harness.Missing(t, "Maven could not fetch org.apache.kafka:%s:%s: %v: %s", s.Artifact, s.Version, err, firstLine(out))
	}
	if err := os.Rename(filepath.Join(work, "jars"), dir); err != nil {
		if _, there := os.Stat(dir); there != nil {
			t.Fatal(err)
		}
	}
}

func firstLine(out []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

// pom is a Maven project that depends on the set and nothing else.
func (s Set) pom() []byte {
	return fmt.Appendf(nil, `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>klamm</groupId><artifactId>interop</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>%s</artifactId><version>%s</version>
    </dependency>
  </dependencies>
</project>
`, s.Artifact, s.Version)
}

// Dump runs Kafka's DumpLogSegments with a class path of [Tools], and returns what it prints on both streams. The
// tool reports most of what it finds there, and some by its exit status.
func Dump(t testing.TB, classpath string, args ...string) (said string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args = append([]string{"-Xmx512m", "-cp", classpath, "org.apache.kafka.tools.DumpLogSegments"}, args...)
	cmd := exec.CommandContext(ctx, "java", args...)
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	for line := range strings.Lines(talk.String()) {
		if !strings.HasPrefix(line, "SLF4J: ") { // no logger, and none wanted
			out = append(out, line...)
		}
	}
	return string(out), err
}
