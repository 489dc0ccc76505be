package ledger_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/scenarios/ledger"
)

// TestCatalogueIsTheSource: every point of the source stands in the catalogue, and the reverse.
func TestCatalogueIsTheSource(t *testing.T) {
	found := make(map[string][]string) // places by name
	for _, dir := range []string{"core", "sim"} {
		root := filepath.Join("..", "..", dir)
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			names, err := points(path, b)
			for name, at := range names {
				found[name] = append(found[name], at)
			}
			return err
		}))
	}
	listed := make(map[string]bool)
	for _, e := range ledger.Catalogue() {
		require.False(t, listed[e.Name], "%s stands twice in the catalogue", e.Name)
		listed[e.Name] = true
		if found[e.Name] == nil {
			t.Errorf("%s stands in catalogue.txt and not in the source: remove the line", e.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !listed[name] {
			t.Errorf("%s: add a line to scenarios/ledger/catalogue.txt:\n%s | rare | what happens there", found[name][0], name)
		}
	}
	require.Greater(t, len(found), 50, "the scan has become blind")
}

// points finds the names in calls of Sometimes and Reachable, and in counters of the simulator's own.
func points(path string, src []byte) (map[string]string, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, src, 0)
	if err != nil {
		return nil, err
	}
	found := make(map[string]string)
	var bad []string
	take := func(e ast.Expr) {
		at := set.Position(e.Pos()).String()
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			if id, isName := e.(*ast.Ident); !isName || id.Name != "message" { // passed on by Reachable to Sometimes
				bad = append(bad, at+": the name of a point is a constant, written here")
			}
			return
		}
		if name, err := strconv.Unquote(lit.Value); err == nil {
			found[name] = at
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			switch name := strings.ToLower(sel.Sel.Name); {
			case name == "sometimes" && len(n.Args) == 3:
				take(n.Args[1])
			case name == "reachable" && len(n.Args) == 2:
				take(n.Args[0])
			}
		case *ast.IndexExpr:
			if sel, ok := n.X.(*ast.SelectorExpr); ok && sel.Sel.Name == "points" {
				if lit, ok := n.Index.(*ast.BasicLit); ok {
					take(lit)
				}
			}
		}
		return true
	})
	if len(bad) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(bad, "\n"))
	}
	return found, nil
}

func TestScan(t *testing.T) {
	got, err := points("a.go", []byte(`package a
func f() {
	out.Reachable("one", nil)
	r.sometimes(x > 1, "two", d)
	w.points["three"]++
	e.Sometimes(true, message, nil)
	w.points[p.Message]++
	other("four", nil)
}`))
	require.NoError(t, err)
	require.Equal(t, []string{"one", "three", "two"}, slices.Sorted(maps.Keys(got)))
	_, err = points("a.go", []byte("package a\nfunc f() { out.Reachable(name(), nil) }"))
	require.ErrorContains(t, err, "a.go:2:26: the name of a point is a constant")
}

// The catalogue is sorted, says what each point is, and names profiles that exist.
func TestCatalogueIsSane(t *testing.T) {
	entries := ledger.Catalogue()
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name)
		require.NotEmpty(t, e.What, e.Name)
		require.True(t, e.Rare || len(e.Profiles) > 0, "%s is demanded of no profile, so it is rare", e.Name)
		for _, p := range e.Profiles {
			require.Contains(t, scenarios.Profiles(), p, e.Name)
		}
	}
	require.True(t, slices.IsSorted(names), "sort catalogue.txt by name")
	require.NotEmpty(t, ledger.Demanded("default"))
}
