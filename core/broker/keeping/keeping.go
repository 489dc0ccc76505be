// Package keeping is what core/broker's housekeeping is made of and needs no broker: the checkpoint files about partition
// logs, the least of several deadlines, the names of partition directories. It keeps no state between turns.
package keeping

import (
	"fmt"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/smallfile"
	"github.com/klamm-log/klamm/core/step"
)

// Past is what the checkpoint files of an earlier process say about its partition logs.
type Past struct {
	Clean    bool                                // it was stopped in an orderly way
	Recovery map[core.TopicPartition]core.Offset // recovery-point-offset-checkpoint
	Starts   map[core.TopicPartition]core.Offset // log-start-offset-checkpoint
	Cleaned  map[core.TopicPartition]core.Offset // cleaner-offset-checkpoint
}

// Read reads the three files. The error wraps [log.ErrCheckpoint] and names the file.
func (p *Past) Read(recovery, starts, cleaned *smallfile.Result) (err error) {
	if p.Recovery, err = Offsets(recovery); err != nil {
		return err
	}
	if p.Cleaned, err = Offsets(cleaned); err != nil {
		return err
	}
	p.Starts, err = Offsets(starts)
	return err
}

// Of is what they say about one log.
func (p *Past) Of(tp core.TopicPartition) log.Past {
	cleaned, compacted := p.Cleaned[tp]
	return log.Past{Clean: p.Clean, RecoveryPoint: p.Recovery[tp], LogStartOffset: p.Starts[tp],
		CleanPoint: cleaned, Compacted: compacted}
}

// Offsets reads a checkpoint file; a missing one is empty.
func Offsets(r *smallfile.Result) (map[core.TopicPartition]core.Offset, error) {
	offsets := make(map[core.TopicPartition]core.Offset)
	if r.Missing {
		return offsets, nil
	}
	entries, err := log.ParseOffsets(r.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Path, err)
	}
	for _, e := range entries {
		offsets[e.TopicPartition] = e.Offset
	}
	return offsets, nil
}

// Checkpoints gathers the entries of the three files, log by log.
type Checkpoints struct {
	points, starts, cleaned []log.PartitionOffset
}

// Add adds a log with its recovery point and its log start, 0 for none. It reports what the cleaner's checkpoint says of
// it. A log that may have holes has an entry there also when nothing is clean yet: whatever its policy will be, holes
// must not be taken for damage.
func (c *Checkpoints) Add(tp core.TopicPartition, l *log.Log, point, start core.Offset) (cleaned core.Offset) {
	c.points = append(c.points, log.PartitionOffset{TopicPartition: tp, Offset: point})
	if start > 0 {
		c.starts = append(c.starts, log.PartitionOffset{TopicPartition: tp, Offset: start})
	}
	cleaned = l.CleanPoint()
	if l.Compacted() {
		l.CleanPointSaid(cleaned, false)
		c.cleaned = append(c.cleaned, log.PartitionOffset{TopicPartition: tp, Offset: cleaned})
	}
	return cleaned
}

// Write begins to replace the files and returns their number: so many completions with the tag follow.
func (c *Checkpoints) Write(files *smallfile.Files, tag smallfile.Tag, out *step.Effects) int {
	files.Replace(log.CleanerOffsetFile, log.AppendOffsets(nil, c.cleaned), tag, out)
	files.Replace(log.RecoveryPointFile, log.AppendOffsets(nil, c.points), tag, out)
	files.Replace(log.LogStartFile, log.AppendOffsets(nil, c.starts), tag, out)
	return 3
}

// Earliest is the least of several optional instants.
type Earliest struct {
	At core.Mono
	OK bool // there was one
}

// Take takes one more into account, if there is one.
func (e *Earliest) Take(at core.Mono, ok bool) {
	if ok && (!e.OK || at < e.At) {
		e.At, e.OK = at, true
	}
}

// IsPartitionDir reports whether a directory is named "<topic>-<partition>".
func IsPartitionDir(name string) bool {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 || i == len(name)-1 {
		return false
	}
	return strings.Trim(name[i+1:], "0123456789") == ""
}
