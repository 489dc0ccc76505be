package simulate

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/results"
	"github.com/klamm-log/klamm/cmd/klamm/sweep"
)

// checkpointEvery is how often a sweep that runs writes its result: what a process that is killed loses.
const checkpointEvery = 10 * time.Second

// recorder keeps the result of a sweep while it runs.
type recorder struct {
	a     *cli.App
	o     simOptions
	key   results.Key
	begin time.Time

	mu      sync.Mutex
	set     *results.Set
	process results.Process
	sick    bool // writing has failed, which was told
}

// newRecorder begins a result, or, with --resume, goes on with one.
func newRecorder(a *cli.App, o simOptions, key results.Key, shard results.Shard) (*recorder, error) {
	for _, path := range []string{o.Result, o.Ledger} { // better now than after hours
		if _, err := os.Stat(filepath.Dir(path)); path != "" && err != nil {
			return nil, exit.With(exit.CantCreate, err)
		}
	}
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return nil, err
	}
	r := &recorder{
		a: a, o: o, key: key, begin: time.Now(), set: results.New(key, o.Seed, results.Seeds(o.Seed, o.Seeds)),
		process: results.Process{ID: hex.EncodeToString(id), Shard: shard.String()},
	}
	if !o.Resume {
		return r, nil
	}
	old, err := results.ReadFile(o.Result)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil // the first time
	} else if err != nil {
		return nil, exit.With(exit.Data, err)
	}
	if err := r.set.Join(old); err != nil {
		return nil, exit.Errorf(exit.Data, "%s: %w", o.Result, err)
	}
	r.set.Resume()
	return r, nil
}

// has reports whether a seed has been run.
func (r *recorder) has(seed uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.set.Has(seed)
}

// done takes a seed's run, and stores and tells of it if it failed.
func (r *recorder) done(seed uint64, o sweep.Outcome, f *sweep.Failure) {
	capsule := ""
	if f != nil {
		var err error
		if capsule, err = storeCapsule(r.o.Capsules, r.o.Drawn.Profile, f); err != nil {
			r.a.Talkf("klamm: the capsule of seed %d is lost: %v", seed, err)
		}
		r.a.Talkf("%s", failureLine(f, r.key, capsule))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set.Add(seed, o, capsule)
	if f != nil && f.Divergence != "" {
		r.set.Diverge(seed, f.Divergence, capsule)
	}
}

// keepWriting writes the result from time to time until it is stopped. Writing takes a twentieth of the time at most.
func (r *recorder) keepWriting() (stop func()) {
	if r.o.Result == "" {
		return func() {}
	}
	ended := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		wait := checkpointEvery
		for {
			select {
			case <-ended:
				return
			case <-time.After(wait):
			}
			begin := time.Now()
			if err := r.write(); err != nil && !r.sick {
				r.sick = true
				r.a.Talkf("klamm: %v", err)
			}
			wait = max(checkpointEvery, 20*time.Since(begin))
		}
	})
	return func() {
		close(ended)
		writer.Wait()
	}
}

// write writes the result as far as it is.
func (r *recorder) write() error {
	r.mu.Lock()
	r.process.WallNs = int64(time.Since(r.begin))
	r.set.Ended(r.process, nil, false)
	f := r.set.Report().File()
	r.mu.Unlock()
	b, err := f.Encode()
	if err != nil {
		return err
	}
	return results.WriteFile(r.o.Result, b)
}

// finish ends the result, writes and prints it.
func (r *recorder) finish(sum sweep.Summary) error {
	r.mu.Lock()
	r.process.WallNs = max(int64(sum.Wall), r.process.WallNs+1)
	r.set.Ended(r.process, sum.Unfinished, sum.Interrupted)
	set := r.set.Clone() // a seed that did not end in time may still end
	r.mu.Unlock()
	report := set.Report()
	if r.o.Result != "" {
		b, err := report.Encode()
		if err == nil {
			err = results.WriteFile(r.o.Result, b)
		}
		if err != nil {
			return exit.With(exit.IO, err)
		}
	}
	if err := addToLedger(r.o.Ledger, set.Ledger()); err != nil {
		return err
	}
	if err := r.a.Result(report); err != nil {
		return exit.With(exit.IO, err)
	}
	return exit.Silently(report.Code())
}

// addToLedger joins a ledger with what a file has, if there is a path.
func addToLedger(path string, l results.Ledger) error {
	if path == "" {
		return nil
	}
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		old, err := results.ParseLedger(b)
		if err != nil {
			return exit.Errorf(exit.Data, "%s: %w", path, err)
		}
		l = results.JoinLedgers(old, l)
	}
	if b, err = l.Encode(); err != nil {
		return err
	}
	return exit.With(exit.IO, results.WriteFile(path, b))
}

// storeCapsule writes the capsule of a failing seed and returns its path; "" without a directory. What a seed without a
// world has to tell cannot be replayed.
func storeCapsule(dir, profile string, f *sweep.Failure) (string, error) {
	if dir == "" || f.World == nil {
		return "", nil
	}
	b, err := f.World.Capsule(f.Outcome)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	name := strings.TrimSuffix(filepath.Base(profile), ".json")
	path := filepath.Join(dir, fmt.Sprintf("%s-%d.json", name, f.Seed))
	return path, os.WriteFile(path, b, 0o644)
}
