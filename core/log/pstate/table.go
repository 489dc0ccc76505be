// Package pstate is the producer table of one partition: a pure fold over its batches.
package pstate

// Table holds what the partition's batches say about their idempotent producers.
type Table struct{}
