// Package disk is an edge: it may do as it likes, and its functions carry facts.
package disk

import "github.com/klamm-log/klamm/helper/stamp"

// Age passes a chain on across packages.
func Age() int64 { return stamp.Seed() } // want Age:`^stamp.Seed -> stamp.Wall -> time.Now$`
