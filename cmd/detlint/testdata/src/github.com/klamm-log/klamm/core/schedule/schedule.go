// Package schedule holds what depends on the scheduler.
package schedule

type mailbox struct {
	in chan int // want `channel type: the scheduler orders what passes through it`
}

func send(out chan<- int, in <-chan int) { // want `channel type` `channel type`
	out <- 1  // want `channel send: its order depends on the scheduler`
	<-in      // want `channel receive: what arrives depends on the scheduler`
	v := <-in // want `channel receive`
	_ = v
	for range in { // want `range over a channel`
	}
	close(out)       // want `close of a channel`
	go send(out, in) // want `go statement: the scheduler decides when it runs; return an effect and take its completion as an event`
}

func (m mailbox) choose() {
	select { // want `select: the ready case is chosen at random; one event enters Step at a time`
	case v := <-m.in:
		m.in <- v // want `channel send`
	case m.in <- 1:
	case <-m.in:
	default:
	}
}

func closure() func() {
	return func() {
		go func() {}() // want `go statement`
	}
}
