package main

import (
	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/simulate"
	"github.com/spf13/cobra"
)

// commands are those that need neither sockets nor a data directory.
func commands(a *cli.App) []*cobra.Command {
	return append(simulate.Commands(a), cli.NewVersion(a), simulate.NewBench(a))
}
