//go:build !js

package main

import (
	"context"
	"errors"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/member"
	"github.com/spf13/pflag"
)

// groupOptions are the flags of klamm consume that only count in a group.
type groupOptions struct {
	Group    string
	Instance string
	Protocol string
	Assignor string
	Regex    bool
}

func (o *groupOptions) flags(f *pflag.FlagSet) {
	f.StringVarP(&o.Group, "group", "g", "", "read as a member of this consumer group, from where the group is")
	f.StringVar(&o.Instance, "instance", "", "with --group: a static member's name, group.instance.id")
	f.StringVar(&o.Protocol, "protocol", "classic", "with --group: classic or consumer (KIP-848)")
	f.StringVar(&o.Assignor, "assignor", "", "with --group: range, roundrobin, sticky, cooperative-sticky; with --protocol consumer the coordinator's, range or uniform")
	f.BoolVar(&o.Regex, "regex", false, "with --group: TOPIC is a regular expression")
}

// options are the member's.
func (o *groupOptions) options() (member.Options, error) {
	m := member.Options{Group: o.Group, InstanceID: o.Instance}
	switch o.Protocol {
	case "classic":
		if o.Assignor != "" && !m.UseAssignor(o.Assignor) {
			return m, exit.Errorf(exit.Usage, "--assignor %q is none of range, roundrobin, sticky, cooperative-sticky", o.Assignor)
		}
	case "consumer":
		m.Protocol, m.ServerAssignor = member.Consumer, o.Assignor
	default:
		return m, exit.Errorf(exit.Usage, "--protocol %q is neither classic nor consumer", o.Protocol)
	}
	return m, nil
}

// runConsumeGroup reads what the group assigns until there has been enough. What was printed is committed.
func runConsumeGroup(ctx context.Context, a *cli.App, o consumeOptions, topics []string) error {
	format, err := parseFormat(o.Format)
	if err != nil {
		return err
	}
	m, err := o.Member.options()
	if err != nil {
		return err
	}
	ko := kclient.Options{Group: m, Consumer: consumer.Options{Isolation: o.isolation()}}
	if o.From == "beginning" {
		ko.Consumer.Reset = consumer.ResetEarliest
	}
	switch {
	case o.From != "beginning" && o.From != "end":
		return exit.Errorf(exit.Usage, "--from %s: a group begins where it is, and where it is nowhere at the beginning or the end", o.From)
	case len(o.Partitions) > 0:
		return exit.Errorf(exit.Usage, "--partition and --group: the group assigns partitions")
	case o.Member.Regex && len(topics) != 1:
		return exit.Errorf(exit.Usage, "--regex wants one expression")
	}
	return o.with(ctx, ko, func(ctx context.Context, c *kclient.Client) error {
		if err := c.Subscribe(ctx, topics, o.Member.Regex); err != nil {
			return exit.With(exit.Usage, err)
		}
		r := &reading{a: a, c: c, o: o, format: format}
		err := r.runGroup(ctx)
		// Whoever is interrupted leaves in good order, so that nothing is read twice and nobody waits for its session to end.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Timeout)
		defer cancel()
		return errors.Join(err, c.Leave(last, !r.unprinted))
	})
}

func (r *reading) runGroup(ctx context.Context) error {
	var records []consumer.Record
	for {
		if r.o.ExitAtEnd {
			if end, err := r.c.AtEnd(ctx); end || err != nil {
				return err
			}
		}
		pollCtx, cancel := ctx, context.CancelFunc(func() {})
		if r.o.ExitAtEnd {
			pollCtx, cancel = context.WithTimeout(ctx, pollAtEnd)
		}
		got, err := r.c.GroupPoll(pollCtx, r.wanted(), records[:0])
		cancel()
		if err != nil && (ctx.Err() != nil || pollCtx.Err() == nil) {
			return err
		}
		records = got.Records
		if err := r.print(records); err != nil {
			r.unprinted = true // whoever reads next reads it again
			return exit.With(exit.IO, err)
		}
		if r.o.Count > 0 && r.seen >= r.o.Count {
			return nil
		}
		if err := errors.Join(r.tell(got.Problems), r.tellGroup(got.Events)); err != nil {
			return err
		}
	}
}

// tellGroup talks about the membership; its end for good ends the command.
func (r *reading) tellGroup(events []member.Event) error {
	for _, e := range events {
		switch e.Kind {
		case member.EventAssigned:
			r.a.Talkf("klamm: assigned %v", e.Partitions)
		case member.EventRevoked:
			r.a.Talkf("klamm: revoked %v", e.Partitions)
		case member.EventLost:
			r.a.Talkf("klamm: lost %v: %v (%s)", e.Partitions, e.Err, e.Detail)
		case member.EventFailed:
			return groupFailure{e.Err, e.Detail}
		case member.EventLeft, member.EventFetched:
		}
	}
	return nil
}

// groupFailure is why a membership ended for good.
type groupFailure struct {
	code   core.ErrorCode
	detail string
}

// Error names the code and what was asked for.
func (f groupFailure) Error() string { return f.detail + ": " + f.code.String() }

// Unwrap is the code.
func (f groupFailure) Unwrap() error { return f.code }
