package shrink

import (
	"reflect"

	"github.com/klamm-log/klamm/sim"
)

// clone is a plan that shares no memory with p. It goes by the types, so that whatever becomes part of a plan is copied.
func clone(p sim.Plan) sim.Plan {
	return deep(reflect.ValueOf(p)).Interface().(sim.Plan)
}

func deep(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if holds(v.Type().Field(i).Type) {
				out.Field(i).Set(deep(v.Field(i)))
			}
		}
	case reflect.Slice:
		if v.IsNil() {
			return out
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		if !holds(v.Type().Elem()) {
			reflect.Copy(out, v)
			return out
		}
		for i := range v.Len() {
			out.Index(i).Set(deep(v.Index(i)))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(deep(v.Elem()))
		}
	case reflect.Array, reflect.Map, reflect.Interface, reflect.Chan, reflect.Func:
		if !holds(v.Type()) {
			return out
		}
		panic("shrink: a plan holds a " + v.Kind().String() + ", which this package cannot copy")
	default: // the others are their own copies
	}
	return out
}

// holds reports whether values of a type can share memory with their copies; strings are never written.
func holds(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if holds(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Array:
		return holds(t.Elem())
	case reflect.Slice, reflect.Pointer, reflect.Map, reflect.Interface, reflect.Chan, reflect.Func:
		return true
	default:
		return false
	}
}
