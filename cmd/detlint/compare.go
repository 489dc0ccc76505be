package main

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// comparatorArg says which argument of a function of the standard library is a comparator, and whether it is a less
// function.
func comparatorArg(key string) (index int, less, found bool) {
	switch key {
	case "slices.SortFunc", "slices.SortStableFunc", "slices.IsSortedFunc", "slices.MinFunc", "slices.MaxFunc",
		"slices.SortedFunc", "slices.SortedStableFunc":
		return 1, false, true
	case "slices.BinarySearchFunc":
		return 2, false, true
	case "sort.SliceStable", "sort.SliceIsSorted":
		return 1, true, true
	}
	return 0, false, false
}

// checkComparator reports a comparator that cannot be a total order. It sees function literals and functions of the
// same package.
func (c *checker) checkComparator(call *ast.CallExpr) {
	index, less, found := comparatorArg(c.calleeKey(call))
	if !found || index >= len(call.Args) {
		return
	}
	arg := ast.Unparen(call.Args[index])
	kind, body := c.bodyOf(arg)
	if body == nil {
		return
	}
	complain := func(pos token.Pos, text string) {
		c.add(pos, ruleComparator, "a comparator that is not total", "comparator is not a total order: %s", text)
	}
	for _, name := range c.unusedParams(kind, body) {
		complain(arg.Pos(), "it never looks at "+name+"; compare both arguments, field by field, with cmp.Or and cmp.Compare")
	}
	c.checkSelfCompare(body, complain)
	returns := c.returnsOf(body)
	if less {
		c.checkLess(returns, complain)
		return
	}
	if index == 1 { // a search compares an element with a target, and may want a boundary: 0 has no meaning then
		c.checkConstantReturns(arg.Pos(), returns, complain)
	}
	for _, value := range returns {
		if c.mayOverflow(value) {
			complain(value.Pos(), "the subtraction can overflow (int has 32 bits on GOARCH=386); use cmp.Compare")
		}
	}
}

// bodyOf finds the code of a comparator; body is nil when it is out of sight.
func (c *checker) bodyOf(arg ast.Expr) (*ast.FuncType, *ast.BlockStmt) {
	if lit, isLit := arg.(*ast.FuncLit); isLit {
		return lit.Type, lit.Body
	}
	fn, isFunc := c.referent(arg).(*types.Func)
	if !isFunc || fn.Signature().Recv() != nil {
		return nil, nil
	}
	if decl := c.decls[fn.Origin()]; decl != nil {
		return decl.Type, decl.Body
	}
	return nil, nil
}

// unusedParams names the parameters that the body never mentions.
func (c *checker) unusedParams(kind *ast.FuncType, body *ast.BlockStmt) []string {
	used := make(map[types.Object]bool)
	ast.Inspect(body, func(n ast.Node) bool {
		if id, isIdent := n.(*ast.Ident); isIdent {
			used[c.pass.TypesInfo.Uses[id]] = true
		}
		return true
	})
	var unused []string
	for _, field := range kind.Params.List {
		if len(field.Names) == 0 {
			unused = append(unused, "an unnamed argument")
		}
		for _, name := range field.Names {
			if name.Name == "_" || !used[c.pass.TypesInfo.Defs[name]] {
				unused = append(unused, name.Name)
			}
		}
	}
	return unused
}

// returnsOf lists the values that a comparator answers, without those of functions inside it.
func (c *checker) returnsOf(body *ast.BlockStmt) []ast.Expr {
	var values []ast.Expr
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if len(n.Results) == 1 {
				values = append(values, ast.Unparen(n.Results[0]))
			}
		}
		return true
	})
	return values
}

// checkConstantReturns reports a comparator whose answers are all constants and either all equal or never 0.
func (c *checker) checkConstantReturns(pos token.Pos, returns []ast.Expr, complain func(token.Pos, string)) {
	signs := make(map[int]bool)
	for _, value := range returns {
		v := c.pass.TypesInfo.Types[value].Value
		if v == nil {
			return
		}
		signs[constant.Sign(v)] = true
	}
	switch {
	case len(signs) == 1:
		complain(pos, "it always answers the same; use cmp.Compare")
	case len(signs) > 1 && !signs[0]:
		complain(pos, "it never answers 0, so an element differs from itself; use cmp.Compare")
	}
}

// checkLess reports less functions that answer true for equal elements.
func (c *checker) checkLess(returns []ast.Expr, complain func(token.Pos, string)) {
	for _, value := range returns {
		if cmp, isBinary := value.(*ast.BinaryExpr); isBinary && (cmp.Op == token.LEQ || cmp.Op == token.GEQ) {
			complain(cmp.OpPos, "a less function must answer false for equal elements; use < or >")
		}
	}
}

// checkSelfCompare reports Compare(x, x), x.Compare(x), x < x and the like.
func (c *checker) checkSelfCompare(body *ast.BlockStmt, complain func(token.Pos, string)) {
	ast.Inspect(body, func(n ast.Node) bool {
		var left, right ast.Expr
		switch n := n.(type) {
		case *ast.BinaryExpr:
			switch n.Op {
			case token.LSS, token.GTR, token.LEQ, token.GEQ, token.EQL, token.NEQ, token.SUB:
				left, right = n.X, n.Y
			}
		case *ast.CallExpr:
			fn := c.callee(n)
			sel, isSel := ast.Unparen(n.Fun).(*ast.SelectorExpr)
			switch {
			case fn == nil || !strings.HasPrefix(fn.Name(), "Compare"):
			case len(n.Args) == 2:
				left, right = n.Args[0], n.Args[1]
			case len(n.Args) == 1 && isSel:
				left, right = sel.X, n.Args[0]
			}
		}
		if left != nil && types.ExprString(left) == types.ExprString(right) {
			complain(n.Pos(), "it compares "+types.ExprString(left)+" with itself")
		}
		return true
	})
}

// mayOverflow reports whether a comparator's answer is a difference that an int may not hold. Differences of 8 and
// 16 bit numbers, widened first, are fine.
func (c *checker) mayOverflow(value ast.Expr) bool {
	value = c.withoutConversion(value)
	diff, isBinary := value.(*ast.BinaryExpr)
	if !isBinary || diff.Op != token.SUB || c.pass.TypesInfo.Types[diff].Value != nil {
		return false
	}
	_, converted := ast.Unparen(diff.X).(*ast.CallExpr)
	return !converted || !c.isNarrow(diff.X) || !c.isNarrow(diff.Y)
}

// isNarrow reports whether an expression, before conversion, has at most 16 bits.
func (c *checker) isNarrow(e ast.Expr) bool {
	basic, isBasic := c.pass.TypesInfo.TypeOf(c.withoutConversion(e)).Underlying().(*types.Basic)
	if !isBasic {
		return false
	}
	switch basic.Kind() {
	case types.Int8, types.Int16, types.Uint8, types.Uint16:
		return true
	}
	return false
}

// withoutConversion strips parentheses and conversions.
func (c *checker) withoutConversion(e ast.Expr) ast.Expr {
	for {
		e = ast.Unparen(e)
		call, isCall := e.(*ast.CallExpr)
		if !isCall || len(call.Args) != 1 || !c.pass.TypesInfo.Types[call.Fun].IsType() {
			return e
		}
		e = call.Args[0]
	}
}
