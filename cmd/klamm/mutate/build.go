package mutate

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is a source tree of this module on disk. It is only read.
type Tree struct{ root string }

// OpenTree finds the tree that contains the working directory.
func OpenTree(ctx context.Context) (Tree, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return Tree{}, fmt.Errorf("mutants are built with the go command: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	root := filepath.Dir(mod)
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(Dir))); mod == "" || err != nil {
		return Tree{}, fmt.Errorf("not inside klamm's source tree, whose %s is needed", Dir)
	}
	return Tree{root: root}, nil
}

// Root is the tree's path.
func (t Tree) Root() string { return t.root }

// Changed is the contents of the files that a mutant changes.
func (t Tree) Changed(m Mutant) (map[string][]byte, error) {
	files, err := Apply(m.Diff, func(path string) ([]byte, error) {
		return os.ReadFile(filepath.Join(t.root, filepath.FromSlash(path)))
	})
	if err != nil {
		return nil, fmt.Errorf("mutant %s does not apply any more: %w", m.ID, err)
	}
	return files, nil
}

// Build builds the command klamm with the changed files in place of the tree's (nil: none) and writes it to program.
// Files of the build go to a directory that only the caller uses.
//
// The program does not name its revision: it is not that revision's, and a capsule that said so would make an honest
// replay look nondeterministic.
func (t Tree) Build(ctx context.Context, changed map[string][]byte, dir, program string) error {
	return t.build(ctx, changed, dir, "-o", program, "./cmd/klamm")
}

// Compile only says whether the packages with changed files compile.
func (t Tree) Compile(ctx context.Context, changed map[string][]byte, dir string) error {
	packages := make([]string, 0, len(changed)+2)
	for path := range changed {
		packages = append(packages, "./"+filepath.ToSlash(filepath.Dir(path)))
	}
	slices.Sort(packages)
	return t.build(ctx, changed, dir, append([]string{"-o", os.DevNull}, slices.Compact(packages)...)...)
}

func (t Tree) build(ctx context.Context, changed map[string][]byte, dir string, args ...string) error {
	listed, err := t.overlay(changed, dir)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-overlay", listed, "-buildvcs=false"}, args...)...)
	cmd.Dir = t.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// overlay writes the changed files, and the list of them that the go command takes, to dir.
func (t Tree) overlay(changed map[string][]byte, dir string) (listed string, err error) {
	overlay := struct{ Replace map[string]string }{make(map[string]string, len(changed))}
	for path, data := range changed {
		to := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(to, data, 0o644); err != nil {
			return "", err
		}
		overlay.Replace[filepath.Join(t.root, filepath.FromSlash(path))] = to
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	listed = filepath.Join(dir, "overlay.json")
	return listed, os.WriteFile(listed, list, 0o644)
}
