package main

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

const orderAdvice = "range over slices.Sorted(maps.Keys(m)), keep the data in core/ordmap, or, if the order " +
	"truly cannot matter, end the line with //det:unordered <reason>"

// checkRange reports loops over maps and channels.
func (c *checker) checkRange(loop *ast.RangeStmt) {
	switch t := c.pass.TypesInfo.TypeOf(loop.X); {
	case isKind[*types.Map](t):
		if !c.notes.suppress(loop.Pos(), noteUnordered) {
			c.add(loop.Pos(), ruleOrder, "range over a map",
				"range over a map: the order differs between runs; %s", orderAdvice)
		}
	case isKind[*types.Chan](t):
		c.add(loop.Pos(), ruleSchedule, "range over a channel",
			"range over a channel: what arrives depends on the scheduler; take events as arguments")
	}
}

// isKind reports whether t is K underneath; a type parameter is when its whole type set is.
func isKind[K types.Type](t types.Type) bool {
	if t == nil {
		return false
	}
	if param, isParam := types.Unalias(t).(*types.TypeParam); isParam {
		return constraintIsKind[K](param.Constraint())
	}
	_, is := t.Underlying().(K)
	return is
}

func constraintIsKind[K types.Type](constraint types.Type) bool {
	iface, isInterface := constraint.Underlying().(*types.Interface)
	if !isInterface {
		return false
	}
	for embedded := range iface.EmbeddedTypes() {
		switch e := types.Unalias(embedded).(type) {
		case *types.Union:
			for term := range e.Terms() {
				if isKind[K](term.Type()) {
					return true
				}
			}
		default:
			if isKind[K](e) || constraintIsKind[K](e) {
				return true
			}
		}
	}
	return false
}

// checkMapsFunc reports functions of package maps that hand out keys or values in iteration order.
func (c *checker) checkMapsFunc(cur inspector.Cursor, id *ast.Ident, key string) {
	switch key {
	case "maps.Keys", "maps.Values":
		if !c.directlyInside(cur, "slices.Sorted", "slices.SortedFunc") {
			c.add(id.Pos(), ruleOrder, key,
				"%s: the order differs between runs; put it directly inside slices.Sorted or slices.SortedFunc", key)
		}
	case "maps.All":
		if !c.directlyInside(cur, "maps.Collect", "maps.Insert") {
			c.add(id.Pos(), ruleOrder, key, "maps.All: the order differs between runs; %s", orderAdvice)
		}
	case "maps.DeleteFunc", "maps.EqualFunc":
		if !c.notes.suppress(id.Pos(), noteUnordered) {
			c.add(id.Pos(), ruleOrder, key, "%s: it calls the function in an order that differs between runs; "+
				"if the function only looks at its arguments, end the line with //det:unordered <reason>", key)
		}
	}
}

// directlyInside reports whether the call of the identifier at cur is itself an argument of one of these functions.
func (c *checker) directlyInside(cur inspector.Cursor, outer ...string) bool {
	call, isCall := callOf(cur)
	if !isCall || call.ParentEdgeKind() != edge.CallExpr_Args {
		return false
	}
	around, isAround := call.Parent().Node().(*ast.CallExpr)
	if !isAround {
		return false
	}
	key := c.calleeKey(around)
	for _, name := range outer {
		if key == name {
			return true
		}
	}
	return false
}

// checkChannel reports channel types and sends. The cases of a select are part of its own finding.
func (c *checker) checkChannel(cur inspector.Cursor, n ast.Node) {
	if inCommClause(cur) {
		return
	}
	if _, isType := n.(*ast.ChanType); isType {
		c.add(n.Pos(), ruleSchedule, "a channel",
			"channel type: the scheduler orders what passes through it; use a slice in step.Effects or an event")
		return
	}
	c.add(n.Pos(), ruleSchedule, "a channel send", "channel send: its order depends on the scheduler; append an effect")
}

// checkUnary reports a channel receive and the negation of a float.
func (c *checker) checkUnary(cur inspector.Cursor, n *ast.UnaryExpr) {
	switch {
	case n.Op == token.ARROW && !inCommClause(cur):
		c.add(n.Pos(), ruleSchedule, "a channel receive",
			"channel receive: what arrives depends on the scheduler; take it as an event")
	case n.Op == token.SUB:
		c.checkFloatOperand(n.X, n.Op.String())
	}
}

// inCommClause reports whether cur is the communication of a select case, not its body.
func inCommClause(cur inspector.Cursor) bool {
	for at := cur; ; at = at.Parent() {
		switch at.ParentEdgeKind() {
		case edge.CommClause_Comm:
			return true
		case edge.AssignStmt_Rhs, edge.ExprStmt_X, edge.ParenExpr_X:
		default:
			return false
		}
	}
}

// checkClose reports the builtin close.
func (c *checker) checkClose(call *ast.CallExpr) {
	builtin, isBuiltin := c.referent(call.Fun).(*types.Builtin)
	if isBuiltin && builtin.Name() == "close" {
		c.add(call.Pos(), ruleSchedule, "close of a channel",
			"close of a channel: who notices depends on the scheduler; append an effect")
	}
}
