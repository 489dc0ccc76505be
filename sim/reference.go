package sim

import (
	"fmt"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/sim/said"
)

// Properties that the world judges itself, because they need the metadata records.
const (
	// StateDeterminism: a node's image is not what replaying the committed metadata log from its beginning gives.
	StateDeterminism = "SM-DETERMINISM"
	// MetaDurable: a change of metadata that a client was told of is not in the committed log.
	MetaDurable = "META-DURABLE"
)

// Finding is a violation that the world found itself.
type Finding struct {
	Property, Message string
}

// reference is the cluster image as the committed metadata log has it, read off the disks of whoever has it.
type reference struct {
	image *metadata.Image
	next  core.Offset // the first offset not replayed
	asked core.Mono   // when it was last brought up to date
	// pruned says that the log's beginning went, on all nodes, before it was read: nothing can be judged any more.
	pruned           bool
	created, removed map[core.TopicID]bool
	names            map[string]bool // of topics that ever were
	topics           map[core.TopicID]string
	values           map[said.Wish]bool // settings of topics that ever were made
	partitions       map[string]int32   // of topics by name, the most that ever were
	granted          []granted          // changes that were acknowledged
	// right is what was compared of each node when it was found to be right. It is not compared again before a record changes it,
	// or another image takes its place, but for the end of the run.
	right    map[int]compared // by index of the broker
	changes  []metadata.Change
	codecs   record.Codecs
	findings []Finding
}

// granted is a change of a topic that a node has acknowledged.
type granted struct {
	said.Wish
	by string
	at core.Mono
}

func (g *granted) words() string {
	if g.Partitions > 0 {
		return fmt.Sprintf("that topic %q has %d partitions", g.Topic, g.Partitions)
	}
	return fmt.Sprintf("%s=%q of topic %q", g.Name, g.Value, g.Topic)
}

// compared is an image at an offset.
type compared struct {
	image  *metadata.Image
	offset core.Offset
}

func newReference() *reference {
	return &reference{image: metadata.NewImage(), created: make(map[core.TopicID]bool), removed: make(map[core.TopicID]bool),
		names: make(map[string]bool), topics: make(map[core.TopicID]string), values: make(map[said.Wish]bool), partitions: make(map[string]int32),
		right: make(map[int]compared)}
}

// referenceEvery is how often the reference is brought up to date and compared.
const referenceEvery = 100 * core.Millisecond

func (f *reference) find(property, format string, args ...any) {
	f.findings = append(f.findings, Finding{property, fmt.Sprintf(format, args...)})
}

// refer brings the reference up to date and compares every node that is at its offset.
func (r *run) refer(now bool) {
	f := r.ref
	if f == nil || f.pruned || len(f.findings) > 0 || !now && r.w.now < f.asked+referenceEvery {
		return
	}
	f.asked = r.w.now
	var from *process
	best, start := f.next, core.NoOffset // the node that knows most of what is committed, and still has the next record
	for _, p := range r.brokers {
		if q := p.quorum(); q != nil && q.HighWatermark() > best {
			if q.Log().LogStartOffset() <= f.next {
				from, best = p, q.HighWatermark()
			} else {
				start = q.Log().LogStartOffset()
			}
		}
	}
	switch {
	case from != nil:
		r.replay(from, best)
	case start != core.NoOffset:
		f.pruned = true
		r.points["sim.reference-pruned"]++
		return
	}
	for _, p := range r.brokers {
		n := p.insight()
		if n == nil || n.Image().Offset() != f.image.Offset() || len(f.findings) > 0 {
			continue
		}
		is := compared{n.Image(), f.image.Offset()}
		if f.right[p.id] == is {
			continue
		}
		if diff := f.image.Diff(n.Image()); len(diff) > 0 {
			f.find(StateDeterminism, "at offset %d the image of %s is not what the log says (at %d ns): %s",
				f.image.Offset(), p.name, r.w.now, strings.Join(diff, "; "))
		}
		f.right[p.id] = is
	}
}

// replay reads committed batches off a node's disk.
func (r *run) replay(p *process, hw core.Offset) {
	f := r.ref
	r.eachBatch(p, core.TopicPartition{Topic: metadataTopic}, func(b record.Batch) {
		if b.LastOffset() < f.next || b.LastOffset() >= hw || b.BaseOffset() > f.next || len(f.findings) > 0 {
			return
		}
		if err := f.batch(b); err != nil {
			f.find(StateDeterminism, "the committed batch at %d on the disk of %s cannot be replayed: %v", b.BaseOffset(), p.name, err)
		}
		f.next = b.NextOffset()
	})
}

func (f *reference) batch(b record.Batch) error {
	if err := b.VerifyCRC(); err != nil {
		return err
	}
	if b.Attributes().Control() {
		return nil
	}
	var it record.Iterator
	if err := it.Reset(b, &f.codecs, record.DefaultMaxDecompressed); err != nil {
		return err
	}
	var rec record.Record
	for it.Next(&rec) {
		m, err := metadata.Parse(rec.Value)
		f.note(m)
		if err == nil {
			err = f.image.Replay(m, rec.Offset, b.PartitionLeaderEpoch(), &f.changes)
		}
		if err != nil {
			return err
		}
	}
	for i := range f.changes {
		switch c := &f.changes[i]; c.Kind {
		case metadata.TopicCreated:
			f.created[c.TopicID] = true
		case metadata.TopicDeleted:
			f.removed[c.TopicID] = true
		default: // clients are told of other changes, too; these are told by id
		}
	}
	f.changes = f.changes[:0]
	return it.Err()
}

// note remembers what a record makes, for ever: it may be undone by the time that somebody asks.
func (f *reference) note(m metadata.Record) {
	switch m := m.(type) {
	case *metadata.TopicRecord:
		f.names[m.Name], f.topics[m.TopicID] = true, m.Name
	case *metadata.PartitionRecord:
		name := f.topics[m.TopicID]
		f.partitions[name] = max(f.partitions[name], m.PartitionID+1)
	case *metadata.ConfigRecord:
		if m.ResourceType == metadata.ResourceTopic && m.Value != nil {
			f.values[said.Wish{Topic: m.ResourceName, Name: m.Name, Value: *m.Value}] = true
		}
	default: // nobody asks for the others
	}
}

// durableMetadata checks that what clients were told of topics is in the committed log.
func (r *run) durableMetadata() {
	f := r.ref
	if f == nil || f.pruned || len(f.findings) > 0 {
		return
	}
	for _, g := range f.granted {
		if g.Partitions > f.partitions[g.Topic] || g.Partitions == 0 && !f.values[g.Wish] {
			f.find(MetaDurable, "%s is not in the committed metadata log, and %s acknowledged it at %d ns", g.words(), g.by, g.at)
			return
		}
	}
	for i := range r.history.Len() {
		op, body := r.history.At(i)
		var ref history.TopicRef
		var in map[core.TopicID]bool
		switch b := body.(type) {
		case *history.CreateTopic:
			ref, in = b.Topic, f.created
		case *history.DeleteTopic:
			ref, in = b.Topic, f.removed
		default:
			continue
		}
		if t := r.history.Topic(ref); op.Outcome == history.OK && !t.ID.IsZero() && !in[t.ID] {
			f.find(MetaDurable, "topic %s with id %s: %T was acknowledged to p%d at %d ns and is not in the committed metadata log",
				t.Name, t.ID, body, op.Process, op.End)
			return
		}
	}
}
