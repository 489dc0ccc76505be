// Package tally is the arithmetic of majorities: what a quorum has, has heard, and has voted. Functions of their arguments,
// for core/raft; each is a sentence of raft's paper or of KIP-595.
package tally
