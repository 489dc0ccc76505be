// Package kgosuite runs the part of franz-go's own integration tests that needs nothing which klamm node does not
// have yet. The tests that must pass are named one by one: one that vanishes from a newer franz-go is noticed, one
// that begins to pass is to be added.
//
// It has no code outside its tests.
package kgosuite
