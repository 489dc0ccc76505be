//go:build !js

package main

import (
	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/klamm-log/klamm/cmd/klamm/groups"
	"github.com/klamm-log/klamm/cmd/klamm/simulate"
	"github.com/klamm-log/klamm/cmd/klamm/txns"
	"github.com/spf13/cobra"
)

// commands are all there are.
func commands(a *cli.App) []*cobra.Command {
	return append(
		simulate.Commands(a), cli.NewVersion(a), newBench(a), newNode(a), newCluster(a), newTopic(a), newQuorum(a), newReassign(a),
		newElect(a), newProduce(a), newConsume(a), groups.New(a, clientFlags), txns.New(a, clientFlags),
	)
}
