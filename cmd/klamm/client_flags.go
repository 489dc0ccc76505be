//go:build !js

package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/groups"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// clientOptions are the flags of every command that talks to a broker.
type clientOptions struct {
	Bootstrap []string
	Timeout   time.Duration
}

func (o *clientOptions) flags(f *pflag.FlagSet) {
	f.StringSliceVarP(&o.Bootstrap, "bootstrap", "b", []string{defaultListen}, "brokers to begin with, host:port")
	f.DurationVar(&o.Timeout, "timeout", 10*time.Second, "how long to wait for an answer")
}

// clientFlags is the same for commands of other packages.
func clientFlags(f *pflag.FlagSet) groups.With {
	o := new(clientOptions)
	o.flags(f)
	return o.with
}

// open starts a client with these options on top of others.
func (o *clientOptions) open(k kclient.Options) (*kclient.Client, error) {
	if o.Timeout <= 0 {
		return nil, exit.Errorf(exit.Usage, "--timeout %v is not positive", o.Timeout)
	}
	for _, addr := range o.Bootstrap {
		if !strings.Contains(addr, ":") {
			return nil, exit.Errorf(exit.Usage, "--bootstrap %s is not host:port", addr)
		}
	}
	k.Bootstrap, k.Timeout, k.ClientID = o.Bootstrap, o.Timeout, "klamm-cli"
	c, err := kclient.Open(k)
	return c, exit.With(exit.Usage, err)
}

// with runs f with a client and closes it. Errors get their exit codes.
func (o *clientOptions) with(ctx context.Context, k kclient.Options, f func(context.Context, *kclient.Client) error) error {
	c, err := o.open(k)
	if err != nil {
		return err
	}
	defer c.Close()
	return clientError(f(ctx, c))
}

// clientError gives the error of a client its exit code.
func clientError(err error) error {
	var nobody *kclient.Unreachable
	if errors.As(err, &nobody) {
		return exit.With(exit.Unavailable, err)
	}
	return err
}

// topicArg says that a command takes one topic.
func topicArg(cmd *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(1)(cmd, args); err != nil {
		return err
	}
	if args[0] == "" {
		return errors.New("the topic has no name")
	}
	return nil
}
