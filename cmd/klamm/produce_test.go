//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/client/txn"
)

// What came of a line before reading failed is not a line.
func TestBrokenLines(t *testing.T) {
	broken := errors.New("broken")
	once := func(text string) io.Reader { // like a file of which one block cannot be read
		return io.MultiReader(strings.NewReader(text), &failOnce{err: broken}, strings.NewReader("xyz\n"))
	}
	for _, test := range []struct {
		in   io.Reader
		want string
		err  error
	}{
		{strings.NewReader(""), "", nil},
		{strings.NewReader("a\n\nb"), "a||b|", nil},
		{strings.NewReader("a\r\nb\n"), "a|b|", nil},
		{iotest.DataErrReader(strings.NewReader("a\nb")), "a|b|", nil},
		{once("a\nb"), "a|", broken},
		{once("a\n"), "a|", broken},
		{iotest.ErrReader(broken), "", broken},
	} {
		var got string
		var err error
		for l := range readLines(t.Context(), test.in) {
			if err = l.err; !l.end {
				got += string(l.text) + "|"
			}
		}
		if got != test.want || !errors.Is(err, test.err) {
			t.Errorf("lines %q, %v; want %q, %v", got, err, test.want, test.err)
		}
	}
}

type failOnce struct{ err error }

func (f *failOnce) Read([]byte) (int, error) {
	err := f.err
	f.err = io.EOF
	return 0, err
}

// Nobody answers: a producer of transactions does not wait longer than others.
func TestTransactionsOfNobody(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	code, _, talk := klamm(ctx, "", "produce", "t", "-v", "x", "--transactional-id", "x", "-b", "127.0.0.1:1", "--timeout", "100ms")
	if code != exit.Unavailable || !strings.Contains(talk, "no broker answers") || ctx.Err() != nil {
		t.Errorf("exit %d, said %q, %v", int(code), talk, ctx.Err())
	}
}

// brokenOff is a context that ends just after a record was taken.
type brokenOff struct {
	context.Context
	looked atomic.Int32
}

func (c *brokenOff) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

func (c *brokenOff) Err() error {
	if c.looked.Add(1) == 1 {
		return nil
	}
	return context.Canceled
}

// Who is interrupted while a full transaction is to be committed leaves none open: readers would wait for it until its time is up.
func TestInterruptedCommitLeavesNothingOpen(t *testing.T) {
	_, addr := node(t, t.TempDir(), "127.0.0.1:0")
	must(t, exit.OK, "", "topic", "create", "t", "-p", "1", "-b", addr)
	const patience = 20 * time.Second
	c, err := kclient.Open(kclient.Options{Bootstrap: []string{addr}, Timeout: patience, Txn: txn.Options{ID: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w := &writing{c: c, each: 2, txns: true}
	r := producer.Record{Topic: "t", Value: []byte("x")}
	if err := w.produce(t.Context(), r, 0); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.produce(&brokenOff{Context: t.Context()}, r, 1); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := w.end(t.Context(), false, patience); err != nil {
		t.Fatal(err)
	}
	d, err := c.DescribeTransaction(t.Context(), "x") // its markers may still be on their way
	if err != nil || !strings.HasPrefix(d.State, "Complete") && !strings.HasPrefix(d.State, "Prepare") {
		t.Errorf("%+v, %v", d, err)
	}
}
