package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// initializers lists functions named init (STYLE, Go 12).
func initializers(files []*source) []string {
	var found []string
	for _, src := range files {
		for _, decl := range src.file.Decls {
			fn, isFunc := decl.(*ast.FuncDecl)
			if isFunc && fn.Recv == nil && fn.Name.Name == "init" && !src.generated {
				found = append(found, src.at(fn.Pos())+": func init: construct values where they are needed")
			}
		}
	}
	return found
}

// globals lists package variables of the deterministic packages that lack a reason. Blank ones, sentinel errors and
// embedded files, of which golangci-lint does not want one either, need none.
func globals(files []*source) []string {
	var found []string
	for _, src := range files {
		if !src.pure() || src.generated {
			continue
		}
		excused := excusedLines(src)
		for _, decl := range src.file.Decls {
			vars, isGen := decl.(*ast.GenDecl)
			if !isGen || vars.Tok != token.VAR {
				continue
			}
			for _, spec := range vars.Specs {
				value, isValue := spec.(*ast.ValueSpec)
				if !isValue || excused[src.line(value.Pos())] || excused[src.line(vars.Pos())-1] || isEmbedded(vars) {
					continue
				}
				for _, name := range value.Names {
					if name.Name != "_" && !isSentinel(value, name.Name) {
						found = append(found, fmt.Sprintf("%s: package variable %s: write a function or a switch, or end the "+
							"line with //nolint:gochecknoglobals // reason", src.at(name.Pos()), name.Name))
					}
				}
			}
		}
	}
	return found
}

// excusedLines are the lines that end in //nolint:gochecknoglobals with a reason. As for golangci-lint, one that
// stands alone above a declaration counts for the whole of it.
func excusedLines(src *source) map[int]bool {
	excuse := regexp.MustCompile(`^//nolint:(?:\w+,)*gochecknoglobals(?:,\w+)* // *\S`)
	lines := make(map[int]bool)
	for _, group := range src.file.Comments {
		for _, comment := range group.List {
			if excuse.MatchString(comment.Text) {
				lines[src.line(comment.Pos())] = true
			}
		}
	}
	return lines
}

// isEmbedded reports whether a variable has a //go:embed directive above it.
func isEmbedded(vars *ast.GenDecl) bool {
	return vars.Doc != nil && slices.ContainsFunc(vars.Doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// isSentinel reports whether a variable is an error made by errors.New or fmt.Errorf and named as one.
func isSentinel(value *ast.ValueSpec, name string) bool {
	if !strings.HasPrefix(name, "Err") && !strings.HasPrefix(name, "err") || len(value.Values) != 1 {
		return false
	}
	call, isCall := value.Values[0].(*ast.CallExpr)
	if !isCall {
		return false
	}
	sel, isSel := call.Fun.(*ast.SelectorExpr)
	if !isSel {
		return false
	}
	pkg, isIdent := sel.X.(*ast.Ident)
	return isIdent && (pkg.Name == "errors" && sel.Sel.Name == "New" || pkg.Name == "fmt" && sel.Sel.Name == "Errorf")
}

// sleepers lists test files that sleep (STYLE, Tests 18).
func sleepers(files []*source) []string {
	var found []string
	for _, src := range files {
		if src.test && slices.Contains(timeUses(src), "time.Sleep") {
			found = append(found, src.path+": time.Sleep in a test: use virtual time, testing/synctest, or wait for the event itself")
		}
	}
	return found
}

// nameless lists packages without a package comment in the form that go doc expects.
func nameless(files []*source) []string {
	type key struct{ dir, name string }
	documented := make(map[key]bool)
	for _, src := range files {
		name := src.file.Name.Name
		if strings.HasSuffix(name, "_test") {
			continue
		}
		k := key{src.dir, name}
		begin := "Package " + name + " "
		if name == "main" {
			begin = "Command "
		}
		documented[k] = documented[k] || !src.test && strings.HasPrefix(src.file.Doc.Text(), begin)
	}
	var found []string
	for k, has := range documented {
		if !has {
			begin := "Package " + k.name
			if k.name == "main" {
				begin = "Command"
			}
			found = append(found, fmt.Sprintf("%s: package %s has no comment that begins with %q: say in doc.go what it models", k.dir, k.name, begin))
		}
	}
	slices.Sort(found)
	return found
}

// undocumented lists exported symbols of core without a comment. A group of constants or variables may share one.
func undocumented(files []*source) []string {
	var found []string
	complain := func(src *source, pos token.Pos, name string) {
		found = append(found, fmt.Sprintf("%s: %s is exported and has no comment: give meaning, units, errors, source", src.at(pos), name))
	}
	for _, src := range files {
		if !src.under("core") || src.test || src.generated {
			continue
		}
		for _, decl := range src.file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				public := decl.Name.IsExported() &&
					(decl.Recv == nil || ast.IsExported(receiverName(decl.Recv.List[0].Type)))
				if public && decl.Doc.Text() == "" { // a directive is not a comment
					complain(src, decl.Pos(), funcName(decl))
				}
			case *ast.GenDecl:
				for _, name := range undocumentedSpecs(decl) {
					complain(src, name.Pos(), name.Name)
				}
			}
		}
	}
	return found
}

// undocumentedSpecs lists the exported names of a declaration that no comment covers.
func undocumentedSpecs(decl *ast.GenDecl) []*ast.Ident {
	var names []*ast.Ident
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			covered := spec.Doc != nil || decl.Doc != nil && !decl.Lparen.IsValid()
			if spec.Name.IsExported() && !covered {
				names = append(names, spec.Name)
			}
		case *ast.ValueSpec:
			if spec.Doc == nil && spec.Comment == nil && decl.Doc == nil {
				for _, name := range spec.Names {
					if name.IsExported() {
						names = append(names, name)
					}
				}
			}
		}
	}
	return names
}

func TestNoInit(t *testing.T)          { refuse(t, initializers(repository(t))) }
func TestNoGlobals(t *testing.T)       { refuse(t, globals(repository(t))) }
func TestNoSleep(t *testing.T)         { refuse(t, sleepers(repository(t))) }
func TestPackageComments(t *testing.T) { refuse(t, nameless(repository(t))) }
func TestCoreDocumented(t *testing.T)  { refuse(t, undocumented(repository(t))) }

func TestNoInitSample(t *testing.T) {
	mustSay(t, initializers([]*source{
		sample(t, "disk/a.go", "package disk\n\nfunc init() {}\n\ntype T int\n\nfunc (T) init() {}\n"),
		sample(t, "core/a_test.go", "package core\n\nfunc init() {}\n"),
		sample(t, "core/b.go", "package core\n\nfunc initialize() { init := 1; _ = init }\n"),
	}), "disk/a.go:3: func init", "core/a_test.go:3: func init")
}

func TestNoGlobalsSample(t *testing.T) {
	const bad = `package core

import ("embed"; "errors"; "fmt")

var a, b = 1, 2

var (
	_      = 3
	ErrOne = errors.New("one")
	errTwo = fmt.Errorf("two: %w", ErrOne)
	ErrMap = map[int]error{}
	fine   = 4 //nolint:gochecknoglobals // a table that Go cannot write as a constant
	c      = 5 //nolint:gochecknoglobals
	d      = 6 //nolint:gochecknoglobals //
	e      = 7 //nolint:errcheck // wrong linter
	_, f   = 8, 9
)

//nolint:unused,gochecknoglobals // one reason for the group
var (
	g = 1
)

var ( //nolint:gochecknoglobals // golangci-lint does not see this place
	h = 1
)

// files are data.
//
//go:embed testdata/*
var files embed.FS

// bare has no directive, though it speaks of go:embed.
var bare embed.FS

func local() { var x int; _ = x }
`
	mustSay(t, globals([]*source{
		sample(t, "sim/a.go", bad),
		sample(t, "sim/a_test.go", bad),
		sample(t, "disk/a.go", bad),
		sample(t, "cmd/klamm/a.go", bad),
	}), "sim/a.go:5: package variable a", "package variable b", "sim/a.go:11: package variable ErrMap",
		"package variable c", "package variable d", "package variable e", "package variable f", "package variable h",
		"package variable bare")
}

func TestNoSleepSample(t *testing.T) {
	mustSay(t, sleepers([]*source{
		sample(t, "disk/a_test.go", "package disk\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n"),
		sample(t, "disk/b_test.go", "package disk\n\nimport clock \"time\"\n\nvar nap = clock.Sleep\n"),
		sample(t, "disk/c_test.go", "package disk\n\nimport \"time\"\n\nvar d = time.Second // not time.Sleep\n"),
		sample(t, "disk/d.go", "package disk\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n"),
	}), "disk/a_test.go: time.Sleep in a test", "disk/b_test.go: time.Sleep in a test")
}

func TestPackageCommentsSample(t *testing.T) {
	mustSay(t, nameless([]*source{
		sample(t, "disk/a.go", "package disk\n"),
		sample(t, "disk/b.go", "// Package disk has files.\npackage disk\n"),
		sample(t, "disk/c_test.go", "package disk_test\n"),
		sample(t, "sim/a.go", "// Packages of all kinds.\npackage sim\n"),
		sample(t, "transport/a_test.go", "// Package transport has sockets.\npackage transport\n"),
		sample(t, "cmd/klamm/main.go", "// The main thing.\npackage main\n"),
		sample(t, "cmd/detlint/main.go", "// Command detlint judges.\npackage main\n"),
	}), "cmd/klamm: package main has no comment that begins with \"Command\"", "sim: package sim", "transport: package transport")
}

func TestCoreDocumentedSample(t *testing.T) {
	const text = `package log

type Bare struct{}

// Told is told.
type Told struct{}

type (
	// Inner is told.
	Inner int
	Outer int
)

func Loud() {}

// Quiet is told.
func Quiet() {}

func (b *Bare) Method() {}

func (b bare) Hidden() {}

type bare struct{}

func private() {}

const Alone = 1

// Group of three.
const (
	One = iota
	Two
)

const (
	Three = 3 // told behind
	Four  = 4
	five  = 5
)

//go:noinline
func Directive() {}
`
	mustSay(t, undocumented([]*source{
		sample(t, "core/log/a.go", text),
		sample(t, "core/log/a_test.go", text),
		sample(t, "disk/a.go", text),
	}), "core/log/a.go:3: Bare", "Outer", "Loud", "Bare.Method", "Alone", "Four", "Directive")
}
