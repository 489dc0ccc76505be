package replica

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/record"
)

// cell is what one offset of a log holds: leader epoch and checksum of its batch.
type cell struct {
	epoch core.LeaderEpoch
	crc   uint32
}

// contents is a log as its journal tells it.
type contents struct {
	base  core.Offset
	cells []cell
	// What lies in [from, same) has been compared with what is committed.
	from, same core.Offset
}

// agrees compares with the oracle from start to end and reports the first offset that differs, or -1.
func (c *contents) agrees(oracle []cell, start, end core.Offset) core.Offset {
	start = max(start, c.base)
	if start < c.from || c.same < start {
		c.from, c.same = start, start
	}
	for ; c.same < end; c.same++ {
		if x, ok := c.at(c.same); !ok || x != oracle[c.same] {
			return c.same
		}
	}
	return -1
}

func (c *contents) end() core.Offset { return c.base + core.Offset(len(c.cells)) }

func (c *contents) at(o core.Offset) (cell, bool) {
	if o < c.base || o >= c.end() {
		return cell{}, false
	}
	return c.cells[o-c.base], true
}

func (c *contents) cut(end core.Offset) {
	c.cells = c.cells[:max(0, min(int64(len(c.cells)), int64(end-c.base)))]
	c.same = min(c.same, c.end())
}

func (c *contents) take(entries []log.Entry) {
	for _, e := range entries {
		switch e.Kind {
		case log.EntryAppended:
			for range e.Last - e.Base + 1 {
				c.cells = append(c.cells, cell{e.Epoch, e.CRC})
			}
		case log.EntryTruncated:
			c.cut(e.Base)
		case log.EntryRestarted:
			*c = contents{base: e.Base}
		case log.EntryOpened:
			if e.Last < e.Base { // perhaps it stopped while it began anew
				*c = contents{base: e.Base}
			}
			c.cut(e.Last + 1)
		case log.EntryStartRaised, log.EntryCleaned, log.EntryForgotten: // nothing is compacted here, and no producer is looked at
		}
	}
}

func (l *lab) fail(format string, args ...any) {
	if l.failed == "" {
		l.failed = fmt.Sprintf(format, args...) + fmt.Sprintf(" (at %d us)", l.now/core.Microsecond)
	}
}

func (l *lab) logf(format string, args ...any) {
	l.trail = append(l.trail, fmt.Sprintf("%8d us  ", l.now/core.Microsecond)+fmt.Sprintf(format, args...))
}

// checkReplica runs after each turn of a node: what it commits becomes the oracle's.
func (l *lab) checkReplica(n *labNode, i int, p *labPart) {
	r := p.rep
	if !r.Log.Ready() {
		if f, offline := r.Log.Offline(); offline {
			l.fail("node %d partition %d went offline: %s", n.id, i, f.What)
		}
		return
	}
	if p.content.end() != r.Log.LogEndOffset() {
		l.fail("node %d partition %d: the journal ends at %d, the log at %d", n.id, i, p.content.end(), r.Log.LogEndOffset())
		return
	}
	hw := r.HighWatermark()
	if r.Leading() {
		if r.LeaderEpoch() == p.hwEpoch && hw < p.hw {
			l.fail("HW-MONO: node %d partition %d epoch %d: %d after %d", n.id, i, p.hwEpoch, hw, p.hw)
		}
		p.hw, p.hwEpoch = hw, r.LeaderEpoch()
	}
	committed := core.Offset(len(l.oracle[i]))
	switch {
	case hw > committed && !r.Leading():
		l.fail("node %d partition %d follows with HW %d, committed is %d", n.id, i, hw, committed)
		return
	case hw > committed && p.content.base > committed:
		l.fail("node %d partition %d commits from %d, the oracle ends at %d", n.id, i, p.content.base, committed)
		return
	}
	for o := committed; o < hw; o++ {
		c, _ := p.content.at(o)
		l.oracle[i] = append(l.oracle[i], c)
		l.logf("partition %d: node %d commits %d %v, maximal %v", i, n.id, o, c, r.MaximalISR())
	}
	if o := p.content.agrees(l.oracle[i], r.Log.LogStartOffset(), hw); o >= 0 {
		c, _ := p.content.at(o)
		l.fail("LOG-MATCH: node %d partition %d has %v at %d below its HW, committed is %v", n.id, i, c, o, l.oracle[i][o])
	}
	state := l.ctl.parts[i]
	if state.Leader == n.id && state.LeaderEpoch == r.LeaderEpoch() && r.HWKnown() {
		if hw < l.said[i] {
			l.fail("HW-MONO: partition %d was told as %d, the leader says %d", i, l.said[i], hw)
		}
		l.said[i] = hw
	}
}

// answerProduces tells producers whose records are committed: from then on they must never be lost.
func (n *labNode) answerProduces(i int, p *labPart) {
	p.produced = slices.DeleteFunc(p.produced, func(w labProduce) bool {
		if w.epoch != p.rep.LeaderEpoch() || !p.rep.Leading() {
			return true
		}
		done, code := p.rep.Acked(w.base+core.Offset(len(w.cells)), n.l.min)
		if done && code == core.ErrNone {
			n.l.acked++
			for k, c := range w.cells {
				o := int(w.base) + k
				if o >= len(n.l.oracle[i]) || n.l.oracle[i][o] != c {
					n.l.fail("ACKED-DURABLE: partition %d offset %d was acknowledged and is not committed", i, o)
				}
			}
		}
		return done
	})
}

// checkCluster runs after each event: ISR-COMPLETE and QUORUM-SUPERSET.
func (l *lab) checkCluster() {
	for i, state := range l.ctl.parts {
		for _, id := range state.ISR {
			n := l.nodes[id]
			p := n.parts[i]
			if !n.up || !p.rep.Log.Ready() {
				continue
			}
			o := p.content.agrees(l.oracle[i], p.rep.Log.LogStartOffset(), core.Offset(len(l.oracle[i])))
			if c, ok := p.content.at(o); o >= 0 {
				l.fail("ISR-COMPLETE: partition %d: node %d is in the ISR %v and has %v (%v) at %d, committed is %v",
					i, id, state.ISR, c, ok, o, l.oracle[i][o])
				return
			}
		}
		if state.Leader == core.NoNode {
			continue
		}
		r := l.nodes[state.Leader].parts[i].rep
		if !l.nodes[state.Leader].up || !r.Leading() || r.LeaderEpoch() != state.LeaderEpoch {
			continue
		}
		for _, id := range state.ISR {
			if !slices.Contains(r.MaximalISR(), id) {
				l.fail("QUORUM-SUPERSET: partition %d: ISR %v, the leader reckons with %v", i, state.ISR, r.MaximalISR())
			}
		}
	}
}

// checkFiles compares what the disks hold with the journals.
func (l *lab) checkFiles() {
	for _, n := range l.nodes {
		for i, p := range n.parts {
			next := core.Offset(-1)
			for _, name := range n.disk.Names(p.rep.Log.Dir()) {
				if len(name) < 4 || name[len(name)-4:] != ".log" {
					continue
				}
				data, _ := n.disk.Content(p.rep.Log.Dir() + "/" + name)
				for rest := data; len(rest) > 0; {
					b, after, err := record.ParseBatch(rest)
					if err != nil || b.VerifyCRC() != nil {
						l.fail("S-READABLE: node %d partition %d %s: %v", n.id, i, name, err)
						return
					}
					h := b.Header()
					for o := h.BaseOffset; o <= h.LastOffset(); o++ {
						if c, ok := p.content.at(o); ok && c != (cell{h.PartitionLeaderEpoch, h.CRC}) {
							l.fail("node %d partition %d: the file has %v at %d, the journal %v", n.id, i, h, o, c)
						}
					}
					next, rest = h.NextOffset(), after
				}
			}
			if next >= 0 && next != p.rep.Log.LogEndOffset() {
				l.fail("node %d partition %d: the files end at %d, the log at %d", n.id, i, next, p.rep.Log.LogEndOffset())
			}
		}
	}
}
