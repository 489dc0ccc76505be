// Package directed holds scenarios written by hand: worlds in which one thing that seeds stage rarely is staged on purpose. Each is a
// test, and the deliberate bugs that it was written for name it ("klamm mutants --directed").
package directed
