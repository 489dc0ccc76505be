package transport

import (
	"runtime/debug"
	"sync"
)

// largeCheck is the size from which a check's memory is given back at once, in bytes.
const largeCheck = 8 << 20

// oneAtATime lets one check of a compressed batch run at a time, over all connections: a crowd of decompression bombs
// takes the memory of one. What a large one took is given back before the next begins, or the garbage of many would
// stand beside each other until the collector comes.
func oneAtATime() func(check func() int64) {
	var mu sync.Mutex
	return func(check func() int64) {
		mu.Lock()
		defer mu.Unlock()
		if check() >= largeCheck {
			debug.FreeOSMemory()
		}
	}
}
