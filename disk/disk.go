package disk

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/klamm-log/klamm/core/step"
)

// Options shape a disk. The zero value is the default.
type Options struct {
	// Workers bounds how many operations run at once; 0 is 16. More files than that share workers.
	Workers int
	// Linger is how long silent operations may wait for one that is not before they are performed anyway; 0 is 1 ms.
	Linger time.Duration
	// SyncDelay is added to every sync of contents, to make a fast development disk as slow as a cloud volume.
	SyncDelay time.Duration
}

// lingerBytes is how much silently appended data wakes a worker before the linger time is over, so that writing runs
// beside the loop instead of after it.
const lingerBytes = 256 << 10

// Disk performs operations below one directory.
type Disk struct {
	root    *os.Root
	lock    *os.File
	deliver func(step.Event)
	opts    Options
	sys     system

	mu      sync.Mutex
	files   map[step.FileID]*queue // open or with operations outstanding
	paths   map[string]*queue      // with operations outstanding
	ready   []*queue               // wait for a worker, first come first served
	first   int                    // of ready
	idle    []*worker              // a stack
	started int                    // workers that exist
	linger  []*queue               // hold silent operations only
	timer   *time.Timer            // performs what lingers
	armed   bool
	pending int // operations submitted and not yet done
	drained sync.Cond
	closed  bool
}

// system is what a test replaces to make an operating system fail.
type system struct {
	write func(f *os.File, data [][]byte, at int64) (int64, error)
	sync  func(f *os.File) error
}

// ErrLocked says that another process, or another Disk of this one, uses the directory.
var ErrLocked = errors.New("data directory is in use by another process")

// Open claims the directory, which is made if absent. Completions are handed to deliver from the workers'
// goroutines, those of one file in order; deliver must not block and may call Submit.
func Open(root string, deliver func(step.Event), opts Options) (*Disk, error) {
	if opts.Workers <= 0 {
		opts.Workers = 16
	}
	if opts.Linger <= 0 {
		opts.Linger = time.Millisecond
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := claim(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("data directory %s: %w", root, err), dir.Close())
	}
	d := &Disk{
		root: dir, lock: lock, deliver: deliver, opts: opts, sys: system{write: writeAll, sync: syncData},
		files: make(map[step.FileID]*queue), paths: make(map[string]*queue),
	}
	d.drained.L = &d.mu
	d.timer = time.AfterFunc(time.Hour, d.expire)
	d.timer.Stop()
	return d, nil
}

func claim(dir *os.Root) (*os.File, error) {
	f, err := dir.OpenFile(step.LockName, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock file: %w", err)
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Submit queues an operation and returns at once. op.Data must stay as it is until the completion. After Close
// operations are dropped.
func (d *Disk) Submit(op step.DiskOp) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	q := d.queueOf(&op)
	q.ops = append(q.ops, op)
	d.pending++
	if q.scheduled {
		return
	}
	if op.Op == 0 {
		if q.silent += int64(len(op.Data)); q.silent < lingerBytes {
			d.wait(q)
			return
		}
	}
	d.dispatch(q)
}

// Drain waits until every operation submitted so far is done and its completion delivered.
func (d *Disk) Drain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flushLingering()
	for d.pending > 0 {
		d.drained.Wait()
	}
}

// Close performs what is queued, ends the workers and releases the directory. Files that are held by Acquire stay
// readable. The error is the first that closing a file met; operations were answered one by one.
func (d *Disk) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	d.flushLingering()
	for d.pending > 0 {
		d.drained.Wait()
	}
	d.timer.Stop()
	for _, w := range d.idle {
		close(w.wake)
	}
	d.idle = nil
	var errs []error
	for _, q := range d.files {
		if q.h != nil {
			errs = append(errs, q.h.release())
		}
	}
	d.mu.Unlock()
	return errors.Join(append(errs, d.lock.Close(), d.root.Close())...)
}

// Acquire lends the open file named by id, for reading at explicit positions only (the file's own offset is
// shared). The file's bytes stay readable until release is called, whatever the machine does to it; release may be
// called more than once. ok is false when the file is not open.
func (d *Disk) Acquire(id step.FileID) (f *os.File, release func(), ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.files[id]
	if q == nil || q.h == nil {
		return nil, nil, false
	}
	h := q.h
	h.refs.Add(1)
	return h.f, sync.OnceFunc(func() { _ = h.release() }), true
}
