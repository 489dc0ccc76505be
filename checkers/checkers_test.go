package checkers

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
)

// textCase is one case of testdata/*.txt.
type textCase struct {
	name string
	want []Property
	log  *history.Log
}

// readCases reads every case of testdata.
func readCases(t testing.TB) []textCase {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var cases []textCase
	for _, file := range files {
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, part := range strings.Split(string(src), "\n=== ")[1:] {
			cases = append(cases, readCase(t, part))
		}
		first, _, _ := strings.Cut(string(src), "\n")
		if strings.HasPrefix(first, "=== ") {
			body, _, _ := strings.Cut(strings.TrimPrefix(string(src), "=== "), "\n=== ")
			cases = append(cases, readCase(t, body))
		}
	}
	return cases
}

func readCase(t testing.TB, part string) textCase {
	name, rest, _ := strings.Cut(part, "\n")
	want, body, _ := strings.Cut(rest, "\n")
	want, ok := strings.CutPrefix(want, "want ")
	require.True(t, ok, name)
	tc := textCase{name: name}
	if want != "nothing" {
		tc.want = []Property{Property(want)}
	}
	head := "history v1\n"
	if !strings.HasPrefix(body, "topic ") {
		head += "topic T0 orders -\n"
	}
	log, err := history.Parse([]byte(head + body))
	require.NoError(t, err, name)
	tc.log = log
	return tc
}

// found is the properties of violations, each once, in order.
func found(vs []Violation) []Property {
	var list []Property
	seen := map[Property]bool{}
	for _, v := range vs {
		if !seen[v.Property] {
			seen[v.Property] = true
			list = append(list, v.Property)
		}
	}
	return list
}

func TestAnomalies(t *testing.T) {
	for _, tc := range readCases(t) {
		t.Run(tc.name, func(t *testing.T) {
			vs := Check(tc.log, Options{})
			require.Equal(t, tc.want, found(vs), "%v", vs)
			for _, v := range vs {
				require.NotEmpty(t, v.Message)
				require.NotEmpty(t, v.Events)
				for _, i := range v.Events {
					require.Less(t, i, tc.log.Len())
					require.GreaterOrEqual(t, i, 0)
				}
			}
			require.Empty(t, Check(tc.log, Options{Allow: tc.want}), "an allowed property is still reported")
			require.Equal(t, vs, Check(tc.log, Options{}), "two checks differ")
		})
	}
}

// TestEveryPropertyHasCases demands, for each constant, a history that violates it alone and a near miss.
func TestEveryPropertyHasCases(t *testing.T) {
	bad, good := map[string]bool{}, map[string]bool{}
	for _, tc := range append(readCases(t), livenessCases(t)...) {
		p, _, _ := strings.Cut(tc.name, " ")
		if len(tc.want) == 0 {
			good[p] = true
		} else {
			require.Equal(t, p, string(tc.want[0]), tc.name)
			bad[p] = true
		}
	}
	for _, p := range declaredProperties(t) {
		require.True(t, bad[p], "%s: no history that must fail", p)
		require.True(t, good[p], "%s: no near miss that must pass", p)
	}
}

// declaredProperties are the values of the constants of type Property.
func declaredProperties(t *testing.T) []string {
	file, err := parser.ParseFile(token.NewFileSet(), "property.go", nil, 0)
	require.NoError(t, err)
	var list []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Property" {
			s, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			list = append(list, s)
		}
		return true
	})
	require.Greater(t, len(list), 30)
	return list
}

// TestObserveStepByStep gives the same verdict event by event, and each finding as soon as it shows.
func TestObserveStepByStep(t *testing.T) {
	for _, tc := range readCases(t) {
		whole := Check(tc.log, Options{})
		text := strings.SplitAfter(tc.log.String(), "\n")
		grown := 1 + tc.log.Topics()
		growing, err := history.Parse([]byte(strings.Join(text[:grown], "")))
		require.NoError(t, err)
		c := New(growing, Options{})
		var seen []Violation
		for i := range tc.log.Len() {
			copyEvent(growing, tc.log, i)
			for _, v := range c.Observe() {
				require.Equal(t, i, v.Events[len(v.Events)-1], "%s: reported late", tc.name)
				seen = append(seen, v)
			}
		}
		all := c.Finish()
		require.Equal(t, whole, all, tc.name)
		require.Equal(t, all, c.Finish(), tc.name)
		require.Equal(t, append([]Violation{}, seen...), append([]Violation{}, all[:len(seen)]...), tc.name)
	}
}

// copyEvent adds event i of from to log.
func copyEvent(log, from *history.Log, i int) {
	op, body := from.At(i)
	switch b := body.(type) {
	case *history.Send:
		log.Send(op, *b)
	case *history.Poll:
		log.Poll(op, *b)
	case *history.ListOffsets:
		log.ListOffsets(op, *b)
	case *history.DeleteRecords:
		log.DeleteRecords(op, *b)
	case *history.CreateTopic:
		log.CreateTopic(op, *b)
	case *history.DeleteTopic:
		log.DeleteTopic(op, *b)
	case *history.Seek:
		log.Seek(op, *b)
	case *history.Group:
		log.Group(op, *b)
	case *history.Replica:
		log.Replica(op.End, *b)
	case *history.Scan:
		log.Scan(op.End, *b)
	case *history.NodeChange:
		log.NodeChange(op.End, *b)
	case *history.Loss:
		log.Loss(op.End, *b)
	case *history.Mark:
		log.Mark(op.End, b.Name)
	}
}

func TestKeepBoundsFindings(t *testing.T) {
	var text bytes.Buffer
	text.WriteString("history v1\ntopic T0 orders -\n")
	for i := range 50 {
		text.WriteString("poll p3 10..11 ok T0/0 | " + strconv.Itoa(i) + "=7" + strconv.Itoa(i) + "\nseek p3 11..11 ok T0/0\n")
	}
	log, err := history.Parse(text.Bytes())
	require.NoError(t, err)
	vs := Check(log, Options{})
	require.Len(t, vs, defaultKeep)
	require.Equal(t, 50-defaultKeep, vs[0].More)
	require.Equal(t, `PHANTOM orders-0@0: value 70 was read at offset 0, and nobody sent it [0] (and 30 more)`, vs[0].String())
	require.Len(t, Check(log, Options{Keep: 3}), 3)
}

// FuzzCheck wants no panic and the same verdict twice, whatever the history.
func FuzzCheck(f *testing.F) {
	for _, tc := range readCases(f) {
		f.Add([]byte(tc.log.String()))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		log, err := history.Parse(src)
		if err != nil {
			return
		}
		first, second := Check(log, Options{}), Check(log, Options{})
		require.Equal(t, first, second)
	})
}
