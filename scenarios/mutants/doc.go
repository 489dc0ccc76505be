// Package mutants holds deliberate bugs: each folder has a diff of the core (mutant.diff) and a text (README.md) that says
// what the bug is, who shipped it, which property should break, and within how many seeds. They measure the simulator:
// "klamm mutants" builds each and runs seeds until it is found. The results stand in docs/MUTANTS.md. The package has no
// code; its tests build the plainest mutants and want them found. How it is done is told in cmd/klamm/mutate.
package mutants
