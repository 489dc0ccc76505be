package tidy

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// module is the import path of the repository's root.
const module = "github.com/klamm-log/klamm"

// source is one parsed Go file.
type source struct {
	path      string // slash-separated, from the repository's root
	dir       string // "." for the root
	test      bool   // a _test.go file
	foreign   bool   // belongs to a module nested in the repository
	generated bool   // carries the header of generated code
	lines     int
	text      []byte
	fset      *token.FileSet
	file      *ast.File
}

// at is "path:line" of a position in the file.
func (s *source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.path, s.line(pos))
}

func (s *source) line(pos token.Pos) int { return s.fset.Position(pos).Line }

// under reports whether the file lies in one of these folders or below.
func (s *source) under(folders ...string) bool {
	for _, folder := range folders {
		if s.dir == folder || strings.HasPrefix(s.dir, folder+"/") {
			return true
		}
	}
	return false
}

// pure reports whether the file belongs to the deterministic part of the repository.
func (s *source) pure() bool {
	return !s.test && !s.foreign && s.under("core", "sim", "checkers", "scenarios")
}

// parseSource reads one file. Positions and paths are as given.
func parseSource(name string, text []byte) (*source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	return &source{
		path:      name,
		dir:       path.Dir(name),
		test:      strings.HasSuffix(name, "_test.go"),
		generated: ast.IsGenerated(file),
		lines:     strings.Count(string(text), "\n"),
		text:      text,
		fset:      fset,
		file:      file,
	}, nil
}

// readRepository parses every Go file under root, except in testdata and in folders whose name begins with "." or
// "_". A file that does not parse is an error, told together with all others.
func readRepository(root string) ([]*source, error) {
	var files []*source
	var bad []error
	foreign := make(map[string]bool) // folders that are the root of a nested module
	err := filepath.WalkDir(root, func(full string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, full)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			if rel != "." && skipped(entry.Name()) {
				return filepath.SkipDir
			}
			_, statErr := os.Stat(filepath.Join(full, "go.mod"))
			foreign[rel] = rel != "." && statErr == nil || foreign[path.Dir(rel)]
			return nil
		}
		if path.Ext(rel) != ".go" {
			return nil
		}
		text, err := os.ReadFile(full)
		if err != nil {
			return err
		}
		src, err := parseSource(rel, text)
		if err != nil {
			bad = append(bad, err)
			return nil
		}
		src.foreign = foreign[src.dir]
		files = append(files, src)
		return nil
	})
	return files, errors.Join(append(bad, err)...)
}

// skipped reports whether a folder holds nothing of ours to judge.
func skipped(name string) bool {
	return name == "testdata" || name == "node_modules" || name[0] == '.' || name[0] == '_'
}

// parsedRepository reads the repository around this package once for all tests.
var parsedRepository = sync.OnceValues(func() ([]*source, error) {
	root, err := os.Getwd()
	for ; err == nil; root = filepath.Dir(root) {
		text, readErr := os.ReadFile(filepath.Join(root, "go.mod"))
		if readErr == nil && strings.HasPrefix(string(text), "module "+module+"\n") {
			return readRepository(root)
		}
		if root == filepath.Dir(root) {
			err = errors.New("no go.mod of " + module + " above the test")
		}
	}
	return nil, err
})

// repository is the parsed repository; it fails the test when a file does not parse or when nothing was found.
func repository(t *testing.T) []*source {
	t.Helper()
	files, err := parsedRepository()
	if err != nil {
		t.Fatal(err)
	}
	core := 0
	for _, src := range files {
		if src.under("core") {
			core++
		}
	}
	if core == 0 {
		t.Fatalf("found %d files, none of them in core: looking in the wrong place", len(files))
	}
	return files
}

// refuse fails the test with one line per complaint.
func refuse(t *testing.T, complaints []string) {
	t.Helper()
	for _, complaint := range complaints {
		t.Error(complaint)
	}
}

// sample parses a source text that a test makes up.
func sample(t *testing.T, name, text string) *source {
	t.Helper()
	src, err := parseSource(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// mustSay checks the complaints about a sample: as many as wanted, each containing its text.
func mustSay(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d complaints, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("complaint %d is %q, want it to contain %q", i, got[i], want[i])
		}
	}
}

func TestReadRepository(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"core/a.go":                    "package core\n",
		"core/a_test.go":               "package core\n",
		"core/testdata/b.go":           "not even Go",
		".tools/c.go":                  "not even Go",
		"scenarios/interop/go.mod":     "module x\n",
		"scenarios/interop/d.go":       "package interop\n",
		"scenarios/interop/sub/e.go":   "package sub\n",
		"scenarios/interoperable/f.go": "// Code generated by hand. DO NOT EDIT.\n\npackage interoperable\n",
	} {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := readRepository(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, src := range files {
		got = append(got, fmt.Sprintf("%s test=%v foreign=%v generated=%v", src.path, src.test, src.foreign, src.generated))
	}
	mustSay(t, got,
		"core/a.go test=false foreign=false generated=false",
		"core/a_test.go test=true foreign=false generated=false",
		"scenarios/interop/d.go test=false foreign=true generated=false",
		"scenarios/interop/sub/e.go test=false foreign=true generated=false",
		"scenarios/interoperable/f.go test=false foreign=false generated=true",
	)
	if err := os.WriteFile(filepath.Join(root, "core", "broken.go"), []byte("pakcage core"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readRepository(root); err == nil || !strings.Contains(err.Error(), "core/broken.go") {
		t.Errorf("a file that does not parse: error %v", err)
	}
}
