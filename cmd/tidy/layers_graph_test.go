package tidy

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strconv"
	"testing"
)

// importGraph builds the graph from parsed files, so that files of every platform and build tag count.
func importGraph(files []*source) []node {
	nodes := make(map[string]*node)
	for _, src := range files {
		if src.foreign {
			continue
		}
		n := nodes[src.dir]
		if n == nil {
			n = &node{path: src.dir}
			nodes[src.dir] = n
		}
		for _, spec := range src.file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				panic(fmt.Sprintf("%s: the parser let %s through", src.path, spec.Path.Value))
			}
			if src.test {
				n.testImports = append(n.testImports, imported)
			} else {
				n.imports = append(n.imports, imported)
			}
		}
		if !src.test {
			n.uses = append(n.uses, timeUses(src)...)
		}
	}
	graph := make([]node, 0, len(nodes))
	for _, path := range slices.Sorted(maps.Keys(nodes)) {
		n := nodes[path]
		for _, list := range []*[]string{&n.imports, &n.testImports, &n.uses} {
			slices.Sort(*list)
			*list = slices.Compact(*list)
		}
		graph = append(graph, *n)
	}
	return graph
}

// timeUses lists what a file mentions of package time, under whatever name it imports it.
func timeUses(src *source) []string {
	name := ""
	for _, spec := range src.file.Imports {
		if spec.Path.Value == `"time"` {
			name = "time"
			if spec.Name != nil {
				name = spec.Name.Name
			}
		}
	}
	if name == "" {
		return nil
	}
	var uses []string
	ast.Inspect(src.file, func(n ast.Node) bool {
		sel, isSel := n.(*ast.SelectorExpr)
		if !isSel {
			return true
		}
		if id, isIdent := sel.X.(*ast.Ident); isIdent && id.Name == name && id.Obj == nil {
			uses = append(uses, "time."+sel.Sel.Name)
		}
		return true
	})
	return uses
}

// TestLayers holds the repository against the tables.
func TestLayers(t *testing.T) {
	refuse(t, Violations(importGraph(repository(t))))
}

func TestImportGraph(t *testing.T) {
	foreign := sample(t, "scenarios/interop/a.go", "package interop\n\nimport \"os\"\n")
	foreign.foreign = true
	graph := importGraph([]*source{
		sample(t, "core/log/b.go", "package log\n\nimport (\n\tclock \"time\"\n\t\"fmt\"\n)\n\n"+
			"var _ = clock.Now\n\nfunc f(clock struct{ Sleep int }) { _ = clock.Sleep; fmt.Print() }\n"),
		sample(t, "core/log/a_windows.go", "package log\n\nimport \"os\"\n"),
		sample(t, "core/log/a_test.go", "package log_test\n\nimport (\n\t\"os\"\n\t\"time\"\n)\n\nvar _ = time.Now\n"),
		sample(t, "core/a.go", "package core\n"),
		foreign,
	})
	mustSay(t, []string{fmt.Sprintf("%+v", graph)},
		"[{path:core imports:[] testImports:[] uses:[]} "+
			"{path:core/log imports:[fmt os time] testImports:[os time] uses:[time.Now]}]")
}

// own is the import path of a package of ours.
func own(path string) string { return module + "/" + path }

// TestViolations holds a graph with one fault per edge against the tables.
func TestViolations(t *testing.T) {
	const kmsg = "github.com/twmb/franz-go/pkg/kmsg"
	for _, test := range []struct {
		bad  node
		want string
	}{
		{node{path: "core", imports: []string{own("core/step")}}, "core imports core/step: core may import only nothing of ours"},
		{node{path: "core/log", imports: []string{own("disk")}}, "core/log imports disk: core/log may import only core, "},
		{node{path: "core/log", imports: []string{own("sim/simdisk")}}, "core/log imports sim/simdisk"},
		{node{path: "core/log", imports: []string{own("transport")}}, "core/log imports transport"},
		{node{path: "core/log", imports: []string{own("checkers/history")}}, "core/log imports checkers/history"},
		{node{path: "core/log", imports: []string{own("core/replica")}}, "core/log imports core/replica"},
		{node{path: "core/log/index", imports: []string{own("core/broker")}}, "core/log/index imports core/broker"},
		{node{path: "core/record", imports: []string{own("core/step")}}, "core/record imports core/step"},
		{node{path: "core/group", imports: []string{own("core/txn")}}, "core/group imports core/txn: machines never import each other"},
		{node{path: "core/raft", imports: []string{own("core/replica")}}, "machines never import each other"},
		{node{path: "core/txn", testImports: []string{own("core/raft")}}, "core/txn imports core/raft in its tests: machines never"},
		{node{path: "core/replica", imports: []string{own("core/broker")}}, "core/replica imports core/broker"},
		{node{path: "core/broker", imports: []string{own("core/node")}}, "core/broker imports core/node"},
		{node{path: "core/node", imports: []string{own("core/broker")}}, "core/node imports core/broker"},
		{node{path: "core/broker", testImports: []string{own("transport")}}, "core/broker imports transport in its tests"},
		{node{path: "disk", imports: []string{own("core/conn")}}, "disk imports core/conn"},
		{node{path: "disk", imports: []string{own("transport")}}, "disk imports transport"},
		{node{path: "transport", imports: []string{own("core/broker")}}, "transport imports core/broker"},
		{node{path: "checkers", imports: []string{own("sim")}}, "checkers imports sim"},
		{node{path: "checkers/history", imports: []string{own("checkers")}}, "checkers/history imports checkers"},
		{node{path: "sim/simnet", imports: []string{own("checkers")}}, "sim/simnet imports checkers"},
		{node{path: "sim", imports: []string{own("disk")}}, "sim imports disk"},
		{node{path: "scenarios/mutants", imports: []string{own("cmd/klamm")}}, "scenarios/mutants imports cmd/klamm"},
		{node{path: "cmd/klamm", imports: []string{own("core/raft")}}, "cmd/klamm imports core/raft"},
		{node{path: "cmd/klamm", imports: []string{own("core/conn")}}, "cmd/klamm imports core/conn"},
		{node{path: "cmd/klamm/host", imports: []string{own("core/log")}}, "cmd/klamm/host imports core/log"},
		{node{path: "disk/disktest", imports: []string{own("disk")}}, "disk/disktest imports disk"},
		{node{path: "sim/workload", imports: []string{"runtime/debug"}}, "sim/workload imports runtime/debug"},
		{node{path: "sim", imports: []string{"runtime"}}, "sim imports runtime"},
		{node{path: "core/news"}, "core/news has no row in the table of layers"},
		{node{path: "pkg/util"}, "pkg/util has no row in the table of layers"},
		{node{path: "."}, ". has no row"},
		{node{path: "core/log", imports: []string{"os"}}, "core/log imports os: core, sim, checkers and scenarios are pure"},
		{node{path: "core", imports: []string{"net/http"}}, "core imports net/http"},
		{node{path: "sim", imports: []string{"sync/atomic"}}, "sim imports sync/atomic"},
		{node{path: "checkers", imports: []string{"math/rand/v2"}}, "checkers imports math/rand/v2"},
		{node{path: "scenarios", imports: []string{"runtime/debug"}}, "scenarios imports runtime/debug"},
		{node{path: "core/log", imports: []string{"time"}, uses: []string{"time.Duration", "time.Now"}}, "core/log uses time.Now"},
		{node{path: "core/group", imports: []string{kmsg}}, "core/group imports " + kmsg + ": it is for core/broker, "},
		{node{path: "checkers", testImports: []string{kmsg}}, "checkers imports " + kmsg + " in its tests"},
		{node{path: "sim/simnet", imports: []string{kmsg}}, "sim/simnet imports " + kmsg + ": it is for"},
		{node{path: "core/log", imports: []string{"github.com/stretchr/testify/require"}}, "it is for disk/disktest only"},
		{node{path: "sim", imports: []string{"github.com/anishathalye/porcupine"}}, "it is for checkers/linear only"},
		{node{path: "checkers", imports: []string{"github.com/anishathalye/porcupine"}}, "it is for checkers/linear only"},
		{node{path: "cmd/klamm", imports: []string{"example.com/new/thing"}}, "example.com/new/thing: that module has no entry"},
	} {
		mustSay(t, Violations([]node{test.bad}), test.want)
	}
}

// TestNoViolations holds a graph that uses every freedom of the tables against them.
func TestNoViolations(t *testing.T) {
	const kmsg = "github.com/twmb/franz-go/pkg/kmsg"
	require := "github.com/stretchr/testify/require"
	mustSay(t, Violations([]node{
		{path: "core", imports: []string{"fmt", "time"}, uses: []string{"time.Duration"}, testImports: []string{"os", require}},
		{path: "core/wire", imports: []string{own("core"), kmsg}, testImports: []string{kmsg}},
		{path: "core/step", imports: []string{own("core"), own("core/wire")}},
		{path: "core/log", imports: []string{own("core/step"), own("core/record"), own("core/log/index"), "net/netip"}},
		{path: "core/log/index", imports: []string{own("core")}, testImports: []string{own("sim/simdisk"), own("disk/disktest")}},
		{path: "core/group", imports: []string{own("core/coord"), own("core/assignor"), own("core/log")}},
		{path: "core/broker", imports: []string{own("core/group"), own("core/raft"), own("core/conn"), kmsg}},
		{path: "core/node", imports: []string{own("core"), own("core/step")}},
		{path: "disk", imports: []string{own("core/step"), "os", "sync", "golang.org/x/sys/unix"}, uses: []string{"time.Now"}},
		{path: "disk/disktest", imports: []string{own("core/step"), "testing", require}},
		{path: "transport", imports: []string{own("core/conn"), "net"}},
		{path: "checkers/history", imports: []string{own("core")}},
		{path: "checkers", imports: []string{own("checkers/history")}},
		{path: "checkers/linear", imports: []string{own("checkers"), "github.com/anishathalye/porcupine"}},
		{path: "sim", imports: []string{own("core/broker"), own("checkers/history"), own("sim/simnet"), "runtime/debug"}},
		{path: "sim/workload", imports: []string{own("core/client/admin"), kmsg}},
		{path: "sim/simdisk", imports: []string{own("core/step")}, testImports: []string{own("disk/disktest"), own("checkers")}},
		{path: "scenarios", imports: []string{own("sim"), own("checkers")}},
		{path: "scenarios/mutants", testImports: []string{own("cmd/klamm/mutate"), "os"}},
		{path: "cmd/klamm", imports: []string{own("transport"), own("core/client"), "github.com/spf13/cobra", "os"}},
		{path: "cmd/klamm/host", imports: []string{own("core/conn"), own("core/step"), own("disk"), own("transport")}},
		{path: "cmd/detlint", imports: []string{"golang.org/x/tools/go/analysis/singlechecker"}},
	}))
}
