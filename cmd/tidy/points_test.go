package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/scenarios/ledger"
)

// uncatalogued compares the points of core and sim, which calls of Sometimes and Reachable name, with a catalogue.
func uncatalogued(files []*source, catalogue []ledger.Entry) []string {
	const file = "scenarios/ledger/catalogue.txt"
	found := make(map[string]string) // places by name
	var complaints []string
	for _, src := range files {
		if src.test || !src.under("core") && !src.under("sim") {
			continue
		}
		names, bad := points(src)
		complaints = append(complaints, bad...)
		maps.Copy(found, names)
	}
	listed := make(map[string]bool)
	for _, e := range catalogue {
		if listed[e.Name] {
			complaints = append(complaints, fmt.Sprintf("%s: %s stands there twice", file, e.Name))
		}
		listed[e.Name] = true
		if found[e.Name] == "" {
			complaints = append(complaints, fmt.Sprintf("%s: no source names %s any more: remove the line", file, e.Name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !listed[name] {
			complaints = append(complaints, fmt.Sprintf("%s: add a line to %s, in order: %s | rare | what happens there", found[name], file, name))
		}
	}
	return complaints
}

// points are the names in calls of Sometimes and Reachable, and of the simulator's own counters, with their places.
func points(src *source) (found map[string]string, bad []string) {
	found = make(map[string]string)
	take := func(e ast.Expr) {
		lit, isLit := e.(*ast.BasicLit)
		if !isLit || lit.Kind != token.STRING {
			if id, isName := e.(*ast.Ident); !isName || id.Name != "message" { // Reachable passes its own on to Sometimes
				bad = append(bad, src.at(e.Pos())+": the name of a point is a constant, written here")
			}
			return
		}
		if name, err := strconv.Unquote(lit.Value); err == nil {
			found[name] = src.at(e.Pos())
		}
	}
	ast.Inspect(src.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			sel, isSel := n.Fun.(*ast.SelectorExpr)
			if !isSel {
				return true
			}
			switch name := strings.ToLower(sel.Sel.Name); {
			case name == "sometimes" && len(n.Args) == 3:
				take(n.Args[1])
			case name == "reachable" && len(n.Args) == 2:
				take(n.Args[0])
			}
		case *ast.IndexExpr:
			if sel, isSel := n.X.(*ast.SelectorExpr); isSel && sel.Sel.Name == "points" {
				if lit, isLit := n.Index.(*ast.BasicLit); isLit {
					take(lit)
				}
			}
		}
		return true
	})
	return found, bad
}

func TestPointsAreCatalogued(t *testing.T) {
	refuse(t, uncatalogued(repository(t), ledger.Catalogue()))
	if n := len(ledger.Catalogue()); n < 50 {
		t.Errorf("%d points: the scan has become blind", n)
	}
}

func TestPointsAreCataloguedSample(t *testing.T) {
	const text = `package a

func f() {
	out.Reachable("one", nil)
	r.sometimes(x > 1, "two", d)
	w.points["three"]++
	e.Sometimes(true, message, nil)
	w.points[p.Message]++
	other("four", nil)
	out.Reachable(name(), nil)
}
`
	mustSay(t, uncatalogued([]*source{
		sample(t, "core/a.go", text),
		sample(t, "core/a_test.go", `package a; func g() { out.Reachable("five", nil) }`),
		sample(t, "cmd/klamm/a.go", `package a; func g() { out.Reachable("six", nil) }`),
	}, []ledger.Entry{{Name: "one"}, {Name: "one"}, {Name: "gone"}}),
		"core/a.go:10: the name of a point is a constant", "one stands there twice", "no source names gone any more",
		"core/a.go:6: add a line to scenarios/ledger/catalogue.txt, in order: three | rare |", "core/a.go:5: add a line")
}
