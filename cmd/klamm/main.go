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
// the exit codes. Each command is one file: flags fill an options struct, and a function of the options does the work.
//
// Built for js/wasm there are only the commands that need neither sockets nor a data directory.
package main

import (
	"os"
)

func main() {
	os.Exit(int(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})))
}
