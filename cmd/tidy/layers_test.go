package tidy

import (
	"fmt"
	"slices"
	"strings"
)

// node is one package of the import graph.
type node struct {
	path        string   // folder, from the repository's root
	imports     []string // full import paths of its files that are not tests
	testImports []string // of its _test.go files, in the package or outside
	uses        []string // functions of package time that its files mention, "time.Now"
}

// layer is one row of the table "who may import whom" (DESIGN, Layout). A folder covers its subfolders that have no
// row of their own, and may always import itself.
type layer struct {
	folder string
	may    []string // folders with a row, or "x/..." for x and all below it
	tests  []string // what its test files may import besides
}

// base is what every package of core may use: the words, and containers and tools without protocol in them.
func base(more ...string) []string {
	return append([]string{"core", "core/deadline", "core/internal", "core/invariant", "core/ordmap", "core/prng"}, more...)
}

// formats are the packages below the machines: bytes, logs, the cluster image, the vocabulary of effects.
func formats(more ...string) []string {
	return append(base("core/config", "core/log", "core/metadata", "core/record", "core/smallfile", "core/step",
		"core/wire"), more...)
}

// machines never import each other, in tests neither: core/broker connects them.
func machines() []string {
	return []string{"core/controller", "core/group", "core/raft", "core/replica", "core/txn"}
}

// layers is the table. A package without a row is a violation, so that a new one gets its place by decision.
func layers() []layer {
	coreTests := []string{"core/...", "sim/...", "checkers/...", "disk/disktest"}
	return []layer{
		{"core", nil, nil},
		{"core/deadline", base(), coreTests},
		{"core/internal", base(), coreTests},
		{"core/invariant", base(), coreTests},
		{"core/ordmap", base(), coreTests},
		{"core/prng", base(), coreTests},
		{"core/assignor", base(), coreTests},
		{"core/config", base(), coreTests},
		{"core/partitioner", base(), coreTests},
		{"core/record", base(), coreTests},
		{"core/wire", base(), coreTests},
		{"core/step", base("core/record", "core/wire"), coreTests},
		{"core/smallfile", base("core/step"), coreTests},
		{"core/log", base("core/config", "core/record", "core/smallfile", "core/step"), coreTests},
		{"core/metadata", base("core/config", "core/record", "core/wire"), coreTests},
		{"core/fetch", formats(), coreTests},
		{"core/purgatory", formats(), coreTests},
		{"core/peer", formats(), coreTests},
		{"core/coord", formats("core/purgatory"), coreTests},
		{"core/controller", formats("core/coord", "core/purgatory"), coreTests},
		{"core/group", formats("core/assignor", "core/coord", "core/purgatory"), coreTests},
		{"core/raft", formats("core/purgatory"), coreTests},
		{"core/replica", formats("core/fetch", "core/purgatory"), coreTests},
		{"core/txn", formats("core/coord", "core/purgatory"), coreTests},
		{"core/conn", base("core/config", "core/record", "core/step", "core/wire"), coreTests},
		{
			"core/client",
			base("core/assignor", "core/config", "core/conn", "core/fetch", "core/metadata", "core/partitioner",
				"core/record", "core/step", "core/wire"),
			coreTests,
		},
		{
			"core/broker",
			append(formats("core/assignor", "core/conn", "core/coord", "core/fetch", "core/peer", "core/purgatory"), machines()...),
			coreTests,
		},
		{"core/node", base("core/step"), coreTests},
		{"disk", []string{"core", "core/step", "core/node", "core/record"}, []string{"core/...", "disk/disktest", "sim/..."}},
		// The conformance suite draws its operations from a seed.
		{"disk/disktest", []string{"core", "core/prng", "core/step"}, nil},
		{
			"transport",
			[]string{"core", "core/step", "core/node", "core/conn", "core/record"},
			[]string{"core/...", "disk/...", "sim/..."},
		},
		{"checkers/history", base(), []string{"core/..."}},
		{"checkers", base("checkers/history"), []string{"core/...", "sim/..."}},
		{"sim", []string{"core/...", "checkers/history"}, []string{"checkers/...", "scenarios/...", "disk/disktest"}},
		{"scenarios", base("sim/...", "checkers/..."), []string{"core/..."}},
		// Says in words what the bytes of a run said.
		{"scenarios/explain", base("sim/...", "checkers/...", "scenarios", "core/step", "core/wire"), []string{"core/..."}},
		// Its tests build programs from changed sources. What does that needs files and processes, so it lies in cmd.
		{"scenarios/mutants", nil, []string{"cmd/klamm/mutate", "scenarios"}},
		{
			"cmd",
			base("transport/...", "disk/...", "sim/...", "checkers/...", "scenarios/...", "core/config", "core/node",
				"core/broker", "core/client", "core/record", "cmd/klamm/host", "cmd/klamm/kclient"),
			[]string{"core/..."},
		},
		// What starts a broker or a client puts a machine, its shell and its edges together, and names their types.
		{"cmd/klamm/hooked", base("core/node", "core/step"), nil},
		{
			"cmd/klamm/host",
			base("cmd/klamm/hooked", "core/broker", "core/config", "core/conn", "core/node", "core/step", "disk", "transport"),
			[]string{"core/..."},
		},
		{
			"cmd/klamm/kclient",
			base("cmd/klamm/hooked", "core/client", "core/config", "core/node", "core/step", "transport"),
			[]string{"cmd/klamm/host", "core/..."},
		},
	}
}

// external says who may import a package of another module. The longest matching prefix decides; a module without
// an entry is a violation, so that go.mod grows by decision.
func external() []layer {
	return []layer{
		{"github.com/anishathalye/porcupine", []string{"checkers/linear"}, nil},
		// Applies the patches that plant known bugs (scenarios/mutants).
		{"github.com/bluekeyes/go-gitdiff", []string{"cmd/klamm/mutate"}, nil},
		{"github.com/klauspost/compress", []string{"core/record"}, nil},
		{"github.com/pierrec/lz4/v4", []string{"core/record"}, nil},
		{"github.com/spf13/cobra", []string{"cmd/..."}, nil},
		{"github.com/spf13/pflag", []string{"cmd/..."}, nil},
		{"github.com/stretchr/testify", []string{"disk/disktest"}, []string{"..."}},
		{
			"github.com/twmb/franz-go/pkg/kmsg",
			// The admin client's Call takes any request that kmsg has; those who call it spell the requests.
			[]string{"core/broker", "core/client/...", "core/conn", "core/wire/...", "cmd/klamm/kclient", "sim/said", "sim/workload"},
			// core/record cross-checks its bytes against kmsg's encoders; the others send requests to brokers and servers, or to peers.
			[]string{"core/peer", "core/record", "sim", "transport"},
		},
		{"golang.org/x/sys", []string{"cmd/...", "disk/...", "transport/..."}, nil},
		{"golang.org/x/term", []string{"cmd/..."}, nil},
		{"golang.org/x/tools", []string{"cmd/detlint"}, nil},
		{"pgregory.net/rapid", []string{"disk/disktest"}, []string{"..."}},
	}
}

// Violations holds an import graph against the tables. It answers one sentence per violation, in the graph's order.
func Violations(graph []node) []string {
	var found []string
	for _, n := range graph {
		row := rowOf(layers(), n.path)
		if row == nil {
			found = append(found, fmt.Sprintf("%s has no row in the table of layers (cmd/tidy/layers_test.go): decide its place", n.path))
			continue
		}
		for _, imported := range n.imports {
			found = append(found, importViolation(*row, n.path, imported, false)...)
		}
		for _, imported := range n.testImports {
			found = append(found, importViolation(*row, n.path, imported, true)...)
		}
		for _, use := range n.uses {
			if isPure(n.path) && isClock(use) {
				found = append(found, fmt.Sprintf("%s uses %s: time is an input, core.Now", n.path, use))
			}
		}
	}
	return found
}

// importViolation judges one edge of the graph.
func importViolation(row layer, from, imported string, test bool) []string {
	if own, isOwn := strings.CutPrefix(imported, module+"/"); isOwn {
		return ownViolation(row, from, own, test)
	}
	first, _, _ := strings.Cut(imported, "/")
	if strings.Contains(first, ".") {
		return externalViolation(from, imported, test)
	}
	if !test && isPure(from) && isImpure(imported) && !isExcused(from, imported) {
		return []string{fmt.Sprintf("%s imports %s: core, sim, checkers and scenarios are pure", from, imported)}
	}
	return nil
}

// ownViolation judges an import of another package of this module.
func ownViolation(row layer, from, to string, test bool) []string {
	target := rowOf(layers(), to)
	suffix := ""
	may := row.may
	if test {
		suffix = " in its tests"
		may = append(slices.Clone(may), row.tests...)
	}
	switch {
	case target == nil:
		return nil // reported at the package itself
	case target.folder == row.folder:
		return nil
	case slices.Contains(machines(), row.folder) && slices.Contains(machines(), target.folder):
		return []string{fmt.Sprintf("%s imports %s%s: machines never import each other, core/broker connects them", from, to, suffix)}
	case !covered(may, target.folder, to):
		return []string{fmt.Sprintf("%s imports %s%s: %s may import only %s", from, to, suffix, row.folder, list(may))}
	}
	return nil
}

// externalViolation judges an import of another module.
func externalViolation(from, imported string, test bool) []string {
	entry := rowOf(external(), imported)
	if entry == nil {
		return []string{fmt.Sprintf("%s imports %s: that module has no entry in cmd/tidy/layers_test.go", from, imported)}
	}
	may := entry.may
	suffix := ""
	if test {
		suffix = " in its tests"
		may = append(slices.Clone(may), entry.tests...)
	}
	if row := rowOf(layers(), from); row == nil || !covered(may, row.folder, from) {
		return []string{fmt.Sprintf("%s imports %s%s: it is for %s only", from, imported, suffix, list(may))}
	}
	return nil
}

// rowOf finds the row with the longest folder that covers path. The vocabulary, core itself, covers only itself.
func rowOf(table []layer, path string) *layer {
	var best *layer
	for i := range table {
		folder := table[i].folder
		covers := path == folder || folder != "core" && strings.HasPrefix(path, folder+"/")
		if covers && (best == nil || len(folder) > len(best.folder)) {
			best = &table[i]
		}
	}
	return best
}

// covered reports whether a package, which lies at path and has the row folder, is in the list.
func covered(may []string, folder, path string) bool {
	for _, pattern := range may {
		tree, isTree := strings.CutSuffix(pattern, "...")
		switch {
		case pattern == folder || pattern == path:
			return true
		case isTree && strings.HasPrefix(path+"/", tree):
			return true
		}
	}
	return false
}

func list(folders []string) string {
	if len(folders) == 0 {
		return "nothing of ours"
	}
	return strings.Join(folders, ", ")
}

// isPure reports whether a folder belongs to the deterministic part.
func isPure(path string) bool {
	top, _, _ := strings.Cut(path, "/")
	return top == "core" || top == "sim" || top == "checkers" || top == "scenarios"
}

// isImpure reports whether a package of the standard library reaches for the machine, other goroutines or chance.
func isImpure(imported string) bool {
	switch imported {
	case "net/netip", "net/url":
		return false
	case "C", "context", "crypto/rand", "crypto/tls", "hash/maphash", "log", "log/slog", "math/rand", "math/rand/v2",
		"path/filepath", "plugin", "unsafe":
		return true
	}
	top, _, _ := strings.Cut(imported, "/")
	return top == "os" || top == "net" || top == "sync" || top == "runtime" || top == "syscall"
}

// isExcused reports whether a pure package may import an impure one after all. Each case has its reason.
func isExcused(from, imported string) bool {
	// The stack of a caught panic is text for people; no digest sees it. cmd/detlint wants the reason at the import.
	return from == "sim" && imported == "runtime/debug"
}

// isClock reports whether a function of package time reads the clock or waits.
func isClock(use string) bool {
	switch use {
	case "time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "time.Tick", "time.NewTimer",
		"time.NewTicker", "time.AfterFunc":
		return true
	}
	return false
}
