package simdisk

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/ordmap"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/step"
)

// Disk is one node's disk. It outlives the node's processes. Not safe for concurrent use; the world owns it.
type Disk struct {
	cfg     Config
	rand    *prng.Rand
	latency *prng.Rand // one draw per submitted operation
	space   *prng.Rand // how much of an append a full disk took
	allowed []Outcome
	observe func(Performed)

	now     core.Mono // latest instant seen
	due     deadline.Heap[due]
	byFile  *ordmap.Map[step.FileID, *queue]
	byPath  *ordmap.Map[string, *queue]
	idle    []*queue // queues to use again
	stuck   []*queue // whose head waits for a Stuck fault to end
	names   names
	files   *ordmap.Map[step.FileID, *file] // open or held
	used    int64                           // bytes of contents that are linked or open
	crashes int64                           // so far, without a name
	doom    int64                           // name of the next crash
	doomed  bool                            // it has one

	faults  []armed
	patched []*node // nodes that ever had a patch
	fired   [faultKinds]int64
	met     [outcomes]int64
	misuse  int64
}

// due is an entry of the timer heap: the head of a queue, or a fault that strikes by itself.
type due struct {
	q     *queue
	fault *armed
}

// queue holds the operations of one file or path in the order of submission.
type queue struct {
	ops   []queued
	head  int
	timer deadline.Handle // of the head; none while it is stuck without end
	stuck bool            // the head waits for a Stuck fault; q is in Disk.stuck
	file  step.FileID
	path  string // when file is 0
}

type queued struct {
	op      step.DiskOp
	service core.Mono
}

// file is a node bound to a FileID.
type file struct {
	n      *node
	path   string // under which it was opened
	failed string // why every operation fails; empty while all is well
	full   bool   // an append ran out of space; nothing more is appended or synced until a truncation
	holds  int
	closed bool // only held
}

// New is an empty disk. All its draws come from streams forked from rand.
func New(rand *prng.Rand, cfg Config) *Disk {
	d := &Disk{
		cfg: cfg.withDefaults(), rand: rand, latency: rand.Fork("latency"), space: rand.Fork("space"), allowed: cfg.Outcomes,
		byFile: ordmap.Ordered[step.FileID, *queue](), byPath: ordmap.Ordered[string, *queue](),
		names: names{root: newDir()}, files: ordmap.Ordered[step.FileID, *file](),
		faults: make([]armed, len(cfg.Plan)),
	}
	if len(d.allowed) == 0 {
		for o := range outcomes {
			d.allowed = append(d.allowed, o)
		}
	}
	for i, f := range cfg.Plan {
		d.faults[i] = armed{Fault: f, rand: rand.ForkN("fault", f.ID)}
		if f.Kind == BitRot || f.Kind == Lost {
			d.due.Add(f.At, due{fault: &d.faults[i]})
		}
	}
	return d
}

// Observe calls f for each operation that takes effect, silent ones included.
func (d *Disk) Observe(f func(Performed)) { d.observe = f }

// Performed describes one operation that took effect, for the trace hash.
type Performed struct {
	Kind step.DiskOpKind
	Err  step.DiskError
	File step.FileID
	Pos  core.Pos
	Len  int64  // bytes appended or read, entries listed, length at opening
	Path string // of the operation's target
}

// Submit queues an operation; it takes effect in a later Poll.
func (d *Disk) Submit(now core.Mono, op step.DiskOp) {
	d.advance(now)
	q := d.queueOf(&op)
	q.ops = append(q.ops, queued{op: op, service: d.class(op.Kind).draw(d.latency)})
	if len(q.ops)-q.head == 1 {
		d.schedule(q)
	}
}

// NextDeadline is the instant at which Poll has something to do, and whether there is one.
func (d *Disk) NextDeadline() (core.Mono, bool) { return d.due.Next() }

// Poll performs what is due at now, in order, and hands the completions to deliver. The DiskDone belongs to the receiver.
func (d *Disk) Poll(now core.Mono, deliver func(*step.DiskDone)) {
	d.advance(now)
	for {
		e, ok := d.due.PopDue(now)
		if !ok {
			return
		}
		if e.fault != nil {
			d.strike(e.fault)
			continue
		}
		if q := e.q; !d.holdBack(q) {
			done := d.perform(&q.ops[q.head].op)
			d.next(q)
			if done.Op != 0 || done.Err != step.DiskOK {
				out := done
				deliver(&out)
			}
		}
	}
}

func (d *Disk) advance(now core.Mono) {
	if now < d.now {
		invariant.Fail("simdisk: time went back from %d to %d", d.now, now)
	}
	d.now = now
}

// class is the distribution from which an operation's service time is drawn.
func (d *Disk) class(k step.DiskOpKind) Latency {
	switch k {
	case step.Read:
		return d.cfg.Read
	case step.Append:
		return d.cfg.Append
	case step.Sync, step.SyncDir:
		return d.cfg.Sync
	case step.Open, step.Close, step.Truncate, step.Rename, step.Remove, step.Mkdir, step.RemoveDir, step.List:
	}
	return d.cfg.Meta
}

func (d *Disk) queueOf(op *step.DiskOp) *queue {
	if op.File != 0 {
		q, ok := d.byFile.Get(op.File)
		if !ok {
			q = d.newQueue()
			q.file = op.File
			d.byFile.Set(op.File, q)
		}
		return q
	}
	q, ok := d.byPath.Get(op.Path)
	if !ok {
		q = d.newQueue()
		q.path = op.Path
		d.byPath.Set(op.Path, q)
	}
	return q
}

func (d *Disk) newQueue() *queue {
	if n := len(d.idle); n > 0 {
		q := d.idle[n-1]
		d.idle = d.idle[:n-1]
		return q
	}
	return &queue{}
}

// schedule starts the service of the head of q.
func (d *Disk) schedule(q *queue) {
	head := &q.ops[q.head]
	at := d.now.Add(d.slowed(head.service, d.pathOf(&head.op)))
	q.timer = d.due.Add(at, due{q: q})
}

// next drops the head of q and starts what follows. An empty queue of a closed file, or of a path, is given back.
func (d *Disk) next(q *queue) {
	q.ops[q.head] = queued{}
	q.head++
	if q.head < len(q.ops) {
		if q.head >= 64 && q.head*2 >= len(q.ops) { // a queue that never runs empty must not grow for ever
			q.ops = append(q.ops[:0], q.ops[q.head:]...)
			q.head = 0
		}
		d.schedule(q)
		return
	}
	q.ops, q.head = q.ops[:0], 0
	switch {
	case q.file == 0:
		d.byPath.Delete(q.path)
	case !d.open(q.file):
		d.byFile.Delete(q.file)
	default:
		return
	}
	*q = queue{ops: q.ops}
	d.idle = append(d.idle, q)
}

func (d *Disk) open(id step.FileID) bool {
	f, ok := d.files.Get(id)
	return ok && !f.closed
}

// pathOf is the path by which faults know the operation's target.
func (d *Disk) pathOf(op *step.DiskOp) string {
	if op.Path == "" && op.File != 0 {
		if f, ok := d.files.Get(op.File); ok {
			return f.path
		}
	}
	return op.Path
}
