//go:build !js

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/spf13/cobra"
)

// consumeOptions are the flags of klamm consume.
type consumeOptions struct {
	clientOptions
	Member     groupOptions
	Topic      string
	From       string
	Partitions []int32
	Count      int64
	ExitAtEnd  bool
	Format     string
	Isolation  string
}

// consumeFormat is what a record looks like without -f.
const consumeFormat = `%v\n`

func newConsume(a *cli.App) *cobra.Command {
	var o consumeOptions
	cmd := &cobra.Command{
		Use:   "consume TOPIC...",
		Short: "Read records",
		Long: `Read records and print them until interrupted, or as -n or -e say.

With --group the group decides who reads which partitions, of several topics too. What was printed is
committed; --from beginning or end says where to begin where the group has no offset.

In a format, %k is the key, %v the value, %o the offset, %p the partition, %t the topic,
%T the timestamp in ms, %h the headers, %% a percent sign; \n, \t and \\ are escapes. With
-o json each record is one line, with keys and values as strings if they are valid UTF-8.`,
		Args: cobra.MinimumNArgs(1),
	}
	f := cmd.Flags()
	o.flags(f)
	o.Member.flags(f)
	f.StringVar(&o.From, "from", "end", "where to begin: beginning, end, an offset, -N for the last N of each partition, or a time as @RFC3339 or @ms")
	f.Int32SliceVarP(&o.Partitions, "partition", "p", nil, "partitions to read; all without")
	f.Int64VarP(&o.Count, "count", "n", 0, "end after so many records; 0 is no limit")
	f.BoolVarP(&o.ExitAtEnd, "exit", "e", false, "end at the end that each partition has now")
	f.StringVarP(&o.Format, "format", "f", consumeFormat, "how a record is printed")
	f.StringVar(&o.Isolation, "isolation", "uncommitted", "uncommitted, or committed: no record of a transaction that is open or was aborted")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		if o.Isolation != "committed" && o.Isolation != "uncommitted" {
			return exit.Errorf(exit.Usage, "--isolation %q is none of committed, uncommitted", o.Isolation)
		}
		if o.Count < 0 {
			return exit.Errorf(exit.Usage, "--count %d is negative", o.Count)
		}
		if o.Member.Group != "" {
			return runConsumeGroup(ctx, a, o, args)
		}
		if err := topicArg(cmd, args); err != nil {
			return exit.With(exit.Usage, err)
		}
		o.Topic = args[0]
		return runConsume(ctx, a, o)
	})
	return cmd
}

// parseFrom reads --from. tail is N of -N, else 0.
func parseFrom(s string) (at consumer.Start, tail int64, err error) {
	switch {
	case s == "beginning":
		return consumer.Start{Kind: consumer.SeekBeginning}, 0, nil
	case s == "end":
		return consumer.Start{Kind: consumer.SeekEnd}, 0, nil
	case strings.HasPrefix(s, "@"):
		ms, err := strconv.ParseInt(s[1:], 10, 64)
		if err != nil {
			t, timeErr := time.Parse(time.RFC3339, s[1:])
			if timeErr != nil {
				return at, 0, exit.Errorf(exit.Usage, "--from %s is neither @milliseconds nor @2006-01-02T15:04:05Z", s)
			}
			ms = t.UnixMilli()
		}
		if ms < 0 {
			return at, 0, exit.Errorf(exit.Usage, "--from %s is before 1970", s)
		}
		return consumer.Start{Kind: consumer.SeekTimestamp, Timestamp: core.Wall(ms)}, 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		return at, 0, exit.Errorf(exit.Usage, "--from %q is none of beginning, end, an offset, -N, @time", s)
	case n < 0:
		return at, -n, nil
	}
	return consumer.Start{Kind: consumer.SeekOffset, Offset: core.Offset(n)}, 0, nil
}

// isolation is the consumer's (KIP-98).
func (o *consumeOptions) isolation() consumer.Isolation {
	if o.Isolation == "committed" {
		return consumer.ReadCommitted
	}
	return consumer.ReadUncommitted
}

func runConsume(ctx context.Context, a *cli.App, o consumeOptions) error {
	start, tail, err := parseFrom(o.From)
	if err != nil {
		return err
	}
	format, err := parseFormat(o.Format)
	if err != nil {
		return err
	}
	ko := kclient.Options{Consumer: consumer.Options{Reset: consumer.ResetEarliest, Isolation: o.isolation()}}
	return o.with(ctx, ko, func(ctx context.Context, c *kclient.Client) error {
		r := &reading{a: a, c: c, o: o, format: format}
		if err := r.assign(ctx, start, tail); err != nil {
			return err
		}
		return r.run(ctx)
	})
}

// reading is a consumption under way.
type reading struct {
	a      *cli.App
	c      *kclient.Client
	o      consumeOptions
	format []piece

	partitions []int32
	ends       map[int32]core.Offset // with ExitAtEnd: where partitions that are not done end
	seen       int64
	unprinted  bool // something of the last poll could not be printed
	line       []byte
}

// assign begins to consume the chosen partitions.
func (r *reading) assign(ctx context.Context, start consumer.Start, tail int64) error {
	t, err := r.c.Topic(ctx, r.o.Topic)
	if err != nil {
		return err
	}
	for _, p := range t.Partitions {
		if len(r.o.Partitions) == 0 || slices.Contains(r.o.Partitions, p.Index) {
			r.partitions = append(r.partitions, p.Index)
		}
	}
	for _, p := range r.o.Partitions {
		if !slices.Contains(r.partitions, p) {
			return exit.Errorf(exit.NoInput, "topic %s has no partition %d, it has %d", r.o.Topic, p, len(t.Partitions))
		}
	}
	var last []admin.PartitionOffset
	if r.o.ExitAtEnd || tail > 0 {
		if last, err = r.c.Offsets(ctx, r.o.Topic, r.partitions, admin.LatestOffset); err != nil {
			return err
		}
	}
	if r.o.ExitAtEnd {
		r.ends = make(map[int32]core.Offset)
	}
	for i, p := range r.partitions {
		at := start
		if last != nil && last[i].Err != core.ErrNone {
			return noEnd(last[i])
		}
		if tail > 0 {
			at = consumer.Start{Kind: consumer.SeekOffset, Offset: max(0, last[i].Offset-core.Offset(tail))}
		}
		if r.o.ExitAtEnd {
			r.ends[p] = last[i].Offset
		}
		if err := r.c.Assign(ctx, r.o.Topic, p, at); err != nil {
			return err
		}
	}
	return nil
}

// noEnd says why the end of a partition was not told.
func noEnd(p admin.PartitionOffset) error {
	r := &kclient.Refused{What: fmt.Sprintf("the end of %v", p.TopicPartition), Code: p.Err}
	if p.Err == core.ErrOffsetNotAvailable {
		r.Text = "its leader is new and has not learnt what is committed; with fewer than min.insync.replicas in sync it cannot, " +
			"see klamm topic describe --under-replicated"
	}
	return r
}

// pollAtEnd is how often partitions without records are looked at for their end.
const pollAtEnd = 20 * time.Millisecond

// run prints records until there have been enough.
func (r *reading) run(ctx context.Context) error {
	var records []consumer.Record
	for {
		if done, err := r.atEnd(ctx); done || err != nil {
			return err
		}
		pollCtx, cancel := ctx, context.CancelFunc(func() {})
		if r.ends != nil { // an empty partition, or a transaction's marker at the end, brings no record
			pollCtx, cancel = context.WithTimeout(ctx, pollAtEnd)
		}
		var events []consumer.Event
		var err error
		records, events, err = r.c.Poll(pollCtx, r.wanted(), records[:0])
		cancel()
		if err != nil && (ctx.Err() != nil || pollCtx.Err() == nil) {
			return err
		}
		if err := r.print(records); err != nil {
			return exit.With(exit.IO, err)
		}
		if r.o.Count > 0 && r.seen >= r.o.Count {
			return nil
		}
		if err := r.tell(events); err != nil {
			return err
		}
	}
}

func (r *reading) wanted() int {
	const most = 2000
	if r.o.Count > 0 {
		return int(min(most, r.o.Count-r.seen))
	}
	return most
}

// atEnd reports whether every partition is where its end was at the beginning.
func (r *reading) atEnd(ctx context.Context) (bool, error) {
	if r.ends == nil {
		return false, nil
	}
	for p, end := range r.ends {
		at, known, err := r.c.Position(ctx, r.o.Topic, p)
		if err != nil {
			return false, err
		}
		if known && at >= end {
			delete(r.ends, p)
		}
	}
	return len(r.ends) == 0, nil
}

func (r *reading) print(records []consumer.Record) error {
	for i := range records {
		r.seen++
		if r.a.Format() == show.JSON {
			if err := r.a.Row(newConsumedRow(&records[i])); err != nil {
				return err
			}
			continue
		}
		r.line = appendRecord(r.line, r.format, &records[i])
	}
	if len(r.line) == 0 {
		return nil
	}
	err := r.a.Raw(r.line)
	r.line = r.line[:0]
	return err
}

// tell talks about what happened to partitions; one that has stopped ends the command.
func (r *reading) tell(events []consumer.Event) error {
	for _, e := range events {
		where := fmt.Sprintf("%s-%d", e.Topic, e.Partition)
		switch e.Kind {
		case consumer.EventReset:
			r.a.Talkf("klamm: %s: offset %d is not in the log; reading on at %d", where, e.From, e.To)
		case consumer.EventTruncated:
			r.a.Talkf("klamm: %s: the log was truncated below %d; reading on at %d", where, e.From, e.To)
		case consumer.EventError:
			r.a.Talkf("klamm: %s: %v (%s); trying again", where, e.Err, e.Detail)
		case consumer.EventStopped:
			return stopped(e)
		}
	}
	return nil
}

// stopped is why a partition is not read any more.
func stopped(e consumer.Event) error {
	return fmt.Errorf("%s-%d at offset %d: %w (%s)", e.Topic, e.Partition, e.From, e.Err, e.Detail)
}
