// Package pure lies outside the deterministic packages and has, but for one type, nothing to hide.
package pure

import "sync"

// Locker carries a lock to where sync is not imported.
type Locker struct{ Mu sync.Mutex }

// Double is deterministic.
func Double(n int) int { return 2 * n }

// Count ranges over a map with leave to do so.
func Count(m map[int]int) (n int) {
	for range m { //det:unordered counting commutes
		n++
	}
	return n
}
