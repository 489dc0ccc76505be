//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/host"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/disk"
	"github.com/spf13/cobra"
)

// nodeOptions are the flags of klamm node.
type nodeOptions struct {
	File      string // server.properties, may be empty
	Data      string
	Listen    string
	Set       []string
	SyncDelay time.Duration
}

func newNode(a *cli.App) *cobra.Command {
	var o nodeOptions
	cmd := &cobra.Command{
		Use:   "node [server.properties]",
		Short: "Run a node: a broker, a controller, or both",
		Long: `Run a node until SIGINT or SIGTERM. Without arguments it is a whole cluster, listens on ` + defaultListen + `
and keeps its data in ./` + defaultData + `; acknowledged records are on the disk. It takes Kafka's server.properties;
--set overrides the file, --data and --listen override both. process.roles and controller.quorum.voters make it
one of several nodes; klamm cluster starts several at once.`,
		Args: cobra.MaximumNArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&o.Data, "data", "", "data directory (log.dirs)")
	f.StringVar(&o.Listen, "listen", "", "host:port to listen on for clients (listeners); port 0 lets the system choose")
	f.StringArrayVar(&o.Set, "set", nil, "name=value, any property of Kafka's; may be repeated")
	f.DurationVar(&o.SyncDelay, "sync-delay", 0, "make each sync this much slower, as if the disk were")
	cmd.RunE = a.Does(func(ctx context.Context, args []string) error {
		if len(args) == 1 {
			o.File = args[0]
		}
		return runNode(ctx, a, o)
	})
	return cmd
}

// Where a node without configuration is.
const (
	defaultListen = "127.0.0.1:9092"
	defaultData   = "data"
)

// properties are what the file and the flags say together.
func (o nodeOptions) properties() (map[string]string, error) {
	props := make(map[string]string)
	if o.File != "" {
		b, err := os.ReadFile(o.File)
		if err != nil {
			return nil, err
		}
		file, err := config.ParseProperties(b)
		if err != nil {
			return nil, exit.Errorf(exit.Config, "%s: %w", o.File, err)
		}
		maps.Copy(props, file)
	}
	for _, s := range o.Set {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, exit.Errorf(exit.Usage, "--set %q is not name=value", s)
		}
		props[strings.TrimSpace(name)] = value
	}
	if o.Data != "" {
		delete(props, "log.dir")
		props["log.dirs"] = o.Data
	}
	if o.Listen != "" {
		if _, _, err := net.SplitHostPort(o.Listen); err != nil {
			return nil, exit.Errorf(exit.Usage, "--listen %s: %w", o.Listen, err)
		}
		names := props["controller.listener.names"]
		props["listeners"] = strings.Join(append([]string{"PLAINTEXT://" + o.Listen}, controllersOf(props["listeners"], names)...), ",")
		if kept := controllersOf(props["advertised.listeners"], names); len(kept) > 0 {
			props["advertised.listeners"] = strings.Join(kept, ",")
		} else {
			delete(props, "advertised.listeners")
		}
	} else if _, set := props["listeners"]; !set {
		props["listeners"] = "PLAINTEXT://" + defaultListen
	}
	return props, nil
}

// controllersOf are the elements of listeners or advertised.listeners whose names are in controller.listener.names: what
// --listen, which is for clients, does not replace.
func controllersOf(listeners, names string) []string {
	var out []string
	controllers := config.SplitList(strings.ToUpper(names))
	for _, l := range config.SplitList(listeners) {
		if name, _, _ := strings.Cut(l, "://"); slices.Contains(controllers, strings.ToUpper(name)) {
			out = append(out, l)
		}
	}
	return out
}

func runNode(ctx context.Context, a *cli.App, o nodeOptions) error {
	props, err := o.properties()
	if err != nil {
		return err
	}
	cfg, err := config.ResolveBroker(props)
	if err != nil {
		return exit.With(exit.Config, err)
	}
	for _, w := range config.Warnings(props) {
		a.Talkf("klamm: %s", w)
	}
	overcommit()
	n, err := host.Start(host.Options{Config: cfg, Static: props, Disk: disk.Options{SyncDelay: o.SyncDelay}})
	if err != nil {
		return nodeError(err)
	}
	go tell(a, n)
	stop := a.Progress(func() string {
		if why := n.Waiting(); why != "" {
			return why
		}
		return "recovering " + n.Dir()
	})
	select {
	case <-n.Serving():
		stop()
		if err := a.Row(newNodeResult(n)); err != nil {
			a.Talkf("klamm: %v", err) // who reads the line is not who uses the broker
		}
	case <-n.Done():
		stop()
		return nodeError(n.Err())
	case <-ctx.Done():
		stop()
	}
	select {
	case <-ctx.Done():
		begin := time.Now()
		n.Shutdown()
		<-n.Done()
		if n.Err() == nil {
			a.Talkf("klamm: stopped in %s", show.Duration(time.Since(begin)))
		}
	case <-n.Done():
	}
	return nodeError(n.Err())
}

// overcommit runs Go code on twice as many threads as there are processors, unless the environment says how many. A thread that writes or
// syncs a file counts among them until the runtime notices that it is blocked, and requests wait behind it meanwhile: a fifth of the speed
// at which a broker takes 1 KiB records (docs/PERFORMANCE.md).
func overcommit() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
}

// tell passes on what a node has to say until it has ended.
func tell(a *cli.App, n *host.Node) {
	for {
		select {
		case words := <-n.Notices():
			a.Talkf("klamm: %s", words)
		case <-n.Done():
			return
		}
	}
}

// nodeError gives a node's end its exit code.
func nodeError(err error) error {
	var why *host.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &why):
		return err
	case why.Taken:
		return exit.With(exit.Unavailable, err)
	case why.Config:
		return exit.With(exit.Config, err)
	}
	return exit.With(exit.Unhealthy, err)
}

// nodeResult tells where a node is. It is printed once it serves.
type nodeResult struct {
	Listeners   []nodeListener `json:"listeners"`
	Controllers []nodeListener `json:"controllers"` // listeners of the quorum
	ClusterID   string         `json:"cluster_id"`
	NodeID      int32          `json:"node_id"`
	Data        string         `json:"data"`
	RecoveryNs  int64          `json:"recovery_ns"`
	Pid         int            `json:"pid"`
}

type nodeListener struct {
	Name       string `json:"name"`
	Address    string `json:"address"`    // bound
	Advertised string `json:"advertised"` // what clients are told
}

func newNodeResult(n *host.Node) nodeResult {
	r := nodeResult{
		ClusterID: n.ClusterID(), NodeID: int32(n.NodeID()), Data: n.Dir(), RecoveryNs: int64(n.Recovery()), Pid: os.Getpid(),
	}
	r.Listeners, r.Controllers = nodeListeners(n, n.Listeners()), nodeListeners(n, n.ControllerListeners())
	return r
}

func nodeListeners(n *host.Node, listeners []config.Listener) []nodeListener {
	out := make([]nodeListener, 0, len(listeners))
	for _, l := range listeners {
		out = append(out, nodeListener{
			Name: l.Name, Address: n.Addr(l.Name).String(),
			Advertised: net.JoinHostPort(l.AdvertisedHost, fmt.Sprint(l.AdvertisedPort)),
		})
	}
	return out
}

// AppendText implements [show.Result].
func (r nodeResult) AppendText(dst []byte) []byte {
	what := "serving on "
	for _, l := range r.Listeners {
		dst = append(append(dst, what...), l.Address...)
		what = ", "
	}
	if len(r.Listeners) > 0 {
		what = ", controller on "
	} else {
		what = "controller on "
	}
	for _, l := range r.Controllers {
		dst = append(append(dst, what...), l.Address...)
		what = ", "
	}
	return fmt.Appendf(dst, ", cluster %s, data in %s, recovered in %s\n", r.ClusterID, r.Data, show.Duration(time.Duration(r.RecoveryNs)))
}
