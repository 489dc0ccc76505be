package transport

import (
	"context"
	"sync"
	"time"

	"github.com/klamm-log/klamm/core/node"
	"github.com/klamm-log/klamm/core/step"
)

// Loop is the one goroutine that steps a node. Everybody else hands events to Deliver.
type Loop struct {
	clock *Clock

	mu      sync.Mutex
	inbox   []step.Event
	waiting bool // the loop sleeps, or is about to; the next Deliver wakes it

	wake  chan struct{} // capacity 1
	spare []step.Event  // the inbox of the turn before, emptied
}

// NewLoop is a loop that accepts events and does not run yet. Disks, servers and dialers are made with its Deliver,
// then the node is made of them and given to Run.
func NewLoop(clock *Clock) *Loop {
	return &Loop{clock: clock, wake: make(chan struct{}, 1)}
}

// Deliver gives the node an event. It may be called from any goroutine, also before Run and after its end, and does
// not block. Events of one goroutine arrive in the order of its calls.
func (l *Loop) Deliver(ev step.Event) {
	l.mu.Lock()
	l.inbox = append(l.inbox, ev)
	wake := l.waiting
	l.waiting = false
	l.mu.Unlock()
	if wake {
		l.wake <- struct{}{} // never blocks: one send per wait
	}
}

// Run steps the node until the context ends. It returns the context's error.
func (l *Loop) Run(ctx context.Context, n *node.Node) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		for _, ev := range l.take() {
			n.Deliver(ev)
		}
		if n.Pending(l.clock.Now().Mono) {
			n.Poll()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		if err := l.wait(ctx, n, timer); err != nil {
			return err
		}
	}
}

// take empties the inbox into the caller's hands. The slice is valid until the next call.
func (l *Loop) take() []step.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.spare)
	taken := l.inbox
	l.inbox, l.spare = l.spare[:0], taken
	return taken
}

// wait sleeps until there is an event, a deadline has come or the context has ended.
func (l *Loop) wait(ctx context.Context, n *node.Node, timer *time.Timer) error {
	l.mu.Lock()
	if len(l.inbox) > 0 {
		l.mu.Unlock()
		return nil
	}
	l.waiting = true
	l.mu.Unlock()

	var due <-chan time.Time
	if at, ok := n.NextDeadline(); ok {
		timer.Reset(time.Duration(at - l.clock.Now().Mono))
		due = timer.C
	}
	select {
	case <-l.wake:
		return nil
	case <-due:
	case <-ctx.Done():
	}
	l.mu.Lock()
	woken := !l.waiting
	l.waiting = false
	l.mu.Unlock()
	if woken { // a Deliver has taken the flag and its token is there, or will be at once
		<-l.wake
	}
	return ctx.Err()
}
