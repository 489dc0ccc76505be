package imports

import "github.com/klamm-log/klamm/helper/pure"

// lock uses sync without importing it.
func lock(l *pure.Locker) {
	l.Mu.Lock() // want `use of sync.Mutex.Lock: one turn runs on one goroutine; nothing is shared`
}
