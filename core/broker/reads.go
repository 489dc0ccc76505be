package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/coordination"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/step"
)

// readTable tracks the few reads of log files that lookups need: exact positions and searches by time.
type readTable struct{ pending map[step.OpID]pendingRead }

// pendingRead names who waits for a read of a log; exactly one of the last three is set.
type pendingRead struct {
	p      *partition // nil with load, which sees to a failure itself
	log    *log.Log   // the partition's when the read began
	load   *coordination.Load
	fetch  *fetching
	lookup *offsetLookup
}

// start asks for the bytes that a lookup needs.
func (t *readTable) start(b *Broker, need log.ReadRequest, who pendingRead, out *step.Effects) {
	op := b.ids.Op()
	t.pending[op] = who
	out.Disk = append(out.Disk, step.DiskOp{Op: op, Kind: step.Read, File: need.File, Pos: need.Pos, Len: need.Len})
}

// readDone resumes whoever waited for the read.
func (b *Broker) readDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	who, ok := b.reads.pending[d.Op]
	if !ok {
		return
	}
	delete(b.reads.pending, d.Op)
	if d.Err == step.ErrIO && who.p != nil && who.p.Log == who.log {
		// The file answers nothing any more until it is closed, and another replica may be whole: Kafka fails the log directory.
		b.touch(who.p)
		who.log.TakeOffline(log.Failure{Code: core.ErrKafkaStorageError, File: who.log.Dir(), Offset: core.NoOffset,
			What: "reading records: " + d.Detail})
	}
	switch {
	case who.load != nil:
		who.load.Done(now, d, out)
	case who.fetch != nil:
		b.resumeFetch(now, who.fetch, d, out)
	default:
		b.resumeLookup(who.lookup, d, out)
	}
}
