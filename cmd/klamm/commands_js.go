package main

import "github.com/spf13/cobra"

// addSystemCommands adds what is left without sockets and data directories.
func addSystemCommands(a *app, root *cobra.Command) { root.AddCommand(newBenchCommand(a)) }
