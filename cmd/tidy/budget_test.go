package tidy

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Budgets (STYLE, Shape 6), in lines. What is over a soft one is listed, what is over a hard one fails.
const (
	fileSoft   = 600
	fileHard   = 1000
	funcSoft   = 50
	funcHard   = 80
	funcP90    = 35 // of the functions in core, tests left out
	packageMax = 4000
)

// function is one declared function with its length, from the word func to the closing brace.
type function struct {
	name  string
	at    string
	lines int
}

// overlong compares files with the budget for files.
func overlong(files []*source) (hard, soft []string) {
	for _, src := range files {
		if src.generated {
			continue
		}
		switch {
		case src.lines > fileHard:
			hard = append(hard, fmt.Sprintf("%s has %d lines, more than %d: split it by role", src.path, src.lines, fileHard))
		case src.lines > fileSoft:
			soft = append(soft, fmt.Sprintf("%s has %d lines (soft limit %d)", src.path, src.lines, fileSoft))
		}
	}
	return hard, soft
}

// functions measures the functions of a file.
func functions(src *source) []function {
	var list []function
	for _, decl := range src.file.Decls {
		fn, isFunc := decl.(*ast.FuncDecl)
		if !isFunc || src.generated {
			continue
		}
		lines := src.line(fn.End()) - src.line(fn.Pos()) + 1
		if fn.Body != nil {
			lines -= dataLines(src, fn.Body)
		}
		list = append(list, function{name: funcName(fn), at: src.at(fn.Pos()), lines: lines})
	}
	return list
}

// funcName is "Func" or "Type.Method".
func funcName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	return receiverName(fn.Recv.List[0].Type) + "." + fn.Name.Name
}

// receiverName is the name of a receiver's type.
func receiverName(e ast.Expr) string {
	switch e := ast.Unparen(e).(type) {
	case *ast.StarExpr:
		return receiverName(e.X)
	case *ast.IndexExpr:
		return receiverName(e.X)
	case *ast.IndexListExpr:
		return receiverName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}

// dataLines counts the lines of tables inside a function, all but the first line of each.
func dataLines(src *source, body ast.Node) int {
	lines := 0
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil || !isTable(n) {
			return true
		}
		lines += src.line(n.End()) - src.line(n.Pos())
		return false
	})
	return lines
}

// isTable reports whether a node is data: a slice, array or map literal without code, or a switch from constants
// to constants.
func isTable(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CompositeLit:
		switch n.Type.(type) {
		case *ast.ArrayType, *ast.MapType:
			return !containsCode(n)
		}
	case *ast.SwitchStmt:
		return n.Init == nil && n.Tag != nil && !slices.ContainsFunc(n.Body.List, func(clause ast.Stmt) bool {
			return !isTableRow(clause)
		})
	}
	return false
}

func containsCode(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		_, isFunc := n.(*ast.FuncLit)
		found = found || isFunc
		return !found
	})
	return found
}

// isTableRow reports whether a clause only returns constants for constants.
func isTableRow(stmt ast.Stmt) bool {
	clause, isClause := stmt.(*ast.CaseClause)
	if !isClause || len(clause.Body) != 1 {
		return false
	}
	ret, isReturn := clause.Body[0].(*ast.ReturnStmt)
	return isReturn && len(ret.Results) > 0 &&
		!slices.ContainsFunc(slices.Concat(clause.List, ret.Results), func(e ast.Expr) bool { return !isName(e) })
}

// isName reports whether an expression is a literal or a possibly qualified name, with or without a sign.
func isName(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.BasicLit, *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return isName(e.X)
	case *ast.UnaryExpr:
		return isName(e.X)
	}
	return false
}

// longwinded compares functions with their budget, longest first.
func longwinded(list []function) (hard, soft []string) {
	list = slices.SortedFunc(slices.Values(list), func(a, b function) int {
		return cmp.Or(cmp.Compare(b.lines, a.lines), cmp.Compare(a.at, b.at))
	})
	for _, fn := range list {
		switch {
		case fn.lines > funcHard:
			hard = append(hard, fmt.Sprintf("%s: %s has %d lines, more than %d", fn.at, fn.name, fn.lines, funcHard))
		case fn.lines > funcSoft:
			soft = append(soft, fmt.Sprintf("%s: %s has %d lines (soft limit %d)", fn.at, fn.name, fn.lines, funcSoft))
		}
	}
	return hard, soft
}

// percentile is the smallest length that at least percent of the functions do not exceed; 0 for none.
func percentile(list []function, percent int) int {
	if len(list) == 0 {
		return 0
	}
	lengths := make([]int, 0, len(list))
	for _, fn := range list {
		lengths = append(lengths, fn.lines)
	}
	slices.Sort(lengths)
	return lengths[(len(lengths)*percent+99)/100-1]
}

// overweight lists packages with too many lines outside tests and generated files.
func overweight(files []*source) []string {
	sum := make(map[string]int)
	for _, src := range files {
		if !src.test && !src.generated {
			sum[src.dir] += src.lines
		}
	}
	var found []string
	for _, dir := range slices.Sorted(maps.Keys(sum)) {
		if sum[dir] > packageMax {
			found = append(found, fmt.Sprintf("%s has %d lines outside tests, more than %d: it is two packages", dir, sum[dir], packageMax))
		}
	}
	return found
}

// commentShare counts a file's lines of comment and of code. A line with both is code, an empty one neither.
func commentShare(src *source) (comment, code int) {
	const isComment, isCode = 1, 2
	kinds := make(map[int]int)
	file := token.NewFileSet()
	at := file.AddFile(src.path, -1, len(src.text))
	var scan scanner.Scanner
	scan.Init(at, src.text, nil, scanner.ScanComments)
	for {
		pos, tok, lit := scan.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue // the scanner's own, for the end of a line
		}
		kind := isCode
		if tok == token.COMMENT {
			kind = isComment
		}
		first := at.Line(pos)
		for line := first; line <= first+strings.Count(lit, "\n"); line++ {
			kinds[line] = max(kinds[line], kind)
		}
	}
	for _, kind := range kinds {
		if kind == isCode {
			code++
		} else {
			comment++
		}
	}
	return comment, code
}

func TestFileBudget(t *testing.T) {
	hard, soft := overlong(repository(t))
	refuse(t, hard)
	t.Logf("%d files over the soft limit\n%s", len(soft), strings.Join(soft, "\n"))
}

func TestFunctionBudget(t *testing.T) {
	var all, core []function
	for _, src := range repository(t) {
		list := functions(src)
		all = append(all, list...)
		if src.under("core") && !src.test {
			core = append(core, list...)
		}
	}
	hard, soft := longwinded(all)
	refuse(t, hard)
	p90 := percentile(core, 90)
	if p90 > funcP90 {
		t.Errorf("in core 90%% of the functions have up to %d lines, more than %d", p90, funcP90)
	}
	t.Logf("core: %d functions, half up to %d lines, 90%% up to %d, 99%% up to %d",
		len(core), percentile(core, 50), p90, percentile(core, 99))
	t.Logf("%d functions over the soft limit\n%s", len(soft), strings.Join(soft, "\n"))
}

func TestPackageBudget(t *testing.T) {
	refuse(t, overweight(repository(t)))
}

// TestCommentShare prints, and does not judge: 25 to 35 % is the aim in core.
func TestCommentShare(t *testing.T) {
	type share struct{ comment, code int }
	shares := make(map[string]share)
	for _, src := range repository(t) {
		if src.test || src.generated || !src.under("core") {
			continue
		}
		comment, code := commentShare(src)
		for _, dir := range []string{src.dir, "all of core"} {
			sum := shares[dir]
			shares[dir] = share{sum.comment + comment, sum.code + code}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(shares)) {
		s := shares[dir]
		t.Logf("%2d %% comment in %s (%d of %d lines)", 100*s.comment/(s.comment+s.code), dir, s.comment, s.comment+s.code)
	}
}
