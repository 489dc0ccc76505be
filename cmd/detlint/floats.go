package main

import (
	"go/ast"
	"go/token"
	"go/types"
)

const floatAdvice = "results differ between processors (GOAMD64=v3 fuses x*y+z) and round; " +
	"count in integers: nanoseconds, per mille, numerator and denominator"

// isFloat reports whether t is a float or complex type underneath.
func isFloat(t types.Type) bool {
	if t == nil {
		return false
	}
	basic, isBasic := t.Underlying().(*types.Basic)
	return isBasic && basic.Info()&(types.IsFloat|types.IsComplex) != 0
}

// isFloatValue reports whether e is computed at run time as a float. Constants are exact and the compiler's.
func (c *checker) isFloatValue(e ast.Expr) bool {
	tv := c.pass.TypesInfo.Types[e]
	return tv.IsValue() && tv.Value == nil && isFloat(tv.Type)
}

// checkFloatName reports the names float32, float64, complex64 and complex128.
func (c *checker) checkFloatName(id *ast.Ident, obj types.Object) {
	if _, isType := obj.(*types.TypeName); isType && obj.Pkg() == nil && isFloat(obj.Type()) {
		c.addOnce(id.Pos(), ruleFloat, "a "+id.Name, "%s: %s", id.Name, floatAdvice)
	}
}

// checkBinary reports arithmetic on, and comparison of, floats.
func (c *checker) checkBinary(n *ast.BinaryExpr) {
	if c.isFloatValue(n.X) || c.isFloatValue(n.Y) {
		c.addOnce(n.OpPos, ruleFloat, "float arithmetic", "float operation %s: %s", n.Op, floatAdvice)
	}
}

// checkAssign reports x += y and its relatives on floats.
func (c *checker) checkAssign(n *ast.AssignStmt) {
	if n.Tok != token.ASSIGN && n.Tok != token.DEFINE {
		c.checkFloatOperand(n.Lhs[0], n.Tok.String())
	}
}

// checkFloatOperand reports the operator when its operand is a float.
func (c *checker) checkFloatOperand(operand ast.Expr, operator string) {
	if c.isFloatValue(operand) {
		c.addOnce(operand.Pos(), ruleFloat, "float arithmetic", "float operation %s: %s", operator, floatAdvice)
	}
}

// checkFloatCall reports conversions from and to floats, and calls that take or return one. The bit patterns of
// package math are let through: they move a value without computing.
func (c *checker) checkFloatCall(call *ast.CallExpr) {
	if c.movesBits(call) {
		return
	}
	what := "call"
	if c.pass.TypesInfo.Types[call.Fun].IsType() {
		what = "conversion"
	}
	if c.floatResult(call) {
		c.addOnce(call.Pos(), ruleFloat, "a float "+what, "%s that yields a float: %s", what, floatAdvice)
		return
	}
	if builtin, isBuiltin := c.referent(call.Fun).(*types.Builtin); isBuiltin && builtin.Name() == "append" {
		return // moves, does not compute
	}
	for _, arg := range call.Args {
		if c.isFloatValue(arg) && !c.movesBits(arg) {
			c.addOnce(call.Pos(), ruleFloat, "a float "+what, "%s that takes a float: %s", what, floatAdvice)
			return
		}
	}
}

// movesBits reports whether e is a call of one of package math's reinterpretations.
func (c *checker) movesBits(e ast.Expr) bool {
	call, isCall := ast.Unparen(e).(*ast.CallExpr)
	if !isCall {
		return false
	}
	switch c.calleeKey(call) {
	case "math.Float64bits", "math.Float64frombits", "math.Float32bits", "math.Float32frombits":
		return true
	}
	return false
}

// floatResult reports whether a call yields a float, alone or among several results.
func (c *checker) floatResult(call *ast.CallExpr) bool {
	tv := c.pass.TypesInfo.Types[call]
	if tv.Value != nil {
		return false
	}
	results, isTuple := tv.Type.(*types.Tuple)
	if !isTuple {
		return isFloat(tv.Type)
	}
	for v := range results.Variables() {
		if isFloat(v.Type()) {
			return true
		}
	}
	return false
}
