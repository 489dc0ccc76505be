package mutate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"time"
)

// Program is a built klamm.
type Program string

// Sweep says which seeds to run.
type Sweep struct {
	Profile  string
	First    uint64
	Seeds    int64
	Failures int           // stop after so many failing seeds
	Time     time.Duration // begin no seed after it; 0 is no limit
	Jobs     int
	Capsules string // directory; empty for none
}

// Violation is a broken property of a seed, as klamm sim reports it.
type Violation struct {
	Seed     uint64 `json:"seed"`
	Property string `json:"property"`
	Place    string `json:"place"`
	Message  string `json:"message"`
	Capsule  string `json:"capsule"`
}

// Swept is the part of klamm sim's result that matters here. The seeds run are those from the first on, without holes.
type Swept struct {
	Seeds      int64       `json:"seeds_run"`
	Violations []Violation `json:"violations"`
	Unfinished []uint64    `json:"unfinished"`
	Diverged   []struct {
		Seed uint64 `json:"seed"`
	} `json:"diverged"`
}

// Red is the failing seeds in order.
func (s *Swept) Red() []uint64 {
	var seeds []uint64
	for _, v := range s.Violations {
		seeds = append(seeds, v.Seed)
	}
	slices.Sort(seeds)
	return slices.Compact(seeds)
}

// First is the first violation of a seed.
func (s *Swept) First(seed uint64) Violation {
	i := slices.IndexFunc(s.Violations, func(v Violation) bool { return v.Seed == seed })
	if i < 0 {
		return Violation{}
	}
	return s.Violations[i]
}

// Sweep runs seeds.
func (p Program) Sweep(ctx context.Context, s Sweep) (Swept, error) {
	args := []string{"sim", "-o", "json", "--profile", s.Profile, "--seed", strconv.FormatUint(s.First, 10),
		"--seeds", strconv.FormatInt(s.Seeds, 10), "--failures", strconv.Itoa(s.Failures), "--capsules", s.Capsules}
	if s.Time > 0 {
		args = append(args, "--time", s.Time.String())
	}
	if s.Jobs > 0 {
		args = append(args, "--jobs", strconv.Itoa(s.Jobs))
	}
	var r Swept
	_, err := p.run(ctx, &r, args...)
	return r, err
}

// Replayed is the part of klamm replay's result that matters here.
type Replayed struct {
	Recorded   []string `json:"recorded"`
	Verdict    []string `json:"verdict"`
	Divergence string   `json:"divergence"`
}

// Faithful reports whether the repetition broke the same promises by the same steps as the recording.
func (r *Replayed) Faithful() bool {
	return r.Divergence == "" && len(r.Verdict) > 0 && slices.Equal(r.Verdict, r.Recorded)
}

// Replay repeats a capsule.
func (p Program) Replay(ctx context.Context, capsule string) (Replayed, error) {
	var r Replayed
	_, err := p.run(ctx, &r, "replay", "-o", "json", capsule)
	return r, err
}

// Shrunk is the part of klamm shrink's result that matters here.
type Shrunk struct {
	Capsule  string `json:"capsule"` // the smaller one
	Property string `json:"property"`
	Before   Extent `json:"before"`
	After    Extent `json:"after"`
	Runs     int64  `json:"runs"`
	Complete bool   `json:"complete"` // nothing more could go; otherwise its time was over
	WallNs   int64  `json:"wall_ns"`
	CPUNs    int64  `json:"cpu_ns"` // of all cores together, as the kernel counted it
}

// Extent is how large a run is.
type Extent struct {
	Events  int64 `json:"events"`
	Nodes   int   `json:"nodes"`
	Faults  int   `json:"faults"`
	Clients int   `json:"clients"`
	Ops     int   `json:"ops"`
}

// Shrink makes a capsule smaller, with klamm shrink's own bounds.
func (p Program) Shrink(ctx context.Context, capsule string, jobs int) (Shrunk, error) {
	var r Shrunk
	used, err := p.run(ctx, &r, "shrink", "-o", "json", "--jobs", strconv.Itoa(jobs), capsule)
	r.CPUNs = int64(used)
	return r, err
}

// verdicts is the highest exit code that comes with a result.
const verdicts = 3

// run runs the program and reads its result. It returns the processor time that it took.
func (p Program) run(ctx context.Context, result any, args ...string) (used time.Duration, err error) {
	var out, talk bytes.Buffer
	cmd := exec.CommandContext(ctx, string(p), args...)
	cmd.Stdout, cmd.Stderr = &out, &talk
	err = cmd.Run()
	if s := cmd.ProcessState; s != nil {
		used = s.UserTime() + s.SystemTime()
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() > 0 && ended.ExitCode() <= verdicts && ctx.Err() == nil {
		err = nil
	}
	if err == nil {
		err = json.Unmarshal(out.Bytes(), result)
	}
	if err != nil {
		return used, fmt.Errorf("klamm %s: %w\n%s", args[0], err, tail(talk.Bytes()))
	}
	return used, nil
}

// tail is the end of what a program said: a panic's stack may be long.
func tail(b []byte) []byte {
	const most = 4000
	if len(b) > most {
		return b[len(b)-most:]
	}
	return b
}
