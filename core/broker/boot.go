package broker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/control"
	"github.com/klamm-log/klamm/core/broker/keeping"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/raft"
	"github.com/klamm-log/klamm/core/smallfile"
	"github.com/klamm-log/klamm/core/step"
)

// Files of the data directory that are the broker's own, by Kafka's names.
const (
	fileMeta          = log.MetaFile
	fileRecoveryPoint = log.RecoveryPointFile
	fileLogStart      = log.LogStartFile
	fileHighWatermark = log.HighWatermarkFile
	fileCleanerOffset = log.CleanerOffsetFile
	fileCleanShutdown = log.CleanShutdownFile
	// fileBrokerEpoch is ours: the epoch under which this broker is registered, while every record that it acknowledges is
	// fsynced. See lifecycle.previous.
	fileBrokerEpoch = "klamm-broker-epoch"
)

// rootDir is the data directory itself.
const rootDir = "."

// Tags of small-file requests.
const (
	tagMeta smallfile.Tag = iota + 1
	tagRecoveryPoint
	tagLogStart
	tagHighWatermark
	tagClean
	tagEpoch
	tagCleanerOffset
	tagFormat         // meta.properties written for the first time
	tagCheckpoint     // one of the checkpoint files
	tagHWCheckpoint   // HighWatermarks, which go their own way
	tagWriteEpoch     // the broker epoch, after registration
	tagShutdownMarker //
	tagIdentity       // partition.metadata of boot.dirs[tag-tagIdentity]
	bootReads         = 7
)

// bootState is what start-up has learnt so far.
type bootState struct {
	awaited int // reads and operations outstanding
	list    step.OpID
	entries []step.DirEntry
	results [bootReads + 1]smallfile.Result // by tag
	consume step.OpID                       // removal of the clean-shutdown marker, made durable

	identity metadata.DirectoryID
	past     keeping.Past
	marks    map[core.TopicPartition]core.Offset // HighWatermarks

	dirs  []partitionDir
	moves map[step.OpID]bool // directories being put aside whose names are wanted
}

// partitionDir is a partition's directory found at start-up.
type partitionDir struct {
	name string
	id   core.TopicID // zero if partition.metadata is missing or cannot be read
	bad  bool         // it cannot be read: the log will report it
}

// start reads the data directory's identity, its checkpoints, and what lies in it.
func (b *Broker) start(out *step.Effects) {
	b.phase = phaseFiles
	b.files.Read(fileMeta, tagMeta, out)
	b.files.Read(fileRecoveryPoint, tagRecoveryPoint, out)
	b.files.Read(fileLogStart, tagLogStart, out)
	b.files.Read(fileHighWatermark, tagHighWatermark, out)
	b.files.Read(fileCleanShutdown, tagClean, out)
	b.files.Read(fileBrokerEpoch, tagEpoch, out)
	b.files.Read(fileCleanerOffset, tagCleanerOffset, out)
	b.boot.list = b.ids.Op()
	out.Disk = append(out.Disk, step.DiskOp{Op: b.boot.list, Kind: step.List, Path: rootDir})
	b.boot.awaited = bootReads + 1
}

// fileDone takes the outcome of a small-file request.
func (b *Broker) fileDone(now core.Now, r smallfile.Result, out *step.Effects) {
	if r.Err != step.DiskOK {
		b.fail(fmt.Sprintf("%s: %v %s", r.Path, r.Err, r.Detail))
		return
	}
	switch {
	case r.Tag <= bootReads:
		b.boot.results[r.Tag] = r
		b.bootArrived(now, out)
	case r.Tag == tagFormat:
		b.consumeMarker(now, out)
	case r.Tag == tagWriteEpoch:
		b.life.proving = false
	case r.Tag >= tagIdentity:
		b.identified(r)
	default:
		b.checkpointWritten(now, r, out)
	}
}

// ownDone takes a completion of the broker's own operations.
func (b *Broker) ownDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	switch d.Op {
	case b.boot.list:
		if d.Err != step.DiskOK {
			b.fail(fmt.Sprintf("listing the data directory: %v %s", d.Err, d.Detail))
			return
		}
		b.boot.entries = d.Entries
		b.bootArrived(now, out)
	case b.boot.consume:
		if d.Err != step.DiskOK && d.Err != step.ErrNotExist {
			b.fail(fmt.Sprintf("removing %s: %v %s", fileCleanShutdown, d.Err, d.Detail))
			return
		}
		if d.Kind == step.Remove {
			b.boot.consume = b.ids.Op()
			out.Disk = append(out.Disk, step.DiskOp{Op: b.boot.consume, Kind: step.SyncDir, Path: rootDir})
			return
		}
		b.openPlane(now, out)
	default:
		if !b.boot.moves[d.Op] {
			b.readDone(now, d, out)
		} else if b.opening--; d.Err != step.DiskOK {
			b.fail(fmt.Sprintf("renaming %s: %v %s", d.Path, d.Err, d.Detail))
		}
	}
}

// bootArrived goes on once everything that start asked for is there.
func (b *Broker) bootArrived(now core.Now, out *step.Effects) {
	b.boot.awaited--
	if b.boot.awaited > 0 {
		return
	}
	meta := &b.boot.results[tagMeta]
	if meta.Missing {
		b.format(out)
		return
	}
	id, err := log.ParseMeta(meta.Data)
	switch {
	case err != nil:
		b.fail(fmt.Sprintf("%s: %v", fileMeta, err))
		return
	case id.NodeID != b.cfg.NodeID:
		b.fail(fmt.Sprintf("the data directory belongs to node %d, this is node %d: %s says so; set node.id, or use another log.dirs",
			id.NodeID, b.cfg.NodeID, fileMeta))
		return
	case b.cfg.ClusterID != "" && id.ClusterID != b.cfg.ClusterID:
		b.fail(fmt.Sprintf("the data directory belongs to cluster %s, the configuration says %s", id.ClusterID, b.cfg.ClusterID))
		return
	}
	b.cfg.ClusterID, b.boot.identity = id.ClusterID, metadata.DirectoryID(id.DirectoryID)
	b.consumeMarker(now, out)
}

// format gives an empty data directory its identity. A directory with partitions but without identity is somebody's
// data: it is refused, not adopted.
func (b *Broker) format(out *step.Effects) {
	for _, e := range b.boot.entries {
		if e.Dir && strings.Contains(e.Name, "-") {
			b.fail(fmt.Sprintf("the data directory holds %s but no %s; restore that file, or use an empty directory", e.Name, fileMeta))
			return
		}
	}
	r := b.rand.Fork("format")
	alone := b.cfg.Roles.Controller && len(b.cfg.Voters) == 1 && len(b.cfg.BootstrapServers) == 0
	if b.cfg.ClusterID == "" && !alone {
		b.fail("the data directory is empty and cluster.id is not set; all nodes of a cluster must be formatted with the same cluster.id")
		return
	}
	if b.cfg.ClusterID == "" {
		b.cfg.ClusterID = core.TopicIDFromWords(r.Uint64(), r.Uint64()).String()
	}
	b.boot.identity = metadata.DirectoryID(core.TopicIDFromWords(r.Uint64(), r.Uint64()))
	props := log.Meta{ClusterID: b.cfg.ClusterID, NodeID: b.cfg.NodeID, DirectoryID: core.TopicID(b.boot.identity)}
	b.files.Replace(fileMeta, props.AppendTo(nil), tagFormat, out)
}

// consumeMarker removes the clean-shutdown marker, durably, before anything else is written: found again after a
// crash of this process it would vouch for files that nobody closed (KAFKA-10471, BUGS A11).
func (b *Broker) consumeMarker(now core.Now, out *step.Effects) {
	if err := b.readCheckpoints(); err != nil {
		b.fail(err.Error())
		return
	}
	if !b.boot.past.Clean {
		b.openPlane(now, out)
		return
	}
	b.boot.consume = b.ids.Op()
	out.Disk = append(out.Disk, step.DiskOp{Op: b.boot.consume, Kind: step.Remove, Path: fileCleanShutdown})
}

func (b *Broker) readCheckpoints() (err error) {
	marker := &b.boot.results[tagClean]
	b.boot.past.Clean, b.life.previous = !marker.Missing, -1
	if b.boot.past.Clean {
		if b.life.previous, err = log.ParseCleanShutdown(marker.Data); err != nil {
			return err
		}
	}
	if proof := &b.boot.results[tagEpoch]; !b.boot.past.Clean && !proof.Missing && b.cfg.Durability == config.DurabilityCommit {
		if b.life.previous, err = log.ParseCleanShutdown(proof.Data); err != nil {
			return fmt.Errorf("%s: %w", fileBrokerEpoch, err)
		}
	}
	if b.boot.marks, err = keeping.Offsets(&b.boot.results[tagHighWatermark]); err != nil {
		return err
	}
	return b.boot.past.Read(&b.boot.results[tagRecoveryPoint], &b.boot.results[tagLogStart], &b.boot.results[tagCleanerOffset])
}

// openPlane takes the node's seat in the quorum.
func (b *Broker) openPlane(now core.Now, out *step.Effects) {
	b.phase = phaseReplay
	b.plane = control.New(control.Options{
		Config: b.cfg, Static: b.opts.Static, Rand: b.rand.Fork("control"), Peers: b.peers, Identity: b.boot.identity,
		Past: b.boot.past.Of(metadataPartition()), Log: b.metaLogConfig(), Features: supported(),
		Owners: raft.Owners{Log: ownerMetaLog, Files: ownerMetaFiles, Reads: ownerMetaReads},
		Tuning: control.Tuning{
			ReadBytes: b.opts.Tuning.RecoveryChunkBytes, FetchBytes: b.opts.Tuning.MetadataFetchBytes,
			SnapshotRecords: b.opts.Tuning.SnapshotRecords, Check: b.opts.Tuning.Check,
		},
	})
	b.plane.Open(now, out)
	b.enroll(now)
}

// metaLogConfig: the metadata log is always fsynced before it counts, whatever the policy for topics (KIP-595), and
// is never shortened while there are no snapshots.
func (b *Broker) metaLogConfig() log.Config {
	return log.Config{
		RetentionMs: -1, RetentionBytes: -1, Policy: log.Commit,
		RecoveryChunkBytes: b.opts.Tuning.RecoveryChunkBytes, LookupBytes: b.opts.Tuning.LookupBytes,
		RecentBatches: b.opts.Tuning.RecentBatches, DiskTimeout: core.Millis(b.cfg.DiskStallMs),
		Journal: b.opts.Tuning.Check,
	}
}

// progress moves start-up and shutdown on when what they wait for has happened.
func (b *Broker) progress(now core.Now, out *step.Effects) {
	switch b.phase {
	case phaseReplay:
		switch {
		case !b.cfg.Roles.Broker:
			if b.plane.Ready() {
				b.phase = phaseServing
				b.scheduleHousekeeping(now)
			}
		case b.caughtUp():
			b.identify(out)
		}
	case phaseIdentify:
		if b.boot.awaited == 0 {
			b.openAll(now, out)
		}
	case phaseLogs:
		switch {
		case b.opening > 0 || b.life.proving || !b.caughtUp():
		case b.life.previous >= 0 && b.anyOffline():
			b.recant(now)
		default:
			b.phase = phaseJoin
			b.wantUnfenced(now)
		}
	case phaseJoin:
		if b.unfenced() {
			b.phase = phaseServing
			b.scheduleHousekeeping(now)
		}
	case phaseLeaving:
		if b.life.giveUp == 0 {
			b.wantOut(now)
		}
		if b.mayLeave(now) {
			b.phase = phaseStopping
			b.life.giveUp = now.Mono.Add(b.plane.Resign(now, out))
		}
	case phaseStopping:
		b.stopping(now, out)
	default: // the files' arrival ends phaseFiles; the other phases wait for nothing
	}
}

// identify reads which topic each partition directory belongs to. Names are not enough: a topic may have been deleted
// and created again, and what the checkpoints say about the old incarnation must not be demanded of the new one.
func (b *Broker) identify(out *step.Effects) {
	b.phase = phaseIdentify
	for _, e := range b.boot.entries {
		if e.Dir && e.Name != raft.Dir && keeping.IsPartitionDir(e.Name) {
			b.boot.dirs = append(b.boot.dirs, partitionDir{name: e.Name})
		}
	}
	b.boot.awaited = len(b.boot.dirs)
	for i, d := range b.boot.dirs {
		b.files.Read(d.name+"/"+log.PartitionMetadataFile, tagIdentity+smallfile.Tag(i), out)
	}
}

func (b *Broker) identified(r smallfile.Result) {
	b.boot.awaited--
	d := &b.boot.dirs[r.Tag-tagIdentity]
	if r.Missing {
		return
	}
	id, err := log.ParsePartitionMetadata(r.Data)
	d.id, d.bad = id, err != nil
}

// openAll opens every partition that the image assigns to this node, and puts aside directories that belong to no
// topic of the image.
func (b *Broker) openAll(now core.Now, out *step.Effects) {
	b.phase = phaseLogs
	b.boot.moves = make(map[step.OpID]bool)
	found := make(map[string]*partitionDir, len(b.boot.dirs))
	for i := range b.boot.dirs {
		found[b.boot.dirs[i].name] = &b.boot.dirs[i]
	}
	for t := range b.image().Topics() {
		for _, state := range t.Partitions() {
			tp := core.TopicPartition{Topic: t.Name, Partition: state.ID}
			d := found[tp.String()]
			delete(found, tp.String())
			if d != nil && !d.bad && !d.id.IsZero() && d.id != t.ID {
				b.opening++
				b.boot.moves[b.putAside(d.name, out)] = true
				continue
			}
			past := log.Past{}
			if d != nil && (d.bad || !d.id.IsZero()) {
				past = b.boot.past.Of(tp)
			}
			mine := slices.Contains(state.Replicas, b.cfg.NodeID)
			if d != nil && !mine { // reassigned away while this broker was down
				b.putAside(d.name, out)
			}
			if mine {
				p := b.openPartition(now, tp, t.ID, past, out)
				if mark, ok := b.boot.marks[tp]; ok && past != (log.Past{}) {
					p.SetCheckpointedHW(mark)
				}
				b.lead(now, p, state, out)
			}
		}
	}
	for _, d := range b.boot.dirs {
		if found[d.name] != nil {
			b.putAside(d.name, out)
		}
	}
	for _, e := range b.boot.entries { // deletions that a crash interrupted
		if e.Dir && strings.HasSuffix(e.Name, "-delete") {
			out.Disk = append(out.Disk, step.DiskOp{Kind: step.RemoveDir, Path: e.Name})
		}
	}
}

// putAside renames a directory under Kafka's suffix -stray instead of deleting it (KAFKA-14616): the metadata may be
// what is wrong.
func (b *Broker) putAside(name string, out *step.Effects) step.OpID {
	out.Reachable("broker.stray-log", nil)
	b.checkpoint.strays = append(b.checkpoint.strays, name)
	op := b.ids.Op()
	out.Disk = append(out.Disk, step.DiskOp{Op: op, Kind: step.Rename, Path: name, To: fmt.Sprintf("%s.%s-stray", name, b.randomHex())})
	return op
}

// freed opens what was to be made under the names of logs that were put aside. The checkpoints have forgotten those by now: what they
// promise of a log that is gone would be asked of the new one after a crash, and take it for damaged.
func (b *Broker) freed(now core.Now, out *step.Effects) {
	names := b.checkpoint.strays
	if !b.checkpoint.forgetting || b.checkpoint.writing > 0 || b.marksWriting {
		return
	}
	b.checkpoint.forgetting, b.checkpoint.strays = false, nil
	for t := range b.image().Topics() {
		for _, state := range t.Partitions() {
			if tp := (core.TopicPartition{Topic: t.Name, Partition: state.ID}); slices.Contains(names, tp.String()) {
				b.applyPartition(now, t.Name, t.ID, state, out)
			}
		}
	}
}

// randomHex is a unique suffix for directories that are on their way out.
func (b *Broker) randomHex() string {
	r := b.rand
	return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
}
