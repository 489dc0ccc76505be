package replica

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/deadline"
	"github.com/klamm-log/klamm/core/fetch"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/simdisk"
)

// The lab is a small cluster in one thread: three nodes with real logs over simulated disks, the real Fetchers and fetch
// sessions, a network that delays, loses and repeats, and a controller by the book (labctl_test.go). What is checked
// after every turn stands in labcheck_test.go.

const (
	labTopic = "t"
	longPoll = 100 * core.Millisecond
)

type lab struct {
	t      testing.TB
	rand   *prng.Rand
	now    core.Mono
	events deadline.Heap[func()]
	nodes  []*labNode
	ctl    labCtl
	opts   Options
	cfg    log.Config
	min    int

	// delay is how long a message takes; ok is false if it is lost. again asks for a second copy.
	delay func(link string) (d core.Mono, ok, again bool)
	// patience is after how long a request counts as lost. One that took longer may still arrive.
	patience core.Mono
	cuts     map[string]bool // links that take nothing
	holds    map[string]bool // links that take and do not deliver, in traces
	held     map[string][]func()
	values   map[uint32]string // what a batch is, in traces
	points   map[string]int
	oracle   [][]cell // per partition: what has been committed, by offset
	said     []core.Offset
	acked    int
	failed   string
	trail    []string
}

// labNode is one process and its disk.
type labNode struct {
	l           *lab
	id          core.NodeID
	life        int
	up          bool
	disk        *simdisk.Disk
	parts       []*labPart
	fetchers    []*Fetcher // by leader id, nil if unused
	sentAt      []core.Mono
	sessions    *fetch.Cache
	parked      []*labFetch
	image       labImage
	brokerEpoch core.BrokerEpoch
	out         step.Effects
}

// labPart is one replica, with what survives its process.
type labPart struct {
	rep      *Replica
	content  contents
	hwFile   core.Offset // the node's checkpoint files
	point    core.Offset
	start    core.Offset
	hw       core.Offset
	hwEpoch  core.LeaderEpoch
	alterAt  core.Mono // of the AlterPartition in flight
	alterID  uint64
	produced []labProduce
}

// labProduce is a produce with acks=all that waits.
type labProduce struct {
	epoch core.LeaderEpoch
	base  core.Offset
	cells []cell
}

// labFetch is a follower's fetch at its leader.
type labFetch struct {
	from    *labNode
	life    int
	req     FetchRequest
	epoch   core.BrokerEpoch
	ctx     fetch.Context
	expires core.Mono
}

func (n *labNode) clock() core.Now {
	return core.Now{Mono: n.l.now, Wall: core.Wall(n.l.now / core.Millisecond)}
}

func newLab(t testing.TB, seed uint64, partitions int) *lab {
	l := &lab{
		t: t, rand: prng.New(seed), now: core.Second, points: map[string]int{}, min: 2,
		patience: 300 * core.Millisecond, cuts: map[string]bool{}, holds: map[string]bool{}, held: map[string][]func(){}, values: map[uint32]string{},
		opts:   Options{LagTime: 500 * core.Millisecond, MinInsyncReplicas: 2},
		cfg:    log.Config{Journal: true, TrackWrites: true, SegmentBytes: 600, IndexIntervalBytes: 200},
		oracle: make([][]cell, partitions), said: make([]core.Offset, partitions),
	}
	l.delay = func(string) (core.Mono, bool, bool) { return core.Millisecond, true, false }
	l.ctl.log = l.logf
	for id := range 3 {
		n := &labNode{l: l, id: core.NodeID(id), disk: simdisk.New(l.rand.ForkN("disk", int64(id)), simdisk.Config{})}
		for range partitions {
			n.parts = append(n.parts, &labPart{})
		}
		l.nodes = append(l.nodes, n)
	}
	return l
}

func topicID() core.TopicID { return core.TopicID{1} }

// start begins a life of a node: its logs are opened with what its checkpoint files say.
func (n *labNode) start() {
	n.life++
	n.up = true
	n.fetchers, n.sentAt = make([]*Fetcher, 3), make([]core.Mono, 3)
	n.sessions = fetch.NewCache(fetch.Options{}, n.l.rand.ForkN("sessions", int64(n.id)*1000+int64(n.life)))
	n.parked, n.image = nil, labImage{}
	for i, p := range n.parts {
		tp := core.TopicPartition{Topic: labTopic, Partition: int32(i)}
		lg := log.New(n.l.cfg, step.Owner(i), tp.String(), log.Past{RecoveryPoint: p.point, LogStartOffset: p.start, TopicID: topicID()})
		p.rep = New(n.id, tp, topicID(), lg, n.l.opts)
		p.rep.SetCheckpointedHW(p.hwFile)
		p.hw, p.hwEpoch, p.alterAt, p.produced = 0, core.NoLeaderEpoch, 0, nil
		lg.Open(n.clock(), &n.out)
	}
	n.endTurn()
}

// stop ends a life, by a crash of the process or of the machine.
func (n *labNode) stop(power bool) {
	n.up = false
	n.out.Reset()
	if power {
		n.disk.PowerLoss(n.l.now)
	} else {
		n.disk.ProcessCrash(n.l.now)
	}
	for _, p := range n.parts {
		p.content.take(p.rep.Log.TakeJournal())
	}
}

// learn applies a version of the metadata.
func (n *labNode) learn(img labImage) {
	if !n.up || img.version <= n.image.version {
		return
	}
	if b := img.brokers[n.id]; b == nil || b.Epoch < n.brokerEpoch {
		return // from before this life
	}
	n.image = img
	for i, p := range n.parts {
		p.rep.Apply(n.clock(), img.parts[i], &n.out)
		if p.alterID != 0 && p.rep.pending == nil {
			p.alterAt = 0
		}
		leader, following := p.rep.Following()
		for id, f := range n.fetchers {
			if f != nil && (!following || core.NodeID(id) != leader) {
				f.Remove(p.rep)
			}
		}
		if following {
			if n.fetchers[leader] == nil {
				n.fetchers[leader] = NewFetcher(leader, FetcherOptions{MaxBytes: n.l.fetchBytes()})
			}
			n.fetchers[leader].Add(p.rep)
		}
	}
	n.endTurn()
}

func (l *lab) fetchBytes() int32 {
	if l.rand.Chance(1, 2) {
		return 150 // about one batch
	}
	return 1 << 20
}

// endTurn does what core/broker does at the end of a turn.
func (n *labNode) endTurn() {
	for range 3 { // what is written down may let a log go on
		for i, p := range n.parts {
			p.rep.Log.EndTurn(n.clock(), &n.out)
			if at, ok := p.rep.Log.NeedsCheckpoint(); ok {
				p.point, p.start = min(p.point, at), min(p.start, at)
				p.rep.Log.Checkpointed(n.clock(), at, &n.out)
			}
			p.rep.Settle()
			p.rep.Advance(n.clock())
			n.propose(i, p)
		}
		n.fetch()
		n.reserve()
	}
	for i, p := range n.parts {
		p.rep.Log.Check()
		p.rep.Check()
		p.rep.Points(&n.out)
		p.content.take(p.rep.Log.TakeJournal())
		n.l.checkReplica(n, i, p)
		n.answerProduces(i, p)
	}
	for _, op := range n.out.Disk {
		n.disk.Submit(n.l.now, op)
	}
	for _, p := range n.out.Points {
		n.l.points[p.Message]++
	}
	n.out.Reset()
}

// propose sends AlterPartition.
func (n *labNode) propose(i int, p *labPart) {
	prop, ok := p.rep.Proposal(n.clock(), n.image)
	if !ok {
		return
	}
	p.alterAt, p.alterID = n.l.now, prop.ID
	life := n.life
	answer := func(o Outcome) {
		if n.up && n.life == life && p.alterAt != 0 && p.alterID == prop.ID {
			p.alterAt = 0
			p.rep.Proposed(n.clock(), o)
			n.endTurn()
		}
	}
	n.l.send(fmt.Sprintf("%d->ctl", n.id), func() {
		o := n.l.ctl.alter(n.l, n.id, n.brokerEpoch, i, prop)
		n.l.send(fmt.Sprintf("ctl->%d", n.id), func() { answer(o) })
	})
	at := n.l.now
	n.l.events.Add(n.l.now+n.l.patience, func() {
		if p.alterAt == at {
			answer(Outcome{ID: prop.ID, Code: core.ErrNetworkException})
		}
	})
}

// fetch sends what the fetchers have to ask.
func (n *labNode) fetch() {
	for _, f := range n.fetchers {
		if f == nil {
			continue
		}
		for _, p := range n.parts {
			f.Touch(p.rep)
		}
		f.AppendHeld(n.clock())
		req, ok := f.Next(n.clock(), &n.out)
		if !ok {
			continue
		}
		leader, life, epoch := n.l.nodes[f.Leader()], n.life, n.brokerEpoch
		n.l.send(fmt.Sprintf("%d->%d", n.id, leader.id), func() {
			if leader.up {
				leader.begin(&labFetch{from: n, life: life, req: req, epoch: epoch})
			}
		})
		n.l.events.Add(n.l.now+n.l.patience, func() {
			if n.up && n.life == life && f.awaited == req.ID {
				f.Failed(n.clock())
				n.endTurn()
			}
		})
	}
}

// begin takes a follower's fetch.
func (n *labNode) begin(lf *labFetch) {
	r := fetch.Request{SessionID: lf.req.SessionID, SessionEpoch: lf.req.SessionEpoch, ByID: true, Follower: true}
	for _, a := range lf.req.Partitions {
		r.Partitions = append(r.Partitions, fetch.Partition{Key: fetch.Key{ID: a.TopicID, Partition: a.Index},
			FetchOffset: a.FetchOffset, LogStartOffset: a.LogStartOffset, CurrentLeaderEpoch: a.CurrentLeaderEpoch,
			LastFetchedEpoch: a.LastFetchedEpoch, MaxBytes: a.MaxBytes})
	}
	for _, g := range lf.req.Forgotten {
		r.Forgotten = append(r.Forgotten, fetch.Key{ID: g.TopicID, Partition: g.Index})
	}
	lf.ctx = n.sessions.Begin(n.l.now, &r)
	if lf.ctx.Err != core.ErrNone {
		n.respond(lf, FetchResponse{ID: lf.req.ID, Code: lf.ctx.Err})
		return
	}
	lf.expires = n.l.now + longPoll
	for _, a := range lf.req.Partitions {
		p := n.parts[a.Index]
		code := p.rep.AdmitFollower(lf.from.id, lf.epoch, a.CurrentLeaderEpoch)
		if _, _, diverging := p.rep.Divergence(a.LastFetchedEpoch, a.FetchOffset); code == core.ErrNone && !diverging {
			_ = p.rep.FollowerFetched(n.clock(), n.image, FollowerFetch{ID: lf.from.id, LeaderEpoch: a.CurrentLeaderEpoch,
				BrokerEpoch: lf.epoch, FetchOffset: a.FetchOffset, LastFetchedEpoch: a.LastFetchedEpoch, LogStartOffset: a.LogStartOffset,
				HighWatermark: a.HighWatermark})
			p.rep.Advance(n.clock())
		}
	}
	n.parked = append(n.parked, lf)
	n.endTurn()
}

// reserve looks at the parked fetches again.
func (n *labNode) reserve() {
	n.parked = slices.DeleteFunc(n.parked, func(lf *labFetch) bool { return n.serve(lf) })
}

// serve answers a fetch if there is something to say or its time is over.
func (n *labNode) serve(lf *labFetch) bool {
	resp := FetchResponse{ID: lf.req.ID, SessionID: lf.ctx.SessionID}
	urgent := n.l.now >= lf.expires || len(lf.ctx.Partitions) == 0
	parts := make([]FetchedPartition, len(lf.ctx.Partitions))
	for i, asked := range lf.ctx.Partitions {
		var news bool
		parts[i], news = n.servePart(lf, asked)
		urgent = urgent || news
	}
	if !urgent {
		return false
	}
	for i, asked := range lf.ctx.Partitions {
		a := &parts[i]
		if lf.ctx.Include(asked, fetch.Answer{Err: a.Code, HighWatermark: a.HighWatermark, LogStartOffset: a.LogStartOffset,
			Bytes: int64(len(a.Records)), Diverging: a.Diverging}) {
			n.parts[asked.Partition].rep.Sent(lf.from.id, a.HighWatermark)
			resp.Partitions = append(resp.Partitions, *a)
		}
	}
	lf.ctx.Finish()
	n.respond(lf, resp)
	return true
}

// servePart makes one partition's answer, and says whether it is worth sending.
func (n *labNode) servePart(lf *labFetch, asked *fetch.Partition) (FetchedPartition, bool) {
	rep := n.parts[asked.Partition].rep
	a := FetchedPartition{TopicID: asked.ID, Index: asked.Partition, HighWatermark: -1, LogStartOffset: -1}
	a.Code = rep.AdmitFollower(lf.from.id, lf.epoch, asked.CurrentLeaderEpoch)
	if a.Code != core.ErrNone {
		return a, true
	}
	a.HighWatermark, a.LogStartOffset = rep.HighWatermark(), rep.Log.LogStartOffset()
	a.DivergingEpoch, a.DivergingEnd, a.Diverging = rep.Divergence(asked.LastFetchedEpoch, asked.FetchOffset)
	if a.Diverging {
		return a, true
	}
	q := log.Query{Offset: asked.FetchOffset, MaxBytes: int64(asked.MaxBytes), MinOneBatch: true, UpperBound: rep.FollowerBound()}
	at := rep.Log.Locate(q)
	for at.Need.Len > 0 {
		data, err := n.disk.ReadSpan(step.Span{File: at.Need.File, Pos: at.Need.Pos, Len: at.Need.Len}, nil)
		if err != nil {
			n.l.fail("lookup: %v", err)
			return a, true
		}
		at = rep.Log.ResolveLocate(q, at.Need, data)
	}
	a.Code = at.Code
	if at.Span.Len > 0 {
		data, err := n.disk.ReadSpan(at.Span, nil)
		if err != nil {
			n.l.fail("read: %v", err)
		}
		a.Records = data
	}
	return a, a.Code != core.ErrNone || len(a.Records) > 0 || rep.NeedsHW(lf.from.id)
}

func (n *labNode) respond(lf *labFetch, resp FetchResponse) {
	from, life := lf.from, lf.life
	n.l.send(fmt.Sprintf("%d->%d", n.id, from.id), func() {
		if f := from.fetchers[n.id]; from.up && from.life == life && f != nil {
			f.Response(from.clock(), resp, &from.out)
			from.endTurn()
		}
	})
}

// produce appends a batch with acks=all at a node that believes it leads.
func (n *labNode) produce(i int, value string, records int) bool {
	p := n.parts[i]
	if !n.up || p.rep.Serving() != core.ErrNone || p.rep.EnoughReplicas(n.l.min) != core.ErrNone {
		return false
	}
	var b record.Builder
	var c record.Codecs
	b.Begin(nil, record.Options{})
	for range records {
		body := []byte(value)
		if strings.HasSuffix(value, "*") { // fills a segment
			body = append(body, make([]byte, 400)...)
		}
		if err := b.Append(core.Wall(n.l.now), nil, body, nil); err != nil {
			n.l.t.Fatal(err)
		}
	}
	data, err := b.Finish(&c)
	if err != nil {
		n.l.t.Fatal(err)
	}
	a := p.rep.Append(n.clock(), data, nil)
	if a.Code != core.ErrNone {
		return false
	}
	h := record.Batch(data).Header()
	n.l.values[h.CRC] = value
	w := labProduce{epoch: p.rep.LeaderEpoch(), base: a.Base}
	for range records {
		w.cells = append(w.cells, cell{h.PartitionLeaderEpoch, h.CRC})
	}
	p.produced = append(p.produced, w)
	n.endTurn()
	return true
}

// send hands a message to the network.
func (l *lab) send(link string, deliver func()) {
	if l.holds[link] {
		l.held[link] = append(l.held[link], deliver)
		return
	}
	for {
		d, ok, again := l.delay(link)
		if ok && !l.cuts[link] {
			l.events.Add(l.now+d, deliver)
		}
		if !again {
			return
		}
	}
}

// step lets the next thing happen, if there is one until the given instant.
func (l *lab) step(until core.Mono) bool {
	at, found := l.events.Next()
	var owner *labNode
	for _, n := range l.nodes {
		if d, ok := n.disk.NextDeadline(); ok && (!found || d < at) {
			at, found, owner = d, true, n
		}
	}
	var timer *labNode
	for _, n := range l.nodes {
		if d, ok := n.nextDeadline(); ok && (!found || d < at) {
			at, found, owner, timer = d, true, nil, n
		}
	}
	if !found || at > until || l.failed != "" {
		return false
	}
	l.now = max(l.now, at)
	switch {
	case timer != nil:
		timer.tick()
	case owner != nil:
		owner.disk.Poll(l.now, func(d *step.DiskDone) {
			if owner.up {
				owner.parts[d.Owner()].rep.Log.DiskDone(owner.clock(), d, &owner.out)
			}
		})
		if owner.up {
			owner.endTurn()
		}
	default:
		f, _ := l.events.PopDue(l.now)
		f()
	}
	l.checkCluster()
	return true
}

func (l *lab) run(d core.Mono) {
	until := l.now + d
	for n := 0; l.step(until); n++ {
		if n > 2_000_000 {
			l.fail("no end of events")
		}
	}
	if l.failed == "" {
		l.now = until
	}
}

func (n *labNode) nextDeadline() (at core.Mono, ok bool) {
	take := func(d core.Mono, has bool) {
		if has && (!ok || d < at) {
			at, ok = d, true
		}
	}
	if !n.up {
		return 0, false
	}
	for _, p := range n.parts {
		take(p.rep.NextDeadline())
	}
	for _, f := range n.fetchers {
		if f != nil {
			take(f.NextDeadline())
		}
	}
	for _, lf := range n.parked {
		take(lf.expires, true)
	}
	return at, ok
}

func (n *labNode) tick() {
	for _, p := range n.parts {
		if at, ok := p.rep.NextDeadline(); ok && at <= n.l.now {
			p.rep.Tick(n.clock())
		}
	}
	for _, f := range n.fetchers {
		if f == nil {
			continue
		}
		if at, ok := f.NextDeadline(); ok && at <= n.l.now {
			f.Tick(n.clock())
		}
	}
	n.endTurn()
}

// checkpoint writes the node's checkpoint files.
func (n *labNode) checkpoint() {
	for _, p := range n.parts {
		if lg := p.rep.Log; n.up && lg.Ready() {
			p.hwFile, p.point, p.start = p.rep.HighWatermark(), lg.RecoveryPoint(), lg.LogStartOffset()
			lg.Checkpointed(n.clock(), p.point, &n.out)
		}
	}
	n.endTurn()
}

var _ Registry = labImage{}

// Broker implements Registry.
func (i labImage) Broker(id core.NodeID) *metadata.Broker { return i.brokers[id] }
