// Package format prints.
package format

import (
	"fmt"
	"strings"
)

type leaf struct{ N int }

type node struct {
	Next *leaf
}

type named struct{ n int }

func (*named) String() string { return "named" }

type holder struct{ Inner *named }

type hider struct{ inner *named }

type ring struct {
	N    int
	Next *ring
}

func pointers(l *leaf, n *node, v *named, h holder, d hider, i *int, f func(), r *ring) {
	_ = fmt.Sprintf("%d %p", 1, l) // want `%p prints an address: addresses differ between runs; print the fields that identify it, or give the type a String method`
	_ = fmt.Sprintf("%v", l)       // a pointer at the top prints as &{1}
	_ = fmt.Sprintf("%v", n)       // want `fmt prints an address inside \*node: addresses differ between runs`
	_ = fmt.Sprintf("%+v", *n)     // want `fmt prints an address inside node`
	_ = fmt.Sprintf("%T", n)
	_ = fmt.Sprint("x", v, h)
	_ = fmt.Sprint(d)                    // want `fmt prints an address inside hider`
	_ = fmt.Sprintf("%d", i)             // want `fmt prints an address inside \*int`
	_ = fmt.Sprintf("%v", f)             // want `fmt prints an address inside func\(\)`
	_ = fmt.Sprintln([]*leaf{l})         // want `fmt prints an address inside \[\]\*leaf`
	_ = fmt.Sprint(r)                    // want `fmt prints an address inside \*ring`
	_ = fmt.Sprintf("%[2]v %[1]v", 1, i) // want `fmt prints an address inside \*int`
	_ = fmt.Sprintf("%*d", 3, 4)
	_ = fmt.Errorf("wrapped: %w", error(nil))
	_ = fmt.Sprint(nil, 1, "s", []byte("b"), error(nil), any(1))
}

func mapsToo(plain map[string]int, keyed map[any]int, valued map[string]*leaf) {
	_ = fmt.Sprint(plain)  // fmt sorts the keys
	_ = fmt.Sprint(keyed)  // want `fmt prints an address inside map\[any\]int`
	_ = fmt.Sprint(valued) // want `fmt prints an address inside map\[string\]\*leaf`
}

// failf is a printing function of our own.
func failf(cond bool, format string, args ...any) {
	if !cond {
		panic(fmt.Sprintf(format, args...))
	}
}

func wrapped(n *node) {
	failf(true, "node %p", n) // want `%p prints an address`
	failf(true, "node %v", n) // want `fmt prints an address inside \*node`
	failf(true, "100%% %s", "fine")
	_ = strings.Repeat("%p", 2)
}
