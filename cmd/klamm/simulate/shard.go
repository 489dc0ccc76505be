package simulate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/cmd/klamm/results"
)

// shardsVariable is how many shards there are where the scheduler does not say so, or says how many of them it runs now.
const shardsVariable = "KLAMM_SHARDS"

// scheduler is how a scheduler tells a process which of many it is.
type scheduler struct {
	name  string
	index string
	count string // variable; empty: the scheduler does not say
}

// schedulers are those that set one variable for the index, and perhaps one for the number. Slurm is another matter.
func schedulers() []scheduler {
	return []scheduler{
		{"Kubernetes (indexed job)", "JOB_COMPLETION_INDEX", ""},
		{"GitLab CI", "CI_NODE_INDEX", "CI_NODE_TOTAL"},
		{"CircleCI", "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL"},
		{"Buildkite", "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT"},
		// Not PARALLEL_JOBSLOT: the job after the one that ends first gets its slot again.
		{"GNU parallel", "PARALLEL_SEQ", ""},
	}
}

// shardOf reads the value of --shard: i/n as it is; auto and auto/n with the variables that schedulers set. Only the flag
// asks for a shard, the variables by themselves do not: who runs a sweep inside a Slurm job wants the whole of it.
func shardOf(flag string, env func(string) string) (results.Shard, error) {
	auto, of, given := strings.Cut(flag, "/")
	if auto != "auto" {
		return results.ParseShard(flag)
	}
	if !given {
		of = env(shardsVariable)
	}
	n := uint64(0)
	if of != "" {
		var err error
		if n, err = strconv.ParseUint(of, 10, 32); err != nil || n == 0 {
			return results.Whole(), fmt.Errorf("%q is not a number of shards", of)
		}
	}
	if env("SLURM_JOB_ID") != "" {
		return slurmShard(n, env)
	}
	for _, s := range schedulers() {
		if env(s.index) == "" {
			continue
		}
		index, err := number(s.index, env)
		if err == nil && n == 0 && s.count != "" {
			n, err = number(s.count, env)
		}
		switch {
		case err != nil:
			return results.Whole(), err
		case n == 0:
			return results.Whole(), fmt.Errorf("%s does not say how many there are: write --shard auto/n, or set %s", s.name, shardsVariable)
		}
		return results.Shard{Index: index % n, Of: n}, nil // whether they count from 0 or from 1
	}
	return results.Whole(), fmt.Errorf("--shard auto: no scheduler's variable is set; write --shard i/n")
}

// slurmShard is the shard of a task of an array, of a task of a step, or of both.
//
// The number given, if any, is that of the array's tasks: to run some tasks of an array again is an array with fewer.
func slurmShard(n uint64, env func(string) string) (results.Shard, error) {
	s := results.Whole()
	if env("SLURM_ARRAY_TASK_ID") != "" {
		var err error
		if s, err = arrayShard(n, env); err != nil {
			return s, err
		}
	}
	// In a batch script there is no step, although SLURM_PROCID is 0 and SLURM_NTASKS what was asked for.
	if env("SLURM_STEP_NUM_TASKS") == "" {
		if s.Of == 1 {
			return s, fmt.Errorf("a Slurm job without an array and without srun is one process: write --shard i/n")
		}
		return s, nil
	}
	rank, err := number("SLURM_PROCID", env)
	if err != nil {
		return s, err
	}
	tasks, err := number("SLURM_STEP_NUM_TASKS", env)
	if err != nil {
		return s, err
	}
	if n != 0 && env("SLURM_ARRAY_TASK_ID") == "" {
		tasks = n
	}
	if tasks == 0 || rank >= tasks {
		return s, fmt.Errorf("SLURM_PROCID=%d of %d", rank, tasks)
	}
	return results.Shard{Index: s.Index*tasks + rank, Of: s.Of * tasks}, nil
}

// arrayShard is the shard of a task of an array.
func arrayShard(n uint64, env func(string) string) (results.Shard, error) {
	id, err := number("SLURM_ARRAY_TASK_ID", env)
	if err != nil {
		return results.Whole(), err
	}
	if n != 0 {
		return results.Shard{Index: id % n, Of: n}, nil
	}
	count, err1 := number("SLURM_ARRAY_TASK_COUNT", env)
	least, err2 := number("SLURM_ARRAY_TASK_MIN", env)
	most, err3 := number("SLURM_ARRAY_TASK_MAX", env)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return results.Whole(), err
		}
	}
	if count == 0 || id < least || most-least+1 != count {
		return results.Whole(), fmt.Errorf("the array has %d tasks from %d to %d, not all of them: write --shard auto/n or set %s",
			count, least, most, shardsVariable)
	}
	return results.Shard{Index: id % count, Of: count}, nil // as with auto/n, which runs one of them again
}

// number reads a variable.
func number(name string, env func(string) string) (uint64, error) {
	n, err := strconv.ParseUint(env(name), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s=%q is not a number", name, env(name))
	}
	return n, nil
}
