package config

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefinitionsAreConsistent(t *testing.T) {
	for kind, defs := range map[string][]Def{"topic": TopicDefs(), "broker": BrokerDefs()} {
		for i, d := range defs {
			require.NotEmpty(t, d.Doc, "%s %s", kind, d.Name)
			if i > 0 {
				require.Less(t, defs[i-1].Name, d.Name, "sorted, no key twice")
			}
			if d.NoDefault {
				require.Empty(t, d.Default, d.Name)
			} else {
				require.NoError(t, d.Check(d.Default), "%s %s", kind, d.Name)
			}
			if d.Lacks != "" && !d.NoDefault {
				require.Equal(t, d.Default, d.Only, "%s %s: only the default can be what needs no feature", kind, d.Name)
			}
			for _, s := range d.Synonyms {
				b, ok := BrokerDef(s.Name)
				require.True(t, ok, s.Name)
				require.Contains(t, b.Doc, d.Name)
			}
		}
	}
}

func TestSynonymsWithUnits(t *testing.T) {
	hours, _ := BrokerDef("log.retention.hours")
	require.Equal(t, "168", hours.Default)
	require.Equal(t, ReadOnly, hours.Update)
	require.Error(t, CheckBroker("log.retention.hours", "0"))
	require.Error(t, CheckBroker("log.retention.hours", "-2"))
	require.NoError(t, CheckBroker("log.retention.hours", "-1"))
	ms, _ := BrokerDef("log.retention.ms")
	require.True(t, ms.NoDefault)
	require.Equal(t, ClusterWide, ms.Update)
	roll, _ := BrokerDef("log.roll.hours")
	require.Equal(t, int64(1), roll.Min, "segment.ms is at least 1 ms, so whole hours at least 1")
}

func TestCheckTopic(t *testing.T) {
	for _, c := range []struct {
		name, value string
		wants       string // part of the error; empty: valid
	}{
		{"retention.ms", "1000", ""},
		{"retention.ms", " 1000 ", ""},
		{"retention.ms", "-1", ""},
		{"retention.ms", "-2", "retention.ms: -2 is less than -1"},
		{"retention.ms", "", "not a whole number"},
		{"retention.ms", "1e3", "not a whole number"},
		{"retention.ms", "9223372036854775808", "at most 64 bits"},
		{"segment.bytes", "1048576", ""},
		{"segment.bytes", "1048575", "less than 1048576"},
		{"segment.bytes", "2147483648", "more than 2147483647"},
		{"cleanup.policy", "compact", ""},
		{"cleanup.policy", "compact, delete", ""},
		{"cleanup.policy", "", ""},
		{"cleanup.policy", "shred", `"shred" is none of compact, delete`},
		{"compression.type", "producer", ""},
		{"compression.type", "zstd", "only \"producer\" is possible"},
		{"compression.type", "lzma", "none of"},
		{"message.timestamp.type", "createtime", "none of CreateTime, LogAppendTime"},
		{"preallocate", "FALSE", `only "false"`},
		{"preallocate", "true", "not preallocated"},
		{"remote.storage.enable", "true", "no tiered storage"},
		{"local.retention.ms", "-2", ""},
		{"local.retention.ms", "5", "no tiered storage"},
		{"leader.replication.throttled.replicas", "", ""},
		{"leader.replication.throttled.replicas", "*", "not throttled"},
		{"segment.jitter.ms", "1", "without jitter"},
		{"unclean.leader.election.enable", "yes", "neither true nor false"},
		{"unclean.leader.election.enable", "True", ""},
		{"min.insync.replicas", "0", "less than 1"},
		{"min.cleanable.dirty.ratio", "0", ""},
		{"min.cleanable.dirty.ratio", "1.000", ""},
		{"min.cleanable.dirty.ratio", ".25", ""},
		{"min.cleanable.dirty.ratio", "1.01", "not a decimal"},
		{"min.cleanable.dirty.ratio", "-0.5", "not a decimal"},
		{"min.cleanable.dirty.ratio", ".", "not a decimal"},
		{"min.cleanable.dirty.ratio", "NaN", "not a decimal"},
		{"no.such.key", "1", `no topic configuration named "no.such.key"`},
		{"log.retention.ms", "1", "no topic configuration"},
	} {
		err := CheckTopic(c.name, c.value)
		if c.wants == "" {
			require.NoError(t, err, "%s=%s", c.name, c.value)
		} else {
			require.ErrorContains(t, err, c.wants, "%s=%s", c.name, c.value)
		}
	}
}

func TestCheckTopicTogether(t *testing.T) {
	set := func(pairs ...string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			i := slices.Index(pairs, name)
			if i < 0 {
				return "", false
			}
			return pairs[i+1], true
		}
	}
	require.NoError(t, CheckTopicTogether(set()))
	require.NoError(t, CheckTopicTogether(set("min.compaction.lag.ms", "5", "max.compaction.lag.ms", "5")))
	require.ErrorContains(t, CheckTopicTogether(set("min.compaction.lag.ms", "6", "max.compaction.lag.ms", "5")), "more than")
}

// layers is a lookup over maps, as the broker makes it over its image and its file.
func layers(topic map[string]string, broker ...map[string]string) func(name, synonym string) (string, bool) {
	return func(name, synonym string) (string, bool) {
		if v, ok := topic[name]; ok {
			return v, true
		}
		for _, layer := range broker {
			if v, ok := layer[synonym]; ok && synonym != "" {
				return v, true
			}
		}
		return "", false
	}
}

func TestResolveTopicDefaults(t *testing.T) {
	require.Equal(t, Topic{
		Delete: true, MinCleanableRatio: 500_000, CompressionType: "producer", DeleteRetentionMs: 86_400_000, FileDeleteDelayMs: 60_000,
		IndexIntervalBytes: 4096, MaxCompactionLagMs: 1<<63 - 1, MaxMessageBytes: 1_048_588,
		TimestampAfterMaxMs: 3_600_000, TimestampBeforeMaxMs: 1<<63 - 1, MinInsyncReplicas: 1,
		RetentionBytes: -1, RetentionMs: 604_800_000, SegmentBytes: 1 << 30, SegmentIndexBytes: 10 << 20,
		SegmentMs: 604_800_000,
	}, ResolveTopic(layers(nil)))
}

func TestResolveTopicLayers(t *testing.T) {
	type m = map[string]string
	for _, c := range []struct {
		what          string
		topic, broker m
		wants         int64 // RetentionMs
	}{
		{"topic beats broker", m{"retention.ms": "1"}, m{"log.retention.ms": "2"}, 1},
		{"ms beats minutes and hours", nil, m{"log.retention.ms": "2", "log.retention.minutes": "1", "log.retention.hours": "1"}, 2},
		{"minutes beat hours", nil, m{"log.retention.minutes": "3", "log.retention.hours": "1"}, 180_000},
		{"hours", nil, m{"log.retention.hours": "2147483647"}, 2147483647 * 3_600_000},
		{"negative hours are no limit", nil, m{"log.retention.hours": "-1"}, -1},
		{"negative hours hide nothing of the topic", m{"retention.ms": "7"}, m{"log.retention.hours": "-1"}, 7},
		{"a value of another version does not count", nil, m{"log.retention.ms": "soon", "log.retention.minutes": "1"}, 60_000},
		{"nor does a topic's", m{"retention.ms": "soon"}, m{"log.retention.ms": "2"}, 604_800_000},
		{"the broker's name is no topic key", m{"log.retention.ms": "5"}, nil, 604_800_000},
	} {
		require.Equal(t, c.wants, ResolveTopic(layers(c.topic, c.broker)).RetentionMs, c.what)
	}
}

func TestResolveTopicValues(t *testing.T) {
	got := ResolveTopic(layers(map[string]string{
		"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime", "flush.messages": "1",
		"unclean.leader.election.enable": "TRUE", "min.insync.replicas": "2", "max.message.bytes": " 5 ",
	}, map[string]string{"log.segment.bytes": "1048576", "log.roll.hours": "1", "min.insync.replicas": "3"}))
	require.True(t, got.Compact && !got.Delete && got.LogAppendTime && got.Flushed && got.UncleanLeaderElection)
	require.Equal(t, []int64{2, 5, 1 << 20, 3_600_000},
		[]int64{int64(got.MinInsyncReplicas), int64(got.MaxMessageBytes), int64(got.SegmentBytes), got.SegmentMs})
	require.True(t, ResolveTopic(layers(map[string]string{"flush.ms": "0"})).Flushed)
	require.True(t, ResolveTopic(layers(nil, map[string]string{"log.flush.scheduler.interval.ms": "10"})).Flushed)
	empty := ResolveTopic(layers(map[string]string{"cleanup.policy": ""}))
	require.False(t, empty.Compact || empty.Delete, "an empty policy keeps everything")
}

func BenchmarkResolveTopic(b *testing.B) {
	lookup := layers(map[string]string{"retention.ms": "1"}, map[string]string{"log.segment.bytes": "1048576"})
	b.ReportAllocs()
	for b.Loop() {
		ResolveTopic(lookup)
	}
}
