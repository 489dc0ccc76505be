package broker

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/route"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/log"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// lifecycle is this incarnation's standing with the controller (KIP-631): registered under a broker epoch, then caught up
// with the metadata log, then unfenced, and at the end let go.
//
// Invariant: no request goes out under a broker epoch that is not this incarnation's. The incarnation id is drawn anew by
// every process, so the controller tells a restarted broker from its predecessor even where the node id is the same.
type lifecycle struct {
	incarnation metadata.IncarnationID
	// previous is the epoch of the incarnation before, if all that it had acknowledged is here: it shut down in good order, or
	// it fsynced before it acknowledged and recovery finds no damage; -1 else. A broker that can prove that stays eligible
	// (KIP-966). Kafka knows the first proof only; with it a power loss of all replicas leaves nobody eligible, and the
	// last known leader is elected whatever has become of its disk.
	previous core.BrokerEpoch
	proving  bool             // the epoch is being written down
	epoch    core.BrokerEpoch // -1 until registered

	controller core.LeaderEpoch // of the controller known last
	office     bool             // this node was the active controller when it was looked at last
	asking     bool             // a registration or heartbeat is under way
	at         core.Mono        // when the next one is due
	fenced     bool             // as the controller said last
	ready      bool             // logs are open: the broker wants to be unfenced
	leaving    bool             // the broker wants to shut down
	free       bool             // the controller has nothing against it
	giveUp     core.Mono        // when a leaving broker stops asking
	heardAt    core.Mono        // when the controller answered a heartbeat last
	stirred    bool             // an answer has changed something in this turn
	refused    core.ErrorCode   // why the controller did not register this incarnation when it was last asked
	rival      core.Mono        // since when another incarnation holds this broker's id; 0 if none does
}

// Pace of the lifecycle where Kafka's intervals would make every start and every election slower than it need be.
const (
	retryController  = 50 * core.Millisecond // after an unanswered or refused request
	desertion        = core.Second           // without an answer, after which a leaving broker leaves
	waitForUnfencing = 20 * core.Millisecond // between heartbeats of a broker that could serve and is still fenced
)

// enroll begins the registration of this incarnation.
func (b *Broker) enroll(now core.Now) {
	b.rand.Fork("incarnation").Fill(b.life.incarnation[:])
	b.life.epoch, b.life.fenced, b.life.at = -1, true, now.Mono
}

// lifecycleDue is when the next registration or heartbeat goes out.
func (b *Broker) lifecycleDue() (core.Mono, bool) {
	due := b.cfg.Roles.Broker && b.phase >= phaseReplay && b.phase <= phaseLeaving && !b.life.asking
	return b.life.at, due
}

// stayInTouch brings the next heartbeat forward when the controller has changed, or when the connection to it has broken:
// the controller takes a broken connection for the end of this process and fences it soon.
func (b *Broker) stayInTouch(now core.Now) {
	_, epoch := b.plane.Quorum().Leader()
	office := b.plane.Active() // known leaders of the quorum take office a moment later; of this node's own it can be seen
	again := epoch != b.life.controller || office != b.life.office
	b.life.controller, b.life.office = epoch, office
	for _, l := range b.peers.Lost() {
		again = again || l.Lane == route.LaneControl && l.Addr == b.plane.LeaderAddr()
	}
	if again {
		b.life.at = min(b.life.at, now.Mono)
	}
}

// keepAlive sends the registration or heartbeat that is due.
func (b *Broker) keepAlive(now core.Now, out *step.Effects) {
	if at, due := b.lifecycleDue(); !due || at > now.Mono {
		return
	}
	if b.life.epoch < 0 {
		b.register(now, out)
		return
	}
	b.heartbeat(now, out)
}

// register asks for a broker epoch. The cluster's id and the log directory let the controller refuse strangers.
func (b *Broker) register(now core.Now, out *step.Effects) {
	req := kmsg.NewPtrBrokerRegistrationRequest()
	req.SetVersion(4)
	req.BrokerID, req.ClusterID, req.IncarnationID = int32(b.cfg.NodeID), b.cfg.ClusterID, b.life.incarnation
	req.PreviousBrokerEpoch = int64(b.life.previous)
	req.LogDirs = [][16]byte{b.boot.identity}
	for _, l := range b.cfg.Listeners {
		rl := kmsg.NewBrokerRegistrationRequestListener()
		rl.Name, rl.Host, rl.Port = l.Name, l.AdvertisedHost, uint16(l.AdvertisedPort)
		req.Listeners = append(req.Listeners, rl)
	}
	for _, f := range features() {
		rf := kmsg.NewBrokerRegistrationRequestFeature()
		rf.Name, rf.MinSupportedVersion, rf.MaxSupportedVersion = f.name, int16(f.min), int16(f.max)
		req.Features = append(req.Features, rf)
	}
	if b.cfg.Rack != "" {
		req.Rack = &b.cfg.Rack
	}
	b.life.asking = true
	b.route.AskController(now, req, core.Millis(b.cfg.BrokerSessionTimeoutMs), b.registered, out)
}

// registered takes the answer to a registration. What another attempt may mend is tried again; the rest ends the process
// with the reason, because a broker that nobody knows can do nothing.
func (b *Broker) registered(now core.Now, body wire.Response, out *step.Effects) {
	b.life.asking, b.life.at = false, now.Mono.Add(retryController)
	if body == nil {
		return
	}
	resp := body.(*kmsg.BrokerRegistrationResponse)
	b.life.refused, b.life.stirred = core.ErrorCode(resp.ErrorCode), true
	switch code := core.ErrorCode(resp.ErrorCode); code {
	case core.ErrNone:
		b.life.epoch, b.life.at = core.BrokerEpoch(resp.BrokerEpoch), now.Mono
		if b.cfg.Durability == config.DurabilityCommit {
			b.life.proving = true
			b.files.Replace(fileBrokerEpoch, log.AppendCleanShutdown(nil, b.life.epoch), tagWriteEpoch, out)
		}
	case core.ErrInconsistentClusterID:
		b.fail(fmt.Sprintf("the controller belongs to another cluster than %s; check controller.quorum.voters and the data directory", b.cfg.ClusterID))
	case core.ErrUnsupportedVersion:
		b.fail("the cluster runs at a metadata version or feature level that this broker does not support; upgrade the broker")
	case core.ErrInvalidRegistration, core.ErrInvalidRequest:
		b.fail(fmt.Sprintf("the controller refused the registration of broker %d: %v", b.cfg.NodeID, code))
	case core.ErrDuplicateBrokerRegistration:
		b.rivalled(now)
	default: // NOT_CONTROLLER and its kin pass
	}
}

// recant registers anew, as an incarnation that proves nothing: a log that should have been whole is damaged.
func (b *Broker) recant(now core.Now) {
	b.rand.Fork("recanted").Fill(b.life.incarnation[:])
	b.life.previous, b.life.epoch, b.life.at = -1, -1, now.Mono
}

// rivalled notes that another incarnation holds this broker's id. If that is this broker's own past, its session runs
// out; if it outlives any session, it is another process that was given the same node.id.
func (b *Broker) rivalled(now core.Now) {
	if b.life.rival == 0 {
		b.life.rival = now.Mono
	}
	if patience := 3 * core.Millis(b.cfg.BrokerSessionTimeoutMs); now.Mono > b.life.rival.Add(patience) {
		b.fail(fmt.Sprintf("another process is registered as broker %d of cluster %s and is alive; give this one a node.id of its own",
			b.cfg.NodeID, b.cfg.ClusterID))
	}
}

// heartbeat tells the controller that the broker lives, how far it has followed the metadata log, and what it wants.
func (b *Broker) heartbeat(now core.Now, out *step.Effects) {
	req := kmsg.NewPtrBrokerHeartbeatRequest()
	req.SetVersion(1)
	req.BrokerID, req.BrokerEpoch = int32(b.cfg.NodeID), int64(b.life.epoch)
	req.CurrentMetadataOffset = int64(b.image().Offset())
	req.WantFence, req.WantShutdown = !b.life.ready, b.life.leaving
	b.life.asking = true
	asked := b.life
	b.route.AskController(now, req, core.Millis(b.cfg.BrokerSessionTimeoutMs), func(now core.Now, body wire.Response, out *step.Effects) {
		b.heard(now, asked, body, out)
	}, out)
}

// heard takes the answer to a heartbeat.
func (b *Broker) heard(now core.Now, asked lifecycle, body wire.Response, _ *step.Effects) {
	b.life.asking, b.life.at = false, now.Mono.Add(retryController)
	if body == nil {
		return
	}
	resp := body.(*kmsg.BrokerHeartbeatResponse)
	switch core.ErrorCode(resp.ErrorCode) {
	case core.ErrNone:
	case core.ErrStaleBrokerEpoch, core.ErrBrokerIDNotRegistered:
		// The controller does not know this epoch. The same incarnation may register again: it gets its old epoch back, or
		// learns that another process has taken the id.
		if b.life.epoch == asked.epoch {
			b.life.epoch, b.life.fenced, b.life.previous = -1, true, -1
		}
		return
	default:
		return
	}
	b.life.fenced, b.life.free = resp.IsFenced, b.life.leaving && resp.ShouldShutdown
	b.life.stirred, b.life.heardAt = true, now.Mono
	b.life.at = now.Mono.Add(core.Millis(b.cfg.BrokerHeartbeatIntervalMs))
	switch {
	case asked.ready != b.life.ready || asked.leaving != b.life.leaving: // it wants something else by now
		b.life.at = now.Mono
	case b.life.ready && b.life.fenced && !b.life.leaving, b.life.leaving && !b.life.free:
		b.life.at = now.Mono.Add(waitForUnfencing)
	}
}

// wantUnfenced tells the controller that the logs are open.
func (b *Broker) wantUnfenced(now core.Now) {
	b.life.ready = true
	b.life.at = min(b.life.at, now.Mono)
}

// wantOut asks the controller to move leaderships away, for a while: a controller that cannot be reached, or that has
// nobody to move them to, must not keep a process alive that its operator wants stopped.
func (b *Broker) wantOut(now core.Now) {
	b.life.leaving = true
	b.life.at = min(b.life.at, now.Mono)
	b.life.giveUp = now.Mono.Add(core.Millis(b.cfg.BrokerSessionTimeoutMs))
}

// Waiting says what start-up waits for, in words for the operator; empty if it waits for nothing but the disk.
func (b *Broker) Waiting() string {
	switch {
	case b.plane == nil || b.phase >= phaseServing:
		return ""
	case b.plane.LeaderAddr() == "" && !b.plane.Active():
		return b.plane.Waiting()
	case b.phase == phaseReplay && b.life.refused == core.ErrDuplicateBrokerRegistration:
		return fmt.Sprintf("another process is registered as broker %d; waiting for its session to end", b.cfg.NodeID)
	case b.phase == phaseReplay && b.life.refused != core.ErrNone:
		return fmt.Sprintf("the controller refuses the registration of broker %d: %v", b.cfg.NodeID, b.life.refused)
	case b.phase == phaseReplay && b.cfg.Roles.Broker && b.life.epoch < 0:
		return "waiting for the controller at " + b.plane.LeaderAddr() + " to register this broker"
	case b.phase == phaseJoin:
		return "waiting for the controller to let this broker serve"
	}
	return ""
}

// mayLeave reports whether the broker can close its logs: the controller agrees, or does not answer.
func (b *Broker) mayLeave(now core.Now) bool {
	return b.life.free || b.life.epoch < 0 || !b.cfg.ControlledShutdown || b.life.giveUp <= now.Mono ||
		b.desertedAt() <= now.Mono
}

// desertedAt is when a leaving broker stops waiting for a controller that does not answer: where all nodes are stopped at
// once the last ones have nobody to ask.
func (b *Broker) desertedAt() core.Mono {
	began := b.life.giveUp - core.Millis(b.cfg.BrokerSessionTimeoutMs)
	return max(began, b.life.heardAt).Add(desertion)
}

// caughtUp reports whether the committed image, as applied here, contains this incarnation's registration.
func (b *Broker) caughtUp() bool {
	if b.life.epoch < 0 {
		return false
	}
	reg := b.image().Broker(b.cfg.NodeID)
	return reg != nil && reg.Epoch == b.life.epoch && reg.IncarnationID == b.life.incarnation
}

// unfenced reports whether the committed image lets this incarnation lead and follow.
func (b *Broker) unfenced() bool {
	return b.caughtUp() && !b.image().Broker(b.cfg.NodeID).Fenced
}
