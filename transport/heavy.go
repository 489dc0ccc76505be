package transport

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// largeCheck is the size from which a check's memory is given back at once, in bytes.
const largeCheck = 8 << 20

// oneAtATime lets one check of a compressed batch run at a time, over all connections: a crowd of decompression bombs
// takes the memory of one. What a large one took is given back before the next begins, or the garbage of many would
// stand beside each other until the collector comes.
//
// Giving back costs milliseconds, and a request has room for a million batches that are refused at a glance. So what a check may
// have taken is not enough: the process must have taken it.
func oneAtATime() func(check func() int64) {
	var mu sync.Mutex
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	allocated := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	return func(check func() int64) {
		mu.Lock()
		defer mu.Unlock()
		before := allocated()
		if check() >= largeCheck && allocated()-before >= largeCheck {
			debug.FreeOSMemory()
		}
	}
}
