// Package sim is the simulated world: processes, a network, disks and clocks, advanced by one event at a time.
//
// # Model
//
// A [World] holds processes (each a machine inside the same shell, core/node, that real nodes use), one simulated
// network and one disk per broker. Nothing in it runs in parallel: the earliest of all deadlines is taken, ties are
// broken by the fixed order plan, network, disks, processes, and what is due there happens. A process that is busy,
// paused or dead takes nothing; what arrives meanwhile waits in its inbox or is lost with it.
//
// # Decisions
//
// A run is a function of its [Plan] alone: topology, knobs, what each client does and when, each fault with its
// instant and target. A seed draws a plan (package scenarios does) and a plan can be stored, edited and shrunk. Draws
// made during the run (latencies, service times, the fate of unsynced writes) come from streams forked per link, disk
// and process, so taking one fault or client out of a plan leaves the others' luck as it was.
//
// # Trace
//
// Every event goes into a running 128-bit hash, and the hash into a chain of samples. Equal plans give equal chains
// on any machine, or something is nondeterministic; [Result.Chain] says where two runs part.
//
// # Phases
//
// During the safety phase the plan's faults happen. Then everything is healed, what is down is started, and clients
// go on and finally read everything: what was promised must now happen within a bound. The outcome is a
// history.Log for the checkers, and the invariants that broke inside the core.
package sim
