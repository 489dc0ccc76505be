package main

import "github.com/spf13/cobra"

// addSystemCommands adds nothing: there are no sockets here.
func addSystemCommands(*app, *cobra.Command) {}
