//go:build !js

package main

import "github.com/spf13/cobra"

// addSystemCommands adds the commands that need sockets or a data directory.
func addSystemCommands(a *app, root *cobra.Command) {
	root.AddCommand(newNode(a), newTopic(a), newProduce(a), newConsume(a), newBench(a), newMutants(a))
}
