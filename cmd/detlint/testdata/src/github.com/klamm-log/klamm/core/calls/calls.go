// Package calls reaches causes through functions elsewhere.
package calls

import (
	"example.com/lib"
	"github.com/klamm-log/klamm/disk"
	"github.com/klamm-log/klamm/helper/pure"
	"github.com/klamm-log/klamm/helper/stamp"
)

func direct() int64 {
	return stamp.Wall() // want `stamp.Wall is not deterministic \(stamp.Wall -> time.Now\): take its result as an argument or an event`
}

func chains(s *stamp.Source) {
	_ = stamp.Seed()            // want `stamp.Seed is not deterministic \(stamp.Seed -> stamp.Wall -> time.Now\)`
	_ = stamp.Even(1)           // want `\(stamp.Even -> stamp.Odd -> math/rand.Int\)`
	_ = s.First()               // want `\(stamp.Source.First -> range over a map\)`
	stamp.Start(func() {})      // want `\(stamp.Start -> a go statement\)`
	_ = stamp.Pick(s, []int{1}) // want `\(stamp.Pick -> stamp.Source.First -> range over a map\)`
	_ = disk.Age()              // want `\(disk.Age -> stamp.Seed -> stamp.Wall -> time.Now\)`
	_ = pure.Double(1) + pure.Count(nil)
	lib.Anything() // another module is trusted
}

func asValue() func() int64 {
	clock := stamp.Wall // want `stamp.Wall is not deterministic`
	return clock
}

func caller() int64 { return direct() } // the cause is reported inside direct, once
