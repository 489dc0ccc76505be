package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
)

// newAnalyzer is the determinism analyzer. Its documentation is the package's.
func newAnalyzer() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "detlint",
		Doc: "reports code in core, sim, checkers and scenarios whose result may differ between runs or machines\n\n" +
			"See the package comment of cmd/detlint for the rules.",
		URL:       "https://" + module,
		Requires:  []*analysis.Analyzer{inspect.Analyzer},
		FactTypes: []analysis.Fact{new(nondeterministic)},
		Run:       run,
	}
}

// Rules, as they appear in a diagnostic's category.
const (
	ruleOrder      = "order"
	ruleSchedule   = "schedule"
	ruleImport     = "import"
	ruleUse        = "use"
	ruleClock      = "clock"
	ruleFloat      = "float"
	ruleAddress    = "address"
	ruleComparator = "comparator"
	ruleCall       = "call"
	ruleAnnotation = "annotation"
)

// finding is one thing that the analyzer has against the code.
type finding struct {
	pos   token.Pos
	rule  string
	cause string // what it is, in a few words: the last link of a chain
	text  string // the diagnostic: what is wrong and what to do instead
	quiet bool   // a cause for callers, but already reported at another place
}

// checker holds the state of one package's analysis.
type checker struct {
	pass    *analysis.Pass
	files   []*ast.File // without test files
	notes   *annotations
	decls   map[*types.Func]*ast.FuncDecl // functions of this package that have a body
	found   []finding
	perLine map[lineRule]bool // rules that report at most once per line
}

type lineRule struct {
	file string
	line int
	rule string
}

func run(pass *analysis.Pass) (any, error) {
	if !ours(pass.Pkg.Path()) {
		return nil, nil
	}
	inspected, ok := pass.ResultOf[inspect.Analyzer].(*inspector.Inspector)
	if !ok {
		return nil, fmt.Errorf("detlint: the inspect pass gave %T", pass.ResultOf[inspect.Analyzer])
	}
	c := &checker{
		pass:    pass,
		decls:   make(map[*types.Func]*ast.FuncDecl),
		perLine: make(map[lineRule]bool),
	}
	for _, file := range pass.Files {
		if !strings.HasSuffix(pass.Fset.File(file.FileStart).Name(), "_test.go") {
			c.files = append(c.files, file)
		}
	}
	c.notes = readAnnotations(pass.Fset, c.files)
	c.indexDecls()
	for _, file := range c.files {
		cursor, found := inspected.Root().FindNode(file)
		if !found {
			return nil, fmt.Errorf("detlint: file %s is not in the inspected tree", file.Name)
		}
		c.walk(cursor)
	}
	if deterministic(pass.Pkg.Path()) {
		c.report()
	} else {
		c.exportFacts()
	}
	return nil, nil
}

// indexDecls finds the body of every function of the package, for comparators and for call chains.
func (c *checker) indexDecls() {
	for _, file := range c.files {
		for _, decl := range file.Decls {
			fn, isFunc := decl.(*ast.FuncDecl)
			if !isFunc || fn.Body == nil {
				continue
			}
			if obj, known := c.pass.TypesInfo.Defs[fn.Name].(*types.Func); known {
				c.decls[obj] = fn
			}
		}
	}
}

// add records a finding.
func (c *checker) add(pos token.Pos, rule, cause, format string, args ...any) {
	c.found = append(c.found, finding{pos: pos, rule: rule, cause: cause, text: fmt.Sprintf(format, args...)})
}

// addOnce records a finding unless its line already has one of the same rule: one float expression holds many.
func (c *checker) addOnce(pos token.Pos, rule, cause, format string, args ...any) {
	at := c.pass.Fset.Position(pos)
	key := lineRule{file: at.Filename, line: at.Line, rule: rule}
	if c.perLine[key] {
		return
	}
	c.perLine[key] = true
	c.add(pos, rule, cause, format, args...)
}

// report hands every finding to the driver, and every annotation that is wrong or idle.
func (c *checker) report() {
	c.found = append(c.found, c.notes.complaints()...)
	for _, f := range c.found {
		if !f.quiet {
			c.pass.Report(analysis.Diagnostic{Pos: f.pos, Category: f.rule, Message: f.text})
		}
	}
}

// walk looks at every node of one file.
func (c *checker) walk(file inspector.Cursor) {
	for cur := range file.Preorder() {
		switch n := cur.Node().(type) {
		case *ast.ImportSpec:
			c.checkImport(n)
		case *ast.Ident:
			c.checkUse(cur, n)
		case *ast.GoStmt:
			c.add(n.Pos(), ruleSchedule, "a go statement",
				"go statement: the scheduler decides when it runs; return an effect and take its completion as an event")
		case *ast.SelectStmt:
			c.add(n.Pos(), ruleSchedule, "a select statement",
				"select: the ready case is chosen at random; one event enters Step at a time")
		case *ast.ChanType, *ast.SendStmt:
			c.checkChannel(cur, n)
		case *ast.RangeStmt:
			c.checkRange(n)
		case *ast.UnaryExpr:
			c.checkUnary(cur, n)
		case *ast.BinaryExpr:
			c.checkBinary(n)
		case *ast.AssignStmt:
			c.checkAssign(n)
		case *ast.IncDecStmt:
			c.checkFloatOperand(n.X, n.Tok.String())
		case *ast.CallExpr:
			c.checkCall(n)
		}
	}
}

// checkCall applies the rules that look at a whole call.
func (c *checker) checkCall(call *ast.CallExpr) {
	c.checkClose(call)
	c.checkFloatCall(call)
	c.checkFormat(call)
	c.checkComparator(call)
}
