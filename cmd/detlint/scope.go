package main

import "strings"

// module is the path whose functions are followed through facts.
const module = "github.com/klamm-log/klamm"

// ours reports whether a package belongs to this module. The main packages that go test generates do not.
func ours(path string) bool {
	return path == module || strings.HasPrefix(path, module+"/") && !strings.HasSuffix(path, ".test")
}

// deterministic reports whether a package must compute the same from the same input everywhere. The module
// scenarios/interop drives foreign clients over real sockets and is not judged.
func deterministic(path string) bool {
	rest, found := strings.CutPrefix(path, module+"/")
	if !found || !ours(path) || rest == "scenarios/interop" || strings.HasPrefix(rest, "scenarios/interop/") {
		return false
	}
	top, _, _ := strings.Cut(rest, "/")
	switch top {
	case "core", "sim", "checkers", "scenarios":
		return true
	}
	return false
}
