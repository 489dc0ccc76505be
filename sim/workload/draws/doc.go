// Package draws makes plans of the simulator's clients from a seed: what each of them does, when, and with which options.
//
// Every decision comes from a stream forked by a label and a number, so that a client's plan depends neither on how many others there
// are nor on what they draw. What an operation draws while it runs is package workload's matter.
package draws
