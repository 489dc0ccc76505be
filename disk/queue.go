package disk

import (
	"github.com/klamm-log/klamm/core/step"
)

// queue holds the operations of one file or path in the order of submission.
type queue struct {
	file step.FileID
	path string // when file is 0

	// Under Disk.mu.
	ops       []step.DiskOp
	scheduled bool  // in Disk.ready or with a worker
	lingering bool  // in Disk.linger
	silent    int64 // bytes of silent appends since the last dispatch
	h         *handle

	// Of the worker that serves the queue.
	batch []step.DiskOp
	iov   [][]byte
}

// worker is a goroutine of the pool. It sleeps on wake, which brings its next queue.
type worker struct{ wake chan *queue }

func (d *Disk) queueOf(op *step.DiskOp) *queue {
	if op.File != 0 {
		q := d.files[op.File]
		if q == nil {
			q = &queue{file: op.File}
			d.files[op.File] = q
		}
		return q
	}
	q := d.paths[op.Path]
	if q == nil {
		q = &queue{path: op.Path}
		d.paths[op.Path] = q
	}
	return q
}

// wait lets a queue of silent operations linger.
func (d *Disk) wait(q *queue) {
	if !q.lingering {
		q.lingering = true
		d.linger = append(d.linger, q)
	}
	if !d.armed {
		d.armed = true
		d.timer.Reset(d.opts.Linger)
	}
}

// expire is the timer's.
func (d *Disk) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = false
	d.flushLingering()
}

func (d *Disk) flushLingering() {
	for i, q := range d.linger {
		d.linger[i] = nil
		q.lingering = false
		if !q.scheduled && len(q.ops) > 0 {
			d.dispatch(q)
		}
	}
	d.linger = d.linger[:0]
}

// dispatch finds a worker for q: the one that went idle last, a new one, or whichever is free first.
func (d *Disk) dispatch(q *queue) {
	q.scheduled = true
	q.silent = 0
	if n := len(d.idle); n > 0 {
		w := d.idle[n-1]
		d.idle = d.idle[:n-1]
		w.wake <- q // has room for one
		return
	}
	if d.started < d.opts.Workers {
		d.started++
		w := &worker{wake: make(chan *queue, 1)}
		go d.work(w, q)
		return
	}
	d.ready = append(d.ready, q)
}

// work serves queues until the disk closes.
func (d *Disk) work(w *worker, q *queue) {
	for q != nil {
		d.mu.Lock()
		q.batch, q.ops = q.ops, q.batch[:0]
		d.mu.Unlock()
		d.perform(q)
		if q = d.next(w, q); q == nil {
			q = <-w.wake
		}
	}
}

// next is called with a batch done. It returns the queue to serve now; with none, w has become idle.
func (d *Disk) next(w *worker, q *queue) *queue {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending -= len(q.batch); d.pending == 0 {
		d.drained.Broadcast()
	}
	clear(q.batch)
	if len(q.ops) > 0 {
		if d.first == len(d.ready) {
			return q
		}
		d.ready = append(d.ready, q)
	} else {
		q.scheduled = false
		d.retire(q)
	}
	if d.first < len(d.ready) {
		next := d.ready[d.first]
		d.ready[d.first] = nil
		if d.first++; d.first == len(d.ready) {
			d.ready, d.first = d.ready[:0], 0
		}
		return next
	}
	d.idle = append(d.idle, w)
	return nil
}

// retire forgets an empty queue unless its file is open.
func (d *Disk) retire(q *queue) {
	switch {
	case q.file == 0:
		delete(d.paths, q.path)
	case q.h == nil:
		delete(d.files, q.file)
	}
}
