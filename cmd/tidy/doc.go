// Package tidy judges the repository itself, as ordinary tests: who imports whom, how long files, functions and
// packages are, and the rules of style that a linter cannot be told.
//
//	go test ./cmd/tidy          # judge
//	go test ./cmd/tidy -v       # judge, and list what is over the soft limits and the share of comments in core
//
// Each rule is a pure function from parsed files, or from an import graph, to a list of complaints. Each has a test
// on a bad sample that must be complained about and on a good one that must not, next to the test that applies it to
// the repository. All files count, whatever their build tags; folders named testdata do not. The module
// scenarios/interop is held to the budgets and the style, not to the layers: its imports are its own.
//
// Two things are not counted as code, because they are data: a slice, array or map literal without functions in it,
// and a switch in which every case is constants and returns constants. Either counts as one line.
//
// The package has no code outside its tests.
package tidy
