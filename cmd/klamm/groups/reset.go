//go:build !js

package groups

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/spf13/cobra"
)

// target is where a reset goes.
type target struct {
	at       core.Wall   // a special timestamp or milliseconds, for ListOffsets; noTime: not by time
	offset   core.Offset // an offset, if not by time and not relative
	relative bool        // to what is committed, by shift, which may be 0
	shift    int64
}

const noTime core.Wall = -100

// parseTarget reads --to.
func parseTarget(s string) (target, error) {
	switch {
	case s == "beginning":
		return target{at: admin.EarliestOffset}, nil
	case s == "end":
		return target{at: admin.LatestOffset}, nil
	case strings.HasPrefix(s, "@"):
		ms, err := strconv.ParseInt(s[1:], 10, 64)
		if t, timeErr := time.Parse(time.RFC3339, s[1:]); err != nil && timeErr == nil {
			ms, err = t.UnixMilli(), nil
		}
		if err != nil || ms < 0 {
			return target{}, exit.Errorf(exit.Usage, "--to %s is neither @milliseconds nor @2006-01-02T15:04:05Z", s)
		}
		return target{at: core.Wall(ms)}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return target{}, exit.Errorf(exit.Usage, "--to %q is none of beginning, end, an offset, +N, -N, @time", s)
	}
	if s[0] == '+' || s[0] == '-' {
		return target{at: noTime, relative: true, shift: n}, nil
	}
	return target{at: noTime, offset: core.Offset(n)}, nil
}

// resetOptions are the flags of klamm group reset-offsets.
type resetOptions struct {
	To     string
	Topics []string
	DryRun bool
}

func newReset(a *cli.App, flags Flags) *cobra.Command {
	var o resetOptions
	cmd := &cobra.Command{
		Use:   "reset-offsets GROUP",
		Short: "Move a group without members to other offsets",
		Long: `Move a group without members to other offsets, within what each partition has.

Without -t, all partitions are moved in which the group has an offset. A group that does not exist is made.`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	with := flags(f)
	f.StringVar(&o.To, "to", "", "where to: beginning, end, an offset, +N or -N from where the group is, or a time as @RFC3339 or @ms")
	f.StringArrayVarP(&o.Topics, "topic", "t", nil, "TOPIC or TOPIC:PARTITION; may be repeated")
	f.BoolVar(&o.DryRun, "dry-run", false, "say where the group would be, and move nothing")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		to, err := parseTarget(o.To)
		if err != nil {
			return err
		}
		return with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			return reset(ctx, a, c, args[0], to, o)
		})
	})
	return cmd
}

func reset(ctx context.Context, a *cli.App, c *kclient.Client, id string, to target, o resetOptions) error {
	if _, err := idle(ctx, c, id); err != nil {
		return err
	}
	now, err := c.GroupOffsets(ctx, id)
	if err != nil {
		return err
	}
	list, err := scope(ctx, c, now, o.Topics)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return exit.Errorf(exit.NoInput, "group %s has no offsets; name topics with -t", id)
	}
	first, err := endsOf(ctx, c, list, admin.EarliestOffset)
	if err != nil {
		return err
	}
	last, err := endsOf(ctx, c, list, admin.LatestOffset)
	if err != nil {
		return err
	}
	var asked map[core.TopicPartition]admin.PartitionOffset
	if to.at >= 0 {
		if asked, err = lookUp(ctx, c, list, to.at); err != nil {
			return err
		}
	}
	result := Reset{Group: id, DryRun: o.DryRun, Offsets: []ResetRow{}}
	var moves []kclient.GroupOffset
	for _, tp := range list {
		row, err := to.move(tp, now, first[tp], last[tp], asked[tp])
		if err != nil {
			return err
		}
		result.Offsets = append(result.Offsets, row)
		moves = append(moves, kclient.GroupOffset{TopicPartition: tp, Offset: core.Offset(row.To)})
	}
	if !o.DryRun {
		if err := c.SetGroupOffsets(ctx, id, moves); err != nil {
			return err
		}
	}
	return a.Result(result)
}

// move is where one partition goes. Outside of the log an offset would be reset by the policy of whoever reads next, so it is
// moved to the nearer end, as Kafka's tool does. asked is what the leader said of the time, if there is one.
func (to target) move(tp core.TopicPartition, now []kclient.GroupOffset, first, last core.Offset, asked admin.PartitionOffset) (ResetRow, error) {
	row := ResetRow{Topic: tp.Topic, Partition: tp.Partition, From: -1}
	for _, o := range now {
		if o.TopicPartition == tp {
			row.From = int64(o.Offset)
		}
	}
	if first == core.NoOffset || last == core.NoOffset {
		return row, exit.Errorf(exit.Unavailable, "partition %v does not tell where it begins and ends", tp)
	}
	dst := to.offset
	switch {
	case to.at == admin.EarliestOffset:
		dst = first
	case to.at == admin.LatestOffset:
		dst = last
	case to.at != noTime && asked.Err != core.ErrNone: // which is not "there is none": the end would skip what is there
		return row, &kclient.Refused{What: "the offset in " + tp.String() + " at that time", Code: asked.Err}
	case to.at != noTime && asked.Offset == core.NoOffset: // no record that young
		dst = last
	case to.at != noTime:
		dst = asked.Offset
	case to.relative && row.From < 0:
		return row, exit.Errorf(exit.NoInput, "the group has no offset in %v to move from", tp)
	case to.relative && to.shift > math.MaxInt64-row.From:
		dst = last
	case to.relative:
		dst = core.Offset(row.From + to.shift)
	}
	row.To = int64(min(max(dst, first), last))
	return row, nil
}

// scope is which partitions are meant, sorted.
func scope(ctx context.Context, c *kclient.Client, now []kclient.GroupOffset, topics []string) ([]core.TopicPartition, error) {
	var list []core.TopicPartition
	if len(topics) == 0 {
		for _, o := range now {
			list = append(list, o.TopicPartition)
		}
	}
	for _, arg := range topics {
		name, number, one := strings.Cut(arg, ":")
		t, err := c.Topic(ctx, name)
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(number, 10, 32)
		if one && (err != nil || n < 0 || int(n) >= len(t.Partitions)) {
			return nil, exit.Errorf(exit.NoInput, "topic %s has no partition %q, it has %d", name, number, len(t.Partitions))
		}
		for _, p := range t.Partitions {
			if !one || p.Index == int32(n) {
				list = append(list, core.TopicPartition{Topic: name, Partition: p.Index})
			}
		}
	}
	slices.SortFunc(list, core.TopicPartition.Compare)
	return slices.Compact(list), nil
}
