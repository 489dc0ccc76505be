package simulate

import (
	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/spf13/cobra"
)

// Commands are the simulator's commands.
func Commands(a *cli.App) []*cobra.Command { return portable(a) }
