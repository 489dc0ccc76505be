package simulate

import (
	"github.com/klamm-log/klamm/cmd/klamm/cli"
	"github.com/spf13/cobra"
)

// portable are the commands that need nothing but a processor.
func portable(a *cli.App) []*cobra.Command {
	return []*cobra.Command{newSim(a), newMerge(a), newLedger(a), newProfiles(a), newReplay(a), newShrink(a), newExplain(a)}
}
