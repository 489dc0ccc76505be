//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/procs"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/spf13/cobra"
)

// clusterOptions are the flags of klamm cluster.
type clusterOptions struct {
	Brokers     int
	Controllers int
	Data        string
	Set         []string
	Timeout     time.Duration

	shaped bool // the command line says how many nodes there are
}

func newCluster(a *cli.App) *cobra.Command {
	var o clusterOptions
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Run a throw-away cluster of several nodes on this machine",
		Long: `Run a cluster of real processes on free ports of 127.0.0.1 until SIGINT or SIGTERM, and print its bootstrap
addresses once all brokers serve. Up to three of the brokers are controllers too, unless --controllers asks for
nodes of their own. Without --data the data is removed at the end; with it the same cluster goes on next time.
Topics get three replicas, two of them in sync, if there are three brokers. --set goes to every node.`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.IntVar(&o.Brokers, "brokers", 3, "number of brokers")
	f.IntVar(&o.Controllers, "controllers", 0, "number of nodes that are only controllers; 0 makes brokers controllers")
	f.StringVar(&o.Data, "data", "", "directory to keep the data of all nodes in")
	f.StringArrayVar(&o.Set, "set", nil, "name=value, any property of Kafka's; may be repeated")
	f.DurationVar(&o.Timeout, "timeout", time.Minute, "how long the cluster may take to serve")
	cmd.RunE = a.Does(func(ctx context.Context, _ []string) error {
		o.shaped = f.Changed("brokers") || f.Changed("controllers")
		return runCluster(ctx, a, o)
	})
	return cmd
}

// stopGrace is how long each group of nodes may take to end.
const stopGrace = 10 * time.Second

func runCluster(ctx context.Context, a *cli.App, o clusterOptions) (err error) {
	for _, s := range o.Set {
		if name, _, ok := strings.Cut(s, "="); !ok || name == "" || strings.ContainsAny(s, "\r\n") {
			return exit.Errorf(exit.Usage, "--set %q is not name=value", s)
		}
	}
	dir, remove, err := o.directory()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	layout, err := o.layout(dir)
	if err != nil {
		return err
	}
	program, err := procs.Program()
	if err != nil {
		return err
	}
	runtime.LockOSThread() // never undone: see procs.Start
	c, err := procs.Start(procs.Options{
		Program: program, Layout: layout, Dir: dir, Set: o.Set,
		Talk: func(n procs.Node, line string) { a.Talkf("node %d: %s", n.ID, line) },
	})
	if err != nil {
		return err
	}
	if err := o.serve(ctx, a, c, layout); err != nil {
		return errors.Join(err, c.Stop(stopGrace)) // the first one has the exit code
	}
	return watch(ctx, a, c, dir)
}

// directory is --data, or a directory that remove takes away.
func (o *clusterOptions) directory() (dir string, remove func() error, err error) {
	if o.Data != "" {
		return o.Data, func() error { return nil }, os.MkdirAll(o.Data, 0o755)
	}
	dir, err = os.MkdirTemp("", "klamm-cluster-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

// layout is that of the directory, or a new one.
func (o *clusterOptions) layout(dir string) (procs.Layout, error) {
	nodes, err := procs.Shape(o.Brokers, o.Controllers)
	if err != nil {
		return procs.Layout{}, exit.With(exit.Usage, err)
	}
	l, there, err := procs.LoadLayout(dir)
	switch {
	case err != nil:
		return l, exit.With(exit.Config, err)
	case !there:
		return procs.NewLayout(nodes)
	case o.shaped && !l.HasShape(nodes):
		return l, exit.Errorf(exit.Config, "%s holds another cluster: %s", dir, l.Words())
	}
	return l, nil
}

// serve waits until all brokers serve, and tells where.
func (o *clusterOptions) serve(ctx context.Context, a *cli.App, c *procs.Cluster, l procs.Layout) error {
	stop := a.Progress(func() string { return "starting " + l.Words() })
	defer stop()
	patient, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	err := c.Ready(patient)
	if err == nil {
		err = allListed(patient, c, l)
	}
	stop()
	var end *procs.EndError
	switch {
	case err == nil:
		return a.Row(newClusterResult(c, l))
	case ctx.Err() != nil:
		return nil // told to end before it served
	case errors.As(err, &end) && end.Code > 0:
		return exit.With(exit.Code(end.Code), err)
	case errors.As(err, &end):
		return exit.With(exit.Unhealthy, err)
	}
	return exit.With(exit.TempFail, fmt.Errorf("the cluster does not serve after %v: %w", o.Timeout, err))
}

// allListed waits until the cluster's metadata names every broker: fenced ones it does not name.
func allListed(ctx context.Context, c *procs.Cluster, l procs.Layout) error {
	k, err := kclient.Open(kclient.Options{Bootstrap: l.Bootstrap(), Timeout: time.Second, ClientID: "klamm-cluster"})
	if err != nil {
		return err
	}
	defer k.Close()
	want := len(l.Bootstrap())
	for {
		m, err := k.Metadata(ctx)
		if err == nil && len(m.Brokers) == want {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("%d of %d brokers are there", len(m.Brokers), want)
		}
		select {
		case end := <-c.Ended():
			return &procs.EndError{End: end}
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// watch waits for the signal to end, and tells of nodes that end without it. They may: to kill one is what such a cluster is
// for.
func watch(ctx context.Context, a *cli.App, c *procs.Cluster, dir string) error {
	left := len(c.Nodes())
	for ctx.Err() == nil && left > 0 {
		select {
		case end := <-c.Ended():
			left--
			a.Talkf("klamm: %v; its data is in %s", &procs.EndError{End: end}, end.Node.Dir(dir))
		case <-ctx.Done():
		}
	}
	if left == 0 {
		return exit.Errorf(exit.Unhealthy, "no node is left")
	}
	begin := time.Now()
	err := c.Stop(stopGrace)
	if err != nil {
		a.Talkf("klamm: %v", err)
	}
	a.Talkf("klamm: stopped in %s", show.Duration(time.Since(begin)))
	return nil
}

// clusterResult tells where a cluster is. It is printed once it serves.
type clusterResult struct {
	Bootstrap []string      `json:"bootstrap"`
	ClusterID string        `json:"cluster_id"`
	Nodes     []clusterNode `json:"nodes"`
}

type clusterNode struct {
	Node       int    `json:"node"`
	Roles      string `json:"roles"`
	Address    string `json:"address,omitempty"`    // for clients
	Controller string `json:"controller,omitempty"` // address within the quorum
	Pid        int    `json:"pid"`
}

func newClusterResult(c *procs.Cluster, l procs.Layout) clusterResult {
	r := clusterResult{Bootstrap: l.Bootstrap(), ClusterID: l.ClusterID}
	for _, n := range l.Nodes {
		r.Nodes = append(r.Nodes, clusterNode{
			Node: n.ID, Roles: n.Roles(), Address: n.Address(), Controller: n.ControllerAddress(), Pid: c.Pid(n.ID),
		})
	}
	return r
}

// AppendText implements [show.Result].
func (r clusterResult) AppendText(dst []byte) []byte {
	dst = fmt.Appendf(dst, "bootstrap %s\n", strings.Join(r.Bootstrap, ","))
	rows := [][]string{{"NODE", "ROLES", "ADDRESS", "CONTROLLER", "PID"}}
	for _, n := range r.Nodes {
		rows = append(rows, []string{fmt.Sprint(n.Node), n.Roles, n.Address, n.Controller, fmt.Sprint(n.Pid)})
	}
	return show.Table(dst, rows...)
}
