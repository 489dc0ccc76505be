// Package scenarios turns seeds into plans and runs into verdicts.
//
// A [Profile] is data: which faults, workloads, topologies and knobs a seed may draw, and how often. [Draw] makes a
// [sim.Plan] of a seed; each seed draws a subset of the profile (swarm testing, Groce et al. 2012), because faults
// that always come together hide what only one of them would find. [Run] executes a plan and lets the checkers judge
// its history: a [Verdict] without violations means that every promise held.
//
// Everything that a profile permits must keep Klamm's promises: where a fault destroys the only copy, the profile says
// so (expect_loss) and the checkers know. So every red seed is a bug.
package scenarios
