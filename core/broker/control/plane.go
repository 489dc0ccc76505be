package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/peer"
	"github.com/klamm-log/klamm/core/prng"
	"github.com/klamm-log/klamm/core/raft"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// Options is what a Plane is made of.
type Options struct {
	Config   config.Broker
	Static   map[string]string // configured properties by Kafka's names
	Rand     *prng.Rand
	Peers    *peer.Pool
	Identity metadata.DirectoryID
	Log      log.Config // of the metadata log
	Past     log.Past   // what the checkpoints say of it
	Owners   raft.Owners
	Features []metadata.SupportedFeature // what this software can run with
	Tuning   Tuning
}

// Tuning holds knobs that exist to make rare paths frequent; zero changes nothing.
type Tuning struct {
	ReadBytes       int64 // of the metadata log per read
	FetchBytes      int32 // of the metadata log, served and asked per fetch
	SnapshotRecords int64 // a snapshot after so many records
	Check           bool
}

// LocalConn marks requests that this node asks itself; no real connection has the number.
const LocalConn step.ConnID = 0

// Plane is a node's part in the control plane.
type Plane struct {
	opts   Options
	cfg    config.Broker
	rand   *prng.Rand
	quorum *raft.Quorum
	ctl    *controller.Controller // nil unless this node is the active controller
	failed string

	leader  core.NodeID // the last controller that this node knew
	offices int64       // times that this node took office
	pending core.Offset // end of what this controller has proposed
	fresh   bool        // something was proposed since the quorum's last EndTurn

	image   *metadata.Image // committed
	changes []metadata.Change
	commits commitQueue

	beating   map[step.ConnID]beating // whose heartbeats a connection carries
	askers    map[raft.Asker]asked    // requests to the quorum that are not answered
	nextAsker raft.Asker

	registration registration
	standing     standing
	notices      []string
	twinSince    core.Mono       // since when another process leads under this node's id; 0: none does
	strangers    map[string]bool // addresses at which another cluster answered
	nextAsk      uint64
	asking       map[uint64]func(now core.Now, resp wire.Response, out *step.Effects)
	local        []step.Reply // answers to this node's own requests

	// Opening is the number of this node's logs that are being opened; answers to creations wait for them.
	Opening int
}

// beating is a broker that heartbeats, in the life that its epoch names.
type beating struct {
	id    core.NodeID
	epoch core.BrokerEpoch
}

// New is a plane that has not been opened.
func New(opts Options) *Plane {
	return &Plane{
		opts: opts, cfg: opts.Config, rand: opts.Rand, image: metadata.NewImage(),
		askers: make(map[raft.Asker]asked), beating: make(map[step.ConnID]beating), leader: core.NoNode,
		strangers: make(map[string]bool),
		asking:    make(map[uint64]func(core.Now, wire.Response, *step.Effects)),
	}
}

// Open takes the seat: the metadata log is recovered.
func (p *Plane) Open(now core.Now, out *step.Effects) {
	opts := raft.Options{
		NodeID: p.cfg.NodeID, DirectoryID: p.opts.Identity, Voter: p.cfg.Roles.Controller,
		Seeds: p.cfg.BootstrapServers, Endpoints: p.endpoints(), Log: p.opts.Log, Past: p.opts.Past,
		ReadBytes: p.opts.Tuning.ReadBytes, FetchBytes: p.opts.Tuning.FetchBytes,
		SnapshotRecords: p.opts.Tuning.SnapshotRecords, SnapshotBytes: p.cfg.MetadataSnapshotBytes,
		ElectionTimeout: core.Millis(p.cfg.QuorumElectionTimeoutMs), FetchTimeout: core.Millis(p.cfg.QuorumFetchTimeoutMs),
		ElectionBackoffMax: core.Millis(p.cfg.QuorumElectionBackoffMaxMs), RequestTimeout: core.Millis(p.cfg.QuorumRequestTimeoutMs),
		RetryBackoff: core.Millis(p.cfg.QuorumRetryBackoffMs),
		// Kafka holds fetches back for 500 ms whatever the fetch timeout is; a shorter timeout would then end every epoch.
		FetchMaxWait: min(500*core.Millisecond, core.Millis(p.cfg.QuorumFetchTimeoutMs)/4), Rand: p.rand.Fork("raft"),
	}
	for _, v := range p.cfg.Voters {
		addr := ""
		if v.Host != "" {
			addr = JoinHostPort(v.Host, v.Port)
		}
		opts.Static = append(opts.Static, raft.Bootstrap{ID: v.ID, Addr: addr})
	}
	p.rand.Fork("controller-incarnation").Fill(p.registration.incarnation[:])
	p.quorum = raft.New(opts, p.opts.Owners)
	p.quorum.Open(now, out)
}

// DiskDone takes a completion of the quorum's.
func (p *Plane) DiskDone(now core.Now, owner step.Owner, d *step.DiskDone, out *step.Effects) {
	switch owner {
	case p.opts.Owners.Log:
		p.quorum.LogDone(now, d, out)
	case p.opts.Owners.Files:
		p.quorum.FilesDone(now, d, out)
	default:
		p.quorum.ReadsDone(now, d, out)
	}
}

// LeaderAddr is where the active controller is to be asked, empty if that is not known, or this node is about to be it.
func (p *Plane) LeaderAddr() string {
	if leader, _ := p.quorum.Leader(); leader == p.cfg.NodeID {
		return ""
	}
	return p.quorum.LeaderAddr()
}

// Waiting says why the node knows no controller, in words for the operator.
func (p *Plane) Waiting() string {
	if p.twinSince > 0 {
		return fmt.Sprintf("another process is node %d of the quorum and leads it", p.cfg.NodeID)
	}
	if len(p.strangers) > 0 {
		return fmt.Sprintf("no controller is known; %s belongs to another cluster than %s", slices.Sorted(maps.Keys(p.strangers))[0], p.cfg.ClusterID)
	}
	return "no controller is known yet: a majority of the quorum's voters must run"
}

// stranger notes a node that says that it belongs to another cluster. If so many do that no quorum of this one can be left
// among the configured voters, it is this node that is the stranger.
func (p *Plane) stranger(addr string) {
	p.strangers[addr] = true
	known, _ := p.quorum.Leader()
	others := max(len(p.cfg.Voters), len(p.cfg.BootstrapServers))
	if known == core.NoNode && len(p.strangers) > others/2 {
		p.fail(fmt.Sprintf("this node is configured for cluster %s, and most of the quorum (%s) belongs to another; check cluster.id, meta.properties and controller.quorum.voters",
			p.cfg.ClusterID, strings.Join(slices.Sorted(maps.Keys(p.strangers)), ", ")))
	}
}

// Ready reports whether the node takes part in the quorum: its log is recovered and it knows a leader.
func (p *Plane) Ready() bool {
	leader, _ := p.quorum.Leader()
	return leader != core.NoNode && p.quorum.Log().Ready()
}

// Restless reports that another EndTurn would get further although no event has come: something was proposed since the
// last, local answers wait, or more of the metadata log could be read.
func (p *Plane) Restless() bool { return p.fresh || len(p.local) > 0 || p.quorum.Reading() }

// Resign gives up leadership of the quorum, so that the others need not wait until they miss this node, and returns how
// long the node should stay to tell them.
func (p *Plane) Resign(now core.Now, out *step.Effects) core.Mono {
	leader, _ := p.quorum.Leader()
	alone := len(p.quorum.View(now).Endpoints) <= 1
	if leader != p.cfg.NodeID || alone {
		return 0
	}
	p.quorum.Resign(now, out)
	return farewell
}

// farewell is how long a leader that resigns stays to tell the voters.
const farewell = 100 * core.Millisecond

// Close flushes and closes the metadata log; Closed reports the end.
func (p *Plane) Close(now core.Now, out *step.Effects) {
	p.ctl = nil
	p.commits.abandon(p, out)
	p.quorum.Close(now, out)
}

// Closed reports that the metadata log is closed.
func (p *Plane) Closed() bool { return p.quorum.Log().Closed() }

// snapshot has the committed image written down when the quorum finds that enough has come since the last time (KIP-630).
// Inside a metadata transaction there is no state to write (KIP-868).
func (p *Plane) snapshot(now core.Now, out *step.Effects) {
	if !p.quorum.SnapshotDue() || p.image.InTransaction() {
		return
	}
	var values [][]byte
	for r := range p.image.Records() {
		values = append(values, metadata.AppendTo(nil, r, p.image.MetadataVersion()))
	}
	p.quorum.WriteSnapshot(now, p.quorum.Applied(), values, out)
}

// Image is the committed image; read it only. It is replaced when a snapshot is loaded: do not keep it.
func (p *Plane) Image() *metadata.Image { return p.image }

// Quorum is the node's seat in the quorum; read it only.
func (p *Plane) Quorum() *raft.Quorum { return p.quorum }

// Active reports whether this node is the active controller. Within a turn the quorum may have ended its leadership
// already, while the controller is dismissed at the turn's end.
func (p *Plane) Active() bool { return p.ctl != nil && p.quorum.Active() }

// Failed says why the node cannot go on; the process must end.
func (p *Plane) Failed() (string, bool) { return p.failed, p.failed != "" }

func (p *Plane) fail(why string) {
	if p.failed == "" {
		p.failed = why
	}
}

// Changes are what the committed image has seen since the last time, in order; valid until the next turn.
func (p *Plane) Changes() []metadata.Change {
	c := p.changes
	p.changes = p.changes[:0]
	return c
}

// EndTurn moves the quorum on, applies what it has committed, and begins or ends this node's time as the active
// controller.
func (p *Plane) EndTurn(now core.Now, out *step.Effects) {
	p.fresh = false
	p.quorum.EndTurn(now, out)
	p.applyCommitted()
	p.exchange(now, out)
	if why, failed := p.quorum.Failed(); failed {
		p.fail(why)
		return
	}
	p.checkTwin(now)
	p.takeOffice(now, out)
	p.snapshot(now, out)
	p.enlist(now, out)
	p.checkStanding(now)
}

// checkTwin ends a node whose id leads the quorum although this process does not: two were given the same node.id. It waits
// as long as any memory of this node's own past could last.
func (p *Plane) checkTwin(now core.Now) {
	leader, _ := p.quorum.Leader()
	if leader != p.cfg.NodeID || p.quorum.Role() != "observer" {
		p.twinSince = 0
		return
	}
	if p.twinSince == 0 {
		p.twinSince = max(1, now.Mono)
	}
	if now.Mono > p.twinSince.Add(3*core.Millis(p.cfg.BrokerSessionTimeoutMs)) {
		p.fail(fmt.Sprintf("another process is node %d of cluster %s and leads its quorum; give this one a node.id of its own", p.cfg.NodeID, p.cfg.ClusterID))
	}
}

// takeOffice makes this node the active controller when the quorum says so, and ends that when it says no more.
func (p *Plane) takeOffice(now core.Now, out *step.Effects) {
	active := p.quorum.Active()
	if leader, _ := p.quorum.Leader(); leader != core.NoNode && leader != p.leader && (leader != p.cfg.NodeID || active) {
		if active {
			defer p.succeed(now, p.leader)
		}
		p.leader = leader
	}
	switch {
	case active && p.ctl == nil:
		out.Reachable("controller.active", nil)
		p.offices++
		p.pending = p.image.Offset() + 1 // what an earlier term has proposed since is nobody's business any more
		p.ctl = controller.Activate(p.cfg, controller.Options{
			SessionTimeout: core.Millis(p.cfg.BrokerSessionTimeoutMs), ImbalanceCheck: core.Millis(p.cfg.LeaderImbalanceCheckMs),
			AutoRebalance: p.cfg.AutoLeaderRebalance, Static: p.opts.Static,
		}, p.rand.ForkN("controller", p.offices), p.image.Clone(), now)
	case !active && p.ctl != nil:
		out.Reachable("controller.resigned", nil)
		p.ctl = nil
		p.commits.abandon(p, out)
	}
}

// succeed takes note of whom this controller succeeds. If that node died it was a broker too, perhaps, and its
// connections died where this one could not see it; if it lives it is heard again before its grace is over.
func (p *Plane) succeed(now core.Now, before core.NodeID) {
	if b := p.image.Broker(before); b != nil && p.ctl != nil && before != p.cfg.NodeID {
		p.ctl.Disconnected(now, before, b.Epoch)
	}
}

// Finish answers those whose changes are committed and applied; the turn's last act but the pool's.
func (p *Plane) Finish(now core.Now, out *step.Effects) {
	p.commits.release(p, now, out)
	p.deliverLocal(now, out)
}

// NextDeadline is the earliest instant at which the plane wants a Tick.
func (p *Plane) NextDeadline() (core.Mono, bool) {
	at, ok := p.quorum.NextDeadline()
	if twin := p.twinSince.Add(3*core.Millis(p.cfg.BrokerSessionTimeoutMs) + 1); p.twinSince > 0 && (!ok || twin < at) {
		at, ok = twin, true
	}
	if w, waits := p.commits.nextDeadline(p.image.Offset()); waits && (!ok || w < at) {
		at, ok = w, true
	}
	if r, due := p.registrationDue(); due && (!ok || r < at) {
		at, ok = r, true
	}
	if p.ctl != nil {
		if c, due := p.ctl.NextDeadline(); due && (!ok || c < at) {
			at, ok = c, true
		}
	}
	return at, ok
}

// Tick does what is due.
func (p *Plane) Tick(now core.Now, out *step.Effects) {
	if at, ok := p.quorum.NextDeadline(); ok && at <= now.Mono {
		p.quorum.Tick(now, out)
	}
	if !p.Active() {
		return
	}
	for range maxDuties {
		at, ok := p.ctl.NextDeadline()
		if !ok || at > now.Mono {
			return
		}
		if recs := p.ctl.Tick(now); len(recs) > 0 {
			p.propose(now, recs)
		}
	}
}

// maxDuties bounds what the controller does by itself in one turn; the rest follows in the next.
const maxDuties = 100

// Ask puts a request to this node's own controller; then is called with the answer, which is what any node would get.
func (p *Plane) Ask(now core.Now, body wire.Request, then func(core.Now, wire.Response, *step.Effects), out *step.Effects) {
	p.nextAsk++
	p.asking[p.nextAsk] = then
	p.Handle(now, &step.Request{Conn: LocalConn, Seq: p.nextAsk, Version: body.GetVersion(), Body: body}, out)
}

// send lets an answer go: to its connection, or to this node itself.
func (p *Plane) send(r step.Reply, out *step.Effects) {
	if r.Conn == LocalConn {
		p.local = append(p.local, r)
		return
	}
	out.Replies = append(out.Replies, r)
}

// deliverLocal gives this node's own requests their answers.
func (p *Plane) deliverLocal(now core.Now, out *step.Effects) {
	for i := 0; i < len(p.local); i++ {
		r := p.local[i]
		then := p.asking[r.Seq]
		delete(p.asking, r.Seq)
		then(now, r.Body, out)
	}
	clear(p.local)
	p.local = p.local[:0]
}

// answer is the reply to a request with a response body.
func answer(r *step.Request, body wire.Response) step.Reply {
	return step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Body: body}
}

// reply answers in this turn.
func (p *Plane) reply(r *step.Request, body wire.Response, out *step.Effects) {
	p.send(answer(r, body), out)
}
