package log

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
)

// Names of the files in the root of a data directory.
const (
	RecoveryPointFile = "recovery-point-offset-checkpoint"
	LogStartFile      = "log-start-offset-checkpoint"
	HighWatermarkFile = "replication-offset-checkpoint"
	CleanerOffsetFile = "cleaner-offset-checkpoint"
	CleanShutdownFile = ".kafka_cleanshutdown"
	MetaFile          = "meta.properties"

	// PartitionMetadataFile lies in each partition's directory and names its topic id.
	PartitionMetadataFile = "partition.metadata"
)

// ErrCheckpoint is a checkpoint file that does not have its format.
var ErrCheckpoint = errors.New("checkpoint unusable")

// PartitionOffset is one entry of an offset checkpoint.
type PartitionOffset struct {
	core.TopicPartition
	Offset core.Offset
}

// AppendOffsets appends an offset checkpoint: version, count, then one "topic partition offset" per line.
func AppendOffsets(dst []byte, entries []PartitionOffset) []byte {
	dst = appendHead(dst, len(entries))
	for _, e := range entries {
		dst = append(dst, e.Topic...)
		dst = strconv.AppendInt(append(dst, ' '), int64(e.Partition), 10)
		dst = strconv.AppendInt(append(dst, ' '), int64(e.Offset), 10)
		dst = append(dst, '\n')
	}
	return dst
}

// ParseOffsets reads an offset checkpoint. The error wraps [ErrCheckpoint].
func ParseOffsets(src []byte) ([]PartitionOffset, error) {
	lines, err := parseLines(src, 3)
	if err != nil {
		return nil, err
	}
	entries := make([]PartitionOffset, 0, len(lines))
	for _, f := range lines {
		partition, err1 := strconv.ParseInt(f[1], 10, 32)
		offset, err2 := strconv.ParseInt(f[2], 10, 64)
		if err1 != nil || err2 != nil || partition < 0 {
			return nil, fmt.Errorf("%w: line %q", ErrCheckpoint, strings.Join(f, " "))
		}
		entries = append(entries, PartitionOffset{
			TopicPartition: core.TopicPartition{Topic: f[0], Partition: int32(partition)}, Offset: core.Offset(offset),
		})
	}
	return entries, nil
}

// AppendEpochs appends a leader-epoch-checkpoint: version, count, then one "epoch start" per line.
func AppendEpochs(dst []byte, entries []EpochStart) []byte {
	dst = appendHead(dst, len(entries))
	for _, e := range entries {
		dst = strconv.AppendInt(dst, int64(e.Epoch), 10)
		dst = strconv.AppendInt(append(dst, ' '), int64(e.Start), 10)
		dst = append(dst, '\n')
	}
	return dst
}

// ParseEpochs reads a leader-epoch-checkpoint; epochs and starts must rise. The error wraps [ErrCheckpoint].
func ParseEpochs(src []byte) ([]EpochStart, error) {
	lines, err := parseLines(src, 2)
	if err != nil {
		return nil, err
	}
	entries := make([]EpochStart, 0, len(lines))
	for i, f := range lines {
		epoch, err1 := strconv.ParseInt(f[0], 10, 32)
		start, err2 := strconv.ParseInt(f[1], 10, 64)
		e := EpochStart{Epoch: core.LeaderEpoch(epoch), Start: core.Offset(start)}
		rises := i == 0 || e.Epoch > entries[i-1].Epoch && e.Start > entries[i-1].Start
		if err1 != nil || err2 != nil || epoch < 0 || start < 0 || !rises {
			return nil, fmt.Errorf("%w: line %q", ErrCheckpoint, strings.Join(f, " "))
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func appendHead(dst []byte, n int) []byte {
	dst = append(dst, "0\n"...)
	return append(strconv.AppendInt(dst, int64(n), 10), '\n')
}

// parseLines reads Kafka's checkpoint frame: version 0, the number of lines, the lines, each of the given number of
// fields. The stated number is compared with what is there and never allocated for.
func parseLines(src []byte, fields int) ([][]string, error) {
	lines := strings.Split(strings.TrimSuffix(string(src), "\n"), "\n")
	if len(lines) < 2 || strings.TrimSpace(lines[0]) != "0" {
		return nil, fmt.Errorf("%w: no version 0 in the first line", ErrCheckpoint)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(lines[1]), 10, 32)
	if err != nil || n != int64(len(lines)-2) {
		return nil, fmt.Errorf("%w: %q entries stated, %d found", ErrCheckpoint, lines[1], len(lines)-2)
	}
	split := make([][]string, 0, len(lines)-2)
	for _, line := range lines[2:] {
		f := strings.Fields(line)
		if len(f) != fields {
			return nil, fmt.Errorf("%w: line %q", ErrCheckpoint, line)
		}
		split = append(split, f)
	}
	return split, nil
}

// AppendPartitionMetadata appends a partition.metadata file (KIP-516).
func AppendPartitionMetadata(dst []byte, id core.TopicID) []byte {
	dst = append(dst, "version: 0\ntopic_id: "...)
	return append(dst, id.String()...)
}

// ParsePartitionMetadata reads a partition.metadata file. The error wraps [ErrCheckpoint].
func ParsePartitionMetadata(src []byte) (core.TopicID, error) {
	lines := strings.Split(strings.TrimSpace(string(src)), "\n")
	if len(lines) != 2 || strings.TrimSpace(lines[0]) != "version: 0" {
		return core.TopicID{}, fmt.Errorf("%w: partition.metadata without version 0", ErrCheckpoint)
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(lines[1]), "topic_id: ")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(raw) != len(core.TopicID{}) {
		return core.TopicID{}, fmt.Errorf("%w: topic id %q", ErrCheckpoint, lines[1])
	}
	return core.TopicID(raw), nil
}

// AppendCleanShutdown appends the clean-shutdown marker (KIP-966); epoch is -1 if the broker never registered.
func AppendCleanShutdown(dst []byte, epoch core.BrokerEpoch) []byte {
	dst = append(dst, `{"version":0,"brokerEpoch":`...)
	return append(strconv.AppendInt(dst, int64(epoch), 10), '}')
}

// ParseCleanShutdown reads the clean-shutdown marker. Its existence alone means a clean shutdown; older Kafkas left
// it empty, and then the epoch is -1. The error wraps [ErrCheckpoint].
func ParseCleanShutdown(src []byte) (core.BrokerEpoch, error) {
	if len(bytes.TrimSpace(src)) == 0 {
		return -1, nil
	}
	content := struct {
		Version     int
		BrokerEpoch *int64
	}{}
	if err := json.Unmarshal(src, &content); err != nil || content.Version != 0 {
		return -1, fmt.Errorf("%w: clean shutdown marker %.100q", ErrCheckpoint, src)
	}
	if content.BrokerEpoch == nil {
		return -1, nil
	}
	return core.BrokerEpoch(*content.BrokerEpoch), nil
}

// Meta is the content of meta.properties, version 1 (KRaft; KIP-631, KIP-858).
type Meta struct {
	ClusterID   string
	NodeID      core.NodeID
	DirectoryID core.TopicID // zero if absent
}

// AppendTo appends the file's bytes.
func (m Meta) AppendTo(dst []byte) []byte {
	dst = append(append(append(dst, "version=1\ncluster.id="...), m.ClusterID...), "\nnode.id="...)
	dst = append(strconv.AppendInt(dst, int64(m.NodeID), 10), '\n')
	if !m.DirectoryID.IsZero() {
		dst = append(append(append(dst, "directory.id="...), m.DirectoryID.String()...), '\n')
	}
	return dst
}

// ParseMeta reads a meta.properties file: Java properties, of which the plain "key=value" lines and comments are
// understood. The error wraps [ErrCheckpoint].
func ParseMeta(src []byte) (Meta, error) {
	m := Meta{NodeID: core.NoNode}
	version := ""
	for line := range strings.SplitSeq(string(src), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "version":
			version = value
		case "cluster.id":
			m.ClusterID = value
		case "node.id":
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil || n < 0 {
				return Meta{}, fmt.Errorf("%w: node.id %q", ErrCheckpoint, value)
			}
			m.NodeID = core.NodeID(n)
		case "directory.id":
			raw, err := base64.RawURLEncoding.Strict().DecodeString(value)
			if err != nil || len(raw) != len(m.DirectoryID) {
				return Meta{}, fmt.Errorf("%w: directory.id %q", ErrCheckpoint, value)
			}
			m.DirectoryID = core.TopicID(raw)
		}
	}
	if version != "1" || m.ClusterID == "" || m.NodeID < 0 {
		return Meta{}, fmt.Errorf("%w: meta.properties needs version=1, cluster.id and node.id", ErrCheckpoint)
	}
	return m, nil
}
