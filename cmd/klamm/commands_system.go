//go:build !js

package main

import "github.com/spf13/cobra"

// addSystemCommands adds the commands that need sockets or a data directory.
func addSystemCommands(a *app, root *cobra.Command) {
	root.AddCommand(newNode(a), newCluster(a), newTopic(a), newQuorum(a), newReassign(a), newElect(a), newProduce(a), newConsume(a), newBench(a), newMutants(a))
}
