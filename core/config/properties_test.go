package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseProperties(t *testing.T) {
	for _, c := range []struct {
		text  string
		wants map[string]string
	}{
		{"", map[string]string{}},
		{"a=b", map[string]string{"a": "b"}},
		{"a = b ", map[string]string{"a": "b "}},
		{"a:b\nc d\n", map[string]string{"a": "b", "c": "d"}},
		{"a\t:\t= b", map[string]string{"a": "= b"}},
		{"a==b", map[string]string{"a": "=b"}},
		{"a", map[string]string{"a": ""}},
		{"=b", map[string]string{"": "b"}},
		{"  a=b\r\nc=d\re=f", map[string]string{"a": "b", "c": "d", "e": "f"}},
		{"# a=b\n ! c=d\n\n \t\f\ne=#f", map[string]string{"e": "#f"}},
		{"a=1\na=2", map[string]string{"a": "2"}},
		{"a=b\\\n   c", map[string]string{"a": "bc"}},
		{"a=b\\\r\n#c", map[string]string{"a": "b#c"}},
		{"a=b\\\\\nc=d", map[string]string{"a": `b\`, "c": "d"}},
		{"# no\\\na=b", map[string]string{"a": "b"}},
		{"a=b\\", map[string]string{"a": "b"}},
		{"a\\\n=\\\n b", map[string]string{"a": "b"}},
		{`a\=b\:c\ d=e`, map[string]string{"a=b:c d": "e"}},
		{`a=\t\n\r\f\q\\`, map[string]string{"a": "\t\n\r\fq\\"}},
		{`a=\u00e4\uD83D\ude00x`, map[string]string{"a": "ä😀x"}},
		{`a=\ud83dx`, map[string]string{"a": "\uFFFDx"}},
		{"a=ä", map[string]string{"a": "ä"}},
	} {
		got, err := ParseProperties([]byte(c.text))
		require.NoError(t, err, "%q", c.text)
		require.Equal(t, c.wants, got, "%q", c.text)
	}
	for _, text := range []string{`a=\u12`, `a=\u12g4`, "\n\n\\u=1"} {
		_, err := ParseProperties([]byte(text))
		require.ErrorContains(t, err, "four hexadecimal digits", "%q", text)
	}
	_, err := ParseProperties([]byte("x=1\ny=\\\n \\\n\\uxxxx\n"))
	require.ErrorContains(t, err, "line 2: ", "the line on which the property begins")
}

// store writes properties as Java's Properties.store does: everything outside printable ASCII escaped.
func store(props map[string]string) string {
	var out strings.Builder
	escape := func(s string, key bool) {
		for i, r := range s {
			switch {
			case r == ' ' && (key || i == 0), strings.ContainsRune("=:#!\\", r):
				fmt.Fprintf(&out, "\\%c", r)
			case r < 0x20 || r > 0x7e:
				for _, u := range utf16.Encode([]rune{r}) {
					fmt.Fprintf(&out, "\\u%04X", u)
				}
			default:
				out.WriteRune(r)
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(props)) {
		escape(k, true)
		out.WriteByte('=')
		escape(props[k], false)
		out.WriteByte('\n')
	}
	return out.String()
}

func TestPropertiesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		props := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "props")
		got, err := ParseProperties([]byte(store(props)))
		require.NoError(t, err)
		require.Equal(t, props, got)
	})
}

func FuzzParseProperties(f *testing.F) {
	f.Add([]byte(stock))
	f.Add([]byte("a=\\u00e4\\\n b\r\n#c\\\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		props, err := ParseProperties(data)
		if err != nil {
			return
		}
		for k, v := range props {
			if len(k)+len(v) > 3*len(data) {
				t.Fatalf("%q grew to %q=%q", data, k, v)
			}
		}
		if b, err := ResolveBroker(props); err == nil && (len(b.Listeners) == 0 || b.LogDir == "") {
			t.Fatalf("accepted without listener or directory: %+v", b)
		}
		Warnings(props)
	})
}

func TestNumbersWithoutFloats(t *testing.T) {
	for text, want := range map[string]int64{
		"1.7976931348623157E308": math.MaxInt64, "1048576": 1 << 20, "1048576.9": 1 << 20, "1.5e3": 1500, "2E+2": 200,
		"9223372036854775808": math.MaxInt64, "1.23456E2": 123,
	} {
		got, ok := parseRate(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "0", "-1", "x", "1e", "1e-3", "1e99999", "NaN", "0.5", ".5e1"} {
		_, ok := parseRate(text)
		require.False(t, ok, text)
	}
	for text, want := range map[string]int64{"0.5": 500_000, "1": 1_000_000, "1.0": 1_000_000, ".25": 250_000, "0": 0,
		"0.00000019": 0, "0.9": 900_000, "1.": 1_000_000} {
		require.True(t, isRatio(text), text)
		require.Equal(t, want, parseRatio(text), text)
	}
}
