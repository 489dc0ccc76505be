// Package simulate has the commands of klamm that run the simulator: sim, replay, mutants, bench sim.
//
// They draw plans (package scenarios), run them on all cores (package sweep), print what was found (package show) and
// store the capsules of failing seeds. What a world is, and what makes it fail, is not theirs.
package simulate
