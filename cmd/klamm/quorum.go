//go:build !js

package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/spf13/cobra"
)

func newQuorum(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quorum",
		Short: "Describe and change the quorum that holds the metadata log",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newQuorumDescribe(a), newQuorumAdd(a), newQuorumRemove(a))
	return cmd
}

func newQuorumDescribe(a *app) *cobra.Command {
	var o clientOptions
	cmd := &cobra.Command{Use: "describe", Short: "Tell who leads, who votes, who observes, and how far each is", Args: cobra.NoArgs}
	o.flags(cmd.Flags())
	cmd.RunE = a.does(func(ctx context.Context, _ []string) error {
		return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
			q, err := c.Quorum(ctx)
			if err != nil {
				return err
			}
			return a.Result(newQuorumResult(q, time.Now()))
		})
	})
	return cmd
}

// quorumResult is what klamm quorum describe tells.
type quorumResult struct {
	Leader        core.NodeID `json:"leader"` // -1 if there is none
	Epoch         int32       `json:"epoch"`
	HighWatermark int64       `json:"high_watermark"`
	Replicas      []quorumRow `json:"replicas"` // voters, then observers, each by id
}

type quorumRow struct {
	Node         core.NodeID `json:"node"`
	Role         string      `json:"role"` // leader, voter or observer
	Directory    string      `json:"directory,omitempty"`
	LogEndOffset int64       `json:"log_end_offset"` // -1 if unknown
	Lag          int64       `json:"lag"`            // behind the leader's end, -1 if unknown
	LastFetch    int64       `json:"last_fetch_ms"`  // ago; -1 if unknown
	CaughtUp     int64       `json:"caught_up_ms"`   // ago; -1 if unknown
	Listeners    []string    `json:"listeners,omitempty"`
}

func newQuorumResult(q kclient.Quorum, now time.Time) quorumResult {
	out := quorumResult{Leader: q.Leader, Epoch: int32(q.Epoch), HighWatermark: int64(q.HighWatermark), Replicas: []quorumRow{}}
	end := core.NoOffset
	for _, v := range q.Voters {
		if v.ID == q.Leader {
			end = v.LogEndOffset
		}
	}
	add := func(list []kclient.QuorumReplica, role string) {
		for _, r := range list {
			row := quorumRow{
				Node: r.ID, Role: role, LogEndOffset: int64(r.LogEndOffset), Lag: -1, LastFetch: ago(r.LastFetch, now), CaughtUp: ago(r.LastCaughtUp, now),
			}
			if r.ID == q.Leader && role == "voter" {
				row.Role = "leader"
			}
			if r.Directory != (kclient.Directory{}) {
				row.Directory = r.Directory.String()
			}
			if end >= 0 && r.LogEndOffset >= 0 {
				row.Lag = max(0, int64(end-r.LogEndOffset))
			}
			for _, l := range r.Listeners {
				row.Listeners = append(row.Listeners, l.Name+"://"+net.JoinHostPort(l.Host, fmt.Sprint(l.Port)))
			}
			out.Replicas = append(out.Replicas, row)
		}
	}
	add(q.Voters, "voter")
	add(q.Observers, "observer")
	return out
}

// ago is how long a time lies back, in ms.
func ago(at core.Wall, now time.Time) int64 {
	if at < 0 {
		return -1
	}
	return max(0, now.UnixMilli()-int64(at))
}

// AppendText implements [show.Result].
func (r quorumResult) AppendText(dst []byte) []byte {
	if r.Leader == core.NoNode {
		dst = fmt.Appendf(dst, "no leader, epoch %d, high watermark %d\n", r.Epoch, r.HighWatermark)
	} else {
		dst = fmt.Appendf(dst, "leader %d, epoch %d, high watermark %d\n", r.Leader, r.Epoch, r.HighWatermark)
	}
	rows := [][]string{{"NODE", "ROLE", "END", "LAG", "LAST FETCH", "CAUGHT UP", "DIRECTORY", "LISTENERS"}}
	for _, n := range r.Replicas {
		rows = append(rows, []string{
			fmt.Sprint(n.Node), n.Role, known(n.LogEndOffset), known(n.Lag), since(n.LastFetch), since(n.CaughtUp), n.Directory,
			strings.Join(n.Listeners, ","),
		})
	}
	return show.Table(dst, rows...)
}

func known(n int64) string {
	if n < 0 {
		return "?"
	}
	return fmt.Sprint(n)
}

func since(ms int64) string {
	if ms < 0 {
		return "?"
	}
	return show.Duration(time.Duration(ms)*time.Millisecond) + " ago"
}

// voterOptions are the flags of klamm quorum add and remove.
type voterOptions struct {
	clientOptions
	Node      core.NodeID
	Directory string
	Listeners []string
}

func newQuorumAdd(a *app) *cobra.Command {
	var o voterOptions
	cmd := &cobra.Command{
		Use:   "add NODE",
		Short: "Make an observer a voter",
		Long: `Make an observer a voter. It is a node with the controller role that runs, has found the quorum by
controller.quorum.bootstrap.servers, and has caught up. Its directory id is looked up unless it is given.`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	o.flags(f)
	f.StringVar(&o.Directory, "directory", "", "the id of its data directory (directory.id in meta.properties)")
	f.StringArrayVar(&o.Listeners, "listener", nil, "NAME://host:port at which the other voters find it; may be repeated")
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		v, err := o.voter(args[0])
		if err != nil {
			return err
		}
		if len(v.Listeners) == 0 {
			return exit.Errorf(exit.Usage, "--listener is missing: where the other voters find node %d", v.ID)
		}
		return runVoter(ctx, a, o, v, "added", (*kclient.Client).AddVoter)
	})
	return cmd
}

func newQuorumRemove(a *app) *cobra.Command {
	var o voterOptions
	cmd := &cobra.Command{Use: "remove NODE", Short: "Make a voter an observer", Args: cobra.ExactArgs(1)}
	f := cmd.Flags()
	o.flags(f)
	f.StringVar(&o.Directory, "directory", "", "the id of its data directory; it is looked up if there is one voter of that number")
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		v, err := o.voter(args[0])
		if err != nil {
			return err
		}
		return runVoter(ctx, a, o, v, "removed", (*kclient.Client).RemoveVoter)
	})
	return cmd
}

// voter reads the flags.
func (o *voterOptions) voter(node string) (admin.Voter, error) {
	id, err := strconv.ParseInt(node, 10, 32)
	if err != nil || id < 0 {
		return admin.Voter{}, exit.Errorf(exit.Usage, "%q is no node id", node)
	}
	v := admin.Voter{ID: core.NodeID(id)}
	if o.Directory != "" {
		d, err := kclient.ParseDirectory(o.Directory)
		if err != nil {
			return v, exit.With(exit.Usage, err)
		}
		v.Directory = d
	}
	for _, text := range o.Listeners {
		name, addr, ok := strings.Cut(text, "://")
		host, port, err := net.SplitHostPort(addr)
		n, bad := strconv.ParseUint(port, 10, 16)
		if !ok || name == "" || err != nil || bad != nil || host == "" || n == 0 {
			return v, exit.Errorf(exit.Usage, "--listener %s is not NAME://host:port", text)
		}
		v.Listeners = append(v.Listeners, admin.VoterListener{Name: strings.ToUpper(name), Host: host, Port: uint16(n)})
	}
	return v, nil
}

// runVoter looks up the directory if it was not given, and changes the quorum.
func runVoter(
	ctx context.Context, a *app, o voterOptions, v admin.Voter, done string, change func(*kclient.Client, context.Context, admin.Voter) error,
) error {
	return o.with(ctx, kclient.Options{}, func(ctx context.Context, c *kclient.Client) error {
		if o.Directory == "" {
			q, err := c.Quorum(ctx)
			if err != nil {
				return err
			}
			if v.Directory, err = directoryOf(q, v.ID, done == "removed"); err != nil {
				return err
			}
		}
		if err := change(c, ctx, v); err != nil {
			return err
		}
		return a.Result(voterDone{Node: v.ID, Directory: kclient.Directory(v.Directory).String(), Done: done})
	})
}

// directoryOf finds the directory of a node among the voters or among the observers.
func directoryOf(q kclient.Quorum, id core.NodeID, voter bool) (kclient.Directory, error) {
	list, what := q.Observers, "observer"
	if voter {
		list, what = q.Voters, "voter"
	}
	list = slices.DeleteFunc(slices.Clone(list), func(r kclient.QuorumReplica) bool { return r.ID != id })
	switch {
	case len(list) == 0:
		return kclient.Directory{}, exit.Errorf(exit.Data, "node %d is no %s; klamm quorum describe tells who is", id, what)
	case len(list) > 1:
		return kclient.Directory{}, exit.Errorf(exit.Data, "there are %d %ss with the number %d; choose one by --directory", len(list), what, id)
	}
	return list[0].Directory, nil
}

// voterDone tells what was done to the quorum.
type voterDone struct {
	Node      core.NodeID `json:"node"`
	Directory string      `json:"directory"`
	Done      string      `json:"done"`
}

// AppendText implements [show.Result].
func (r voterDone) AppendText(dst []byte) []byte {
	return fmt.Appendf(dst, "voter %d, directory %s, %s\n", r.Node, r.Directory, r.Done)
}
