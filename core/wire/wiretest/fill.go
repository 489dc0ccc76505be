// Package wiretest makes Kafka messages with arbitrary content for tests. Nothing but tests imports it.
package wiretest

import (
	"math"
	"reflect"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Draw yields a number in [0, n).
type Draw func(n int64) int64

// Fill sets every field of a kmsg message, which is passed by pointer, to drawn values: numbers, short strings, null
// where a pointer allows it, arrays of up to three elements and now and then an unknown tag.
func Fill(message any, draw Draw) {
	fill(reflect.ValueOf(message).Elem(), draw)
}

func fill(v reflect.Value, draw Draw) {
	if tags, ok := v.Addr().Interface().(*kmsg.Tags); ok {
		for range draw(8) / 6 {
			tags.Set(uint32(100+draw(3)), bytes(draw))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "Version" {
				fill(v.Field(i), draw)
			}
		}
	case reflect.Pointer:
		if draw(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), draw)
		}
	case reflect.Slice:
		fillSlice(v, draw)
	case reflect.Array:
		reflect.Copy(v, reflect.ValueOf(append(bytes(draw), make([]byte, v.Len())...)))
	case reflect.String:
		v.SetString(string(bytes(draw)))
	case reflect.Bool:
		v.SetBool(draw(2) == 1)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(draw(1<<62)>>draw(62) - draw(2))
	case reflect.Uint16, reflect.Uint32:
		v.SetUint(uint64(draw(1 << 16)))
	case reflect.Float64:
		v.SetFloat(math.Float64frombits(0x3ff<<52 | uint64(draw(1<<52)))) // in [1, 2): bits, not arithmetic
	default:
		panic("wiretest: cannot fill " + v.Type().String())
	}
}

func fillSlice(v reflect.Value, draw Draw) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(bytes(draw))
		return
	}
	n := int(draw(4))
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		fill(v.Index(i), draw)
	}
}

// bytes draws up to 40 printable bytes, mostly few.
func bytes(draw Draw) []byte {
	b := make([]byte, draw(1+draw(40)))
	for i := range b {
		b[i] = byte('a' + draw(26))
	}
	return b
}
