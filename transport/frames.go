package transport

import "sync"

// frames knows to which connection the memory of a request in process belongs, by its first byte. The machine gives back memory, not requests.
type frames struct {
	mu sync.Mutex
	of map[*byte]*connection
}

// lend notes that a request of the connection lies in a frame; nil is none.
func (f *frames) lend(c *connection, frame *byte) {
	if frame == nil {
		return
	}
	f.mu.Lock()
	f.of[frame] = c
	f.mu.Unlock()
}

// back forgets a frame and returns whose it was, nil if it was nobody's.
func (f *frames) back(frame *byte) *connection {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.of[frame]
	delete(f.of, frame)
	return c
}

// forget forgets the frames of requests that have ended, and returns what these took of the budget.
func (f *frames) forget(c *connection, ended []charge) (taken int64) {
	for _, x := range ended {
		taken += x.size
		if x.frame == nil {
			continue
		}
		f.mu.Lock()
		if f.of[x.frame] == c {
			delete(f.of, x.frame)
		}
		f.mu.Unlock()
	}
	return taken
}
