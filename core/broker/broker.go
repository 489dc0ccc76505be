package broker

import (
	"slices"
	"strconv"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/control"
	"github.com/klamm-log/klamm/core/broker/produce"
	"github.com/klamm-log/klamm/core/broker/route"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/fetch"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/log/cleaner"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/smallfile"
	"github.com/klamm-log/klamm/core/step"
)

// Options is what a broker is made of.
type Options struct {
	Config config.Broker
	// Static holds the configured broker properties by Kafka's names, for defaults of topics and for DescribeConfigs.
	Static map[string]string
	// Seed is this incarnation's entropy: topic ids, incarnation id, session ids. Real nodes draw it from the system.
	Seed uint64
	// Tuning holds what only the simulator sets: sizes and intervals below Kafka's bounds.
	Tuning Tuning
}

// Tuning holds knobs that exist to make rare paths frequent. The zero value changes nothing.
type Tuning struct {
	RecoveryChunkBytes int64
	LookupBytes        int64
	RecentBatches      int32
	SegmentBytes       int32 // overrides segment.bytes of every topic, below Kafka's least value too
	IndexIntervalBytes int32
	CheckpointMs       int64
	MetadataFetchBytes int32 // most bytes of the metadata log per fetch
	SnapshotRecords    int64 // a snapshot of the metadata after so many records
	Check              bool  // assert all invariants after each turn
}

// The first owners of the machine's id space. Partitions get the numbers behind them.
const (
	ownerFiles      step.Owner = iota // small files of the broker
	ownerBroker                       // directory operations and reads of fetches and lookups
	ownerMetaLog                      // the metadata log
	ownerMetaFiles                    // quorum-state
	ownerMetaReads                    // reading the metadata log and its snapshots
	ownerPartitions                   // first partition
)

// Broker is one node: a broker, a controller, or both in one process, by process.roles.
type Broker struct {
	opts  Options
	cfg   config.Broker
	rand  *prng.Rand
	phase phase
	halt  string

	files     *smallfile.Files
	ids       step.IDs // of ownerBroker
	boot      bootState
	plane     *control.Plane  // nil until the data directory has been read
	nothing   *metadata.Image // the image until then
	peers     *peer.Pool      // connections to other nodes
	route     *route.Router   // who is asked over them
	coord     *coordinators   // nil without the broker role
	life      lifecycle
	isr       isrChanges
	leaders   []*following    // by node id: whom this broker follows
	deletions []*deletion     // clients' DeleteRecords that wait for replicas
	creating  map[string]bool // topics being created for clients that asked for their metadata

	partitions   []*partition // by slot, nil once deleted
	byName       map[core.TopicPartition]*partition
	byKey        map[partitionKey]*partition
	byTopic      map[core.TopicID][]*partition
	leaving      map[core.TopicPartition]*partition // being deleted; their directories are not free yet
	deadlines    deadline.Heap[*partition]          // of logs whose disk owes an answer
	dirty        []*partition                       // touched in this turn: their logs have work at its end
	rounds       int                                // of this turn
	opening      int                                // partitions whose log is not ready or offline yet
	checkpointAt core.Mono
	marksAt      core.Mono // when HighWatermarks are written next
	marksWriting bool
	retentionAt  core.Mono
	cleaner      *cleaner.Manager // nil until it serves, and of a controller alone
	checkpoint   checkpointState

	produces *produce.Plane
	fetches  fetchTable
	reads    readTable
	sessions *fetch.Cache
	codecs   record.Codecs
	conns    map[step.ConnID]*connection
	moved    []ReplicaView  // see Moved
	journal  []JournalEntry // see Journal
	notices  []string       // see Notices
}

// connection is what the broker remembers of a served connection.
type connection struct {
	listener string
	remote   string
	fetches  []*fetching // parked
}

// drop forgets one parked fetch.
func (c *connection) drop(f *fetching) {
	if i := slices.Index(c.fetches, f); i >= 0 {
		c.fetches = slices.Delete(c.fetches, i, i+1)
	}
}

type phase uint8

const (
	phaseNew      phase = iota
	phaseFiles          // identity, markers and checkpoints
	phaseReplay         // the metadata log is read, and this incarnation registered
	phaseIdentify       // which topic each partition directory belongs to
	phaseLogs           // partition recovery
	phaseJoin           // waiting to be unfenced
	phaseServing
	phaseLeaving  // the controller moves leaderships away
	phaseStopping // logs are closed
	phaseStopped
)

// New is a broker that has not been started. The configuration must have been validated.
func New(opts Options) *Broker {
	b := &Broker{
		opts: opts, cfg: opts.Config, rand: prng.New(opts.Seed),
		files: smallfile.New(ownerFiles), ids: step.NewIDs(ownerBroker),
		nothing:  metadata.NewImage(),
		peers:    peer.New("klamm-" + strconv.FormatInt(int64(opts.Config.NodeID), 10)),
		byName:   make(map[core.TopicPartition]*partition),
		creating: make(map[string]bool),
		byKey:    make(map[partitionKey]*partition),
		conns:    make(map[step.ConnID]*connection),
		byTopic:  make(map[core.TopicID][]*partition),
		leaving:  make(map[core.TopicPartition]*partition),
	}
	slots := int(b.cfg.FetchSessionSlots)
	b.sessions = fetch.NewCache(fetch.Options{Slots: slots, NoSessions: slots == 0}, b.rand.Fork("sessions"))
	b.route = route.New(route.Options{Config: b.cfg, Peers: b.peers, Handle: b.request})
	b.produces = produce.New(produceHost{b.route, b}, b.cfg.Transactions.Verification)
	b.reads.pending = make(map[step.OpID]pendingRead)
	if b.cfg.Roles.Broker {
		b.coord = newCoordinators(b)
	}
	return b
}

// Serving reports whether the node does what its roles ask of it: clients are answered, or the quorum.
func (b *Broker) Serving() bool { return b.phase == phaseServing || b.phase == phaseLeaving }

// Listening reports whether the edge accepts connections on a listener: on a controller's as soon as the quorum is open,
// because without it no broker gets any further, on the others while clients are served.
func (b *Broker) Listening(listener string) bool {
	if b.halt != "" {
		return false
	}
	if b.controllerListener(listener) {
		return b.phase >= phaseReplay && b.phase < phaseStopped
	}
	return b.Serving()
}

func (b *Broker) controllerListener(name string) bool {
	return slices.ContainsFunc(b.cfg.ControllerListeners, func(l config.Listener) bool { return l.Name == name })
}

// image is the committed image of the cluster, as applied here.
func (b *Broker) image() *metadata.Image {
	if b.plane == nil {
		return b.nothing
	}
	return b.plane.Image()
}

// Halted says why the broker has ended: the text is for the operator, and clean tells an orderly shutdown.
func (b *Broker) Halted() (why string, clean, halted bool) {
	if b.halt != "" {
		return b.halt, false, true
	}
	return "", true, b.phase == phaseStopped
}

// fail ends the broker: nothing is stepped any more.
func (b *Broker) fail(why string) {
	if b.halt == "" {
		b.halt = why
	}
}

// Step implements [step.Machine].
func (b *Broker) Step(now core.Now, ev step.Event, out *step.Effects) {
	if b.halt != "" {
		return
	}
	switch ev := ev.(type) {
	case *step.Start:
		b.start(out)
	case *step.Request:
		b.request(now, ev, out)
	case *step.DiskDone:
		b.diskDone(now, ev, out)
	case *step.ConnState:
		b.connState(now, ev)
	case *step.Tick:
		b.tick(now, out)
	case *step.PeerResponse:
		b.peers.Response(ev, out)
	case *step.PeerState:
		b.peers.State(ev, out)
	}
}

// diskDone routes a completion by the owner number in its id.
func (b *Broker) diskDone(now core.Now, d *step.DiskDone, out *step.Effects) {
	switch o := d.Owner(); o {
	case ownerFiles:
		if r, ok := b.files.DiskDone(d, out); ok {
			b.fileDone(now, r, out)
		}
	case ownerBroker:
		b.ownDone(now, d, out)
	case ownerMetaLog, ownerMetaFiles, ownerMetaReads:
		b.plane.DiskDone(now, o, d, out)
	default:
		if p := b.partitions[o-ownerPartitions]; p != nil {
			p.Log.DiskDone(now, d, out)
			b.touch(p)
		}
	}
}

// EndTurn implements [step.Machine].
func (b *Broker) EndTurn(now core.Now, out *step.Effects) {
	b.moved, b.journal, b.notices = b.moved[:0], b.journal[:0], b.notices[:0]
	if b.halt != "" {
		return
	}
	b.peers.Deliver(now, out)
	b.rounds = 0
	for again := true; again && b.halt == ""; {
		b.goOn(now, out)
		b.sweep(now, out)
		b.writeAwaited(out)
		b.settlePartitions(now, out)
		b.answerDeletions(now, out)
		b.alterPartitions(now, out)
		// What an answer released, or what this node's own controller was asked, goes on in this turn: no event need come
		// of it.
		again = b.route.Deliver(now, out) || b.plane != nil && b.plane.Restless() || b.produces.Touched() || b.fetches.Touched() || len(b.dirty) > 0
	}
	if b.halt != "" {
		return
	}
	if b.opts.Tuning.Check {
		b.check()
		if b.plane != nil {
			b.journal = appendJournal(b.journal, metadataPartition(), core.MetadataTopicID, b.plane.Quorum().Log())
		}
	}
}

// endless is more rounds than any turn has: what one does wakes at most a few others.
const endless = 100_000

// goOn moves start-up, shutdown, the control plane and the partitions on until none of them gets any further.
func (b *Broker) goOn(now core.Now, out *step.Effects) {
	for again := true; again && b.halt == ""; {
		if b.rounds++; b.rounds > endless {
			invariant.Fail("a turn without end: phase %v, restless plane %v", b.phase, b.plane != nil && b.plane.Restless())
		}
		before, closing := b.phase, b.checkpoint.closing
		b.life.stirred = false
		b.advance(now, out)
		b.progress(now, out)
		b.talk(now, out)
		// The next phase may have proposed, opened or closed something, and no event need come of it: idle logs close at
		// once.
		again = b.phase != before || b.checkpoint.closing != closing || b.life.stirred || b.plane != nil && b.plane.Restless()
	}
}

// advance lets the quorum and the logs hand out their work and applies what is committed.
func (b *Broker) advance(now core.Now, out *step.Effects) {
	if b.plane != nil {
		b.plane.Opening = b.opening
		b.plane.EndTurn(now, out)
		b.notices = append(b.notices, b.plane.Notices()...)
		b.applyChanges(now, out)
		if why, failed := b.plane.Failed(); failed {
			b.fail(why)
			return
		}
	}
	b.settlePartitions(now, out)
}

// talk sends what other nodes are to hear: the controller of this broker, and leaders of its replicas. Answers of this
// node's own controller come at once.
func (b *Broker) talk(now core.Now, out *step.Effects) {
	if b.plane == nil {
		return
	}
	b.stayInTouch(now)
	b.keepAlive(now, out)
	b.alterPartitions(now, out)
	b.fetchFromLeaders(now, out)
	b.route.PassAgain(now, out)
	b.plane.Opening = b.opening
	b.plane.Finish(now, out)
	b.peers.Deliver(now, out)
}

// touch notes that a partition's log or state changed in this turn.
func (b *Broker) touch(p *partition) {
	if !p.dirty {
		p.dirty = true
		b.dirty = append(b.dirty, p)
	}
}

// settlePartitions ends the turn of every partition that was touched: appends and syncs go out, the HighWatermark
// advances, waiters are noted for the sweep.
func (b *Broker) settlePartitions(now core.Now, out *step.Effects) {
	for i := 0; i < len(b.dirty); i++ {
		p := b.dirty[i]
		p.dirty = false
		p.Log.EndTurn(now, out)
		b.settle(now, p, out)
		b.schedule(p)
	}
	clear(b.dirty)
	b.dirty = b.dirty[:0]
}

func (b *Broker) connState(now core.Now, ev *step.ConnState) {
	if ev.Open {
		b.conns[ev.Conn] = &connection{listener: ev.Listener, remote: ev.Remote}
		return
	}
	if c := b.conns[ev.Conn]; c != nil {
		b.dropFetches(c)
		b.deletions = slices.DeleteFunc(b.deletions, func(d *deletion) bool { return d.reply.Conn == ev.Conn })
		delete(b.conns, ev.Conn)
		if b.plane != nil {
			b.plane.Disconnected(now, ev.Conn)
		}
	}
}

// check asserts what must hold after every turn: the replicas' invariants, and that nobody who could be answered was left
// parked.
func (b *Broker) check() {
	b.produces.Check()
	for _, p := range b.partitions {
		if p != nil {
			p.Check()
		}
	}
	if b.plane != nil {
		b.plane.Quorum().Check()
	}
	if b.coord != nil {
		b.coord.check()
	}
}
