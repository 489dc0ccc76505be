//go:build !js

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/klamm-log/klamm/core/client/txn"
	"github.com/klamm-log/klamm/core/record"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// produceOptions are the flags of klamm produce.
type produceOptions struct {
	clientOptions
	writeOptions
	Topic        string
	Key, Value   string
	HasKey       bool
	HasValue     bool
	KeySeparator string
	Partition    int32
	Headers      []string

	TransactionalID string
	PerTransaction  int64
	TxnTimeout      time.Duration
}

// writeOptions are the flags of commands that write.
type writeOptions struct {
	Acks      string
	Codec     string
	Linger    time.Duration
	BatchSize int64
}

func (o *writeOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.Acks, "acks", "all", "who must have a record: all (in-sync replicas), 1 (the leader) or 0 (nobody)")
	f.StringVar(&o.Codec, "codec", "none", "compression: none, gzip, snappy, lz4 or zstd")
	f.DurationVar(&o.Linger, "linger", 0, "how long an unfilled batch waits for more records")
	f.Int64Var(&o.BatchSize, "batch-size", 0, "bytes of a batch; 0 is the client's default")
}

// options are the producer's.
func (o *writeOptions) options() (producer.Options, error) {
	p := producer.Options{Linger: core.Mono(o.Linger), BatchSize: o.BatchSize}
	switch o.Acks {
	case "all", "-1":
	case "1":
		p.Acks = producer.AcksLeader
	case "0":
		p.Acks = producer.AcksNone
	default:
		return p, exit.Errorf(exit.Usage, "--acks %q is none of all, 1, 0", o.Acks)
	}
	codec, ok := record.ParseCodec(o.Codec)
	if !ok {
		return p, exit.Errorf(exit.Usage, "--codec %q is none of none, gzip, snappy, lz4, zstd", o.Codec)
	}
	p.Compression = codec
	return p, nil
}

func newProduce(a *cli.App) *cobra.Command {
	var o produceOptions
	cmd := &cobra.Command{
		Use:   "produce TOPIC",
		Short: "Write records: the lines of standard input, or one from -k and -v",
		Args:  topicArg,
	}
	f := cmd.Flags()
	o.clientOptions.flags(f)
	o.writeOptions.flags(f)
	f.StringVarP(&o.Key, "key", "k", "", "key of the record, or of all lines")
	f.StringVarP(&o.Value, "value", "v", "", "value of the one record to write; nothing is read then")
	f.StringVar(&o.KeySeparator, "key-separator", "", "each line is a key, this, and a value; \\t is a tab")
	f.Int32VarP(&o.Partition, "partition", "p", producer.AnyPartition, "partition; -1 lets the partitioner choose")
	f.StringArrayVarP(&o.Headers, "header", "H", nil, "name=value, a header of every record; may be repeated")
	f.StringVar(&o.TransactionalID, "transactional-id", "", "write in transactions, as this transactional.id")
	f.Int64Var(&o.PerTransaction, "per-transaction", 1000, "records of one transaction; 0 is all in one")
	f.DurationVar(&o.TxnTimeout, "transaction-timeout", time.Minute, "when the coordinator aborts a transaction that is not ended")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		if o.PerTransaction < 0 || o.TxnTimeout <= 0 {
			return exit.Errorf(exit.Usage, "--per-transaction %d or --transaction-timeout %v is negative", o.PerTransaction, o.TxnTimeout)
		}
		o.Topic, o.HasKey, o.HasValue = args[0], f.Changed("key"), f.Changed("value")
		return runProduce(ctx, a, o)
	})
	return cmd
}

// template is what all records have in common.
func (o *produceOptions) template() (producer.Record, error) {
	r := producer.Record{Topic: o.Topic, Partition: o.Partition}
	if o.Partition < producer.AnyPartition {
		return r, exit.Errorf(exit.Usage, "--partition %d is no partition", o.Partition)
	}
	if o.HasKey {
		r.Key = []byte(o.Key)
	}
	for _, h := range o.Headers {
		name, value, ok := strings.Cut(h, "=")
		if !ok {
			return r, exit.Errorf(exit.Usage, "--header %q is not name=value", h)
		}
		r.Headers = append(r.Headers, producer.Header{Key: []byte(name), Value: []byte(value)})
	}
	return r, nil
}

func runProduce(ctx context.Context, a *cli.App, o produceOptions) error {
	po, err := o.writeOptions.options()
	if err != nil {
		return err
	}
	po.DeliveryTimeout = core.Mono(o.Timeout)
	po.RequestTimeout = core.Mono(o.Timeout)
	template, err := o.template()
	if err != nil {
		return err
	}
	t := &tally{a: a, topic: o.Topic, rows: a.Format() == show.JSON}
	begin := time.Now()
	ko := kclient.Options{Producer: po, Results: t.take, Txn: txn.Options{ID: o.TransactionalID, Timeout: core.Mono(o.TxnTimeout)}}
	return o.with(ctx, ko, func(ctx context.Context, c *kclient.Client) error {
		stop := a.Progress(func() string {
			return fmt.Sprintf("%s: %s records acknowledged", show.Duration(time.Since(begin)), show.Count(t.written.Load()))
		})
		defer stop()
		w := newWriting(c, o)
		var readErr error
		if o.HasValue {
			template.Value = []byte(o.Value)
			readErr = w.produce(ctx, template, 0)
		} else {
			readErr = produceLines(ctx, w, a.In, template, unescape(o.KeySeparator))
		}
		readErr = errors.Join(readErr, w.end(ctx, readErr == nil, o.Timeout))
		// What was accepted is finished also if the input breaks off or the user does.
		flushCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*o.Timeout)
		defer cancel()
		if err := c.Flush(flushCtx); err != nil {
			return errors.Join(readErr, err)
		}
		stop()
		return t.end(ctx, c, readErr)
	})
}

// unescape lets a tab be written.
func unescape(s string) string { return strings.ReplaceAll(s, `\t`, "\t") }

// produceLines writes each line of a reader until its end. The last one need not end in a line feed.
func produceLines(ctx context.Context, w *writing, in io.Reader, template producer.Record, separator string) error {
	lines := readLines(ctx, in)
	for n := uint64(0); ; n++ {
		var l line
		open := false
		select {
		case l, open = <-lines:
		case <-ctx.Done():
		}
		if !open {
			return ctx.Err()
		}
		if l.err != nil || l.end {
			return exit.With(exit.IO, l.err)
		}
		r := template
		r.Value = l.text
		if separator != "" {
			key, value, ok := strings.Cut(string(l.text), separator)
			if !ok {
				return exit.Errorf(exit.Data, "line %d has no key separator %q", n+1, separator)
			}
			r.Key, r.Value = []byte(key), []byte(value)
		}
		if err := w.produce(ctx, r, n); err != nil {
			return err
		}
	}
}

// line is a line of input, or its end.
type line struct {
	text []byte
	err  error
	end  bool
}

// readLines reads in a goroutine of its own, because reading a terminal cannot be interrupted. The channel is closed
// after the last line, or when the context has ended.
func readLines(ctx context.Context, in io.Reader) <-chan line {
	out := make(chan line, 1024)
	go func() {
		defer close(out)
		r := bufio.NewReaderSize(in, 1<<20)
		for {
			text, err := r.ReadBytes('\n')
			l := line{text: trimLineEnd(text, err == nil)}
			switch {
			case err == nil:
			case !errors.Is(err, io.EOF): // what came of the line is not the line
				l = line{end: true, err: err}
			case len(text) == 0:
				l = line{end: true}
			}
			select {
			case out <- l:
			case <-ctx.Done():
				return
			}
			if l.end {
				return
			}
		}
	}()
	return out
}

func trimLineEnd(text []byte, whole bool) []byte {
	if whole {
		text = text[:len(text)-1]
		if n := len(text); n > 0 && text[n-1] == '\r' {
			text = text[:n-1]
		}
	}
	return text
}

// tally counts and prints what became of records.
type tally struct {
	a       *cli.App
	topic   string
	rows    bool // print a row for each record
	written atomic.Int64

	mu     sync.Mutex
	bad    int64
	code   core.ErrorCode // of the first failure
	maybe  int64          // failed ones that may be written all the same
	failed error          // to print
}

// take is called on the client's loop.
func (t *tally) take(list []producer.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range list {
		r := &list[i]
		if r.Err == core.ErrNone {
			t.written.Add(1)
		} else {
			if t.bad == 0 {
				t.code = r.Err
			}
			t.bad++
			if r.Ambiguous {
				t.maybe++
			}
		}
		if t.rows && t.failed == nil {
			t.failed = t.a.Row(newProducedRow(t.topic, r))
		}
	}
}

// end prints the sum and says how it went.
func (t *tally) end(ctx context.Context, c *kclient.Client, readErr error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.rows {
		t.a.Talkf("%s records written to %s", show.Count(t.written.Load()), t.topic)
	}
	if t.bad == 0 {
		return errors.Join(readErr, exit.With(exit.IO, t.failed))
	}
	why := c.Why(context.WithoutCancel(ctx), t.code)
	return errors.Join(readErr, fmt.Errorf("%s records failed, %s of them may be written all the same: %w",
		show.Count(t.bad), show.Count(t.maybe), why))
}

// producedRow tells what became of a record.
type producedRow struct {
	Record    uint64 `json:"record"` // its number in the input, from 0
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"` // -1 if unknown
	Timestamp int64  `json:"timestamp"`
	Error     string `json:"error,omitempty"`
	Ambiguous bool   `json:"ambiguous,omitempty"`
}

func newProducedRow(topic string, r *producer.Result) producedRow {
	row := producedRow{
		Record: r.Token, Topic: topic, Partition: r.Partition, Offset: int64(r.Offset), Timestamp: int64(r.Timestamp),
		Ambiguous: r.Ambiguous,
	}
	if r.Err != core.ErrNone {
		row.Error = r.Err.String()
	}
	return row
}

// AppendText implements [show.Result].
func (r producedRow) AppendText(dst []byte) []byte {
	return fmt.Appendf(dst, "%s-%d@%d\n", r.Topic, r.Partition, r.Offset)
}
