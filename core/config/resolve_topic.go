package config

import (
	"math"
	"strconv"
	"strings"
)

// ResolveTopic is a topic's configuration over all layers. lookup answers with the value of the highest layer that has
// one: the topic's override of name, then, if synonym is not empty, the broker's layers under synonym.
//
// Values were checked when they were set, so one that does not parse was written by another version of the software; it
// counts as not set.
func ResolveTopic(lookup func(name, synonym string) (string, bool)) Topic {
	r := topicReader{defs: topicDefs, lookup: lookup}
	policy := SplitList(r.text("cleanup.policy"))
	var t Topic
	for _, p := range policy {
		t.Compact = t.Compact || p == "compact"
		t.Delete = t.Delete || p == "delete"
	}
	_, own := lookup("cleanup.policy", "")
	t.MayHaveHoles = t.Compact || own
	t.MinCleanableRatio = parseRatio(r.text("min.cleanable.dirty.ratio"))
	t.CompressionType = r.text("compression.type")
	t.DeleteRetentionMs = r.number("delete.retention.ms")
	t.Flushed = r.number("flush.messages") < math.MaxInt64 || r.number("flush.ms") < math.MaxInt64
	t.FileDeleteDelayMs = r.number("file.delete.delay.ms")
	t.IndexIntervalBytes = int32(r.number("index.interval.bytes"))
	t.MaxCompactionLagMs = r.number("max.compaction.lag.ms")
	t.MaxMessageBytes = int32(r.number("max.message.bytes"))
	t.LogAppendTime = r.text("message.timestamp.type") == "LogAppendTime"
	t.TimestampAfterMaxMs = r.number("message.timestamp.after.max.ms")
	t.TimestampBeforeMaxMs = r.number("message.timestamp.before.max.ms")
	t.MinCompactionLagMs = r.number("min.compaction.lag.ms")
	t.MinInsyncReplicas = int32(r.number("min.insync.replicas"))
	t.RetentionBytes = r.number("retention.bytes")
	t.RetentionMs = r.number("retention.ms")
	t.SegmentBytes = int32(r.number("segment.bytes"))
	t.SegmentIndexBytes = int32(r.number("segment.index.bytes"))
	t.SegmentJitterMs = r.number("segment.jitter.ms")
	t.SegmentMs = r.number("segment.ms")
	t.UncleanLeaderElection, _ = parseBool(r.text("unclean.leader.election.enable"))
	return t
}

// topicReader reads topic keys through their layers.
type topicReader struct {
	defs   []Def
	lookup func(name, synonym string) (string, bool)
}

// text is a value that has passed its definition's check.
func (r *topicReader) text(name string) string {
	d, _ := find(r.defs, name)
	if v, ok := r.lookup(name, ""); ok {
		if d.Check(v) == nil {
			return v
		}
		return d.Default
	}
	for i, s := range d.Synonyms {
		v, ok := r.lookup(name, s.Name)
		if !ok {
			continue
		}
		if b := synonymDef(&d, i); b.Check(v) == nil {
			return s.text(v)
		}
	}
	return d.Default
}

func (r *topicReader) number(name string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(r.text(name)), 10, 64) // checked
	return n
}
