//go:build !js

package simulate

import (
	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/spf13/cobra"
)

// Commands are the simulator's commands, with those that start processes.
func Commands(a *cli.App) []*cobra.Command { return append(portable(a), newMutants(a)) }
