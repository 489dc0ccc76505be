package show_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/show"
)

type sample struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

func (s sample) AppendText(dst []byte) []byte {
	return show.Table(dst, []string{"name", s.Name}, []string{"number", show.Count(s.N)})
}

func printer(f show.Format, terminal bool) (p *show.Printer, results, talk *bytes.Buffer) {
	results, talk = new(bytes.Buffer), new(bytes.Buffer)
	return show.New(show.Options{Results: results, Talk: talk, Format: f, Terminal: terminal, Width: 20}), results, talk
}

func TestResult(t *testing.T) {
	for _, test := range []struct {
		format show.Format
		print  func(*show.Printer) error
		want   string
	}{
		{show.Text, func(p *show.Printer) error { return p.Result(sample{"a", 1234}) }, "name    a\nnumber  1,234\n"},
		{show.Text, func(p *show.Printer) error { return p.Row(sample{"a", 1}) }, "name    a\nnumber  1\n"},
		{show.JSON, func(p *show.Printer) error { return p.Result(sample{"a", 1234}) }, "{\n  \"name\": \"a\",\n  \"n\": 1234\n}\n"},
		{show.JSON, func(p *show.Printer) error { return p.Row(sample{"a", 1234}) }, "{\"name\":\"a\",\"n\":1234}\n"},
		{show.JSON, func(p *show.Printer) error { return p.Raw([]byte("x")) }, "x"},
	} {
		p, results, talk := printer(test.format, false)
		if err := test.print(p); err != nil {
			t.Fatal(err)
		}
		if results.String() != test.want || talk.Len() != 0 {
			t.Errorf("%s: printed %q and talked %q, want %q", test.format, results, talk, test.want)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("pipe is closed") }

func TestWriteFails(t *testing.T) {
	p := show.New(show.Options{Results: broken{}, Talk: new(bytes.Buffer)})
	if err := p.Row(sample{}); err == nil || err.Error() != "pipe is closed" {
		t.Errorf("error %v", err)
	}
	if err := p.Raw(nil); err == nil {
		t.Error("the failure is forgotten")
	}
}

// On a terminal the line is redrawn in place and wiped before anything else is printed.
func TestProgressLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, results, talk := printer(show.Text, true)
		stop := p.Progress(func() string { return "abcdefghijklmnopqrstuvwxyz" })
		<-time.After(450 * time.Millisecond) // virtual
		synctest.Wait()
		p.Talkf("hello %d\n", 1)
		if err := p.Raw([]byte("result\n")); err != nil {
			t.Fatal(err)
		}
		stop()
		stop()
		const line, wipe = "\r\x1b[Kabcdefghijklmnopqrs", "\r\x1b[K"
		if want := line + line + wipe + "hello 1\n"; talk.String() != want || results.String() != "result\n" {
			t.Errorf("talked %q, want %q; printed %q", talk, want, results)
		}
	})
}

// Elsewhere there is a line every ten seconds.
func TestProgressPlain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, talk := printer(show.Text, false)
		n := 0
		stop := p.Progress(func() string { n++; return strings.Repeat("x", n) })
		<-time.After(25 * time.Second) // virtual
		synctest.Wait()
		stop()
		if talk.String() != "x\nxx\n" {
			t.Errorf("talked %q", talk)
		}
	})
}

func TestParseFormat(t *testing.T) {
	for in, ok := range map[string]bool{"text": true, "json": true, "yaml": false, "": false} {
		if _, err := show.ParseFormat(in); (err == nil) != ok {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestWords(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{show.Count(0), "0"},
		{show.Count(999), "999"},
		{show.Count(-1234567), "-1,234,567"},
		{show.Count(1000), "1,000"},
		{show.Short(0), "0"},
		{show.Short(42), "42"},
		{show.Short(0.5), "0.50"},
		{show.Short(999), "999"},
		{show.Short(999.9), "1.00 k"},
		{show.Short(12345), "12.3 k"},
		{show.Short(3141592), "3.14 M"},
		{show.Short(2e15), "2000 T"},
		{show.Rate(500, 2*time.Second), "250/s"},
		{show.Rate(500, 0), "0/s"},
		{show.Duration(0), "0s"},
		{show.Duration(750), "750ns"},
		{show.Duration(1234 * time.Microsecond), "1.23ms"},
		{show.Duration(45600 * time.Millisecond), "45.6s"},
		{show.Duration(123456 * time.Microsecond), "123ms"},
		{show.Duration(123 * time.Second), "2m03s"},
		{show.Duration(5*time.Hour + 7*time.Minute), "5h07m"},
		{show.Duration(-time.Second), "-1.00s"},
		{string(show.Table(nil, []string{"é", "b"}, []string{"long", ""})), "é     b\nlong  \n"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
