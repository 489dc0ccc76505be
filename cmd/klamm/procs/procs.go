//go:build !js

// Package procs runs a cluster of klamm nodes on this machine, each a process of its own: this program, started again as
// klamm node.
//
// [Start] writes each node's server.properties and starts it. [Cluster.Ready] waits until each has said that it serves;
// [Cluster.Stop] ends them in the order in which they need each other. Whatever ends before it was told to is reported on
// [Cluster.Ended]. On Linux the nodes die with the process that started them.
package procs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Options says how a cluster is started.
type Options struct {
	Program string // the path of klamm
	Layout  Layout
	Dir     string   // data directory; it exists
	Set     []string // name=value for every node
	// Talk takes the lines that a node says on its standard error. It is called from other goroutines.
	Talk func(node Node, line string)
}

// Cluster is a running cluster.
type Cluster struct {
	opts  Options
	nodes []*process
	ended chan End
}

// process is one node.
type process struct {
	node    Node
	cmd     *exec.Cmd
	ready   chan struct{} // closed: it has said that it serves
	done    chan struct{} // closed: it has ended
	end     End           // read after done
	stopped sync.Once
}

// End is how a node ended. Err is nil for an orderly end.
type End struct {
	Node Node
	Code int // its exit code, -1 if a signal ended it
	Err  error
}

// Start starts all nodes. The calling goroutine must be locked to its thread for as long as the cluster is to run: on Linux
// the nodes are killed when the thread ends that started them.
func Start(o Options) (*Cluster, error) {
	if err := o.Layout.write(o.Dir, o.Set); err != nil {
		return nil, err
	}
	c := &Cluster{opts: o, ended: make(chan End, len(o.Layout.Nodes))}
	for _, n := range o.Layout.Nodes {
		p, err := c.start(n)
		if err != nil {
			_ = c.Stop(0) // how the others end is of no interest now
			return nil, fmt.Errorf("node %d: %w", n.ID, err)
		}
		c.nodes = append(c.nodes, p)
	}
	return c, nil
}

func (c *Cluster) start(n Node) (*process, error) {
	p := &process{node: n, ready: make(chan struct{}), done: make(chan struct{})}
	p.cmd = exec.Command(c.opts.Program, "node", n.file(c.opts.Dir), "-o", "json")
	p.cmd.SysProcAttr = attributes()
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	talk, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	var pipes sync.WaitGroup
	pipes.Go(func() {
		said := sync.OnceFunc(func() { close(p.ready) })
		lines(out, func(string) { said() }) // the first line comes when it serves
	})
	pipes.Go(func() { lines(talk, func(line string) { c.opts.Talk(n, line) }) })
	go func() {
		pipes.Wait() // before Wait, which closes them
		p.end = End{Node: n, Err: p.cmd.Wait(), Code: p.cmd.ProcessState.ExitCode()}
		close(p.done)
		c.ended <- p.end
	}()
	return p, nil
}

// lines reads lines until there are no more; the last need not be ended.
func lines(r io.Reader, take func(string)) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		take(s.Text())
	}
	_, _ = io.Copy(io.Discard, r) // after a line that is too long, a full pipe must not stop the node
}

// Ready waits until every node serves. It fails with an [*EndError] when one ends before.
func (c *Cluster) Ready(ctx context.Context) error {
	for _, p := range c.nodes {
		select {
		case <-p.ready:
		case end := <-c.ended:
			return &EndError{end}
		case <-ctx.Done():
			return fmt.Errorf("node %d does not serve: %w", p.node.ID, ctx.Err())
		}
	}
	return nil
}

// EndError is the end of a node that was not to end.
type EndError struct{ End }

// Error names the node and how it ended.
func (e *EndError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("node %d ended", e.Node.ID)
	}
	return fmt.Sprintf("node %d ended: %v", e.Node.ID, e.Err)
}

// Unwrap is what the system says.
func (e *EndError) Unwrap() error { return e.Err }

// Ended delivers the end of each node, once.
func (c *Cluster) Ended() <-chan End { return c.ended }

// Nodes are the nodes.
func (c *Cluster) Nodes() []Node { return c.opts.Layout.Nodes }

// Pid is a node's process.
func (c *Cluster) Pid(id int) int {
	for _, p := range c.nodes {
		if p.node.ID == id {
			return p.cmd.Process.Pid
		}
	}
	return 0
}

// Stop ends all nodes and waits for it. Brokers hand over what they lead to others and need a controller for it, so the
// controllers are told last. What has not ended within the grace, which each of the two groups has to itself, is killed;
// the error names those, and what ended badly when it was told to.
func (c *Cluster) Stop(grace time.Duration) error {
	var errs []error
	for _, controllers := range []bool{false, true} {
		var group []*process
		for _, p := range c.nodes {
			if p.node.Controller == controllers {
				group = append(group, p)
				p.stopped.Do(func() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }) // fails if it has ended
			}
		}
		timer := time.NewTimer(grace)
		for _, p := range group {
			errs = append(errs, p.await(timer.C, grace))
		}
		timer.Stop()
	}
	return errors.Join(errs...)
}

// await waits for a process to end, and kills it when it is late.
func (p *process) await(late <-chan time.Time, grace time.Duration) error {
	select {
	case <-p.done:
		return nil // Ended has told
	default:
	}
	select {
	case <-p.done:
	case <-late:
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("node %d did not end within %v and was killed", p.node.ID, grace)
	}
	if p.end.Err != nil {
		return &EndError{p.end}
	}
	return nil
}

// Program is the path of this program.
func Program() (string, error) { return os.Executable() }
