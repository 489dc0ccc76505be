// Command klamm is the whole of Klamm on the command line: the simulator, a broker, and clients for any broker that
// speaks Kafka's protocol.
//
//	klamm sim                run seeds in the simulator and judge them
//	klamm replay CAPSULE     repeat a failing run
//	klamm node               run a broker
//	klamm topic, produce, consume
//	klamm bench              measure a broker, or the simulator
//	klamm version
//
// Results go to standard output, as text or with -o json; everything else goes to standard error. Package exit has
// the exit codes, package cli what all commands share, package simulate those of the simulator.
//
// Built for js/wasm there are only the commands that need neither sockets nor a data directory.
package main

import (
	"context"
	"os"

	"github.com/klamm-log/klamm/cmd/klamm/cli"
)

func main() {
	streams := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	os.Exit(int(cli.Run(context.Background(), os.Args[1:], streams, commands)))
}
