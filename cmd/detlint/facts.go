package main

import (
	"cmp"
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// nondeterministic is the fact on a function of this module, outside the deterministic packages, whose result or
// effect may differ between runs. Chain leads from the function's callee to the cause.
type nondeterministic struct{ Chain []string }

// AFact marks the type as a fact.
func (*nondeterministic) AFact() {}

// String prints the chain for tests and for debugging with -debug=f.
func (n *nondeterministic) String() string { return strings.Join(n.Chain, " -> ") }

// checkFact reports the mention of a function that carries the fact.
func (c *checker) checkFact(id *ast.Ident, fn *types.Func) {
	if fn.Pkg() == nil || fn.Pkg() == c.pass.Pkg || !ours(fn.Pkg().Path()) {
		return
	}
	var fact nondeterministic
	if !c.pass.ImportObjectFact(fn, &fact) {
		return
	}
	chain := append([]string{shortName(fn)}, fact.Chain...)
	c.found = append(c.found, finding{
		pos:   id.Pos(),
		rule:  ruleCall,
		cause: strings.Join(chain, " -> "),
		text: shortName(fn) + " is not deterministic (" + strings.Join(chain, " -> ") +
			"): take its result as an argument or an event",
	})
}

// shortName is "pkg.Func" or "pkg.Type.Method".
func shortName(fn *types.Func) string {
	name := fn.Name()
	if recv := fn.Signature().Recv(); recv != nil {
		name = typeName(recv.Type()) + "." + name
	}
	return fn.Pkg().Name() + "." + name
}

// exportFacts gives the fact to each function with a cause of its own, then to its callers in this package, theirs,
// and so on; a caller takes the shortest chain, and of equally short ones the first in the source.
func (c *checker) exportFacts() {
	order := c.sortedDecls()
	chains := make(map[*types.Func][]string)
	for _, fn := range order {
		if cause, has := c.firstCause(c.decls[fn]); has {
			chains[fn] = []string{cause}
		}
	}
	for reached := c.reachedFrom(order, chains); len(reached) > 0; reached = c.reachedFrom(order, chains) {
		for fn, chain := range reached {
			chains[fn] = chain
		}
	}
	for _, fn := range order {
		if chain := chains[fn]; chain != nil {
			c.pass.ExportObjectFact(fn, &nondeterministic{Chain: chain})
		}
	}
}

// sortedDecls lists the package's functions in source order.
func (c *checker) sortedDecls() []*types.Func {
	order := make([]*types.Func, 0, len(c.decls))
	for fn := range c.decls {
		order = append(order, fn)
	}
	slices.SortFunc(order, func(a, b *types.Func) int { return cmp.Compare(a.Pos(), b.Pos()) })
	return order
}

// firstCause is the first finding inside a function.
func (c *checker) firstCause(decl *ast.FuncDecl) (string, bool) {
	var first *finding
	for i := range c.found {
		f := &c.found[i]
		if decl.Pos() <= f.pos && f.pos < decl.End() && (first == nil || f.pos < first.pos) {
			first = f
		}
	}
	if first == nil {
		return "", false
	}
	return first.cause, true
}

// reachedFrom finds the functions without a chain that mention one with a chain.
func (c *checker) reachedFrom(order []*types.Func, chains map[*types.Func][]string) map[*types.Func][]string {
	reached := make(map[*types.Func][]string)
	for _, fn := range order {
		if chains[fn] != nil {
			continue
		}
		ast.Inspect(c.decls[fn], func(n ast.Node) bool {
			id, isIdent := n.(*ast.Ident)
			if !isIdent || reached[fn] != nil {
				return true
			}
			used, isFunc := c.pass.TypesInfo.Uses[id].(*types.Func)
			if !isFunc {
				return true
			}
			if chain := chains[used.Origin()]; chain != nil {
				reached[fn] = append([]string{shortName(used.Origin())}, chain...)
			}
			return true
		})
	}
	return reached
}
