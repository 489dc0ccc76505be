package main

import (
	"go/ast"
	"go/types"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// checkImport reports an import of a forbidden package.
func (c *checker) checkImport(spec *ast.ImportSpec) {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return // the parser has refused the file already
	}
	if path == "runtime/debug" && c.notes.suppress(spec.Pos(), noteDiagnostic) {
		return
	}
	if advice, forbidden := forbiddenPackage(path); forbidden {
		c.add(spec.Pos(), ruleImport, "import of "+path, "import of %s: %s", path, advice)
	}
}

// checkUse judges the object that an identifier stands for.
func (c *checker) checkUse(cur inspector.Cursor, id *ast.Ident) {
	obj := c.pass.TypesInfo.Uses[id]
	if obj == nil {
		return
	}
	c.checkFloatName(id, obj)
	if fn, isFunc := obj.(*types.Func); isFunc {
		c.checkFact(id, fn.Origin())
	}
	if _, isPackage := obj.(*types.PkgName); isPackage || obj.Pkg() == nil || obj.Pkg() == c.pass.Pkg {
		return
	}
	key := objectKey(obj)
	if advice, forbidden := forbiddenPackage(obj.Pkg().Path()); forbidden {
		text := "use of " + key + ": " + advice
		imported := fileImports(cur, obj.Pkg().Path())
		c.found = append(c.found, finding{pos: id.Pos(), rule: ruleUse, cause: key, text: text, quiet: imported})
		return
	}
	if advice, forbidden := forbiddenObject(key); forbidden {
		rule := ruleUse
		if strings.HasPrefix(key, "time.") {
			rule = ruleClock
		}
		c.add(id.Pos(), rule, key, "%s: %s", key, advice)
		return
	}
	c.checkZone(cur, id, key)
	c.checkMapsFunc(cur, id, key)
}

// checkZone reports time.Unix and its relatives, whose result carries the machine's time zone, unless .UTC()
// follows at once.
func (c *checker) checkZone(cur inspector.Cursor, id *ast.Ident, key string) {
	switch key {
	case "time.Unix", "time.UnixMilli", "time.UnixMicro":
	default:
		return
	}
	if call, ok := callOf(cur); ok {
		if sel, isSel := call.Parent().Node().(*ast.SelectorExpr); isSel && sel.Sel.Name == "UTC" {
			return
		}
	}
	c.add(id.Pos(), ruleClock, key, "%s: its result is in the machine's time zone; call .UTC() on it at once", key)
}

// objectKey writes an object as "path.Name", and a method as "path.Type.Name".
func objectKey(obj types.Object) string {
	name := obj.Name()
	if fn, isFunc := obj.(*types.Func); isFunc {
		if recv := fn.Signature().Recv(); recv != nil {
			name = typeName(recv.Type()) + "." + name
		}
	}
	return obj.Pkg().Path() + "." + name
}

// typeName is the name of a receiver's type without its package.
func typeName(t types.Type) string {
	if ptr, isPtr := types.Unalias(t).(*types.Pointer); isPtr {
		t = ptr.Elem()
	}
	if named, isNamed := types.Unalias(t).(*types.Named); isNamed {
		return named.Obj().Name()
	}
	return t.String()
}

// fileImports reports whether the file around cur imports path, in which case the import is the finding.
func fileImports(cur inspector.Cursor, path string) bool {
	for at := range cur.Enclosing((*ast.File)(nil)) {
		file, isFile := at.Node().(*ast.File)
		if !isFile {
			continue
		}
		for _, spec := range file.Imports {
			if spec.Path.Value == strconv.Quote(path) {
				return true
			}
		}
	}
	return false
}

// callOf finds the call whose function is the (possibly qualified, possibly instantiated) identifier at cur.
func callOf(cur inspector.Cursor) (inspector.Cursor, bool) {
	for {
		parent := cur.Parent()
		switch cur.ParentEdgeKind() {
		case edge.SelectorExpr_Sel, edge.IndexExpr_X, edge.IndexListExpr_X, edge.ParenExpr_X:
			cur = parent
		case edge.CallExpr_Fun:
			return parent, true
		default:
			return inspector.Cursor{}, false
		}
	}
}

// calleeKey is the objectKey of the function that a call names, or "" for a call of anything else.
func (c *checker) calleeKey(call *ast.CallExpr) string {
	fn := c.callee(call)
	if fn == nil || fn.Pkg() == nil {
		return ""
	}
	return objectKey(fn)
}

// callee is the declared function or method that a call names, or nil.
func (c *checker) callee(call *ast.CallExpr) *types.Func {
	fn, _ := c.referent(call.Fun).(*types.Func)
	return fn
}

// referent is the object that an expression names, through parentheses, qualifiers and type arguments.
func (c *checker) referent(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return c.pass.TypesInfo.Uses[e]
	case *ast.SelectorExpr:
		return c.pass.TypesInfo.Uses[e.Sel]
	case *ast.IndexExpr:
		return c.referent(e.X)
	case *ast.IndexListExpr:
		return c.referent(e.X)
	}
	return nil
}
