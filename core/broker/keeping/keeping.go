// Package keeping is what core/broker's housekeeping is made of and needs no broker: the checkpoint files about partition
// logs, the least of several deadlines, the names of partition directories. It keeps no state between turns.
package keeping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
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
	Marks    map[core.TopicPartition]core.Offset // replication-offset-checkpoint: HighWatermarks
}

// Read reads the first three files. The error wraps [log.ErrCheckpoint] and names the file.
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

// Forget drops what they say about logs that are strange, and reports whether there was any.
func (p *Past) Forget(strange func(core.TopicPartition) bool) (some bool) {
	for _, m := range [...]map[core.TopicPartition]core.Offset{p.Recovery, p.Starts, p.Cleaned, p.Marks} {
		before := len(m)
		maps.DeleteFunc(m, func(tp core.TopicPartition, _ core.Offset) bool { return strange(tp) }) //det:unordered each entry is judged alone
		some = some || len(m) < before
	}
	return some
}

// All is every log that they name but one, in order.
func (p *Past) All(but core.TopicPartition) []core.TopicPartition {
	var all []core.TopicPartition
	for _, m := range [...]map[core.TopicPartition]core.Offset{p.Recovery, p.Starts, p.Cleaned, p.Marks} {
		all = append(all, slices.SortedFunc(maps.Keys(m), core.TopicPartition.Compare)...)
	}
	slices.SortFunc(all, core.TopicPartition.Compare)
	return slices.DeleteFunc(slices.Compact(all), func(tp core.TopicPartition) bool { return tp == but })
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

// AddPast adds a log that has not been ready yet, as an earlier process left it.
func (c *Checkpoints) AddPast(tp core.TopicPartition, p log.Past) {
	c.points = append(c.points, log.PartitionOffset{TopicPartition: tp, Offset: p.RecoveryPoint})
	if p.LogStartOffset > 0 {
		c.starts = append(c.starts, log.PartitionOffset{TopicPartition: tp, Offset: p.LogStartOffset})
	}
	if p.Compacted {
		c.cleaned = append(c.cleaned, log.PartitionOffset{TopicPartition: tp, Offset: p.CleanPoint})
	}
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

// ParseDir is the partition whose directory has the name "<topic>-<partition>"; ok is false for other names.
func ParseDir(name string) (topic string, partition int32, ok bool) {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(name[i+1:], 10, 31)
	return name[:i], int32(n), err == nil
}

// IsPartitionDir reports whether a directory is named "<topic>-<partition>".
func IsPartitionDir(name string) bool {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 || i == len(name)-1 {
		return false
	}
	return strings.Trim(name[i+1:], "0123456789") == ""
}
