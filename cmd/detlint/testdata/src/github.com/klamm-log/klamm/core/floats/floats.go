// Package floats computes with floats.
package floats

import (
	"cmp"
	"math"
	"reflect"
	"strconv"
	"time"
)

type quota struct {
	Value float64 // want `float64: results differ between processors \(GOAMD64=v3 fuses x\*y\+z\) and round; count in integers`
}

type ratio float32 // want `float32: results differ`

type wave struct{ z complex128 } // want `complex128: results differ`

func arithmetic(q quota, n int) {
	if q.Value > 1 { // want `float operation >: results differ`
		q.Value *= 2 // want `float operation \*=`
	}
	q.Value++                          // want `float operation \+\+`
	q.Value = -q.Value                 // want `float operation -`
	q.Value = q.Value*3 + 1            // want `float operation`
	_ = ratio(n)                       // want `conversion that yields a float`
	_ = int64(q.Value)                 // want `conversion that takes a float`
	_ = cmp.Compare(q.Value, 1)        // want `call that takes a float`
	_ = time.Duration(n).Seconds()     // want `call that yields a float`
	_, _ = strconv.ParseFloat("1", 64) // want `call that yields a float`
	_ = float64(n) * 1.5               // want `float`
}

// moves carries bits and does not compute.
func moves(from, to *quota, all []byte) uint64 {
	to.Value = from.Value
	to.Value = math.Float64frombits(7)
	reflect.ValueOf(to).Elem().Field(0).SetFloat(math.Float64frombits(7))
	copied := from.Value
	*to = quota{Value: copied}
	return math.Float64bits(from.Value)
}

// constants are the compiler's and exact.
func constants() int64 {
	const share = 0.75
	return int64(share*1000) + int64(1e6) + int64(2.5*4)
}

func integers(n int64) int64 {
	n *= 2
	n++
	return -n*3 + 1
}
