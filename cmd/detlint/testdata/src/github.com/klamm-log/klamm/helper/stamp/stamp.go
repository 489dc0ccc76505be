// Package stamp lies outside the deterministic packages; its functions carry facts.
package stamp

import (
	"math/rand"
	"time"
)

// Wall reads the clock.
func Wall() int64 { return time.Now().UnixMilli() } // want Wall:`^time.Now$`

// Seed is two calls away from the clock.
func Seed() int64 { return mix(Wall()) } // want Seed:`^stamp.Wall -> time.Now$`

func mix(n int64) int64 { return n * 31 }

// Even and Odd call each other; the cause is found all the same.
func Even(n int) bool { return n == 0 || Odd(n-1) } // want Even:`^stamp.Odd -> math/rand.Int$`

// Odd is the partner of Even.
func Odd(n int) bool { // want Odd:`^math/rand.Int$`
	if n < 0 {
		return rand.Int() == 0
	}
	return n != 0 && Even(n-1)
}

// Source has a method with a cause.
type Source struct{ names map[string]int }

// First answers any name.
func (s *Source) First() string { // want First:`^range over a map$`
	for name := range s.names {
		return name
	}
	return ""
}

// Start runs f beside.
func Start(f func()) { go f() } // want Start:`^a go statement$`

// Pick is generic, and calls a method.
func Pick[T any](s *Source, values []T) T { // want Pick:`^stamp.Source.First -> range over a map$`
	return values[len(s.First())]
}
