package broker

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeLogDirs (key 35, KIP-113).
//
// Behavior: this broker's one data directory with the partitions that are asked for and that it holds, null meaning
// all. The size is that of the .log files. Partitions whose log is offline are left out, and the directory answers
// KAFKA_STORAGE_ERROR beside the others (Kafka takes the whole directory offline and lists none). The metadata log is
// no topic and not listed.
//
// Version notes: 3 adds a top-level error, 4 the volume's size and what is free of it (-1 here: the core does not see
// the volume), 5 whether the directory is cordoned (KIP-1066; never).
func (b *Broker) describeLogDirs(r *step.Request, req *kmsg.DescribeLogDirsRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
	dir := kmsg.NewDescribeLogDirsResponseDir()
	dir.Dir, dir.TotalBytes, dir.UsableBytes = b.cfg.LogDir, -1, -1
	if b.anyOffline() {
		dir.ErrorCode = int16(core.ErrKafkaStorageError)
	}
	asked := make(map[string][]int32, len(req.Topics))
	for _, t := range req.Topics {
		asked[t.Topic] = append(asked[t.Topic], t.Partitions...)
	}
	for t := range b.image().Topics() {
		partitions, ok := asked[t.Name]
		if req.Topics != nil && !ok {
			continue
		}
		row := kmsg.NewDescribeLogDirsResponseDirTopic()
		row.Topic = t.Name
		slices.Sort(partitions) // a client may name millions
		row.Partitions = b.logSizes(t, func(id int32) bool {
			_, named := slices.BinarySearch(partitions, id)
			return named || req.Topics == nil
		})
		if len(row.Partitions) > 0 {
			dir.Topics = append(dir.Topics, row)
		}
	}
	resp.Dirs = append(resp.Dirs, dir)
	reply(r, resp, out)
}

// logSizes lists the wanted partitions of a topic that have a log here.
func (b *Broker) logSizes(t *metadata.Topic, wanted func(id int32) bool) []kmsg.DescribeLogDirsResponseDirTopicPartition {
	var rows []kmsg.DescribeLogDirsResponseDirTopicPartition
	for _, state := range t.Partitions() {
		p := b.byName[core.TopicPartition{Topic: t.Name, Partition: state.ID}]
		if p == nil || p.offline || !p.Log.Ready() || !wanted(state.ID) {
			continue
		}
		row := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
		row.Partition, row.Size = state.ID, p.Log.Size()
		row.OffsetLag = int64(max(0, p.HighWatermark()-p.Log.LogEndOffset()))
		rows = append(rows, row)
	}
	return rows
}
