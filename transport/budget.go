package transport

import "sync"

// budget bounds the memory of requests: those that are being received and those that are being processed. Taking
// never waits; before a connection reads more it waits until there is room.
//
// A request in process frees its share when it is answered, or its memory is back before that, without needing more. A frame in reception needs more to
// become a request. If the frames in reception alone fill the budget, nobody would ever move, so one of them at a
// time may go on regardless, and so may connections that are between frames.
type budget struct {
	limit int64

	mu        sync.Mutex
	room      sync.Cond
	receiving int64
	inProcess int64
	favoured  *connection
}

func newBudget(limit int64) *budget {
	b := &budget{limit: limit}
	b.room.L = &b.mu
	return b
}

// change adds to (or, negative, returns) what a connection takes.
func (b *budget) change(receiving, inProcess int64) {
	if receiving == 0 && inProcess == 0 {
		return
	}
	b.mu.Lock()
	b.receiving += receiving
	b.inProcess += inProcess
	freed := receiving+inProcess < 0
	b.mu.Unlock()
	if freed {
		b.room.Broadcast()
	}
}

// wait blocks until the connection may read; partial tells that it has begun a frame. It returns early when the
// connection closes.
func (b *budget) wait(c *connection, partial bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.receiving+b.inProcess > b.limit && !c.closing.Load() {
		if b.inProcess == 0 && !partial {
			return // favour is not for one that may stay silent
		}
		if b.inProcess == 0 && (b.favoured == nil || b.favoured == c) {
			b.favoured = c
			return
		}
		c.watch.pause()
		b.room.Wait()
	}
}

// yield ends a connection's favour: its frame is complete, or it is closing.
func (b *budget) yield(c *connection) {
	b.mu.Lock()
	if b.favoured == c {
		b.favoured = nil
	}
	b.mu.Unlock()
	b.room.Broadcast()
}

// wake has those who wait look again. Without the lock one that has just looked, and not yet begun to wait, would miss it.
func (b *budget) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.room.Broadcast()
}

// used is the memory taken in bytes.
func (b *budget) used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.receiving + b.inProcess
}
