package main

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
)

const addressAdvice = "addresses differ between runs; print the fields that identify it, or give the type a String method"

// checkFormat reports addresses in printed text.
func (c *checker) checkFormat(call *ast.CallExpr) {
	fn := c.callee(call)
	if fn == nil || !fn.Signature().Variadic() || call.Ellipsis.IsValid() {
		return
	}
	last := fn.Signature().Params().Len() - 1
	if !isAnySlice(fn.Signature().Params().At(last).Type()) || len(call.Args) < last {
		return
	}
	values := call.Args[last:]
	if !strings.HasSuffix(fn.Name(), "f") {
		if fn.Pkg() != nil && fn.Pkg().Path() == "fmt" {
			for _, arg := range values {
				c.checkPrinted(arg, 'v')
			}
		}
		return
	}
	if last == 0 {
		return
	}
	format := c.pass.TypesInfo.Types[call.Args[last-1]].Value
	if format == nil || format.Kind() != constant.String {
		return
	}
	for _, v := range parseVerbs(constant.StringVal(format)) {
		switch {
		case v.verb == 'p':
			c.add(call.Args[last-1].Pos(), ruleAddress, "%p", "%%p prints an address: %s", addressAdvice)
		case v.arg < len(values):
			c.checkPrinted(values[v.arg], v.verb)
		}
	}
}

// isAnySlice reports whether t is []any, the type of a printing function's operands.
func isAnySlice(t types.Type) bool {
	slice, isSlice := t.(*types.Slice)
	if !isSlice {
		return false
	}
	iface, isInterface := slice.Elem().Underlying().(*types.Interface)
	return isInterface && iface.Empty()
}

// checkPrinted reports an operand that fmt would print with an address in it.
func (c *checker) checkPrinted(arg ast.Expr, verb rune) {
	t := c.pass.TypesInfo.TypeOf(arg)
	if t == nil || verb == 'T' || verb == 't' || verb == 'c' || verb == 'U' || verb == '*' {
		return
	}
	asText := strings.ContainsRune("vsxXqw", verb)
	if printsAddress(t, 0, asText) {
		c.add(arg.Pos(), ruleAddress, "the printed address of a "+t.String(),
			"fmt prints an address inside %s: %s", types.TypeString(t, types.RelativeTo(c.pass.Pkg)), addressAdvice)
	}
}

// verb is one directive of a format string and the operand that it prints.
type verb struct {
	verb rune
	arg  int
}

// parseVerbs reads a format string as package fmt does: flags, width, precision, "*" and explicit indexes.
func parseVerbs(format string) []verb {
	var verbs []verb
	next := 0
	runes := []rune(format)
	for i := 0; i < len(runes); i++ {
		if runes[i] != '%' {
			continue
		}
	directive:
		for i++; i < len(runes); i++ {
			switch r := runes[i]; {
			case r == '%':
				break directive
			case r == '*':
				verbs = append(verbs, verb{verb: '*', arg: next})
				next++
			case r == '[':
				n := 0
				for i++; i < len(runes) && runes[i] != ']'; i++ {
					n = n*10 + int(runes[i]-'0')
				}
				next = n - 1
			case strings.ContainsRune("+-# 0123456789.", r):
			default:
				verbs = append(verbs, verb{verb: r, arg: next})
				next++
				break directive
			}
		}
	}
	return verbs
}

// printsAddress reports whether fmt prints a value of type t with an address in it. depth is the nesting; asText
// says that the verb lets a value print itself. What hides behind an interface is not known and let through.
func printsAddress(t types.Type, depth int, asText bool) bool {
	const deepest = 8 // a recursive type has said what it has to say by then
	if depth > deepest || asText && printsItself(t) {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Chan, *types.Signature:
		return true
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Pointer:
		// At the top fmt prints &{...}; deeper it prints the address.
		return depth > 0 || !isComposite(u.Elem()) || printsAddress(u.Elem(), depth+1, asText)
	case *types.Slice:
		return printsAddress(u.Elem(), depth+1, asText)
	case *types.Array:
		return printsAddress(u.Elem(), depth+1, asText)
	case *types.Map:
		// fmt sorts keys; keys behind an interface it sorts by the address of their type.
		return types.IsInterface(u.Key()) || printsAddress(u.Key(), depth+1, asText) ||
			printsAddress(u.Elem(), depth+1, asText)
	case *types.Struct:
		for field := range u.Fields() {
			// A method of an unexported field is out of fmt's reach.
			if printsAddress(field.Type(), depth+1, asText && field.Exported()) {
				return true
			}
		}
	}
	return false
}

func isComposite(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Struct, *types.Slice, *types.Array, *types.Map:
		return true
	}
	return false
}

// printsItself reports whether t has a method that fmt calls instead of looking inside.
func printsItself(t types.Type) bool {
	methods := types.NewMethodSet(t)
	for i := range methods.Len() {
		switch methods.At(i).Obj().Name() {
		case "Error", "String", "Format":
			return true
		}
	}
	return false
}
